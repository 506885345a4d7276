"""Looking a schema up, the fast yes or no, and the explanation of a no: all of them must agree."""

from __future__ import annotations

import contextlib
import copy
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dynagen.diagnostics import Report
from dynagen.layers.finding import base_layer
from dynagen.memory import Memory
from dynagen.profile.facts import load_facts
from dynagen.profile.library import schema_folders
from dynagen.schema.conformance import Source
from dynagen.schema.explanation import Violation
from dynagen.schema.sets import Schema, Schemas, conforms, problems
from dynagen.text.paths import SCHEMAS
from dynagen.text.patterns import compiled
from dynagen.text.versions import numbered
from tests.unit.linting import report_of

KUBERNETES = sorted(SCHEMAS.glob("kubernetes-*"))
SETS = sorted(path for path in SCHEMAS.iterdir() if path.is_dir() and path.name != "kubernetes")


def shipped(api_version: str, kind: str, *sets: str) -> Schema:
    schema = Schemas([SCHEMAS / name for name in sets or ("kubernetes-1.34", "dynamo-1.5", "istio", "gke")]).find(
        api_version, kind
    )
    assert schema is not None
    return schema


def graph() -> dict[str, Any]:
    container = {
        "name": "main",
        "image": "example.com/vllm:1",
        "args": ["--model", "a"],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "ports": [{"containerPort": 8000, "name": "http"}],
        "resources": {"limits": {"nvidia.com/gpu": "1", "memory": "1Gi"}, "requests": {"cpu": 1}},
        "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 10},
        "volumeMounts": [{"name": "cache", "mountPath": "/models"}],
    }
    pod = {
        "containers": [container],
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "volumes": [{"name": "cache", "persistentVolumeClaim": {"claimName": "cache"}}],
    }
    component = {"name": "decode", "type": "worker", "replicas": 2, "podTemplate": {"spec": pod}}
    return {
        "apiVersion": "nvidia.com/v1beta1",
        "kind": "DynamoGraphDeployment",
        "metadata": {"name": "a", "labels": {"a": "b"}, "creationTimestamp": None},
        "spec": {"backendFramework": "vllm", "components": [component]},
    }


# --- looking up


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Secret2"), ("v2", "Secret"), ("", "Secret"), ("v1", ""), ("apps/v1/x", "Deployment"),
        ("apps", "Deployment"), ("..", "kubernetes/core"), ("../kubernetes/v1", "core"), ("./v1", "Secret"),
        ("v1", "../v1/Secret"), ("/v1", "Secret"),
        ("a\0/v1", "Secret"), ("v1", "Se\0cret"),
    ],
)  # fmt: skip
def test_what_is_no_kind_is_not_found_and_never_leads_out_of_a_set(api_version: str, kind: str) -> None:
    assert Schemas([SCHEMAS / "kubernetes-1.34"]).find(api_version, kind) is None


def test_the_first_folder_that_has_a_kind_gives_it(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "secret_v1.json").write_text('{"type": "object"}')
    assert Schemas([tmp_path, KUBERNETES[0]]).find("v1", "Secret").file.parent.parent == tmp_path  # type: ignore[union-attr]
    assert Schemas([KUBERNETES[0], tmp_path]).find("v1", "Secret").file.parent.parent == KUBERNETES[0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("api_version", "kind", "namespaced"),
    [
        ("v1", "Pod", True), ("v1", "Namespace", False), ("v1", "PersistentVolume", False),
        ("storage.k8s.io/v1", "StorageClass", False), ("scheduling.k8s.io/v1", "PriorityClass", False),
        ("cloud.google.com/v1", "ComputeClass", False), ("nvidia.com/v1beta1", "DynamoGraphDeployment", True),
    ],
)  # fmt: skip
def test_a_schema_knows_whether_its_objects_have_a_namespace(api_version: str, kind: str, namespaced: bool) -> None:
    assert shipped(api_version, kind).namespaced is namespaced


@pytest.mark.parametrize("version", ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"])
def test_every_version_of_kubernetes_that_gke_offers_is_there(version: str) -> None:
    for api_version, kind in [
        ("v1", "Service"),
        ("apps/v1", "Deployment"),
        ("batch/v1", "Job"),
        ("v1", "PersistentVolumeClaim"),
    ]:
        schema = shipped(api_version, kind, f"kubernetes-{version}")
        bare = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
        assert not schema.conforms({**bare, "bogus": 1})
        assert "bogus" in [problem.key for problem in schema.problems({**bare, "bogus": 1})]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def patterns(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for inner in value.values():
            yield from patterns(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from patterns(inner)


def test_every_reference_and_every_pattern_of_the_shipped_sets_is_good() -> None:
    found: set[str] = set()
    sources: dict[Path, Source] = {}

    def open_file(file: Path) -> Source:
        file = file.resolve()
        if file not in sources:
            sources[file] = Source(json.loads(file.read_bytes()), file, open_file)
        return sources[file]

    for folder in [*SETS, SCHEMAS / "kubernetes"]:
        for file in folder.rglob("*.json"):
            source = open_file(file)
            for reference in references(source.schema):
                source.resolve(reference)
            found.update(patterns(source.schema))
    for pattern in found:
        compiled(pattern)
    assert len(found) > 50


def test_no_definition_of_the_shared_store_is_left_over() -> None:
    used: set[tuple[str, str]] = set()
    waiting = [
        reference.rpartition("/kubernetes/")[2].split("#/$defs/")
        for folder in SETS
        for file in folder.rglob("*.json")
        for reference in references(json.loads(file.read_bytes()))
        if "/kubernetes/" in reference
    ]
    store = {file.name: json.loads(file.read_bytes())["$defs"] for file in (SCHEMAS / "kubernetes").glob("*.json")}
    while waiting:
        file, name = waiting.pop()
        if (file, name) not in used:
            used.add((file, name))
            for reference in references(store[file][name]):
                other, _, inner = reference.partition("#/$defs/")
                waiting.append([other or file, inner])
    assert {(file, name) for file, definitions in store.items() for name in definitions} == used


# --- places


def test_lists_of_custom_and_built_in_kinds_merge_alike() -> None:
    graph_pod = shipped("nvidia.com/v1beta1", "DynamoGraphDeployment").root
    for key in ("spec", "components", 0, "podTemplate", "spec"):
        graph_pod = graph_pod.child(key)  # type: ignore[assignment]
    deployment_pod = shipped("apps/v1", "Deployment").root
    for key in ("spec", "template", "spec"):
        deployment_pod = deployment_pod.child(key)  # type: ignore[assignment]
    for pod in (graph_pod, deployment_pod):
        containers = pod.child("containers")
        assert containers is not None and containers.merge_keys == ("name",)
        container = containers.child(0)
        assert container is not None
        for name, keys in (
            ("env", ("name",)),
            ("ports", ("containerPort", "protocol")),
            ("args", ()),
            ("volumeMounts", ("mountPath",)),
        ):
            node = container.child(name)
            assert node is not None and node.merge_keys == keys, name
        ports = container.child("ports")
        assert ports is not None
        port = ports.child(0)
        assert port is not None and port.child("protocol").default == "TCP"  # type: ignore[union-attr]
        tolerations = pod.child("tolerations")
        assert tolerations is not None and tolerations.merge_keys == ()


def test_maps_of_any_keys_have_one_place_for_all_values() -> None:
    labels = shipped("v1", "Service").root.child("metadata").child("labels")  # type: ignore[union-attr]
    assert labels is not None and labels.child("app") is not None
    assert labels.child(0) is None


# --- verdicts


def test_a_good_graph_conforms() -> None:
    assert shipped("nvidia.com/v1beta1", "DynamoGraphDeployment").problems(graph()) == []
    assert shipped("nvidia.com/v1beta1", "DynamoGraphDeployment").conforms(graph())


def test_an_item_with_the_keys_of_an_earlier_one_is_found() -> None:
    manifest = graph()
    container = manifest["spec"]["components"][0]["podTemplate"]["spec"]["containers"][0]
    schema = shipped("nvidia.com/v1beta1", "DynamoGraphDeployment")
    assert list(schema.repeated(manifest)) == []
    container["env"].append({"name": "A", "value": "2"})
    container["ports"] += [{"containerPort": 8000, "protocol": "UDP"}, {"containerPort": 8000, "protocol": "TCP"}]
    container["args"] += container["args"]
    path = ("spec", "components", 0, "podTemplate", "spec", "containers", 0)
    assert list(schema.repeated(manifest)) == [
        ((*path, "env", 2), ("A",)),
        ((*path, "ports", 2), (8000, "TCP")),
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


SUBSTITUTES = [0, 1, -1, 1.0, 1.5, 2**31, 10**30, True, None, "", "a", "a\n", "1Gi", "é", [], {}, ["a"], {"a": "b"}]


def mutant(manifest: dict[str, Any], choice: random.Random) -> dict[str, Any]:
    result = copy.deepcopy(manifest)
    for _ in range(choice.choice([1, 1, 2])):
        path = choice.choice([path for path in places(result) if path])
        parent: Any = result
        for key in path[:-1]:
            parent = parent[key]
        what = choice.randrange(5)
        if what == 0:
            del parent[path[-1]]
        elif what == 1 and isinstance(parent, dict):
            parent[f"{path[-1]}x"] = parent[path[-1]]
        elif what == 2 and isinstance(parent[path[-1]], list):
            parent[path[-1]] += parent[path[-1]]
        else:
            parent[path[-1]] = copy.deepcopy(choice.choice(SUBSTITUTES))
    return result


def test_the_fast_answer_and_the_explanation_agree_on_mutants() -> None:
    schema, choice, answers = shipped("nvidia.com/v1beta1", "DynamoGraphDeployment"), random.Random(7), set()
    for _ in range(300):
        manifest = mutant(graph(), choice)
        answer = schema.conforms(manifest)
        answers.add(answer)
        assert answer == (schema.problems(manifest) == []), json.dumps(manifest)
    assert answers == {True, False}


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([1.0, 1.5, -0.0, 1e300, 2.0**53]),
    st.text("ab1\n", max_size=3),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
bounds = st.integers(0, 3)


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    types = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
    some = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": types | st.lists(types, min_size=1, max_size=2, unique=True),
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["a", "^b"]), inner, max_size=1),
            "propertyNames": inner,
            "additionalProperties": inner,
            "required": st.lists(st.sampled_from("ab"), max_size=2, unique=True),
            "items": inner,
            "enum": st.lists(values, min_size=1, max_size=3),
            "const": values,
            "pattern": st.sampled_from(["a", "^a*b", "[^1]"]),
            **{f"{side}{what}": bounds for side in ("min", "max") for what in ("Length", "Items", "Properties")},
            **{word: st.integers(-2, 2) for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")},
            "multipleOf": st.sampled_from([1, 2]),
            "uniqueItems": st.booleans(),
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
        },
    )


@given(values, st.recursive(st.booleans() | schemas(st.booleans()), schemas, max_leaves=4))
def test_conforms_says_what_jsonschema_says(value: Any, schema: Any) -> None:
    wanted = Draft202012Validator(schema).is_valid(value)
    assert conforms(value, schema) is wanted
    assert (problems(value, schema) == []) is wanted


@pytest.mark.parametrize(
    ("value", "schema", "wanted"),
    [
        (1.0, {"type": "integer"}, True),
        (1e400, {"type": "integer"}, False),
        (True, {"type": "number"}, False),
        (True, {"enum": [1]}, False),
        ([True], {"enum": [[1]]}, False),
        (1.0, {"enum": [1]}, True),
        ({"a": 1}, {"const": {"a": 1.0}}, True),
        ([1, True], {"uniqueItems": True}, True),
        ([1, 1.0], {"uniqueItems": True}, False),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], {"uniqueItems": True}, False),
        (0.3, {"multipleOf": 0.1}, True),
        (2**63, {"maximum": 2**63 - 1}, False),
        (2**63 - 1, {"maximum": 2**63 - 1}, True),
        ("a\n", {"pattern": "^a$"}, False),
        ("é", {"maxLength": 1}, True),
        ("٣", {"pattern": "^\\d$"}, False),
        ("a", {"$ref": "#/$defs/a/properties/x~1y"}, True),
        (1, {"$ref": "#/$defs/a/properties/x~1y"}, False),
    ],
    ids=str,
)
def test_corners_of_json_schema(value: Any, schema: dict[str, Any], wanted: bool) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    schema["$defs"] = {"a": {"properties": {"x/y": {"type": "string"}}}}
    assert conforms(value, schema) is wanted
    assert (problems(value, schema) == []) is wanted


# --- patterns


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^a$", ["a"], ["a\n", "ab"]),
        ("a$|^b", ["xa", "bx"], ["a\n"]),
        (r"^\$$", ["$"], ["$\n", ""]),
        (r"^a\z", ["a"], ["a\n"]),
        (r"^(?i)(abort|warn)?$", ["", "ABORT", "warn"], ["abor", "abort\n"]),
        ("^(x(?i)y|z)w$", ["xYw", "Zw"], ["Xyw", "xYW"]),
        ("(?i)^a|b$", ["AX", "xB"], ["ba"]),
        ("(?s)^.$", ["\n"], ["\n\n"]),
        ("(?m)^a$", ["b\na\nc"], ["ab"]),
        (r"^\s\S$", [" a"], ["\va", "  "]),
        (r"^[\s]$", [" "], ["\v"]),
        (r"^\w\d$", ["a1"], ["é1", "a٣"]),
        ("^[[:alpha:]_]+$", ["a_B"], ["1", ":"]),
        ("^[]a]$", ["]", "a"], ["b"]),
        ("^[^]a]$", ["b"], ["]", "a"]),
        ("^[[a&&b||~~]+$", ["[&|~"], ["c"]),
        (r"^\Qa.b\E$", ["a.b"], ["axb"]),
        (r"^\x{e9}$", ["é"], ["e"]),
        ("^(?P<n>a)(?<m>b)(?:c)$", ["abc"], ["ab"]),
        (r"^\p{L}(?U)a+$", ["éa"], ["1a"]),
        ("^a{2,3}?$", ["aa", "aaa"], ["a", "aaaa"]),
        ("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", ["a-b", "a"], ["-a", "a-", "a\n"]),
    ],
)
def test_a_pattern_means_what_go_reads_in_it(pattern: str, good: list[str], bad: list[str]) -> None:
    assert [bool(compiled(pattern).search(text)) for text in good] == [True] * len(good)
    assert [bool(compiled(pattern).search(text)) for text in bad] == [False] * len(bad)


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "[a",
        "a**",
        "a++",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        r"(a)\1",
        r"\Z",
        "a{1001}",
        "\ud800",
        "[[:foo:]]",
        "[b-a]",
    ],
)
def test_what_go_refuses_is_no_pattern(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        compiled(pattern)


@given(st.text("ab$^.*+?|()[]{}\\-1,z", max_size=8))
def test_any_text_is_a_pattern_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert compiled(text).search("ab") in (True, False)


def test_a_search_takes_time_in_proportion_to_the_text() -> None:
    """Engines that try one way after the other need longer than the universe is old."""
    for pattern in ("^(a+)+$", "(a|a)*b", "(.*)(.*)(.*)(.*)(.*)[^a!]$"):
        assert not compiled(pattern).search("a" * 50_000 + "!")


# --- messages


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        ("a", {"type": "integer"}, "expected integer, got string 'a'"),
        (7, {"type": ["string", "boolean"]}, "expected string or boolean, got number 7"),
        (None, {"type": "string"}, "expected string, got null"),
        ([], {"type": "object"}, "expected object, got a list"),
        (0, {"minimum": 1}, "expected at least 1, got 0"),
        ("abc", {"maxLength": 2}, "expected at most 2 characters, got 3"),
        ([], {"minItems": 1}, "expected at least 1 items, got 0"),
        ("vlm", {"enum": ["vllm", "trtllm"]}, "expected 'vllm' or 'trtllm', got 'vlm'"),
        ({}, {"required": ["a"]}, "'a' is missing"),
        ({"b": 1}, {"additionalProperties": False}, "unknown field 'b'"),
        (
            {"a": 1, "b": 1},
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            "expected exactly one of 'a' or 'b', got 'a' and 'b'",
        ),
        ({}, {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, "expected exactly one of 'a' or 'b', got none"),
        (1, {"anyOf": [{"type": "string"}, {"type": "null"}]}, "expected string or null, got number 1"),
        ({}, {"anyOf": [{"type": "string"}, {"type": "object", "required": ["k"]}]}, "'k' is missing"),
    ],
    ids=str,
)
def test_a_problem_says_what_was_expected_and_what_was_found(value: Any, schema: dict[str, Any], message: str) -> None:
    assert [problem.message for problem in problems(value, schema)] == [message]


def test_a_misspelt_field_comes_with_the_known_ones() -> None:
    manifest = graph()
    manifest["spec"]["components"][0]["podTemplate"]["spec"]["containers"][0]["imagee"] = "a"
    (problem,) = shipped("nvidia.com/v1beta1", "DynamoGraphDeployment").problems(manifest)
    assert problem.path == ("spec", "components", 0, "podTemplate", "spec", "containers", 0)
    assert (problem.keyword, problem.key) == ("additionalProperties", "imagee")
    assert "image" in problem.known


def test_all_problems_are_found_once_and_in_order() -> None:
    found = problems({"b": 1, "a": [0, "x"], "z": 1}, {
        "properties": {"a": {"items": {"type": "integer", "minimum": 1}}, "b": {"type": "string"}},
        "additionalProperties": False,
        "allOf": [{"properties": {"b": {"type": "string"}}}],
    })  # fmt: skip
    assert [(problem.path, problem.keyword) for problem in found] == [
        ((), "additionalProperties"), (("a", 0), "minimum"), (("a", 1), "type"), (("b",), "type"),
    ]  # fmt: skip


def test_the_value_of_a_secret_is_never_quoted() -> None:
    secret: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "type": 1234}
    secret |= {"data": {"a": "hunter2!", "b": 7777}, "stringData": {"c": ["hunter3"]}}
    found = shipped("v1", "Secret").problems(secret)
    assert len(found) == 4
    assert not re.search("hunter|7777|1234", repr(found))


def test_a_problem_is_plain_data() -> None:
    (problem,) = problems({"b": 1}, {"properties": {"a": {}}, "additionalProperties": False})
    assert problem == Violation((), "additionalProperties", "unknown field 'b'", {"b": 1}, "b", ("a",))


LABELLED = """
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {name: demo}
spec:
  components:
    - name: worker
      podTemplate:
        metadata: {labels: {a: b}, annotation: {c: d}}
        spec: {containers: [{name: main, image: "r/vllm:1.3.1"}]}
      providerOverride: {apiVersion: grove.io/v1alpha1, target: PodClique, value: {}}
      runtimeVersionOverride: 1.3.1
"""


def test_a_field_of_a_later_release_is_told_from_one_of_none() -> None:
    found = [(each.code, each.message.partition(": ")[2]) for each in report_of(LABELLED, "1.3.1").diagnostics]
    path = "spec.components[0]"
    assert found == [
        ("DG212", f"{path}.podTemplate.metadata.annotation: unknown field 'annotation'"),
        ("DG408", f"{path}.providerOverride and 1 more: release 1.3.1 knows no such field"),
    ]
    assert "DG408" not in [each.code for each in report_of(LABELLED, "1.6.1").diagnostics]


@pytest.mark.parametrize(("field", "since"), [("runtimeVersionOverride: 1.2.0", "1.4.0"), ("minAvailable: 1", "1.3.0")])
def test_a_hint_names_the_first_release_that_knows_a_field(field: str, since: str) -> None:
    text = LABELLED.partition("      providerOverride")[0].replace(", annotation: {c: d}", "") + f"      {field}\n"
    (found,) = report_of(text, "1.2.1").diagnostics
    assert (found.code, found.hint) == ("DG408", f"use release {since} or later, or leave out what sets it")


def test_the_newest_set_is_the_one_with_the_highest_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dynamo-1.10", "dynamo-1.9", "dynamo-0.12", "kubernetes", "kubernetes-1.34", "gke"):
        (tmp_path / name).mkdir()
    (tmp_path / "SOURCES.yaml").touch()
    monkeypatch.setattr("dynagen.profile.library.SCHEMAS", tmp_path)
    found = [folder.name for folder in schema_folders([], "1.34", None, Memory())]
    assert found == ["kubernetes-1.34", "dynamo-1.10", "gke"]


def test_each_release_is_judged_by_the_crds_of_its_minor_or_by_the_newest_that_there_are() -> None:
    sets = sorted((folder.name for folder in SCHEMAS.glob("dynamo-*")), key=numbered)
    for release, facts in load_facts([base_layer(Memory())], Report())["releases"].items():
        own = f"dynamo-{release.rpartition('.')[0]}"
        assert facts["crds"] == (own if own in sets else sets[-1]), release


# For each keyword a schema that has it, and a value that it refuses.
REFUSED: dict[str, tuple[dict[str, Any], Any]] = {
    "$ref": ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}, 1),
    "enum": ({"enum": ["a"]}, "b"),
    "const": ({"const": "a"}, "b"),
    "required": ({"required": ["a"]}, {}),
    "properties": ({"properties": {"a": {"type": "string"}}}, {"a": 1}),
    "patternProperties": ({"patternProperties": {"^a": {"type": "string"}}}, {"ab": 1}),
    "additionalProperties": ({"additionalProperties": False}, {"a": 1}),
    "propertyNames": ({"propertyNames": {"maxLength": 1}}, {"ab": 1}),
    "minProperties": ({"minProperties": 1}, {}),
    "maxProperties": ({"maxProperties": 0}, {"a": 1}),
    "items": ({"items": {"type": "string"}}, [1]),
    "uniqueItems": ({"uniqueItems": True}, [1, 1]),
    "minItems": ({"minItems": 1}, []),
    "maxItems": ({"maxItems": 0}, [1]),
    "pattern": ({"pattern": "^a"}, "b"),
    "minLength": ({"minLength": 1}, ""),
    "maxLength": ({"maxLength": 0}, "a"),
    "minimum": ({"minimum": 1}, 0),
    "maximum": ({"maximum": 1}, 2),
    "exclusiveMinimum": ({"exclusiveMinimum": 1}, 1),
    "exclusiveMaximum": ({"exclusiveMaximum": 1}, 1),
    "multipleOf": ({"multipleOf": 2}, 3),
    "allOf": ({"allOf": [{"type": "string"}]}, 1),
    "anyOf": ({"anyOf": [{"type": "string"}]}, 1),
    "oneOf": ({"oneOf": [{"type": "string"}]}, 1),
    "not": ({"not": {"type": "string"}}, "a"),
}


def test_every_keyword_is_asked_about() -> None:
    """A place with none of them is taken when its type is right, so none may be missing from the list."""
    from dynagen.schema.broken import _INSIDE, _SHAPES
    from dynagen.schema.conformance import _FURTHER, Source, conforms
    from dynagen.schema.explanation import _keywords

    assert set(REFUSED) == _FURTHER
    for keyword, (schema, value) in REFUSED.items():
        assert not conforms(value, schema), keyword
    silent = {"type", "$defs", "definitions", "$schema", "$id", "patternErrorMessage"}
    shaped = {keyword for keyword in (*_SHAPES, *_INSIDE) if not keyword.startswith("x-")}
    assert shaped - silent == _FURTHER - {"enum", "const"}
    assert set(_keywords(Source({}))) | {"$ref"} == _FURTHER | {"type"}
