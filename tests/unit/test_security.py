"""What pods may do, and who reaches them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.compiling import compiled, pod

L4 = "backend: vllm\ngpu: nvidia-l4\nagg: {}\n"
OWN = "image: example.com/engine:1.6.1\n"


def is_restricted(spec: dict[str, Any]) -> bool:
    of_pod, containers = spec.get("securityContext", {}), [*spec["containers"], *spec.get("initContainers", [])]
    return (
        of_pod.get("runAsNonRoot") is True
        and of_pod["runAsUser"] == of_pod["fsGroup"] == 1000
        and of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
        and all(
            each["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
            for each in containers
        )
    )


@pytest.mark.parametrize(("more", "frontend", "workers"), [
    ("", True, True),
    ("modelCache: {size: 2Ti}\n", True, True),
    ("imageRegistry: mirror.example.com\n", True, True),
    ("podSecurity: none\n", False, False),
    (OWN, False, False),
    (OWN + "podSecurity: restricted\n", True, True),
    ("frontend: {image: 'example.com/front:1.6.1'}\n", False, True),
])  # fmt: skip
def test_pods_are_restricted_where_the_image_is_known_to_run_so(more: str, frontend: bool, workers: bool) -> None:
    manifests = compiled(L4 + more)
    assert (is_restricted(pod(manifests, "Frontend")), is_restricted(pod(manifests, "worker"))) == (frontend, workers)
    labels = manifests["Namespace", "ml-prod"]["metadata"]["labels"]
    assert ("pod-security.kubernetes.io/warn" in labels) == (frontend and workers)
    assert "pod-security.kubernetes.io/enforce" not in labels


def test_images_before_1_0_are_left_alone() -> None:
    assert "runAsUser" not in str(compiled(L4 + "release: 0.9.1\n"))


def sources(manifests: Any, name: str) -> Any:
    (rule,) = manifests["NetworkPolicy", name]["spec"]["ingress"]
    return rule["from"]


def test_workers_are_reached_by_their_graph_alone_and_the_frontend_by_anybody() -> None:
    manifests = compiled(L4)
    (name,) = (name for kind, name in manifests if kind == "NetworkPolicy")
    spec = manifests["NetworkPolicy", name]["spec"]
    assert spec["podSelector"]["matchExpressions"] == [
        {"key": "nvidia.com/dynamo-component", "operator": "In", "values": ["worker"]}
    ]
    assert sources(manifests, name) == [
        {"podSelector": {"matchLabels": {"nvidia.com/dynamo-graph-deployment-name": "chat"}}}
    ]
    assert not [
        kind for kind, _ in compiled(L4 + "networkPolicy: false\noverlays: [monitoring]\n") if kind == "NetworkPolicy"
    ]


@pytest.mark.parametrize(("section", "namespaces"), [
    ("{}", {"matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["gmp-system", "gke-gmp-system"]}
    ]}),
    ("{scrape: podmonitor}", {}),
    ("{scrape: podmonitor, scrapeNamespace: watch}", {"matchLabels": {"kubernetes.io/metadata.name": "watch"}}),
])  # fmt: skip
def test_whoever_scrapes_reaches_the_metrics(section: str, namespaces: dict[str, Any]) -> None:
    manifests = compiled(L4 + f"overlays: [monitoring]\nmonitoring: {section}\n")
    assert sources(manifests, "chat-workers-metrics") == [{"namespaceSelector": namespaces}]
