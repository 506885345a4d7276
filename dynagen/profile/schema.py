"""The JSON Schema of a profile, composed from the core and the layers' sections, and the defaults that it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dynagen.data import SCHEMAS
from dynagen.diagnostics import KeyPath, Origin, Position, Report, path_text
from dynagen.layers import Layer
from dynagen.merge import List, Map, Tree, to_tree
from dynagen.paths import is_there, lies_in
from dynagen.patterns import compiled
from dynagen.schemas import conforms, problems
from dynagen.source import Document, parse, read

Schema = dict[str, Any]

SCHEMA_FILE = "schemas/profile.json"


def core_schema() -> Schema:
    schema: Schema = json.loads((SCHEMAS / "profile.json").read_text("utf-8"))
    return schema


def compose_schema(
    layers: Sequence[Layer], facts: Mapping[str, Any], backends: Sequence[str], report: Report
) -> Schema:
    """The core schema with one section per layer, and with the words that facts and files define."""
    schema = core_schema()
    schema["properties"]["backend"]["enum"] = list(backends)
    schema["properties"]["release"]["enum"] = list(facts.get("releases", {}))
    if (
        schema["properties"]["release"]["default"] not in schema["properties"]["release"]["enum"]
    ):  # a layer took it away
        del schema["properties"]["release"]["default"]
        schema["required"].append("release")
    schema["properties"]["kubernetes"]["enum"] = kubernetes_versions()
    schema["properties"]["gpu"]["enum"] = list(facts.get("gpus", {}))
    for layer in layers:
        section = _section(layer, report) if is_there(layer.schema_file) else None
        if section is None:
            continue
        if layer.name in schema["properties"]:
            at = Position(f"{layer.shown}/schema.json")
            report.add("DG305", f"a layer may not be called '{layer.name}': the profile has that key", at, "rename it")
            continue
        section = _with_local_definitions(section, layer.name, schema)
        if section.get("type") == "object" and not section.get("required"):
            section.setdefault("default", {})  # so that its own defaults count when the section is left out
        schema["properties"][layer.name] = section
    return schema


def _section(layer: Layer, report: Report) -> Schema | None:
    """A layer's schema.json. What users write is held against `schemas/section.json` first; reports DG305."""
    shown = f"{layer.shown}/schema.json"
    if not lies_in(layer.schema_file, layer.folder):
        report.add("DG303", f"'{shown}' leads out of its layer's folder", Position(shown), hint="copy the file")
        return None
    if layer.is_shipped:
        shipped: Schema = json.loads(layer.schema_file.read_bytes())
        return shipped
    text = read(layer.schema_file, shown, report, only_regular=True)
    if text is None:
        return None
    try:
        json.loads(text)
    except ValueError as error:
        report.add("DG305", f"not JSON: {error}", Position(shown))
        return None
    documents = parse(text, shown, report)  # for the places of what is wrong
    if not documents:
        return None
    section = documents[0].data
    found = section_problems(section)
    for path, message in found:
        report.add(
            "DG305", f"'{path_text(path)}': {message}", documents[0].at(path), "schema.json is a JSON Schema 2020-12"
        )
    return None if found or not isinstance(section, dict) else section


def section_problems(section: Any) -> list[tuple[KeyPath, str]]:
    """What is wrong with the schema of a section, with its path."""
    rules = json.loads((SCHEMAS / "section.json").read_bytes())
    if not isinstance(section, dict):
        return [((), "expected an object")]
    if not conforms(section, rules):
        return [((*each.path, each.key) if each.key else each.path, each.message) for each in problems(section, rules)]
    found = list(_broken_words(section, section.get("$defs", {}), ()))
    return found or list(_endless(section, section.get("$defs", {})))


def _broken_words(node: Any, definitions: Schema, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """References without a target and regular expressions that are none."""
    if isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _broken_words(inner, definitions, (*path, index))
    if not isinstance(node, dict):
        return
    for key, inner in node.items():
        if key == "$ref" and inner.removeprefix("#/$defs/") not in definitions.keys() | core_schema()["$defs"].keys():
            yield (*path, key), f"no definition '{inner}'"
        patterns = [inner] if key == "pattern" else inner if key == "patternProperties" else ()
        for pattern in patterns:
            try:
                compiled(pattern)
            except ValueError as error:
                yield (*path, key), f"not a regular expression: {error}"
        if key not in ("default", "examples", "enum", "const"):
            # Under `properties` a key called `pattern` is a name, not a keyword.
            names = key in ("properties", "patternProperties", "$defs")
            for name, deeper in inner.items() if names else [("", inner)]:
                yield from _broken_words(deeper, definitions, (*path, key, name) if names else (*path, key))


def _endless(section: Schema, own: Schema) -> Iterator[tuple[KeyPath, str]]:
    """Definitions that would never end: they are themselves, or their defaults hold defaults of their own kind."""
    same = [name for name, definition in own.items() if name in _same_value(definition, own, set())]
    for name in same:
        yield ("$defs", name), f"'{name}' refers to nothing but itself"
    for name, definition in own.items() if not same else ():
        if name in _filled_in(definition, own, set()):
            yield ("$defs", name), f"the defaults of '{name}' hold '{name}' again, without end"


def _same_value(node: Any, own: Schema, seen: set[str]) -> set[str]:
    """The definitions that a value must satisfy because it satisfies `node`, without a step into the value."""
    if not isinstance(node, dict):
        return seen
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if name in own and name not in seen:
        seen = _same_value(own[name], own, seen | {name})
    for inner in (*node.get("allOf", ()), *node.get("anyOf", ()), *node.get("oneOf", ()), node.get("not")):
        seen = seen | _same_value(inner, own, seen)
    return seen


def _filled_in(node: Any, own: Schema, seen: set[str]) -> set[str]:
    """The definitions of the values that are there by default once a value of `node` is."""
    node = dereferenced(node, {"$defs": own})
    for inner in node.get("properties", {}).values():
        if isinstance(dereferenced(inner, {"$defs": own}).get("default"), dict):
            name = str(inner.get("$ref", "")).removeprefix("#/$defs/") if isinstance(inner, dict) else ""
            if name in own and name in seen:
                continue
            seen = seen | ({name} if name in own else set())
            seen = seen | _filled_in(inner, own, seen)
    return seen


def _with_local_definitions(section: Schema, name: str, schema: Schema) -> Schema:
    """A section with its `$defs` moved into the composed schema, under the layer's name."""
    section.pop("$schema", None)
    own = section.pop("$defs", {})

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            moved = {key: renamed(inner) for key, inner in value.items()}
            reference = moved.get("$ref")
            if isinstance(reference, str) and reference.removeprefix("#/$defs/") in own:
                moved["$ref"] = f"#/$defs/{name}.{reference.removeprefix('#/$defs/')}"
            return moved
        return [renamed(inner) for inner in value] if isinstance(value, list) else value

    for key, definition in own.items():
        schema["$defs"][f"{name}.{key}"] = renamed(definition)
    moved: Schema = renamed(section)
    return moved


def kubernetes_versions() -> list[str]:
    """The versions that there are schemas for."""
    prefix = "kubernetes-"
    return sorted(folder.name.removeprefix(prefix) for folder in SCHEMAS.iterdir() if folder.name.startswith(prefix))


def dereferenced(node: Any, schema: Schema) -> Schema:
    """A schema node with its reference into `$defs` followed; keys beside `$ref` win."""
    if isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
        target = schema["$defs"].get(reference.removeprefix("#/$defs/"), {})
        return {**dereferenced(target, schema), **{key: inner for key, inner in node.items() if key != "$ref"}}
    return node if isinstance(node, dict) else {}


def fill_defaults(tree: Tree, node: Any, schema: Schema) -> Tree:
    """Adds what the schema says about keys that are not there."""
    node = dereferenced(node, schema)
    if isinstance(tree, Map):
        properties = node.get("properties", {})
        filled = Map(tree, tree.origin)
        for key, inner in properties.items():
            inner = dereferenced(inner, schema)
            if key not in filled and "default" in inner:
                filled[key] = to_tree(inner["default"], Origin(Position(SCHEMA_FILE)))
        for key, value in filled.items():
            filled[key] = fill_defaults(value, properties.get(key, {}), schema)
        return filled
    if isinstance(tree, List):
        return List([fill_defaults(item, node.get("items", {}), schema) for item in tree], tree.origin)
    return tree


def default_place(path: KeyPath, written: Position, layers: Sequence[Layer]) -> Position:
    """Where a default stands: in `layer.yaml`, in the schema of a layer's section, or in that of the profile."""
    if written.file != SCHEMA_FILE:
        return written
    layer = next((layer for layer in layers if layer.name == path[0] and layer.schema_file.is_file()), None)
    file = layer.schema_file if layer else SCHEMAS / "profile.json"
    shown = f"{layer.shown}/schema.json" if layer else SCHEMA_FILE
    document = _schema_document(file, shown)
    place: KeyPath = ()
    for key in path[1:] if layer else path:
        place = _referred(document.data, place)
        inner = (*place, "properties", key) if isinstance(key, str) else (*place, "items")
        if _at(document.data, inner) is None:
            break
        place = inner
    for spot in ((*place, "default"), (*_referred(document.data, place), "default"), place):
        if _at(document.data, spot) is not None:
            return document.at(spot)
    return document.at()


@cache
def _schema_document(file: Path, shown: str) -> Document:
    (document,) = parse(file.read_text("utf-8"), shown, Report())
    return document


def _referred(schema: Any, place: KeyPath) -> KeyPath:
    """The place of the definition that a node refers to; the node's own when it does not."""
    node = _at(schema, place)
    reference = node.get("$ref") if isinstance(node, dict) and "properties" not in node else None
    return tuple(reference.removeprefix("#/").split("/")) if isinstance(reference, str) else place


def _at(schema: Any, place: KeyPath) -> Any:
    for key in place:
        schema = schema.get(key) if isinstance(schema, dict) else None
    return schema


def without_required(schema: Any) -> Any:
    """The schema of a part of a profile: nothing has to be there."""
    if isinstance(schema, dict):
        return {
            key: without_required(inner)
            for key, inner in schema.items()
            if key != "required" or not isinstance(inner, list)
        }
    return [without_required(inner) for inner in schema] if isinstance(schema, list) else schema
