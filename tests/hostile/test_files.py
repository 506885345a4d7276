"""No file outside of a layer or a set is read, whatever refers to it, and nothing that is no regular file."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAD = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")
PROFILE = HEAD + "overlays: [./team]\n"
WIDGET = (
    "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: a}\nspec: {a: 1, b: [1], c: {d: 1}}\n"
)
CANARY = "the-word-that-nobody-may-see"
OUT = {"enum": [CANARY], "const": CANARY, "pattern": CANARY, "required": [CANARY], "type": "string"}

WORDS = [
    "if", "then", "else", "contains", "dependentSchemas", "dependencies", "prefixItems", "additionalItems", "unevaluatedItems",
    "unevaluatedProperties", "propertyNames", "not", "items", "additionalProperties", "allOf", "anyOf", "oneOf", "properties",
    "patternProperties", "$defs", "definitions", "contentSchema", "default", "examples", "x-anything",
]  # fmt: skip
OF_LISTS, OF_MAPS = ("prefixItems", "allOf", "anyOf", "oneOf"), (
    "dependentSchemas", "dependencies", "properties", "patternProperties", "$defs", "definitions",
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project, and beside it what is none of its business."""
    (tmp_path / "outside.json").write_text(json.dumps({**OUT, "$defs": {"a": OUT}}), "utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/widget_v1.json").write_text(json.dumps(OUT), "utf-8")
    home = tmp_path / "project"
    (home / "team/resources").mkdir(parents=True)
    (home / "team/schemas/example.com").mkdir(parents=True)
    (home / "team/resources/a.yaml").write_text(WIDGET, "utf-8")
    (home / "profile.yaml").write_text(PROFILE, "utf-8")
    (home / "widget.yaml").write_text(WIDGET, "utf-8")
    return home


def runs(dynagen, home: Path) -> str:  # type: ignore[no-untyped-def]
    """What is said of the set as that of a layer, and as one that is named; it is refused both times."""
    said = ""
    for words in (["profile.yaml"], ["widget.yaml", "--schemas", "team/schemas"]):
        run = dynagen("check", *words, cwd=home)
        assert run.code == 1, run
        assert CANARY not in run.stdout + run.stderr
        said += run.stderr
    return said


def schema_with(reference: str, word: str, keyword: str) -> dict[str, object]:
    inner = {keyword: reference}
    value = [inner] if word in OF_LISTS else {"a": inner, "spec": inner} if word in OF_MAPS else inner
    return {"type": "object", "properties": {"spec": {"type": "object", word: value}}, word: value}


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$recursiveRef"])
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("reference", ["../../../../outside.json", "{home}/outside.json", "file://{home}/outside.json"])
def test_no_reference_leads_out_of_its_set(word, keyword, reference, dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    reference = reference.format(home=home.parent)
    schema = schema_with(reference, word, keyword)
    # What a remark holds is found by a reference that leads there.
    schema["allOf"] = (
        [{"$ref": f"#/{word}"}] if word in ("default", "examples", "x-anything") else schema.get("allOf", [])
    )
    (home / "team/schemas/example.com/widget_v1.json").write_text(json.dumps(schema), "utf-8")
    if word == "contentSchema":  # says nothing of a value
        assert CANARY not in dynagen("check", "profile.yaml", cwd=home).stderr
        return
    assert runs(dynagen, home).count("DG214") == 2


@pytest.mark.parametrize("reference", ["http://example.com/a.json", "https://example.com/a.json#/$defs/a", "urn:a:b"])
def test_an_address_is_an_error_and_no_traceback(reference, dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    (home / "team/schemas/example.com/widget_v1.json").write_text(json.dumps({"$ref": reference}), "utf-8")
    assert runs(dynagen, home).count("is an address, and nothing is fetched") == 2


@pytest.mark.parametrize("place", ["$id", "properties"])
def test_what_a_schema_calls_itself_leads_nowhere(place, dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    name = f"file://{home.parent}/x.json"
    schema = {"$id": name, "$ref": "outside.json"} if place == "$id" else {
        "properties": {"spec": {"$id": name, "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "outside.json"}}
    }  # fmt: skip
    (home / "team/schemas/example.com/widget_v1.json").write_text(json.dumps(schema), "utf-8")
    assert "DG214" in runs(dynagen, home)


def test_what_references_lead_to_is_looked_at_as_well(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    schema = {
        "properties": {"spec": {"$ref": "#/x-parts/a"}},
        "x-parts": {"a": {"properties": {"a": {"multipleOf": 0}}}},
    }
    (home / "team/schemas/example.com/widget_v1.json").write_text(json.dumps(schema), "utf-8")
    assert "'multipleOf' is of the wrong type" in runs(dynagen, home)


def test_no_link_leads_out_of_a_set(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    folder = home / "team/schemas/example.com"
    (folder / "widget_v1.json").symlink_to(home.parent / "outside/widget_v1.json")
    assert "it leads out of the layer's folder" in runs(dynagen, home)
    (folder / "widget_v1.json").unlink()
    folder.rmdir()
    folder.symlink_to(home.parent / "outside")
    assert "a folder that is a link is not followed" in runs(dynagen, home)
    folder.unlink()
    (home / "team/schemas").rmdir()
    (home / "team/schemas").symlink_to(home.parent)
    assert "it leads out of the layer's folder" in dynagen("check", "profile.yaml", cwd=home).stderr


NAMES = (
    "layer.yaml", "schema.json", "resources/b.yaml", "patches/b.yaml", "overrides/b.yaml", "common/b.yaml", "external/b.yaml",
    "facts/b.yaml", "facts/models/Qwen.yaml", "facts/flags/vllm.yaml", "schemas/example.com/widget_v1.json",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["pipe", "device", "large", "folder", "link"])
@pytest.mark.parametrize("name", NAMES)
def test_only_regular_files_inside_are_opened(name, kind, dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    file = home / "team" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        file.symlink_to("/dev/zero")
    elif kind == "link":
        file.symlink_to(home.parent / "outside.json")
    elif kind == "large":
        with file.open("wb") as stream:
            stream.truncate(1 << 40)
    else:
        file.mkdir()
    run = dynagen("check", "profile.yaml", "--schemas", "team/schemas", cwd=home)
    assert run.code == 1
    assert CANARY not in run.stderr
    assert f"b.yaml{os.sep}" in run.stderr or "error[DG" in run.stderr


def test_one_function_opens_what_others_wrote() -> None:
    """All else that is opened ships with the package, is written by us, or is what the command line names."""
    own = {
        "text/opening.py": "the function",
        "compiled/reading.py": "compiled with the package", "compiled/writing.py": "builds the package",
        "console/catalogue.py": "pages of rules", "verify/pods/enums.py": "of the package",
        "verify/istio/annotations.py": "of the package", "profile/schema.py": "the schemas of profiles and sections",
        "profile/facts.py": "shipped facts", "manifests/files.py": "the tree of output",
        "schema_import/importing.py": "sets that are rewritten", "schema_import/read.py": "files that the command line names",
        "__main__.py": "/dev/null",
    }  # fmt: skip
    opening = {"open", "read_bytes", "read_text"}
    found = set()
    for file in sorted((ROOT / "dynagen").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            mine = isinstance(node.func, ast.Name) and name == "read_bytes"  # ours, of text/opening.py
            on_sets = isinstance(node.func, ast.Attribute) and ast.unparse(node.func).endswith(
                ("self.open", "schemas.open")
            )
            if name in opening and not mine and not on_sets:
                found.add(file.relative_to(ROOT / "dynagen").as_posix())
    assert found <= set(own), found - set(own)


@pytest.mark.parametrize("name", ["example.com/widget_v1.json", "v1/configmap_v1.json", "apps/deployment_v1.json"])
@pytest.mark.parametrize(
    "metadata",
    [
        "{name: a, namespace: [a]}",
        "{name: a, labels: x}",
        "{name: a, annotations: [1]}",
        "{name: a, finalizers: {a: b}}",
    ],
)
def test_a_schema_that_takes_everything_is_no_traceback(name, metadata, dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    (home / "team/schemas" / name).parent.mkdir(parents=True, exist_ok=True)
    (home / "team/schemas" / name).write_text("true" if name.startswith("apps") else "{}", "utf-8")
    group, _, kind = name.removesuffix("_v1.json").partition("/")
    kind = {"widget": "Widget", "configmap": "ConfigMap", "deployment": "Deployment"}[kind]
    version = "v1" if group == "v1" else f"{group}/v1"
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata: {metadata}\nspec: [1]\ndata: [1]\n"
    (home / "team/resources/a.yaml").write_text(text, "utf-8")
    (home / "widget.yaml").write_text(text, "utf-8")
    for words in (["profile.yaml"], ["widget.yaml", "--schemas", "team/schemas"]):
        assert dynagen("check", *words, cwd=home).code in (0, 1)


def test_a_named_set_that_is_a_link_is_not_walked(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    (home / "sets").symlink_to("/")
    run = dynagen("check", "widget.yaml", "--schemas", "sets", cwd=home)
    assert run.code == 1 and "DG303" in run.stderr
