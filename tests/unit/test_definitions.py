"""CustomResourceDefinitions beside their objects are the schemas of these: of one cluster, of another, of strangers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from dynagen.checking.manifests import Target
from dynagen.checking.paths import Options, check_paths
from dynagen.checking.referees import Referees
from dynagen.schema.conformance import conforms
from dynagen.schema.defined import MAX_PATTERNS
from dynagen.schema_import.kinds import from_definition
from dynagen.schema_import.set_files import kind_files, kind_schemas


def definition(properties: dict[str, Any], group: str = "shop.example.com", **words: Any) -> dict[str, Any]:
    spec = {"type": "object", "properties": properties, **words}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"lamps.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Lamp", "plural": "lamps"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def lamp(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "desk", "namespace": "store"}
    return {"apiVersion": "shop.example.com/v1", "kind": "Lamp", "metadata": metadata, "spec": spec}


WATTS = definition({"watts": {"type": "integer"}})


def write(file: Path, *objects: dict[str, Any]) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("---\n".join(json.dumps(each) + "\n" for each in objects), "utf-8")
    return str(file)


def codes(*paths: str | Path, **programs: str) -> list[str]:
    target = Target("1.35", "1.6.1")
    outcome = check_paths([str(path) for path in paths], Options(target, referees=Referees(**programs)), {}, set())
    return [each.code for each in outcome.diagnostics if each.code != "DG117"]


@pytest.mark.parametrize("first", ["a", "z"])
def test_a_definition_in_another_file_of_the_call_is_the_schema(tmp_path: Path, first: str) -> None:
    defined = write(tmp_path / f"{first}.yaml", WATTS)
    good, bad = write(tmp_path / "good.yaml", lamp(watts=1)), write(tmp_path / "bad.yaml", lamp(watts="one"))
    assert codes(defined, good) == codes(good, defined) == []
    assert codes(bad, defined) == ["DG212"]
    assert codes(good) == ["DG211"]


def test_a_definition_in_a_folder_is_the_schema_of_what_lies_below(tmp_path: Path) -> None:
    write(tmp_path / "tree/crds/lamp.yaml", WATTS)
    write(tmp_path / "tree/apps/store/lamp.yaml", lamp(watts="one"))
    assert codes(tmp_path / "tree") == ["DG212"]


def test_a_definition_of_another_cluster_helps_out_and_wins_over_nothing(tmp_path: Path) -> None:
    write(tmp_path / "crds/lamp.yaml", WATTS)
    write(tmp_path / "apps/lamp.yaml", lamp(volts=1))
    assert codes(tmp_path / "crds", tmp_path / "apps") == ["DG212"]
    write(tmp_path / "apps/own.yaml", definition({"volts": {"type": "integer"}}))
    assert codes(tmp_path / "crds", tmp_path / "apps") == []
    model = definition({"model": {"type": "string"}}, "nvidia.com")
    model["spec"]["names"] = {"kind": "DynamoModel", "plural": "dynamomodels"}
    write(tmp_path / "crds/model.yaml", model)
    spec = {"modelName": "a", "baseModelName": "b", "modelType": "base"}
    metadata = {"name": "a", "namespace": "b"}
    ours = {"apiVersion": "nvidia.com/v1alpha1", "kind": "DynamoModel", "metadata": metadata, "spec": spec}
    write(tmp_path / "apps/model.yaml", ours)
    assert codes(tmp_path / "crds", tmp_path / "apps") == []


def test_a_scope_without_namespaces_is_known(tmp_path: Path) -> None:
    """There, an API server overlooks a namespace, whatever it says."""
    cluster = json.loads(json.dumps(WATTS).replace("Namespaced", "Cluster"))
    odd = lamp(watts=1)
    odd["metadata"]["namespace"] = "No Namespace"
    assert codes(write(tmp_path / "a.yaml", cluster, odd)) == []
    assert codes(write(tmp_path / "b.yaml", WATTS, odd)) != []


def test_a_definition_that_no_object_needs_is_not_read(tmp_path: Path) -> None:
    broken = definition({"watts": {"type": "string", "pattern": "(["}})
    assert codes(write(tmp_path / "a.yaml", broken)) == []
    assert codes(write(tmp_path / "b.yaml", broken, lamp())) == ["DG214"]


def test_words_that_are_no_definition_are_left_to_their_own_schema(tmp_path: Path) -> None:
    for spec in (1, {}, {"group": 1}, {"group": "a.b", "names": 1}, {"group": "a.b", "names": {"kind": ["a"]}}):
        found = codes(write(tmp_path / "a.yaml", {**WATTS, "spec": spec}, lamp()))
        assert set(found) <= {"DG211", "DG212", "DG313"} and "DG211" in found
    for versions in (1, [1], [{"name": 1}], [{"name": "v1"}], [{"name": "v1", "served": True, "schema": 1}]):
        spec = {**WATTS["spec"], "versions": versions}
        assert codes(write(tmp_path / "a.yaml", {**WATTS, "spec": spec}, lamp())) != []


def replaced(times: int) -> str:
    return "self.text" + ".replace('a', 'aaaaaaaaaaaaaaaaaaaa')" * times + " != ''"


HOSTILE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "as much memory as there is": (
        definition({"text": {"type": "string"}}, **{"x-kubernetes-validations": [{"rule": replaced(8)}]}),
        {"text": "a" * 100},
        "DG216",
    ),
    "steps without end": (
        definition(
            {"list": {"type": "array", "items": {"type": "integer"}}},
            **{
                "x-kubernetes-validations": [{"rule": "self.list.all(a, self.list.all(b, self.list.all(c, a < 9000)))"}]
            },
        ),
        {"list": list(range(300))},
        "DG216",
    ),
    "a rule for each of very many": (
        definition(
            {
                "list": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"n": {"type": "integer"}},
                        "x-kubernetes-validations": [{"rule": f"self.n != -{n}"} for n in range(1, 200)],
                    },
                }
            }
        ),
        {"list": [{"n": n} for n in range(3000)]},
        "DG701",
    ),
    "an expression that takes all memory": (
        definition({"text": {"type": "string", "pattern": r"[a-z\pL]{1000}"}}),
        {"text": "a"},
        "DG214",
    ),
    "an expression that looks back": (
        definition({"text": {"type": "string", "pattern": r"(a)\1"}}),
        {"text": "a"},
        "DG214",
    ),
    "very many expressions": (
        definition({f"a{n}": {"type": "string", "pattern": f"a{n}"} for n in range(MAX_PATTERNS + 1)}),
        {},
        "DG214",
    ),
    "a reference to a file": (definition({"text": {"$ref": "file:///dev/zero"}}), {}, "DG214"),
    "a megabyte too much": (definition({"text": {"enum": ["a" * 3_200_000]}}), {}, "DG214"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_stranger_cannot_make_a_check_endless(tmp_path: Path, name: str) -> None:
    defined, spec, code = HOSTILE[name]
    begin = time.monotonic()
    assert codes(write(tmp_path / "a.yaml", defined, lamp(**spec))) == [code]
    assert time.monotonic() - begin < 30


def test_what_all_definitions_of_a_call_bring_is_counted_together(tmp_path: Path) -> None:
    files = []
    for n in range(3):
        group = f"g{n}.example.com"
        text = {f"a{k}": {"type": "string", "pattern": f"{n}a{k}"} for k in range(MAX_PATTERNS // 2)}
        files.append(write(tmp_path / f"{n}.yaml", definition(text, group), {**lamp(), "apiVersion": f"{group}/v1"}))
    assert codes(*files[:2]) == []
    assert codes(*files) == ["DG214"]


def test_a_schema_in_memory_is_what_its_files_say() -> None:
    kind = from_definition(WATTS, "")
    (text,) = kind_files(kind).values()
    (schema,) = kind_schemas(kind).values()
    stored = json.loads(text)
    for value in (lamp(), lamp(watts=1), lamp(watts="a"), lamp(volts=1), {**lamp(), "kind": "Lump"}, {}):
        assert conforms(value, schema) == conforms(value, stored)
    assert {key: each for key, each in schema.items() if key != "$defs"} == {
        key: each for key, each in stored.items() if key != "$defs"
    }


@pytest.mark.oracle
def test_kubeconform_gets_the_definitions_too(tmp_path: Path) -> None:
    from tests import tools

    program = str(tools.path("kubeconform"))
    write(tmp_path / "crds/lamp.yaml", WATTS)
    write(tmp_path / "apps/lamp.yaml", lamp(watts=1))
    assert codes(tmp_path / "crds", tmp_path / "apps", kubeconform=program) == []
    assert codes(write(tmp_path / "a.yaml", WATTS, lamp(watts=1)), kubeconform=program) == []
