"""Whatever a profile says has an effect, or is answered: no wish is dropped without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.manifests.yaml import to_stream
from dynagen.plan.wishes import USUAL
from dynagen.text.paths import OVERLAYS
from dynagen.text.source import parse
from tests.conftest import MEMORY

BASE: dict[str, Any] = {
    "apiVersion": "dynagen.dev/v1alpha1", "kind": "Profile", "metadata": {"name": "chat", "namespace": "inference"},
    "backend": "vllm", "model": "Qwen/Qwen3-0.6B", "gpu": "nvidia-l4", "agg": {"replicas": 2, "gpus": 1},
    "huggingFaceSecret": "hf-token", "overlays": ["gke", "monitoring"],
}  # fmt: skip
ISTIO = {"overlays": ["gke", "istio", "monitoring"], "istio": {"host": "chat.example.com"}}
CACHE = {"modelCache": {"size": "300Gi"}}
VARIANTS: dict[str, dict[str, Any]] = {
    "gke": {},
    "no gateway": {"gke": {"gateway": {"enabled": False}}},
    "cache": CACHE,
    "claim": {"modelCache": {"claimName": "filled"}},
    "one worker with a disk": {"agg": {"replicas": 1, "gpus": 1}, "modelCache": {"size": "300Gi", "accessMode": "ReadWriteOnce"}},
    "istio": ISTIO,
    "gateway api": {**ISTIO, "istio": {"host": "chat.example.com", "routing": "gateway-api"}},
    "gateway that exists": {**ISTIO, "istio": {"host": "chat.example.com", "gateway": "edge/public"}},
    "no mesh": {**ISTIO, "istio": {"host": "chat.example.com", "mesh": "none"}},
    "no dashboard": {"monitoring": {"dashboard": {"enabled": False}}},
    "podmonitor": {"monitoring": {"scrape": "podmonitor"}},
    "namespace that exists": {**ISTIO, "createNamespace": False},
    "v1alpha1": {"release": "1.1.1"},
    "sglang": {"backend": "sglang"},
}  # fmt: skip
KEYS: dict[str, list[Any]] = {
    "createNamespace": [False], "servedModelName": ["m"], "context": [4096], "engineArgs": [["--seed", "1"]], "router.mode": ["kv", "random"], "router.events": [True, False], "blockSize": [64], "speculative.method": ["ngram"], "kvOffload.memory": ["8Gi"], "compilationCache.size": ["100Gi"], "compilationCache.claimName": ["c"], "volumes": [[{"claimName": "c", "mountPath": "/d"}]], "speculative.tokens": [5], "toolCallParser": ["hermes"], "reasoningParser": ["qwen3"], "env": [{"A": "b"}],
    "spot": [True], "networkPolicy": [False], "podSecurity": ["none", "restricted"],
    "frontend.replicas": [3], "frontend.migrationLimit": [7], "frontend.args": [["--router-temperature", "0.5"]], "frontend.cpu": ["3"],
    "frontend.memory": ["5Gi"], "frontend.longestAnswerSeconds": [60],
    "agg.sharedMemory": ["9Gi"], "agg.cpu": ["3"], "agg.memory": ["9Gi"],
    "modelCache.size": ["300Gi"], "modelCache.storageClassName": ["standard-rwx"], "modelCache.mountPath": ["/m"],
    "modelCache.accessMode": ["ReadWriteOnce", "ReadWriteMany"], "modelCache.claimName": ["c"],
    "modelCache.download": [True, False], "modelCache.accessPod": [True],
    "gke.machineType": ["g2-standard-12"], "gke.zone": ["us-central1-a"], "gke.capacity": ["flex-start"],
    "gke.gateway.enabled": [True, False], "gke.gateway.class": ["gke-l7-rilb", "gke-l7-global-external-managed"],
    "gke.gateway.host": ["b.example.com"], "gke.gateway.tlsSecret": ["t"], "gke.gateway.certificateMap": ["m"],
    "gke.gateway.timeoutSeconds": [100],
    "istio.routing": ["gateway-api"], "istio.gateway": ["x/y"], "istio.gatewaySelector": [{"a": "b"}],
    "istio.tlsCredential": ["t"], "istio.maxRequests": [50], "istio.mtls": ["strict"], "istio.mesh": ["none", "csm-managed"], "istio.revision": ["r"],
    "monitoring.scrape": ["podmonitor", "chart"], "monitoring.interval": ["60s"], "monitoring.labels": [{"a": "b"}],
    "monitoring.dashboard.enabled": [False], "monitoring.dashboard.namespace": ["m"], "monitoring.dashboard.folder": ["f"],
    "monitoring.dashboard.label": ["l"], "monitoring.slo.availability": [99.0],
}  # fmt: skip
# What is so anyway, in some of the variants.
SO_ANYWAY = [
    ("podSecurity", "restricted"), ("gke.gateway.enabled", True), ("gke.gateway.enabled", False), ("modelCache.download", True), ("modelCache.download", False),
    ("modelCache.accessMode", "ReadWriteMany"), ("modelCache.storageClassName", "standard-rwx"),
]  # fmt: skip


def built(data: dict[str, Any]) -> tuple[str, list[str], Any]:
    """The manifests, what was found, and the profile with its defaults."""
    report = Report()
    documents = parse(json.dumps(data), "profile.yaml", report)
    found = compile_profile(Request(documents, [], Path(), Path(), memory=MEMORY), report)
    return (
        to_stream(found.manifests),
        [each.message for each in report.diagnostics],
        found.profile and found.profile.data,
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_wish_is_dropped(variant: str) -> None:
    context = {**BASE, **VARIANTS[variant]}
    manifests, said, given = built(context)
    assert manifests, said
    for name, values in KEYS.items():
        *above, key = name.split(".")
        if above and above[0] in ("gke", "istio", "monitoring") and above[0] not in context["overlays"]:
            continue
        default = given
        for part in name.split("."):
            default = default.get(part) if isinstance(default, dict) else None
        for value in values:
            data = json.loads(json.dumps(context))
            inner = data
            for part in above:
                inner = inner.setdefault(part, {})
            inner[key] = value
            other, words, _ = built(data)
            is_default = value == default or (default is None and value is False) or (name, value) in SO_ANYWAY
            assert is_default or (other, words) != (manifests, said), (name, value)


def test_what_is_usual_is_what_the_schemas_say() -> None:
    for path, value in USUAL.items():
        node = json.loads((OVERLAYS / path[0] / "schema.json").read_bytes())
        for part in path[1:]:
            node = node["properties"][part]
        assert node["default"] == value
