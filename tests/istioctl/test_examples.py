"""Every example's tree before Istio's judges: nothing at level Error, and of warnings and infos those that we know of.

What the operator makes is supplied: the Service and a pod of each component, and the gateway's own pod and Service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.istioctl import analyze, analyze_offline, validate

TREES = sorted(path for path in (ROOT / "out").iterdir() if path.is_dir())
PROFILES = {
    "gateway-api": "istio: {host: a.example.com, routing: gateway-api}",
    "https": "istio: {host: a.example.com, tlsCredential: a-tls, maxRequests: 8, revision: stable}",
    "no-mesh": "istio: {host: a.example.com, mesh: none}",
    "managed": "istio: {host: a.example.com, mesh: csm-managed}\ncreateNamespace: true",
}
# What may remain, with the reason.
REMAINING = {
    "IST0102": "the namespace carries no injection label: pods ask for a sidecar by label themselves",
    "IST0118": "the port `system` of workers' Services is named by Dynamo's operator",
    "IST0103": "in managed mesh the namespace asks for sidecars, and the stub of a pod has none: nobody injects it here",
}


def pods_and_services(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Source: deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo, and Istio's chart for gateways."""
    for graph in (each for each in objects if each["kind"] == "DynamoGraphDeployment"):
        parts = [(each["name"], each) for each in graph["spec"].get("components", ())]
        parts += list(graph["spec"].get("services", {}).items())
        for name, part in parts:
            metadata = part.get("podTemplate", {}).get("metadata") or part.get("extraPodMetadata") or {}
            labels = metadata.get("labels", {}) | {
                "nvidia.com/dynamo-graph-deployment-name": graph["metadata"]["name"],
                "nvidia.com/dynamo-component": name,
                "nvidia.com/dynamo-component-type": part.get("type") or part.get("componentType") or "worker",
            }
            port = ("http", 8000) if name.lower() == "frontend" else ("system", 9090)
            where = {"name": f"{graph['metadata']['name']}-{name}".lower(), "namespace": graph["metadata"]["namespace"]}
            annotations = metadata.get("annotations", {})
            yield _pod(where, labels, annotations)
            yield _service(where, {"nvidia.com/dynamo-component": name}, port)
    gateway = {"name": "ingressgateway", "namespace": "istio-ingress"}
    yield _pod(gateway, {"istio": "ingressgateway"}, {})
    yield _service(gateway, {"istio": "ingressgateway"}, ("http", 80), ("https", 443))


def _pod(where: dict[str, str], labels: dict[str, str], annotations: dict[str, str]) -> dict[str, Any]:
    metadata = where | {"labels": labels, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [{"name": "main"}]}}


def _service(where: dict[str, str], selector: dict[str, str], *ports: tuple[str, int]) -> dict[str, Any]:
    listed = [{"name": name, "port": number, "targetPort": number, "protocol": "TCP"} for name, number in ports]
    return {"apiVersion": "v1", "kind": "Service", "metadata": where, "spec": {"selector": selector, "ports": listed}}


def check(objects: list[dict[str, Any]], folder: Path) -> None:
    file, stubs = folder / "tree.yaml", folder / "stubs.yaml"
    file.write_text(yaml.safe_dump_all(objects), "utf-8")
    stubs.write_text(yaml.safe_dump_all(pods_and_services(objects)), "utf-8")
    assert validate(file) == {}
    found = analyze(file, stubs)
    assert [each for each in found if each.level == "Error" and not is_the_certificate(each.text)] == []
    assert [each for each in found if each.code not in (*REMAINING, "IST0101")] == []
    offline = [each for each in analyze_offline(file) if each.level == "Error"]
    assert offline == []


def is_the_certificate(text: str) -> bool:
    """The certificate's Secret is no part of a tree: a Secret's value never is."""
    return re.fullmatch(r'Referenced credentialName not found: "[a-z]+-tls"', text) is not None


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_an_example_passes(tree: Path, tmp_path: Path) -> None:
    files = [path for path in sorted(tree.glob("*.yaml")) if path.name != "kustomization.yaml"]
    check([each for file in files for each in yaml.safe_load_all(file.read_text("utf-8"))], tmp_path)


@pytest.mark.parametrize("name", PROFILES)
def test_other_ways_to_use_the_layer_pass(name: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    head = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nmetadata: {name: demo, namespace: team}\nbackend: vllm\n"
    body = "model: Qwen/Qwen3-0.6B\ngpu: nvidia-l4\nagg: {replicas: 2, gpus: 1}\noverlays: [gke, istio, monitoring]\n"
    (tmp_path / "profile.yaml").write_text(head + body + PROFILES[name] + "\n", "utf-8")
    run = dynagen("build", "profile.yaml", cwd=tmp_path)
    assert run.code == 0, run.stderr
    check(list(yaml.safe_load_all(run.stdout)), tmp_path)
