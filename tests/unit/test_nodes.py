"""Workers over several nodes: how many there are, what a pod of one gets, and what Dynamo's operator makes of its command."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from tests.unit.compiling import compiled
from tests.unit.test_plan import complaints, plan_of

GROVE = "platform: {grove: true}\n"


def text_of(worker: str, gpu: str = "nvidia-h200-141gb", backend: str = "vllm") -> str:
    return (
        f"backend: {backend}\ngpu: {gpu}\noverlays: [gke]\nagg: {worker}\ngke: {{capacity: reservation}}\n"
        f"modelCache: {{claimName: models}}\n{GROVE}"
    )


@pytest.mark.parametrize(("worker", "gpu", "nodes", "each"), [
    ("{gpus: 8}", "nvidia-h200-141gb", 1, 8),
    ("{gpus: 16, parallel: {pipeline: 16}}", "nvidia-h200-141gb", 2, 8),
    ("{gpus: 8, nodes: 2, parallel: {pipeline: 8}}", "nvidia-h200-141gb", 2, 4),
    ("{gpus: 16, parallel: {pipeline: 16}}", "nvidia-gb200", 4, 4),
    ("{gpus: 4, parallel: {pipeline: 4}}", "nvidia-gb200", 1, 4),
])  # fmt: skip
def test_a_worker_has_as_few_nodes_as_its_gpus_need(worker: str, gpu: str, nodes: int, each: int) -> None:
    (found,) = plan_of(text_of(worker, gpu=gpu)).workers
    assert (found.nodes, found.gpus_per_node, found.gpus) == (nodes, each, nodes * each)
    assert found.machine is not None and found.machine.gpus >= each


def component(text: str, codes: tuple[str, ...]) -> dict[str, Any]:
    graph = compiled(text, codes)["DynamoGraphDeployment", "chat"]
    found: dict[str, Any] = next(each for each in graph["spec"]["components"] if each["name"] == "worker")
    return found


def test_a_pod_gets_the_gpus_of_its_node_and_its_share_of_the_machine() -> None:
    one = component(text_of("{gpus: 8, parallel: {pipeline: 8}}"), ())
    two = component(text_of("{gpus: 16, parallel: {pipeline: 16}}"), ("DG712",))
    assert "multinode" not in one and two["multinode"] == {"nodeCount": 2}
    resources = [each["podTemplate"]["spec"]["containers"][0]["resources"] for each in (one, two)]
    assert resources[0] == resources[1]
    assert resources[1]["limits"]["nvidia.com/gpu"] == "8"
    (term,) = two["podTemplate"]["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "topology.kubernetes.io/zone"


@pytest.mark.parametrize(("backend", "parallel"), [("vllm", "{pipeline: 16}"), ("sglang", "{pipeline: 16}")])
def test_the_operator_finds_the_engine_in_the_shell_and_adds_its_flags(backend: str, parallel: str) -> None:
    """injectFlagsIntoPythonCommand in deploy/operator/internal/dynamo/utils.go of ai-dynamo/dynamo, for the rank of a follower."""
    found = component(text_of(f"{{gpus: 16, parallel: {parallel}}}", backend=backend), ("DG712",))
    (main,) = found["podTemplate"]["spec"]["containers"]
    assert main["command"] == ["/bin/sh", "-c"]
    (text,) = main["args"]
    flags = "--nnodes 2 --node-rank $((GROVE_PCLQ_POD_INDEX + 1))"
    pattern = rf"(python[0-9.]*\s+[^|&;]*{backend}[^|&;]*?)(\s|$|[|&;])"
    changed = re.sub(pattern, lambda match: f"{match[1]} {flags}{match[2]}", text)
    before, after = (
        shlex.split(each[each.index("exec") :].replace("$((GROVE_PCLQ_POD_INDEX + 1))", "1"))
        for each in (text, changed)
    )
    assert before[:4] == ["exec", "python3", "-m", f"dynamo.{backend}"]
    assert after == [*before[:4], "--nnodes", "2", "--node-rank", "1", *before[4:]]


def test_with_grove_nothing_is_said_of_rollouts_and_its_queue_is() -> None:
    text = text_of("{gpus: 8, parallel: {pipeline: 8}}").replace("grove: true", "grove: true, kaiQueue: inference")
    graph = compiled(text)["DynamoGraphDeployment", "chat"]
    assert graph["metadata"]["annotations"] == {"nvidia.com/kai-scheduler-queue": "inference"}
    (worker,) = (each for each in graph["spec"]["components"] if each["name"] == "worker")
    assert not any("rolling" in key for key in worker["podTemplate"].get("metadata", {}).get("annotations", {}))


@pytest.mark.parametrize("platform", ["{grove: true}", "{lws: true}"])
def test_either_joins_nodes(platform: str) -> None:
    text = text_of("{gpus: 16, parallel: {pipeline: 16}}").replace("{grove: true}", platform)
    assert component(text, ("DG712",))["multinode"] == {"nodeCount": 2}


@pytest.mark.parametrize(("text", "code"), [
    ("agg: {gpus: 12, nodes: 5}\n" + GROVE, "DG403"),
    ("agg: {gpus: 9}\n" + GROVE, "DG403"),
    ("agg: {gpus: 9}\n", "DG403"),
    ("agg: {gpus: 16, nodes: 1}\n" + GROVE, "DG403"),
    ("agg: {gpus: 16}\n", "DG710"),
    ("disagg: {prefill: {gpus: 1}, decode: {gpus: 2, nodes: 2}}\n", "DG710"),
])  # fmt: skip
def test_nodes_that_cannot_be_are_refused(text: str, code: str) -> None:
    found = complaints(f"backend: vllm\ngpu: nvidia-l4\noverlays: [gke]\n{text}")
    assert code in [each for each, _ in found]
