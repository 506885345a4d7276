"""Graphs with networks for GPUs on a real control plane: their pods are where the networks are, and in one NVLink domain.

What DRA drivers do is not here: claims of pods are taken away before the scheduler sees them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import yaml

from tests.conftest import ROOT
from tests.e2e.deployment import Deployment, Placed
from tests.e2e.nodes import SUBBLOCK
from tests.e2e.plane import Plane
from tests.e2e.test_examples import use_dynamo, where

CASES = ROOT / "tests/cases/good"
Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(plane: Plane) -> Iterator[Deploy]:
    """Builds and runs a case with settings; gone again when the test is done."""
    made: list[Deployment] = []

    def run(case: str, *settings: str) -> Deployment:
        file = CASES / case / "profile.yaml"
        use_dynamo(plane, None)
        command = [sys.executable, "-m", "dynagen", "build", str(file), *(f"--set={each}" for each in settings)]
        built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        profile = yaml.safe_load(file.read_text("utf-8"))
        deployment = Deployment(plane, built.stdout, profile["gpu"], profile.get("spot", False))
        for pod in (pod for component in deployment.components for pod in component.pods):
            pod["spec"].pop("resourceClaims", None)
            for container in pod["spec"]["containers"]:
                container.get("resources", {}).pop("claims", None)
        made.append(deployment)
        deployment.run()
        return deployment

    yield run
    for deployment in made:
        deployment.remove()


def workers(deployment: Deployment) -> list[Placed]:
    found = [placed for each in deployment.components if each.is_worker for placed in deployment.of(each)]
    assert found, "a graph without workers"
    return found


def pools(placed: list[Placed]) -> set[str]:
    missing = [where(each) for each in placed if each.node is None]
    assert not missing, "\n".join(missing)
    return {each.node["cloud.google.com/gke-nodepool"] for each in placed if each.node}


def test_workers_with_rdma_are_on_nodes_with_its_networks_one_on_each(deploy: Deploy) -> None:
    placed = workers(deploy("rdma-a4", "disagg.prefill.replicas=1", "disagg.decode.replicas=1"))
    assert pools(placed) == {"b200-spot"}
    assert len({each.node["kubernetes.io/hostname"] for each in placed if each.node}) == len(placed)


def test_they_stay_pending_where_the_pool_was_made_without(deploy: Deploy) -> None:
    for placed in workers(deploy("rdma-a4", "gke.zone=us-central1-a")):
        assert placed.node is None and "networking.gke.io.networks/rdma-0" in placed.message, where(placed)


def test_the_nodes_of_a_worker_are_in_one_nvlink_domain(deploy: Deploy) -> None:
    placed = workers(deploy("compute-domain-a4x", "agg.replicas=1"))
    assert len(placed) == 4 and pools(placed) in ({"gb200"}, {"gb200-more"})
    assert len({each.node[SUBBLOCK] for each in placed if each.node}) == 1


def test_a_domain_that_is_full_takes_no_second_worker(deploy: Deploy) -> None:
    placed = workers(deploy("compute-domain-a4x"))
    assert sum(each.node is None for each in placed) == 4


def test_claims_of_devices_are_admitted_and_change_nothing_when_applied_again(deploy: Deploy) -> None:
    deployment = deploy("dranet-a4x-max-one-domain")
    kinds = {kind for kind, _ in deployment.live()}
    assert {"ComputeDomain", "ResourceClaimTemplate"} <= kinds
    before = deployment.live()
    deployment.apply()
    assert deployment.live() == before
