"""v1alpha1 and v1beta1 of a graph say the same: what one has a field for survives the way to the other and back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynagen.compiled.reading import table
from dynagen.compiler import Compilation, Request, compile_profile
from dynagen.diagnostics import KeyPath, Origin, Position, Report
from dynagen.layers.finding import base_layer
from dynagen.manifests.building import Manifest
from dynagen.manifests.versions import V1ALPHA1, V1BETA1, as_beta, for_release
from dynagen.memory import Memory
from dynagen.profile.facts import load_facts
from dynagen.profile.library import schema_folders
from dynagen.schema.sets import Schemas
from dynagen.text.source import parse
from dynagen.text.versions import parse_version
from dynagen.trees.nodes import Leaf, Map, Tree, leaves, to_tree
from tests.conftest import ROOT
from tests.unit.compiling import HEAD

RELEASES = sorted(load_facts([base_layer(Memory())], Report())["releases"], key=parse_version)
OLD = [release for release in RELEASES if parse_version(release) < (1, 2, 0)]
ENV = [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
PROBE = {"httpGet": {"path": "/live", "port": 8000}}

# The first release that has a field of v1beta1 in one of the two versions, and values of it.
GRAPH_FIELDS: dict[str, tuple[str, list[Any]]] = {
    "backendFramework": ("0.8.0", ["vllm"]),
    "annotations": ("1.1.0", [{"a": "b"}]),
    "labels": ("1.1.0", [{"a": "b"}]),
    "restart": ("0.8.0", [{"id": "1", "strategy": {"type": "Parallel"}}]),
    "topologyConstraint": (
        "1.1.0",
        [{"clusterTopologyName": "a"}, {"clusterTopologyName": "a", "packDomain": "rack"}],
    ),
    "priorityClassName": ("1.3.0", ["high"]),
    "experimental": ("1.3.0", [{"kvTransferPolicy": {"domain": "rack", "labelKey": "a"}}]),
    "providerOverride": ("1.5.0", [{"apiVersion": "a/v1", "value": {"b": 1}}]),
    "env": ("0.8.0", [ENV]),
}
COMPONENT_FIELDS: dict[str, tuple[str, list[Any]]] = {
    "type": ("0.8.0", ["frontend", "worker", "prefill", "decode", "planner", "epp"]),
    "replicas": ("0.8.0", [0, 3]),
    "multinode": ("0.8.0", [{"nodeCount": 2}]),
    "modelRef": ("0.8.0", [{"name": "a", "revision": "b"}]),
    "globalDynamoNamespace": ("0.8.0", [True, False]),
    "sharedMemorySize": ("0.8.0", ["0", "8Gi", 5]),
    "scalingAdapter": ("0.8.0", [{}]),
    "compilationCache": ("0.8.0", [{"pvcName": "a"}, {"pvcName": "a", "mountPath": "/b"}]),
    "eppConfig": ("0.9.0", [{"configMapRef": {"key": "a"}}]),
    "topologyConstraint": ("1.1.0", [{"packDomain": "rack"}]),
    "minAvailable": ("1.3.0", [1]),
    "runtimeVersionOverride": ("1.4.0", ["1.4.0"]),
    "providerOverride": ("1.5.0", [{"target": "a", "value": {}}]),
}
EXPERIMENTAL: dict[str, tuple[str, list[Any]]] = {
    "checkpoint": ("0.9.0", [{"enabled": True, "mode": "Auto", "identity": {"model": "a"}}, {"checkpointRef": "a"}]),
    "gpuMemoryService": ("1.1.0", [{}, {"mode": "IntraPod", "deviceClassName": "a"}, {"mode": "InterPod"}]),
    "failover": ("1.1.0", [{"mode": "InterPod", "numShadows": 2}]),
}
MAIN: dict[str, list[Any]] = {
    "image": ["a:1"],
    "command": [["sh", "-c"]],
    "resources": [
        {"limits": {"cpu": "1", "nvidia.com/gpu": "2", "rdma/ib": "1"}},
        {"requests": {"memory": "1Gi"}, "limits": {"amd.com/gpu": "1"}, "claims": [{"name": "a"}]},
    ],
    "env": [ENV],
    "envFrom": [[{"secretRef": {"name": "a"}}, {"configMapRef": {"name": "b"}}]],
    "livenessProbe": [PROBE],
    "readinessProbe": [PROBE],
    "startupProbe": [PROBE],
    "volumeMounts": [[{"name": "a", "mountPath": "/a", "readOnly": True}]],
}
SIDECAR: dict[str, list[Any]] = {
    "image": ["b:1"],
    "args": [["--x"]],
    "env": [ENV],
    "envFrom": [[{"secretRef": {"name": "s"}}]],
}
POD: dict[str, list[Any]] = {
    "nodeSelector": [{"a": "b"}],
    "tolerations": [[{"operator": "Exists"}]],
    "volumes": [[{"name": "a", "emptyDir": {}}]],
    "initContainers": [[{"name": "main", "image": "c"}]],
}
SERVICE_FIELDS: dict[str, list[Any]] = {
    "componentType": ["frontend", "worker", "planner", "epp", "default"],
    "subComponentType": ["prefill", "decode", "other"],
    "replicas": [1],
    "multinode": [{"nodeCount": 2}],
    "sharedMemory": [{"disabled": True}, {"size": "1Gi"}, {}],
    "scalingAdapter": [{"enabled": True}, {"enabled": False}],
    "gpuMemoryService": [{"enabled": True, "mode": "intraPod"}, {"enabled": False, "mode": "intraPod"}],
    "failover": [{"enabled": True, "mode": "interPod"}],
    "checkpoint": [{"enabled": False}],
    "eppConfig": [{"configMapRef": {"key": "a"}}],
    "topologyConstraint": [{"packDomain": "rack"}],
    "annotations": [{"a": "1", "b": "2"}],
    "labels": [{"a": "1"}],
    "extraPodMetadata": [{"annotations": {"a": "3"}}, {"labels": {"c": "4"}}],
    "envs": [ENV],
    "envFromSecret": ["s", ""],
    "livenessProbe": [PROBE],
    "resources": [
        {"limits": {"gpu": "1", "gpuType": "amd.com/gpu", "custom": {"rdma/ib": "1"}}},
        {"requests": {"cpu": "1"}, "limits": {"gpu": "8"}, "claims": [{"name": "a"}]},
    ],
    "volumeMounts": [
        [{"name": "a", "mountPoint": "/a"}],
        [{"name": "a", "useAsCompilationCache": True}, {"name": "b", "mountPoint": "/b"}],
        [{"name": "b", "mountPoint": "/b"}, {"name": "a", "mountPoint": "/a", "useAsCompilationCache": True}],
    ],
    "frontendSidecar": [{"image": "b", "args": ["--x"], "envs": ENV, "envFromSecret": "s"}, {"image": "b"}],
    "extraPodSpec": [
        {"nodeSelector": {"a": "b"}, "containers": [{"name": "x", "image": "c"}]},
        {
            "mainContainer": {
                "image": "a",
                "env": [{"name": "A", "value": "2"}, {"name": "C", "value": "3"}],
                "resources": {"limits": {"cpu": "3", "memory": "1Gi"}},
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            }
        },
        {"mainContainer": {}},
    ],
    "ingress": [{"enabled": False}],
    "dynamoNamespace": ["a"],
}


def some(fields: dict[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the fields, each with one of its values."""
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in fields.items()})


def had_by(release: str, fields: dict[str, tuple[str, list[Any]]]) -> dict[str, list[Any]]:
    own = parse_version(release)
    return {key: values for key, (since, values) in fields.items() if parse_version(since) <= own}


@st.composite
def components(draw: st.DrawFn, release: str) -> dict[str, Any]:
    component = draw(some(had_by(release, COMPONENT_FIELDS)))
    if experimental := draw(some(had_by(release, EXPERIMENTAL))):
        component["experimental"] = experimental
    pod, main, metadata = draw(some(POD)), draw(some(MAIN)), draw(some({"labels": [{"a": "b"}]}))
    containers = [{"name": "main", **main}] if draw(st.booleans()) else []
    if parse_version(release) >= (1, 0, 0) and draw(st.booleans()):
        component["frontendSidecar"] = "sidecar-frontend"
        containers.append({"name": "sidecar-frontend", **draw(some(SIDECAR))})
    containers += draw(st.sampled_from([[], [{"name": "x", "image": "c", "env": ENV}]]))
    pod |= {"containers": containers} if containers else {}
    template = {key: value for key, value in (("metadata", metadata), ("spec", pod)) if value}
    return component | ({"podTemplate": template} if template else {})


@st.composite
def graphs(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A release, and a graph of v1beta1 made of what that release has."""
    release = draw(st.sampled_from(RELEASES))
    spec = draw(some(had_by(release, GRAPH_FIELDS)))
    names = draw(st.lists(st.sampled_from(["Frontend", "worker", "b"]), unique=True))
    spec["components"] = [{"name": name, **draw(components(release))} for name in names]
    return release, {"apiVersion": V1BETA1, "kind": "DynamoGraphDeployment", "spec": copy.deepcopy(spec)}


@st.composite
def old_graphs(draw: st.DrawFn) -> dict[str, Any]:
    services = draw(st.dictionaries(st.sampled_from(["Frontend", "worker"]), some(SERVICE_FIELDS)))
    spec = {"services": services} | draw(
        some({"envs": [ENV], "pvcs": [[{"name": "a"}]], "topologyConstraint": [{"topologyProfile": "a"}]})
    )
    return {"apiVersion": V1ALPHA1, "kind": "DynamoGraphDeployment", "spec": copy.deepcopy(spec)}


def manifest(data: dict[str, Any]) -> Manifest:
    """Its values stand in a file, each in a line of its own."""
    tree = to_tree(data, Origin(Position("file", 1)))
    assert isinstance(tree, Map)
    for number, (_, leaf) in enumerate(leaves(tree)):
        leaf.origin = Origin(Position("file", number + 2))
    return Manifest(tree, Position("file", 1))


def down(source: Manifest, release: str) -> tuple[Manifest, list[str]]:
    report = Report()
    made = for_release(source, V1ALPHA1, release, report)
    return made, [f"{each.message}; {each.hint}" for each in report.diagnostics]


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_a_graph_is_the_same_after_a_way_down_and_up(given: tuple[str, dict[str, Any]]) -> None:
    release, data = given
    source = manifest(data)
    old, complaints = down(source, release)
    assert complaints == []
    assert old.api_version == V1ALPHA1
    assert source.to_data() == data, "the way down has changed what it was given"
    before = old.to_data()
    back = as_beta(old)
    assert old.to_data() == before, "the way up has changed what it was given"
    assert amounts_as_texts(back.to_data()) == amounts_as_texts(data)


@settings(max_examples=200, deadline=None)
@given(graphs())
def test_values_keep_their_origins_on_both_ways(given: tuple[str, dict[str, Any]]) -> None:
    release, data = given
    source = manifest(data)
    old = down(source, release)[0]
    back = dict(leaves(as_beta(old).tree))
    for path, leaf in leaves(source.tree):
        # What names an item, or says that there is one, is made anew.
        if path[-1] not in ("name", "frontendSidecar", "apiVersion"):
            assert back[path].origin == leaf.origin, path
    lines = {leaf.origin.written for _, leaf in leaves(source.tree)} | {Position("file", 1)}
    assert {leaf.origin.written for _, leaf in leaves(old.tree)} <= lines


@settings(max_examples=300, deadline=None)
@given(old_graphs())
def test_a_graph_of_v1alpha1_means_the_same_after_a_way_up_and_down(data: dict[str, Any]) -> None:
    source = manifest(data)
    once = as_beta(source)
    assert source.to_data() == data
    again, complaints = down(once, RELEASES[-1])
    assert complaints == []
    assert amounts_as_texts(as_beta(again).to_data()) == amounts_as_texts(once.to_data())


def amounts_as_texts(data: Any) -> Any:
    """v1alpha1 has quantities of resources as texts."""
    if isinstance(data, dict):
        return {
            key: {name: str(amount) for name, amount in inner.items()}
            if key in ("limits", "requests")
            else amounts_as_texts(inner)
            for key, inner in data.items()
        }
    return [amounts_as_texts(inner) for inner in data] if isinstance(data, list) else data


def spec_of(component: str = "", graph: str = "") -> Manifest:
    """A graph of one component, in v1beta1."""
    text = (
        f"kind: DynamoGraphDeployment\napiVersion: {V1BETA1}\nspec: {{{graph} components: [{{name: a, {component}}}]}}"
    )
    report = Report()
    (document,) = parse(text, "file", report)
    assert not report.diagnostics
    return manifest(document.data)


@pytest.mark.parametrize(
    ("component", "graph", "release", "field", "has_it"),
    [
        ("", "topologyConstraint: {clusterTopologyName: a}, ", "1.0.2", "topologyConstraint", "1.1.0"),
        ("", "labels: {a: b}, ", "1.0.0", "labels", "1.1.0"),
        ("", "annotations: {a: b}, ", "0.8.1", "annotations", "1.1.0"),
        ("", "priorityClassName: a, ", "1.1.1", "priorityClassName", "1.3.0"),
        ("", "experimental: {kvTransferPolicy: {domain: a}}, ", "1.1.1", "experimental", "1.3.0"),
        ("", "providerOverride: {target: a}, ", "1.1.1", "providerOverride", "1.5.0"),
        ("eppConfig: {}", "", "0.8.1", "eppConfig", "0.9.0"),
        ("frontendSidecar: x", "", "0.9.1", "frontendSidecar", "1.0.0"),
        ("topologyConstraint: {packDomain: a}", "", "1.0.0", "topologyConstraint", "1.1.0"),
        ("multinode: {nodeCount: 2, leader: {}}", "", "1.1.1", "multinode.leader", "1.5.0"),
        ("minAvailable: 1", "", "1.1.1", "minAvailable", "1.3.0"),
        ("runtimeVersionOverride: 1.1.1", "", "1.1.1", "runtimeVersionOverride", "1.4.0"),
        ("experimental: {failover: {}}", "", "1.0.0", "experimental.failover", "1.1.0"),
        ("experimental: {checkpoint: {job: {}}}", "", "0.8.0", "experimental.checkpoint", "0.9.0"),
        ("experimental: {checkpoint: {job: {}}}", "", "1.1.0", "experimental.checkpoint.job", "1.3.0"),
        ("experimental: {grove: {}}", "", "1.1.1", "experimental.grove", "1.5.0"),
        ("experimental: {unheardOf: 1}", "", "1.1.1", "experimental", "1.2.0"),
        ("unheardOf: 1", "", "1.1.1", "unheardOf", "1.2.0"),
    ],
)
def test_a_field_that_a_release_lacks_is_refused_once_with_the_release_that_has_it(
    component: str, graph: str, release: str, field: str, has_it: str
) -> None:
    assert down(spec_of(component, graph), release)[1] == [
        f"'{field}' does not exist in nvidia.com/v1alpha1 of release {release}; "
        f"leave it out, or use release {has_it} or later"
    ]


def test_what_v1alpha1_names_otherwise_gets_its_name() -> None:
    made, complaints = down(
        spec_of(
            "experimental: {failover: {mode: IntraPod}}, compilationCache: {pvcName: c, mountPath: /m}",
            "topologyConstraint: {clusterTopologyName: t, packDomain: rack}, ",
        ),
        "1.1.1",
    )
    assert complaints == []
    spec = made.to_data()["spec"]
    assert spec["topologyConstraint"] == {"topologyProfile": "t", "packDomain": "rack"}
    assert spec["services"]["a"] == {
        "failover": {"enabled": True, "mode": "intraPod"},
        "volumeMounts": [{"name": "c", "mountPoint": "/m", "useAsCompilationCache": True}],
    }


def test_a_sidecar_is_refused_when_v1alpha1_cannot_say_it() -> None:
    template = "podTemplate: {spec: {containers: [{name: main}, {name: sidecar-frontend, image: b%s}]}}"
    good = spec_of("frontendSidecar: sidecar-frontend, " + template % "")
    made, complaints = down(good, "1.1.1")
    assert (made.to_data()["spec"]["services"]["a"]["frontendSidecar"], complaints) == ({"image": "b"}, [])
    assert down(spec_of("frontendSidecar: x, " + template % ""), "1.1.1")[1] == [
        "'frontendSidecar' is 'x': v1alpha1 has a container of its own for it, 'sidecar-frontend' (release 1.1.1); "
        "call the container 'sidecar-frontend', or use release 1.2.0 or later"
    ]
    assert down(spec_of("frontendSidecar: sidecar-frontend, " + template % ", ports: []"), "1.1.1")[1] == [
        "container 'sidecar-frontend' has 'ports': in v1alpha1 it has image, args, env and one Secret in envFrom (release 1.1.1); "
        "leave out 'ports', or use release 1.2.0 or later"
    ]


def test_what_is_written_in_the_main_container_of_v1alpha1_wins() -> None:
    data: dict[str, Any] = {
        "resources": {"limits": {"cpu": "1", "gpu": "1"}},
        "livenessProbe": {"periodSeconds": 1},
        "envs": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}],
        "volumeMounts": [{"name": "b", "mountPoint": "/b"}],
        "extraPodSpec": {
            "mainContainer": {
                "name": "other",
                "resources": {"limits": {"cpu": "2"}},
                "livenessProbe": {"periodSeconds": 2},
                "env": [{"name": "A", "value": "2"}],
                "volumeMounts": [{"name": "a", "mountPath": "/a"}],
            }
        },
    }
    source = manifest({"apiVersion": V1ALPHA1, "kind": "DynamoGraphDeployment", "spec": {"services": {"a": data}}})
    (component,) = as_beta(source).to_data()["spec"]["components"]
    assert component["podTemplate"]["spec"]["containers"] == [
        {
            "name": "main",
            "resources": {"limits": {"cpu": "2", "nvidia.com/gpu": "1"}},
            "livenessProbe": {"periodSeconds": 2},
            "env": [{"name": "A", "value": "2"}, {"name": "B", "value": "1"}],
            "volumeMounts": [{"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/b"}],
        }
    ]


def compiled(tmp_path: Path, release: str, patch: str) -> Compilation:
    """A profile with a layer whose patch is for the graph."""
    (tmp_path / "team/patches").mkdir(parents=True)
    (tmp_path / "team/patches/team.yaml").write_text(f"kind: DynamoGraphDeployment\nspec: {{{patch}}}\n", "utf-8")
    text = f"{HEAD}backend: vllm\ngpu: nvidia-l4\nagg: {{}}\nrelease: {release}\noverlays: [./team]\n"
    report = Report()
    return compile_profile(Request(parse(text, "profile.yaml", report), [], tmp_path, tmp_path), report)


@pytest.mark.parametrize(
    ("release", "patch"),
    [
        ("1.1.1", "labels: {a: b}, annotations: {a: b}"),
        ("1.1.1", "components: [{name: worker, experimental: {gpuMemoryService: {}}}]"),
        ("0.9.0", "components: [{name: epp, type: epp, eppConfig: {configMapRef: {name: a, key: b}}, podTemplate: {spec: {containers: [{name: main, image: 'a:0.9.0'}]}}}]"),
        ("0.8.0", "components: [{name: worker, compilationCache: {pvcName: cache, mountPath: /c}}]"),
    ],
)  # fmt: skip
def test_a_field_that_an_old_release_has_is_not_refused(tmp_path: Path, release: str, patch: str) -> None:
    codes = {each.code for each in compiled(tmp_path, release, patch).report.diagnostics}
    assert codes.isdisjoint({"DG408", "DG211", "DG212"}), codes


def fields() -> Iterator[tuple[str, str, KeyPath]]:
    for line in (ROOT / "tests/fixtures/fields_of_graphs.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            version, since, path = line.split()
            yield version, since, tuple(path.split("."))


def test_the_table_knows_every_field_of_the_crds_and_since_when_there_is_one() -> None:
    wrong = []
    for version, since, path in fields():
        side = version.removeprefix("v1")[:5].removesuffix("1")
        row = covering(side, path)
        if row is None:
            wrong.append((version, path, "no row"))
        elif (side == "alpha" or "alpha" not in row) and row["since"] != since and "way" not in row:
            wrong.append((version, path, f"since {since}, not {row['since']}"))
    assert wrong == []


def covering(side: str, path: KeyPath) -> dict[str, Any] | None:
    """The row with the longest path above a field, in a version: `alpha` or `beta`."""
    inner = {"alpha": ("services", "*"), "beta": ("components", "*")}[side]
    section, path = ("component", path[2:]) if path[:2] == inner else ("graph", path)
    if (section, path) == ("component", ("name",)):
        return {"alpha": "the key", "since": "0.8.0"}
    best: tuple[int, dict[str, Any] | None] = (0, None)
    for row in table("manifests/alpha.yaml")[section]:
        paths = row.get(side, [])
        for text in [paths] if isinstance(paths, str) else paths:
            keys = tuple(text.partition("[")[0].split("."))
            if path[: len(keys)] == keys or (keys[: len(path)] == path and side == "beta"):
                best = max(best, (min(len(keys), len(path)), row), key=lambda each: each[0])
    return best[1]


@pytest.mark.parametrize("release", RELEASES)
def test_the_table_knows_every_field_of_the_crds_of_a_release(release: str) -> None:
    """And says of none that it comes later."""
    facts = load_facts([base_layer(Memory())], Report())["releases"]
    schemas = Schemas(schema_folders([], "1.34", facts[release]["crds"], Memory()))
    for side, version, inner in (("alpha", V1ALPHA1, ("services", "*")), ("beta", V1BETA1, ("components", 0))):
        schema = schemas.find(version, "DynamoGraphDeployment")
        assert schema or (side == "beta" and parse_version(release) < (1, 2, 0))
        for prefix in ((), inner) if schema else ():
            node = schema.root.at(("spec", *prefix)) if schema else None
            assert node
            for key in node.get("properties"):
                path = (*(str(each) if each else "*" for each in prefix), key)
                row = covering(side, path)
                assert row and parse_version(row["since"]) <= parse_version(release), (version, path)


def test_nothing_is_read_for_a_release_that_takes_v1beta1(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> None:
        raise AssertionError(given)

    monkeypatch.setattr("dynagen.manifests.alpha.spec_to_alpha", fail)
    source = spec_of("replicas: 1")
    assert for_release(source, V1BETA1, "1.2.0", Report()).to_data() == source.to_data()


def test_trees_that_no_schema_takes_are_left_alone() -> None:
    odd: list[Tree] = [Leaf(None, Origin(Position("a"))), to_tree({"services": [1]}, Origin(Position("a")))]
    for spec in odd:
        tree = Map(
            {"apiVersion": Leaf(V1ALPHA1, spec.origin), "kind": Leaf("DynamoGraphDeployment", spec.origin)}, spec.origin
        )
        as_beta(Manifest(Map({**tree, "spec": spec}, spec.origin), Position("a")))
