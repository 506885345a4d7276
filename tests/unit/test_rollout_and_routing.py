"""How workers are replaced, how frontends are spread, and what they know of caches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.unit.compiling import HEAD, compiled, component, pod, told

H100 = "backend: vllm\ngpu: nvidia-h100-80gb\noverlays: [gke]\n"
L4 = "backend: vllm\ngpu: nvidia-l4\nagg: {replicas: 2}\n"
SURGE, UNAVAILABLE = (
    "nvidia.com/deployment-rolling-update-max-surge",
    "nvidia.com/deployment-rolling-update-max-unavailable",
)


def annotations(text: str) -> Any:
    return component(compiled(text), "worker")["podTemplate"].get("metadata", {}).get("annotations", {})


@pytest.mark.parametrize(("text", "expected"), [
    (H100 + "agg: {replicas: 2, gpus: 8}\n", {}),
    (H100 + "agg: {replicas: 2, gpus: 8}\ngke: {capacity: reservation}\n", {SURGE: "0", UNAVAILABLE: "1"}),
    (H100 + "agg: {replicas: 2, gpus: 8}\ngke: {capacity: flex-start}\n", {SURGE: "0", UNAVAILABLE: "1"}),
    (H100 + "agg: {replicas: 2, gpus: 8}\nspot: true\n", {}),
    (H100 + "agg: {replicas: 3, gpus: 8}\nspot: true\n", {SURGE: "0", UNAVAILABLE: "1"}),
    (H100 + "agg: {replicas: 3, gpus: 8}\nspot: true\nrollout: {maxSurge: 25%}\n", {SURGE: "25%"}),
    (L4 + "rollout: {maxSurge: 0, maxUnavailable: 2}\n", {SURGE: "0", UNAVAILABLE: "2"}),
    (L4 + "rollout: {strategy: Recreate}\n", {"nvidia.com/deployment-strategy": "Recreate"}),
    (L4.replace("2}", "1}") + "modelCache: {size: 50Gi, accessMode: ReadWriteOnce}\n", {"nvidia.com/deployment-strategy": "Recreate"}),
    (H100 + "agg: {replicas: 3, gpus: 8}\nspot: true\nrelease: 1.1.1\n", None),
    (H100 + "agg: {replicas: 3, gpus: 8}\nspot: true\nrelease: 1.2.1\n", {SURGE: "0", UNAVAILABLE: "1"}),
    (H100 + "agg: {replicas: 2, gpus: 8}\nrelease: 1.3.1\n", {}),
    # Before 1.4, Recreate holds inside a generation of workers only, and the next one is another Deployment.
    (L4.replace("2}", "1}") + "release: 1.3.1\nmodelCache: {size: 50Gi, accessMode: ReadWriteOnce}\n", {SURGE: "0", UNAVAILABLE: "100%"}),
])  # fmt: skip
def test_workers_are_replaced_as_their_machines_allow(text: str, expected: dict[str, str] | None) -> None:
    if expected is None:
        assert SURGE not in str(compiled(text))
    else:
        assert annotations(text) == expected


def test_two_frontends_are_spread_and_one_is_not() -> None:
    spread = pod(compiled(L4), "Frontend")["topologySpreadConstraints"]
    assert component(compiled(L4), "Frontend")["replicas"] == 2
    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}
    assert "topologySpreadConstraints" not in pod(compiled(L4 + "frontend: {replicas: 1}\n"), "Frontend")


KV = L4 + "router: {mode: kv}\n"


def line(text: str) -> str:
    return " ".join(pod(compiled(text), "worker")["containers"][0]["args"])


@pytest.mark.parametrize(("text", "port"), [
    (KV, "20080"), (KV.replace("vllm", "sglang"), "5557"), (L4 + "router: {mode: kv, events: true}\n", "20080"),
])  # fmt: skip
def test_workers_publish_what_a_frontend_listens_to(text: str, port: str) -> None:
    assert line(text).count("--kv-events-config") == 1 and f"tcp://*:{port}" in line(text)


@pytest.mark.parametrize("text", [
    L4,
    L4 + "router: {mode: round-robin}\n",
    L4 + "router: {mode: kv, events: false}\n",
    KV + "engineArgs: [--kv-events-config.publisher, zmq]\n",
])  # fmt: skip
def test_nothing_is_published_that_nobody_wants_or_that_is_said(text: str) -> None:
    assert "--kv-events-config {" not in line(text)


@pytest.mark.parametrize(("where", "codes"), [
    ("prefill: {gpus: 1, engineArgs: [--no-enable-prefix-caching]}, decode: {gpus: 1}", ("DG643",)),
    ("prefill: {gpus: 1}, decode: {gpus: 1, engineArgs: [--no-enable-prefix-caching]}", ()),
])  # fmt: skip
def test_only_prefill_workers_are_chosen_by_what_they_have_cached(where: str, codes: tuple[str, ...]) -> None:
    report = Report()
    text = HEAD + KV.replace("agg: {replicas: 2}", f"disagg: {{{where}}}")
    compile_profile(Request(parse(text, "profile.yaml", report), [], Path(), Path()), report)
    assert tuple(sorted(each.code for each in told(report))) == codes


def test_frontends_that_route_by_cache_tell_each_other() -> None:
    assert "--router-replica-sync" in pod(compiled(KV), "Frontend")["containers"][0]["args"]
    alone = KV + "frontend: {replicas: 1}\n"
    assert "--router-replica-sync" not in pod(compiled(alone), "Frontend")["containers"][0]["args"]
    quiet = KV + "frontend: {args: [--no-router-replica-sync]}\n"
    assert "--router-replica-sync" not in pod(compiled(quiet, ("DG438",)), "Frontend")["containers"][0]["args"]
