"""No graph that conforms to its schema breaks a check, and none is refused for being written another way."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dynagen.cluster.objects import Cluster, Findings, Object, declared
from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import KeyPath, Origin, Position, Report
from dynagen.manifests.building import Manifest
from dynagen.manifests.versions import V1ALPHA1, as_beta, for_release
from dynagen.memory import Memory
from dynagen.origins.pointing import where_written
from dynagen.profile.library import schema_folders
from dynagen.schema.sets import Schemas
from dynagen.text.source import parse
from dynagen.trees.nodes import Map, to_tree
from dynagen.verify import judge
from dynagen.verify.dynamo.updates import check_update
from tests.conftest import ROOT
from tests.unit.linting import GROVE

HERE = Position("here")
EXAMPLES = ["gke-guide-vllm-disagg", "gke-guide-sglang-disagg", "gke-guide-vllm-agg", "qwen3-32b-spot-h100"]
# Fields that no example has; each is tried at every place whose schema takes it.
FIELDS: dict[str, list[Any]] = {
    "multinode": [{}, {"nodeCount": 3}],
    "minAvailable": [1, 2],
    "sharedMemorySize": ["0", "-1Gi", 5],
    "runtimeVersionOverride": ["1.4.0", "1.6.1"],
    "experimental": [
        {},
        {"gpuMemoryService": {}, "failover": {}},
        {
            "gpuMemoryService": {"mode": "InterPod"},
            "failover": {"mode": "InterPod"},
            "grove": {"forceScalingGroup": True},
        },
        {"checkpoint": {"enabled": True, "identity": {"model": "a", "backendFramework": "vllm"}, "job": {}}},
        {"kvTransferPolicy": {"domain": "rack", "clusterTopologyName": "a"}},
    ],
    "frontendSidecar": ["", "main", "other"],
    "compilationCache": [{"pvcName": "cache"}, {"pvcName": "cache", "mountPath": "/cache"}],
    "eppConfig": [{}, {"configMapRef": {"key": "a"}}, {"config": {"plugins": [], "schedulingProfiles": []}}],
    "topologyConstraint": [{"packDomain": "rack"}, {"clusterTopologyName": "a"}],
    "restart": [{"id": "a"}, {"id": "a", "strategy": {"order": ["Frontend", "x"]}}],
    "initContainers": [[{"name": "runtime", "image": "a"}], []],
    "resources": [
        {},
        {"limits": {"nvidia.com/gpu": "1", "cpu": "1e3"}, "requests": {"cpu": 2}, "claims": [{"name": "a"}]},
    ],
    "livenessProbe": [{}, {"exec": {}}, {"httpGet": {"port": "http"}, "grpc": {"port": 1}}],
    "lifecycle": [{}, {"preStop": {}}],
    "env": [[], [{"name": "A", "valueFrom": {}}]],
    "envFrom": [[{}], [{"secretRef": {}}]],
    "volumeMounts": [[], [{"name": "a", "mountPath": "/a"}]],
    "tolerations": [[{}], [{"operator": "Exists"}]],
    "affinity": [{}, {"nodeAffinity": {}, "podAffinity": {}}],
    "topologySpreadConstraints": [[{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]],
    "roles": [[{"name": "leader"}]],
    "annotations": [{"nvidia.com/enable-grove": "false", "dynamo.nvidia.com/gpu-power-limit": "x"}],
}
SCALARS: dict[type, list[Any]] = {
    str: ["", "a", "-", "A/b:c@d", "x" * 70, "epp", "planner", "1.2.3", "python3 -m dynamo.trtllm"],
    int: [0, 1, -1, 70000],
    bool: [True, False],
}


@cache
def compiled(example: str) -> tuple[Manifest, ...]:
    path = ROOT / "examples" / f"{example}.yaml"
    report = Report()
    sources = parse(path.read_text("utf-8"), path.name, report)
    compilation = compile_profile(Request(sources, [], path.parent, Path("/")), report)
    assert compilation.manifests, report.diagnostics
    return tuple(compilation.manifests)


@cache
def cluster(release: tuple[int, int, int], crds: str, grove: bool) -> Cluster:
    external = [declared(GROVE, "", HERE)] if grove else []
    return Cluster(Schemas(schema_folders([], "1.34", crds, Memory())), "1.34", release, Memory(), external)


def manifest(data: Any) -> Manifest:
    tree = to_tree(data, Origin(HERE))
    assert isinstance(tree, Map)
    return Manifest(tree, HERE)


def places(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Every place in a value, itself included."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def at(data: Any, path: KeyPath) -> Any:
    for key in path:
        data = data[key]
    return data


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A graph of an example with one to six changes: a field less, a value twice, another value, a field more."""
    manifests = compiled(draw(st.sampled_from(EXAMPLES)))
    data = copy.deepcopy(next(each for each in manifests if each.kind == "DynamoGraphDeployment").to_data())
    if draw(st.booleans()):
        report = Report()
        old = for_release(manifest(data), V1ALPHA1, "1.1.1", report)
        data = old.to_data()
    for _ in range(draw(st.integers(1, 6))):
        paths = [("spec", *path) for path in places(data["spec"])]
        path = draw(st.sampled_from(paths))
        holder, key = at(data, path[:-1]), path[-1]
        value = holder[key]
        choice = draw(st.sampled_from(["remove", "twice", "change", "add", "add"]))
        if choice == "remove" and path != ("spec",):
            del holder[key]
        elif choice == "twice" and isinstance(value, list) and value:
            value.append(copy.deepcopy(draw(st.sampled_from(value))))
        elif choice == "change" and type(value) in SCALARS:
            holder[key] = draw(st.sampled_from(SCALARS[type(value)]))
        elif choice == "add" and isinstance(value, dict):
            field = draw(st.sampled_from(sorted(FIELDS)))
            value[field] = copy.deepcopy(draw(st.sampled_from(FIELDS[field])))
    return data


RELEASES = st.sampled_from([((1, 6, 1), "dynamo-1.5"), ((1, 4, 2), "dynamo-1.4"), ((1, 2, 1), "dynamo-1.2")])
GRAPHS = settings(
    max_examples=settings.default.max_examples * 3 // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@GRAPHS
@given(mutated(), RELEASES, st.booleans())
def test_no_graph_breaks_a_check(data: dict[str, Any], release: tuple[tuple[int, int, int], str], grove: bool) -> None:
    target = cluster(*release, grove)
    subject = Object(manifest(data))
    schema = target.schemas.find(subject.api_version, subject.kind)
    assume(schema is not None and schema.conforms(subject.data))
    judge([subject], target, Findings(Report(), where_written))


@GRAPHS
@given(mutated(), mutated(), st.booleans())
def test_no_two_graphs_break_the_comparison(old: dict[str, Any], new: dict[str, Any], grove: bool) -> None:
    target = cluster((1, 6, 1), "dynamo-1.5", grove)
    new["metadata"] = copy.deepcopy(old["metadata"])
    objects = [Object(manifest(data)) for data in (old, new)]
    for subject in objects:
        schema = target.schemas.find(subject.api_version, subject.kind)
        assume(schema is not None and schema.conforms(subject.data))
    check_update(objects[:1], objects[1:], target, Findings(Report(), where_written))


@GRAPHS
@given(mutated())
def test_a_graph_does_not_differ_from_itself(data: dict[str, Any]) -> None:
    target = cluster((1, 6, 1), "dynamo-1.5", True)
    subject = Object(manifest(data))
    schema = target.schemas.find(subject.api_version, subject.kind)
    assume(schema is not None and schema.conforms(subject.data))
    report = Report()
    check_update([subject], [subject], target, Findings(report, where_written))
    assert [each for each in report.diagnostics if each.code != "DG469"] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_graph_is_the_same_after_a_way_through_v1alpha1(example: str) -> None:
    """Dynamo's conversion there (graph.py) and back (alpha.py)."""
    graph = next(each for each in compiled(example) if each.kind == "DynamoGraphDeployment")
    back = as_beta(for_release(graph, V1ALPHA1, "1.1.1", Report())).to_data()
    assert plain(back["spec"]) == plain(graph.to_data()["spec"])


def plain(spec: Any) -> Any:
    """Without what the way changes: the place of `main`, amounts as texts."""
    spec = copy.deepcopy(spec)
    for component in spec["components"]:
        for container in component["podTemplate"]["spec"]["containers"]:
            for amounts in container.get("resources", {}).values():
                amounts |= {name: str(value) for name, value in amounts.items()}
    return spec
