"""The simulated cluster says no where GKE would: without this, the other tests could not fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.deployment import settled, wait_for_account
from tests.e2e.nodes import ACCELERATOR, SPOT, nodes_for_compute_class
from tests.e2e.plane import Plane

NAMESPACE = "harness"
SPOT_TOLERATION = {"key": SPOT, "operator": "Equal", "value": "true", "effect": "NoSchedule"}
LONE_SPOT_POOL = "cpu-spot"  # tainted, in nodes.yaml


@pytest.fixture(autouse=True)
def namespace(plane: Plane) -> Iterator[None]:
    plane.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    wait_for_account(plane, NAMESPACE)
    yield
    plane.kubectl("delete", "pods", "--all", "-n", NAMESPACE, "--force", "--grace-period=0")


def pod(name: str, *, gpus: int = 0, **spec: Any) -> dict[str, Any]:
    resources = {"limits": {"nvidia.com/gpu": str(gpus)}} if gpus else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"containers": [{"name": "main", "image": "example.com/image", "resources": resources}], **spec},
    }


def test_a_pod_needs_a_toleration_for_tainted_spot_nodes(plane: Plane) -> None:
    selector = {"cloud.google.com/gke-nodepool": LONE_SPOT_POOL}
    plane.apply(
        [
            pod("without", nodeSelector=selector),
            pod("with", nodeSelector=selector, tolerations=[SPOT_TOLERATION]),
        ]
    )
    found = settled(plane, NAMESPACE)
    assert found["without"].node is None
    assert "untolerated taint" in found["without"].message
    assert found["with"].node is not None


def test_gpu_nodes_take_pods_that_ask_for_gpus_and_no_others(plane: Plane) -> None:
    selector = {ACCELERATOR: "nvidia-l4"}
    wish: dict[str, Any] = {"nodeSelector": selector, "tolerations": [SPOT_TOLERATION]}
    plane.apply([pod("without", **wish), pod("with", gpus=1, **wish), pod("too-many", gpus=9, **wish)])
    found = settled(plane, NAMESPACE)
    assert found["without"].node is None
    assert "untolerated taint" in found["without"].message
    assert found["with"].node is not None
    assert found["too-many"].node is None
    assert "Insufficient nvidia.com/gpu" in found["too-many"].message


def test_an_accelerator_that_is_misspelt_is_nowhere(plane: Plane) -> None:
    plane.apply([pod("lost", gpus=1, nodeSelector={ACCELERATOR: "nvidia-h100"})])
    assert settled(plane, NAMESPACE)["lost"].node is None


def test_the_nodes_of_a_compute_class_take_pods_that_select_it(plane: Plane) -> None:
    compute_class = {
        "metadata": {"name": "spot-l4"},
        "spec": {"priorities": [{"gpu": {"type": "nvidia-l4", "count": 2}, "spot": True}]},
    }
    nodes = nodes_for_compute_class(compute_class, count=1)
    plane.add_nodes(nodes)
    selector = {"cloud.google.com/compute-class": "spot-l4"}
    plane.apply([pod("with", gpus=2, nodeSelector=selector, tolerations=[SPOT_TOLERATION])])
    found = settled(plane, NAMESPACE)
    plane.kubectl("delete", "node", nodes[0]["metadata"]["name"])
    assert found["with"].node is not None, found["with"].message
