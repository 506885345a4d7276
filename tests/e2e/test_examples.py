"""Every example on a real control plane: admitted, stable when applied again, its pods scheduled where they belong.

The graph's pods are made here, as Dynamo's operator would make them; the scheduler is Kubernetes' own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml

from dynagen.schema_import.crds import custom_resource_definitions
from tests.conftest import ROOT
from tests.e2e.conftest import SCHEMAS
from tests.e2e.deployment import Deployment, Placed
from tests.e2e.nodes import ACCELERATOR, SPOT
from tests.e2e.plane import Plane
from tests.e2e.pods import gpus_of

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
OLD_RELEASE = "1.1.1"  # the last one before v1beta1
# The old release comes last, so that Dynamo's CRDs change once.
CASES = [pytest.param((file, None), id=file.stem) for file in EXAMPLES]
CASES += [
    pytest.param((file, OLD_RELEASE), id=f"{file.stem}-{OLD_RELEASE}") for file in EXAMPLES if "disagg" in file.stem
]


def test_there_are_examples_of_both_versions_of_the_graph() -> None:
    assert len(CASES) > len(EXAMPLES) > 0


@pytest.fixture(scope="module", params=CASES)
def deployed(plane: Plane, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """An example, built by the command line and applied; gone again when its tests are done."""
    file, release = request.param
    profile = yaml.safe_load(file.read_text("utf-8"))
    use_dynamo(plane, release or profile.get("release"))
    settings = ["--set", f"release={release}"] if release else []
    command = [sys.executable, "-m", "dynagen", "build", str(file), *settings]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    deployment = Deployment(plane, built.stdout, profile["gpu"], profile.get("spot", False))
    try:
        deployment.run()
        yield deployment
    finally:
        deployment.remove()


def use_dynamo(plane: Plane, release: str | None) -> None:
    """Has the CRDs of that release of Dynamo (None: the default one) installed, in place of another's."""
    if release is None:
        release = json.loads((SCHEMAS / "profile.json").read_text("utf-8"))["properties"]["release"]["default"]
    wanted = yaml.safe_load((ROOT / "base/facts/releases.yaml").read_text("utf-8"))[release]["crds"]
    if plane.notes.get("dynamo") != wanted:
        plane.install(custom_resource_definitions(SCHEMAS, [wanted]))
        plane.notes["dynamo"] = wanted


def test_applying_again_changes_nothing(deployed: Deployment) -> None:
    before = deployed.live()
    deployed.apply()
    assert deployed.live() == before


@pytest.mark.parametrize("mode", ["--server-side=true", "--server-side=false"])
def test_kubectl_sees_no_difference(deployed: Deployment, mode: str) -> None:
    run = deployed.plane.try_kubectl("diff", mode, "-f", "-", input=deployed.stream)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_pod_finds_a_node(deployed: Deployment) -> None:
    pending = [where(placed) for placed in deployed.placed.values() if placed.node is None]
    assert not pending, "\n".join(pending)


def test_workers_are_on_the_gpus_of_the_profile(deployed: Deployment) -> None:
    workers = [component for component in deployed.components if component.is_worker]
    assert workers, "a graph without workers"
    for worker in workers:
        assert all(gpus_of(pod) for pod in worker.pods), f"{worker.name}: pods that ask for no GPU"
        for placed in deployed.of(worker):
            assert label(placed, ACCELERATOR) == deployed.accelerator, where(placed)


def test_workers_are_on_spot_nodes_exactly_when_the_profile_says_so(deployed: Deployment) -> None:
    for worker in filter(lambda component: component.is_worker, deployed.components):
        for placed in deployed.of(worker):
            assert label(placed, SPOT) == ("true" if deployed.spot else None), where(placed)


def test_everything_else_is_on_nodes_without_gpus_and_the_graph_off_spot(deployed: Deployment) -> None:
    workers = {pod["metadata"]["name"] for each in deployed.components if each.is_worker for pod in each.pods}
    graph = {pod["metadata"]["name"] for each in deployed.components for pod in each.pods}
    for name, placed in deployed.placed.items():
        if name not in workers:
            assert label(placed, ACCELERATOR) is None, where(placed)
            if name in graph:
                assert label(placed, SPOT) is None, where(placed)


def test_no_pod_of_the_graph_could_be_where_it_does_not_belong(deployed: Deployment) -> None:
    """Not only this time: each pod is refused by every node of the wrong kind, and not because that is full."""
    assert deployed.probed
    for name, placed in deployed.probed.items():
        assert placed.node is None, f"{name}: {where(placed)}"
        assert "Insufficient" not in placed.message, f"{name}: {placed.message}"


def label(placed: Placed, key: str) -> str | None:
    assert placed.node is not None, where(placed)
    return placed.node.get(key)


def where(placed: Placed) -> str:
    name = placed.pod["metadata"]["name"]
    if placed.node is None:
        return f"pod {name} is Pending: {placed.message}"
    shown = {key: value for key, value in placed.node.items() if key.startswith("cloud.google.com/gke-")}
    return f"pod {name} is on {placed.node['kubernetes.io/hostname']} {shown}"
