"""What a graph that is there may not become, by Dynamo's webhook."""

from __future__ import annotations

from typing import Any

import pytest

from dynagen.diagnostics import Position, Report
from dynagen.engine.versions import parse_version
from dynagen.origins.pointing import where_written
from dynagen.profile.library import schema_folders
from dynagen.schema.sets import Schemas
from dynagen.verify import Cluster, Findings, declared
from dynagen.verify.dynamo.updates import check_update
from tests.unit.linting import GROVE, objects_of
from tests.unit.test_check_dynamo import COMPONENT, GPU, IMAGE, POWER, alpha, graph

POLICY = "experimental: {kvTransferPolicy: {labelKey: a/b, domain: rack%s}}"
RESTART = "restart: {id: b, strategy: {type: %s, order: [%s]}}"
PROVIDER = "nvidia.com/workload-provider: %s"
SERVICE = "experimental: {gpuMemoryService: {mode: InterPod}%s}"


def changes(
    old: str, new: str, release: str = "1.6.1", external: tuple[str, ...] = (), written: str = "1.6.1"
) -> list[str]:
    report = Report()
    cluster = Cluster(
        Schemas(schema_folders([], "1.34")),
        "1.34",
        parse_version(release),
        [declared(entry, "", Position("here")) for entry in external],
    )
    check_update(objects_of(old, written), objects_of(new, written), cluster, Findings(report, where_written))
    assert all(words == "before" for each in report.diagnostics for words, _ in each.related)
    return [f"{each.code} {each.message.partition(': ')[2]}" for each in report.diagnostics]


CHANGES: list[tuple[str, str, str, dict[str, Any], list[str]]] = [
    ("nothing", graph(), graph(), {}, []),
    ("another image", graph(), graph(image=IMAGE.replace("1.6.1", "1.5.1")), {}, []),
    ("another graph", graph(), graph(name="other", title="other"), {}, []),
    ("25 renamed", graph(name="worker"), graph(name="workers"), {},
     ["DG465 component 'worker' is gone and component 'workers' is new"]),
    ("26 backend", graph(spec="backendFramework: vllm"), graph(spec="backendFramework: sglang"), {},
     ["DG466 'backendFramework' cannot change from 'vllm' to 'sglang'"]),
    ("26 backend", graph(), graph(spec="backendFramework: vllm"), {},
     ["DG466 'backendFramework' cannot change from nothing to 'vllm'"]),
    ("26 type", graph(type="decode"), graph(type="prefill"), {},
     ["DG466 component 'worker': 'type' cannot change from 'decode' to 'prefill'"]),
    ("26 type, once", graph(type=""), graph(type="worker"), {}, []),
    ("26 type, before 1.5", graph(type="decode"), graph(type="prefill"), {"release": "1.4.2"}, []),
    ("26 topology", graph(), graph(spec="topologyConstraint: {clusterTopologyName: a, packDomain: b}"), {},
     ["DG466 'topologyConstraint' cannot change"]),
    ("26 topology of a component",
     graph("topologyConstraint: {packDomain: a}", spec="topologyConstraint: {clusterTopologyName: a}"),
     graph("topologyConstraint: {packDomain: b}", spec="topologyConstraint: {clusterTopologyName: a}"), {},
     ["DG466 component 'worker': 'topologyConstraint' cannot change"]),
    ("26 policy", graph(spec=POLICY % ""), graph(), {}, ["DG466 'kvTransferPolicy' cannot change"]),
    ("26 policy, said or not", graph(spec=POLICY % ""), graph(spec=POLICY % ", enforcement: required"), {}, []),
    ("26 minimum", graph("replicas: 2\n      minAvailable: 1"), graph("replicas: 2\n      minAvailable: 2"), {},
     ["DG466 component 'worker': 'minAvailable' cannot change from '1' to '2'"]),
    ("26 minimum with Grove", graph("replicas: 2"), graph("replicas: 2\n      minAvailable: 2"), {"external": (GROVE,)},
     ["DG466 component 'worker': 'minAvailable' cannot change from nothing to '2'"]),
    ("26 provider", graph(annotations=PROVIDER % "grove"), graph(annotations=PROVIDER % "component"), {},
     ["DG466 the annotation 'nvidia.com/workload-provider' cannot change from 'grove' to 'component'"]),
    ("26 power", graph(template=POWER % 400), graph(template=POWER % 500), {},
     ["DG466 component 'worker': 'dynamo.nvidia.com/gpu-power-limit' cannot change from '400' to '500'"]),
    ("26 GPUs with power", graph(template=POWER % 400, main=GPU), graph(template=POWER % 400, main=GPU.replace("1", "2")),
     {}, ["DG466 component 'worker': its GPUs cannot change beside 'dynamo.nvidia.com/gpu-power-limit'"]),
    ("26 GPUs", graph(main=GPU), graph(main=GPU.replace("1", "2")), {}, []),
    ("27 more nodes", graph(), graph("multinode: {nodeCount: 2}"), {},
     ["DG467 component 'worker' cannot go from one node to many nodes"]),
    ("27 other nodes", graph("multinode: {nodeCount: 2}"), graph("multinode: {nodeCount: 4}"), {},
     ["DG467 component 'worker': 'nodeCount' cannot change from 2 to 4"]),
    ("28 across pods", graph(main=GPU, spec="backendFramework: vllm"),
     graph(SERVICE % "", main=GPU, spec="backendFramework: vllm"), {},
     ["DG467 component 'worker': 'gpuMemoryService' of mode InterPod cannot be switched on"]),
    ("28 failover", graph(SERVICE % ", failover: {mode: InterPod}", main=GPU, spec="backendFramework: vllm"),
     graph(SERVICE % "", main=GPU, spec="backendFramework: vllm"), {},
     ["DG467 component 'worker': 'failover' of mode InterPod cannot be switched off"]),
    ("28 group", graph(), graph("experimental: {grove: {forceScalingGroup: true}}"), {},
     ["DG467 component 'worker': 'forceScalingGroup' cannot be switched on"]),
    ("29 replicas", graph("replicas: 2"), graph("replicas: 3"), {}, []),
    ("29 replicas of an adapter", graph("replicas: 2\n      scalingAdapter: {}"), graph("scalingAdapter: {}"), {},
     ["DG468 component 'worker': 'replicas' cannot change from 2 to 1"]),
    ("30 parallel", graph(), graph(spec=RESTART % ("Parallel", "worker")), {"written": "1.2.1"},
     ["DG469 'order' with 'type: Parallel'"]),
    ("30 twice, unknown", graph(), graph(spec=RESTART % ("Sequential", "worker, worker, wroker")), {"written": "1.2.1"},
     ["DG469 'worker' is in 'order' already", "DG469 there is no component 'wroker'"]),
    ("30 incomplete", graph(), graph(spec=RESTART % ("Sequential", "other")), {"written": "1.2.1"},
     ["DG469 'order' lacks 'worker'", "DG469 there is no component 'other'"]),
    ("30 while it rolls", graph() + "status: {state: pending, rollingUpdate: {phase: InProgress}}\n", graph(spec="restart: {id: a}"),
     {"written": "1.2.1"}, ["DG469 'restart.id' cannot change while a rolling update is InProgress"]),
    ("a component alone", COMPONENT % ("replicas: 1\n  scalingAdapter: {}", IMAGE),
     COMPONENT % ("replicas: 2\n  scalingAdapter: {}", IMAGE), {}, []),
    ("from v1alpha1", alpha("replicas: 2"), graph("replicas: 2"), {}, []),
    ("from v1alpha1, changed", alpha("multinode: {nodeCount: 2}"), graph(), {},
     ["DG467 component 'worker' cannot go from many nodes to one node"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "old", "new", "target", "expected"), CHANGES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CHANGES)]
)
def test_a_change(rule: str, old: str, new: str, target: dict[str, Any], expected: list[str]) -> None:
    assert changes(old, new, **target) == expected


def test_several_components_that_come_and_go_are_one_change() -> None:
    prefill = f"    - {{name: prefill, podTemplate: {{spec: {{containers: [{{name: main, image: '{IMAGE}'}}]}}}}}}\n"
    more = graph(name="decode").rstrip() + "\n" + prefill
    text = "components 'decode', 'prefill' are new"
    assert changes(graph(name="worker"), more) == [f"DG465 component 'worker' is gone and {text}"]
    assert changes(graph(name="decode"), more) == ["DG465 component 'prefill' is new"]
    assert changes(more, graph(name="decode")) == ["DG465 component 'prefill' is gone"]
