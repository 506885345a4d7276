"""`dynagen schemas import`, and CRDs made again from what it writes. The fixtures hold every construct once."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from dynagen.schema.sets import Schema, Schemas
from dynagen.schema_import.crds import custom_resource_definitions
from dynagen.schema_import.dialect import BOUNDS
from dynagen.schema_import.errors import ImportRefused
from dynagen.schema_import.importing import Told, import_all, import_files
from dynagen.schema_import.kinds import guessed_names

FIXTURES = Path(__file__).parent.parent / "fixtures" / "crds"
WIDGETS = FIXTURES / "widgets.yaml"


def widget(**spec: Any) -> dict[str, Any]:
    manifest = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}}
    return {**manifest, "spec": {"mode": "safe", **spec}}


def box(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Box", "metadata": {"name": "a"}, "spec": spec}


def found(folder: Path, api_version: str, kind: str) -> Schema:
    schema = Schemas([folder]).find(api_version, kind)
    assert schema is not None
    return schema


@pytest.fixture(scope="module")
def widgets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "widgets"
    import_files([WIDGETS], folder, None, {"repository": "example/widgets"})
    return folder


@pytest.fixture(scope="module")
def builtin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "kubernetes-1.90"
    import_files([FIXTURES / "openapi-1.90.json"], folder, None, {})
    return folder


GOOD = [
    {},
    {"mode": "fast", "replicas": 2.0, "big": -(2**63), "ratio": 0.5, "steps": 8},
    {"port": "http", "memory": "1.5Gi", "level": "HIGH"},
    {"port": 80, "memory": 12, "level": ""},
    {"after": "2024-02-30T23:59:59.5+01:00", "every": "1h30m", "secret": "YQ==", "address": "10.0.0.1"},
    {"address": "fe80::1", "secret": "", "maybe": None, "color": None, "empty": {}, "anything": [1, {"a": None}]},
    {"open": {"known": "a", "other": 1}, "object": {"apiVersion": "v1", "kind": "Pod", "spec": {}}},
    {"labels": {"a": "b"}, "names": ["a", "b"], "args": ["a", "a"]},
    {"target": {"host": "a", "note": "long enough"}, "fallback": {}},
    {"ports": [{"number": 1, "env": [{"name": "A"}]}], "env": [{"name": "A", "value": "x"}]},
]
BAD: list[tuple[dict[str, Any], tuple[str | int, ...], str]] = [
    ({"mode": "slow"}, ("spec", "mode"), "enum"),
    ({"replicas": -1}, ("spec", "replicas"), "minimum"),
    ({"replicas": 2**31}, ("spec", "replicas"), "maximum"),
    ({"replicas": True}, ("spec", "replicas"), "type"),
    ({"replicas": 1.5}, ("spec", "replicas"), "type"),
    ({"replicas": None}, ("spec", "replicas"), "type"),
    ({"ratio": 0}, ("spec", "ratio"), "exclusiveMinimum"),
    ({"steps": 6}, ("spec", "steps"), "multipleOf"),
    ({"port": 1.5}, ("spec", "port"), "type"),
    ({"memory": "1Gib"}, ("spec", "memory"), "pattern"),
    ({"level": "high\n"}, ("spec", "level"), "pattern"),
    ({"after": "2024-01-01"}, ("spec", "after"), "pattern"),
    ({"every": "often"}, ("spec", "every"), "pattern"),
    ({"secret": "YQ"}, ("spec", "secret"), "pattern"),
    ({"address": "here"}, ("spec", "address"), "anyOf"),
    ({"empty": {"a": 1}}, ("spec", "empty"), "additionalProperties"),
    ({"open": {"known": 1}}, ("spec", "open", "known"), "type"),
    ({"object": {"kind": "Pod"}}, ("spec", "object"), "required"),
    ({"labels": {}}, ("spec", "labels"), "minProperties"),
    ({"labels": {"a": 1}}, ("spec", "labels", "a"), "type"),
    ({"names": ["a", "a"]}, ("spec", "names"), "uniqueItems"),
    ({"args": ["a" * 21]}, ("spec", "args", 0), "maxLength"),
    ({"target": {"path": "/", "note": "long"}}, ("spec", "target"), "oneOf"),
    ({"target": {"host": "a", "port": 1}}, ("spec", "target"), "additionalProperties"),
    ({"ports": [{"protocol": "UDP"}]}, ("spec", "ports", 0), "required"),
    ({"unknown": 1}, ("spec",), "additionalProperties"),
]  # fmt: skip


@pytest.mark.parametrize("spec", GOOD, ids=str)
def test_what_an_api_server_accepts_conforms(widgets: Path, spec: dict[str, Any]) -> None:
    schema = found(widgets, "example.com/v1", "Widget")
    assert schema.problems(widget(**spec)) == []
    assert schema.conforms(widget(**spec))


@pytest.mark.parametrize(("spec", "path", "keyword"), BAD, ids=lambda value: str(value)[:40])
def test_what_an_api_server_refuses_is_a_problem_at_its_place(
    widgets: Path, spec: dict[str, Any], path: tuple[str | int, ...], keyword: str
) -> None:
    schema = found(widgets, "example.com/v1", "Widget")
    assert not schema.conforms(widget(**spec))
    assert [(problem.path, problem.keyword) for problem in schema.problems(widget(**spec))] == [(path, keyword)]


# What GKE's ComputeClass and a Gateway's addresses ask for.
DEFAULTED = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [mode, size]
              properties:
                mode: {type: string, default: safe}
                size: {type: string}
                kind: {type: string, default: address}
                value: {type: string}
              oneOf:
                - properties: {kind: {enum: [address]}, value: {maxLength: 3}}
                - properties: {kind: {not: {enum: [address]}}}
"""


@pytest.mark.parametrize(
    ("spec", "good"),
    [
        ({"size": "a"}, True),
        ({"mode": "fast"}, False),
        ({"size": "a", "value": "abc"}, True),
        ({"size": "a", "value": "abcd"}, False),
        ({"size": "a", "value": "abcd", "kind": "name"}, True),
    ],
    ids=str,
)
def test_defaults_are_filled_in_before_a_value_is_judged(tmp_path: Path, spec: dict[str, Any], good: bool) -> None:
    (tmp_path / "things.yaml").write_text(DEFAULTED)
    import_files([tmp_path / "things.yaml"], tmp_path / "set", None, {})
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}
    assert found(tmp_path / "set", "example.com/v1", "Thing").conforms(thing) is good


@pytest.mark.parametrize(
    "change",
    [
        {"apiVersion": "example.com/v2"},
        {"kind": "Gadget"},
        {"extra": 1},
        {"metadata": {"name": "a", "lables": {}}},
        {"metadata": {"name": 1}},
        {"metadata": {"labels": {"a": 1}}},
        {"spec": None},
    ],
    ids=str,
)
def test_the_envelope_of_a_manifest_is_checked(widgets: Path, change: dict[str, Any]) -> None:
    assert not found(widgets, "example.com/v1", "Widget").conforms(widget() | change)


def test_versions_with_the_same_schema_share_it_and_the_unserved_one_is_left_out(widgets: Path) -> None:
    names = sorted(path.relative_to(widgets).as_posix() for path in widgets.rglob("*.json"))
    assert names == ["example.com/widget_v1.json", "example.com/widget_v1beta1.json"]
    assert len((widgets / names[1]).read_text()) < 500
    beta = found(widgets, "example.com/v1beta1", "Widget")
    assert beta.conforms({**widget(), "apiVersion": "example.com/v1beta1"})
    assert not beta.conforms(widget())


def test_lists_merge_by_the_keys_of_the_definition(widgets: Path) -> None:
    spec = found(widgets, "example.com/v1", "Widget").root.child("spec")
    assert spec is not None
    ports = spec.child("ports")
    assert ports is not None and ports.merge_keys == ("number", "protocol")
    port = ports.child(0)
    assert port is not None
    protocol, env, args = port.child("protocol"), port.child("env"), spec.child("args")
    assert protocol is not None and protocol.default == "TCP"
    assert env is not None and env.merge_keys == ("name",)
    assert args is not None and args.merge_keys == ()
    assert spec.child("unknown") is None


def test_repeated_parts_are_stored_once_and_prose_is_not_stored(widgets: Path) -> None:
    text = (widgets / "example.com" / "widget_v1.json").read_text()
    assert text.count('"value":{"type":"string"}') == 1
    assert "prose" not in text.lower() and '"example"' not in text
    assert max(len(line) for line in text.splitlines()) < 6000


def published() -> dict[str, Any]:
    """The definition in the fixture, without the prose and with what the import states explicitly."""
    crd: dict[str, Any] = list(YAML(typ="safe", pure=True).load_all(WIDGETS.read_text()))[1]
    return crd


def without_prose(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key in ("description", "title", "example"):
            continue
        if key == "properties":
            value = {name: without_prose(inner) for name, inner in value.items()}
        elif key in ("items", "additionalProperties", "not"):
            value = without_prose(value)
        elif key in ("oneOf", "anyOf"):
            value = [without_prose(inner) for inner in value]
        result[key] = value
    return result


def test_a_rebuilt_definition_is_the_published_one_without_prose(widgets: Path) -> None:
    (rebuilt,) = custom_resource_definitions(widgets)
    spec, wanted = rebuilt["spec"], published()["spec"]
    assert rebuilt["metadata"] == {"name": "widgets.example.com"}
    assert {key: spec[key] for key in ("group", "names", "scope")} == {
        key: wanted[key] for key in ("group", "names", "scope")
    }
    assert [version["name"] for version in spec["versions"]] == ["v1", "v1beta1"]
    for version, original in zip(spec["versions"], wanted["versions"], strict=False):
        assert version["schema"]["openAPIV3Schema"] == without_prose(original["schema"]["openAPIV3Schema"])
        for key in ("served", "storage", "subresources", "selectableFields", "deprecated"):
            assert version.get(key) == original.get(key)
    assert "conversion" not in spec


def test_a_protected_group_gets_the_annotation_that_an_api_server_demands(tmp_path: Path) -> None:
    import_files([FIXTURES / "list.json"], tmp_path / "own", None, {})
    (shelf,) = custom_resource_definitions(tmp_path / "own")
    assert shelf["metadata"]["annotations"]["api-approved.kubernetes.io"].startswith("unapproved")
    assert not found(tmp_path / "own", "store.k8s.io/v2", "Shelf").namespaced


def test_a_bare_schema_needs_to_be_told_its_kind_once(tmp_path: Path) -> None:
    bare, folder = FIXTURES / "gadgetpolicy_v1.json", tmp_path / "own"
    with pytest.raises(ImportRefused, match="--kind GROUP/VERSION/KIND"):
        import_files([bare], folder, None, {})
    assert not folder.exists()
    import_files([bare], folder, Told("example.com", "v1", "GadgetPolicy", "Cluster"), {})
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    import_files([bare], folder, None, {})  # SOURCES.yaml remembers
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    (crd,) = custom_resource_definitions(folder)
    assert crd["metadata"]["name"] == "gadgetpolicies.example.com" and crd["spec"]["scope"] == "Cluster"
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema["properties"]["spec"] == {
        "type": "object",
        "required": ["size"],
        "properties": {"size": {"type": "integer", "format": "int64", "maximum": 300}},
    }


@pytest.mark.parametrize(
    ("kind", "plural"),
    [("Policy", "policies"), ("Class", "classes"), ("Gateway", "gateways"), ("Box", "boxes"), ("Widget", "widgets")],
)
def test_plurals_are_guessed_as_generators_do(kind: str, plural: str) -> None:
    assert guessed_names(kind)["plural"] == plural


def test_openapi_gives_kinds_of_manifests_and_nothing_else(builtin: Path) -> None:
    names = sorted(path.relative_to(builtin).as_posix() for path in builtin.rglob("*.json"))
    assert names == ["storage.k8s.io/storageclass_v1.json", "v1/box_v1.json"]
    assert found(builtin, "v1", "Box").namespaced
    assert not found(builtin, "storage.k8s.io/v1", "StorageClass").namespaced


@pytest.mark.parametrize(
    ("spec", "good"),
    [
        ({"$ref": "text"}, True),
        ({"limits": {"cpu": 0.5, "memory": "1Gi", "gpu": 1}}, True),
        ({"limits": {"cpu": "1 Gi"}}, False),
        ({"limits": {"cpu": True}}, False),
        ({"port": "http"}, True),
        ({"port": 2**31}, False),
        ({"inner": {"inner": {"port": 1}}}, True),
        ({"inner": {"inner": {"prot": 1}}}, False),
        ({"raw": {"anything": 1}}, True),
        ({"data": {"a": "YWJj\n"}}, True),
        ({"data": {"a": "plain text"}}, False),
    ],
    ids=str,
)
def test_built_in_types_are_read_as_go_reads_them(builtin: Path, spec: dict[str, Any], good: bool) -> None:
    schema = found(builtin, "v1", "Box")
    assert schema.conforms(box(**spec)) is good
    assert (schema.problems(box(**spec)) == []) is good


def test_built_in_lists_merge_by_all_their_keys(builtin: Path) -> None:
    spec = found(builtin, "v1", "Box").root.child("spec")
    assert spec is not None
    ports, parts = spec.child("ports"), spec.child("parts")
    assert ports is not None and ports.merge_keys == ("containerPort", "protocol")
    assert parts is not None and parts.merge_keys == ("name",)
    port = ports.child(3)
    assert port is not None
    protocol = port.child("protocol")
    assert protocol is not None and protocol.default == "TCP"


def test_versions_of_kubernetes_share_what_did_not_change(tmp_path: Path) -> None:
    document = json.loads((FIXTURES / "openapi-1.90.json").read_text())
    import_files([FIXTURES / "openapi-1.90.json"], tmp_path / "kubernetes-1.90", None, {})
    document["info"]["version"] = "v1.91.0"
    document["definitions"]["io.k8s.api.core.v1.ContainerPort"]["properties"]["name"] = {"type": "string"}
    with gzip.open(tmp_path / "next.json.gz", "wt") as stream:
        json.dump(document, stream)
    import_files([tmp_path / "next.json.gz"], tmp_path / "kubernetes-1.91", None, {})
    core = json.loads((tmp_path / "kubernetes" / "core_v1.json").read_text())["$defs"]
    assert sorted(core) == [
        "Box-1.90", "Box-1.91", "BoxSpec-1.90", "BoxSpec-1.91", "ContainerPort-1.90", "ContainerPort-1.91",
    ]  # fmt: skip
    meta = json.loads((tmp_path / "kubernetes" / "meta_v1.json").read_text())["$defs"]
    assert all(name.endswith("-1.90") for name in meta)
    named = box(ports=[{"containerPort": 1, "name": "a"}])
    assert not found(tmp_path / "kubernetes-1.90", "v1", "Box").conforms(named)
    assert found(tmp_path / "kubernetes-1.91", "v1", "Box").conforms(named)


def test_everything_can_be_made_again_with_the_same_bytes(tmp_path: Path) -> None:
    root = tmp_path / "schemas"
    root.mkdir()
    (root / "own.txt").write_text("not ours")
    (root / "SOURCES.yaml").write_text(
        "sets:\n"
        "  widgets: {sources: [{from: ., files: [widgets.yaml]}, {from: ., files: [list.json]}]}\n"
        "  kubernetes-1.90: {sources: [{from: ., files: [openapi-1.90.json]}]}\n"
    )
    assert import_all([FIXTURES], root) == {"kubernetes-1.90": 2, "widgets": 3, "kubernetes": 4}
    first = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    import_all([FIXTURES], root)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == first
    names = [crd["metadata"]["name"] for crd in custom_resource_definitions(root)]
    assert names == ["shelves.store.k8s.io", "widgets.example.com"]


def crd_of(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    }
    spec = {
        "group": "example.com", "scope": "Cluster", "names": {"kind": kind, "plural": f"{kind.lower()}s"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }  # fmt: skip
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}


def test_what_several_sets_have_is_stored_once(tmp_path: Path) -> None:
    rules = [{"rule": "self.a0 == 1", "message": "a0"}]
    large = {"type": "object", "properties": {f"a{n}": {"type": "integer", "minimum": n} for n in range(800)}}
    large |= {"x-kubernetes-validations": rules}
    small = crd_of("Small", {"a": {"type": "string"}})
    found_in = {
        "one-1.9": [small, crd_of("Big", {"pod": large, "old": {"type": "string"}})],
        "one-1.10": [small, crd_of("Big", {"pod": large, "new": {"type": "string"}})],
        "two": [crd_of("Other", {"pod": {"type": "string"}})],
    }
    root, shared = tmp_path / "schemas", tmp_path / "published"
    for folder in (root, shared):
        folder.mkdir()
    for name, definitions in found_in.items():
        (shared / f"{name}.json").write_text(json.dumps({"kind": "List", "items": definitions}))
    sources = [f"  {name}: {{sources: [{{from: ., files: [{name}.json]}}]}}\n" for name in found_in]
    (root / "SOURCES.yaml").write_text("sets:\n" + "".join(sources))
    assert import_all([shared], root) == {"one-1.10": 2, "one-1.9": 2, "two": 1, "kubernetes": 3}
    assert [file.name.partition("-")[0] for file in sorted((root / "kubernetes").iterdir())] == [
        "ObjectMeta", "Small", "pod",
    ]  # fmt: skip

    def judged(set_: str, kind: str, **spec: Any) -> bool:
        manifest = {"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}
        schema = found(root / set_, "example.com/v1", kind)
        assert schema.conforms(manifest) == (schema.problems(manifest) == [])
        return schema.conforms(manifest)

    for name, own, other in (("one-1.9", "old", "new"), ("one-1.10", "new", "old")):
        assert judged(name, "Big", **{own: "x", "pod": {"a3": 3}})
        assert not judged(name, "Big", **{other: "x"})
        assert not judged(name, "Big", pod={"a3": 2})
        assert judged(name, "Small", a="x") and not judged(name, "Small", a=1)
        assert custom_resource_definitions(root, [name])[0]["spec"]["names"]["kind"] == "Big"
        assert found(root / name, "example.com/v1", "Big").source.schema["x-dynagen-rules"] == [["spec", "pod"]]


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ("{../x: {sources: []}}", "'../x' is no name of a set"),
        ("{kubernetes: {sources: []}}", "'kubernetes' is no name of a set"),
        ("{a: {sources: [{files: [b]}]}}", "set 'a': each of 'sources' needs 'from' and 'files'"),
        ("{a: {kinds: [{group: a}]}}", "set 'a': 'kinds' is not what an import writes"),
        ("{a: 1}", "set 'a': each of 'sources' needs 'from' and 'files'"),
        ("{a: {sources: [{from: ., files: [missing.yaml]}]}}", "cannot be read: no such file or directory"),
        ("[a]", "'sets' is missing"),
    ],
)
def test_a_broken_catalogue_is_refused_and_changes_nothing(tmp_path: Path, sets: str, message: str) -> None:
    (tmp_path / "SOURCES.yaml").write_text(f"sets: {sets}\n")
    with pytest.raises(ImportRefused, match=re.escape(message)):
        import_all([FIXTURES], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["SOURCES.yaml"]


def test_a_folder_of_the_user_is_not_taken_for_the_shared_store(tmp_path: Path) -> None:
    (tmp_path / "kubernetes").mkdir()
    (tmp_path / "kubernetes" / "deployment.yaml").write_text("mine")
    with pytest.raises(ImportRefused, match=r"holds 'deployment.yaml', which is no schema"):
        import_files([FIXTURES / "openapi-1.90.json"], tmp_path / "kubernetes-1.90", None, {})
    import_files([WIDGETS], tmp_path / "own", None, {})  # needs no store
    assert (tmp_path / "kubernetes" / "deployment.yaml").read_text() == "mine"


def test_the_same_kind_in_two_sets_has_to_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "SOURCES.yaml").write_text("sets: {}\n")
    for name in ("widgets-1", "widgets-2"):
        import_files([WIDGETS], tmp_path / name, None, {})
    with pytest.raises(ImportRefused, match=r"'widgets.example.com' is in another set as well"):
        custom_resource_definitions(tmp_path)
    assert len(custom_resource_definitions(tmp_path, ["widgets-2"])) == 1


def test_a_set_can_be_extended_but_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    import_files([WIDGETS], folder, None, {})
    import_files([FIXTURES / "list.json"], folder, None, {})
    assert [crd["spec"]["names"]["kind"] for crd in custom_resource_definitions(folder)] == ["Shelf", "Widget"]
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ImportRefused, match=r"holds 'notes.txt', which is no schema"):
        import_files([WIDGETS], folder, None, {})
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_version_that_is_gone_goes_from_the_set(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    import_files([WIDGETS], folder, None, {})
    (tmp_path / "widgets.yaml").write_text(
        WIDGETS.read_text().replace("name: v1beta1\n      served: true", "name: v1beta1\n      served: false")
    )
    import_files([tmp_path / "widgets.yaml"], folder, None, {})
    assert [path.name for path in (folder / "example.com").iterdir()] == ["widget_v1.json"]


def crd_text(**changes: Any) -> str:
    crd = json.loads((FIXTURES / "list.json").read_text())["items"][0]
    for path, value in changes.items():
        place = crd["spec"]
        *parents, last = path.split("__")
        for parent in parents:
            place = place[int(parent) if parent.isdigit() else parent]
        place[last] = value
    return json.dumps(crd)


def schema_text(**spec: Any) -> str:
    return crd_text(versions__0__schema={"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}})


DEEP = '{"a":' * 5000 + "1" + "}" * 5000
BOMB = "\n".join(
    ["a0: &a0 {type: object, properties: {x: {type: string}, y: {type: string}}}"]
    + [
        f"a{n}: &a{n} {{type: object, properties: {{x: *a{n - 1}, y: *a{n - 1}, z: *a{n - 1}, w: *a{n - 1}}}}}"
        for n in range(1, 20)
    ]
    + [
        "apiVersion: apiextensions.k8s.io/v1", "kind: CustomResourceDefinition", "spec:", "  group: a.b",
        "  scope: Cluster", "  names: {kind: A, plural: as}", "  versions:",
        "    - {name: v1, served: true, schema: {openAPIV3Schema: *a19}}",
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no CustomResourceDefinition"),
        ("- a\n", "expected an object"),
        ("a: [1\n", "line 2: not YAML"),
        ("a: 1\na: 2\n", "not YAML"),
        ("{a: b}: c\n", "not YAML|expected an object|neither"),
        ("apiVersion: v1\nkind: Secret\n", "holds no CustomResourceDefinition"),
        ("hello: world\n", "neither a CustomResourceDefinition nor"),
        (DEEP, "nested too deep|not YAML"),
        pytest.param(BOMB, "nested too deep|too many schemas", marks=pytest.mark.slow),
        (crd_text(group="../../etc"), "is no API group"),
        (crd_text(group=7), "'group' is missing or has the wrong type"),
        (crd_text(names__kind="../Pod"), "is no kind"),
        (crd_text(versions__0__name="v1/../../x"), "is no version"),
        (crd_text(versions=[]), "'versions' is missing"),
        (crd_text(versions__0__served=False), "no version is served"),
        (crd_text(scope="Galaxy"), "scope 'Galaxy'"),
        (crd_text(versions__0__schema=None), "'schema' is missing"),
        (crd_text(versions__0__schema={"openAPIV3Schema": {"type": "string"}}), "must have 'type: object'"),
        (schema_text(type="text"), r"schema.properties.spec.type: unknown type 'text'"),
        (schema_text(properties=[1]), "expected an object, got a list"),
        (schema_text(properties={"a": 1}), "expected a schema, got a number"),
        (schema_text(required="name"), "expected a list, got a string"),
        (schema_text(pattern="(?=a)"), "is no pattern that every engine reads"),
        (schema_text(pattern="("), "is no pattern that every engine reads"),
        (schema_text(maxLength="7"), "expected a number, got a string"),
        (schema_text(**{"$ref": "#/a"}), "references are not supported"),
        (schema_text(dependencies={}), "this keyword is not supported"),
        (schema_text(**{"x-kubernetes-validations": [{"message": "a"}]}), r"validations\[0\].rule: expected a string"),
        (schema_text(**{"x-kubernetes-validations": [{"rule": "isEmail(self)"}]}), r"\[0\]: unknown function 'isEmail'"),
        (schema_text(**{"x-kubernetes-validations": [{"rule": "self.a =="}]}), r"\[0\]: 'self.a ==': Syntax error"),
        ('{"info": {"version": "x"}, "definitions": {}}', "info.version is no version"),
        ('{"info": {"version": "v1.2.0"}, "definitions": {}}', "holds no CustomResourceDefinition"),
    ],
    ids=range(32),
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_name_and_nothing_is_written(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(ImportRefused, match=message) as refused:
        import_files([file], tmp_path / "own", None, {})
    assert str(refused.value).startswith(f"{file}: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.yaml"]


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"\x00\x01"], ids=str)
def test_a_binary_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    for name in ("a.yaml", "a.json.gz"):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(ImportRefused, match=r"not UTF-8|not YAML|not a gzip file"):
            import_files([tmp_path / name], tmp_path / "own", None, {})


def test_the_command_names_the_files_it_wrote(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    words = ("-o", str(tmp_path / "own"), "--repository", "example/widgets", "--version", "1.2.3")
    result = dynagen("schemas", "import", str(WIDGETS), *words)
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        str(tmp_path / "own" / "example.com" / "widget_v1.json"),
        str(tmp_path / "own" / "example.com" / "widget_v1beta1.json"),
    ]
    sources = YAML(typ="safe", pure=True).load((tmp_path / "own" / "SOURCES.yaml").read_text())
    assert sources["sets"]["."]["sources"] == [
        {"repository": "example/widgets", "version": "1.2.3", "files": ["widgets.yaml"]}
    ]


@pytest.mark.parametrize(
    "args",
    [[], ["-o", "x"], [WIDGETS], [WIDGETS, "-o", "x", "--all", "."], ["missing.yaml", "-o", "x"], [WIDGETS, "--bogus"],
     [WIDGETS, "-o", "x", "--kind", "Widget"]],
    ids=str,
)  # fmt: skip
def test_a_wrong_command_line_exits_2(dynagen, args: list[str | Path]) -> None:  # type: ignore[no-untyped-def]
    assert dynagen("schemas", "import", *map(str, args)).code == 2


def test_a_refused_file_exits_1_without_a_traceback(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.yaml").write_text("a: [")
    result = dynagen("schemas", "import", str(tmp_path / "a.yaml"), "-o", str(tmp_path / "own"))
    assert result.code == 1
    assert result.stderr.startswith(f"error: {tmp_path / 'a.yaml'}: ")


def test_bounds_are_those_of_the_formats() -> None:
    assert BOUNDS == {"int32": (-2147483648, 2147483647), "int64": (-9223372036854775808, 9223372036854775807)}
