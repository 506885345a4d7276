"""The JSON Schema of a profile, composed from the core and the layers' sections, and the defaults that it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from dynagen.diagnostics import KeyPath, Origin, Position, Report, path_text
from dynagen.layers.finding import Layer, text_of
from dynagen.schema.conformance import Source, is_endless
from dynagen.schema.sets import conforms, problems
from dynagen.text.paths import SCHEMAS, is_there
from dynagen.text.patterns import compiled
from dynagen.text.source import parse
from dynagen.trees.nodes import List, Map, Tree, to_data, to_tree

Schema = dict[str, Any]

SCHEMA_FILE = "schemas/profile.json"


class Composed:
    """The schema of profiles with certain layers."""

    def __init__(self, schema: Schema) -> None:
        self.schema, self.source = schema, Source(schema)

    @cached_property
    def of_a_part(self) -> Source:
        """That of one of several files: nothing has to be there."""
        return Source(without_required(self.schema))


def core_schema() -> Schema:
    schema: Schema = json.loads((SCHEMAS / "profile.json").read_text("utf-8"))
    return schema


def compose_schema(
    layers: Sequence[Layer], facts: Mapping[str, Any], backends: Sequence[str], report: Report
) -> Schema:
    """The core schema with one section per layer, and with the words that facts and files define."""
    schema = core_schema()
    schema["properties"]["backend"]["enum"] = list(backends)
    releases = list(facts.get("releases", {}))
    schema["properties"]["release"]["examples"] = releases[::-1]  # others are taken for the nearest: `profile.releases`
    if schema["properties"]["release"]["default"] not in releases:  # a layer took it away
        del schema["properties"]["release"]["default"]
        schema["required"].append("release")
    schema["properties"]["kubernetes"]["enum"] = kubernetes_versions()
    schema["properties"]["gpu"]["enum"] = list(facts.get("gpus", {}))
    for layer in layers:
        if not is_there(layer.schema_file):
            continue
        section = _section(layer, report)
        if section is None:  # which has been said; that the profile has the section is no second mistake
            schema["properties"].setdefault(layer.name, {})
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
    if layer.is_shipped:
        shipped: Schema = json.loads(layer.schema_file.read_bytes())
        return shipped
    text = text_of(layer, "schema.json", report)
    if text is None:
        return None
    try:
        json.loads(text)
    except RecursionError:
        report.add("DG305", "nested too deep", Position(shown))
        return None
    except json.JSONDecodeError as error:
        report.add("DG305", f"not JSON: {error.msg}", Position(shown, error.lineno, error.colno))
        return None
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
    whole = {"$defs": {**core_schema()["$defs"], **section.get("$defs", {})}}
    return found or list(_endless_parts(section, whole)) or list(_wrong_defaults(section, whole))


def _parts(node: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Schema]]:
    """Every schema inside of a schema, itself first."""
    if not isinstance(node, dict):
        return
    yield path, node
    for key, inner in node.items():
        if key in ("properties", "patternProperties", "$defs"):
            for name, deeper in inner.items():
                yield from _parts(deeper, (*path, key, name))
        elif key in ("allOf", "anyOf", "oneOf"):
            for index, deeper in enumerate(inner):
                yield from _parts(deeper, (*path, key, index))
        elif key in ("items", "not", "additionalProperties", "propertyNames"):
            yield from _parts(inner, (*path, key))


MAX_DEFAULTS = 10_000


def _endless_parts(section: Schema, whole: Schema) -> Iterator[tuple[KeyPath, str]]:
    source, found = Source(whole), False
    for path, node in _parts(section):
        if "$ref" in node and is_endless(node, source):
            found = True
            yield (*path, "$ref"), f"'{node['$ref']}' leads back to itself"
    if found:
        return
    endless = [path for path, node in _parts(section) if _defaults_in(node, whole, frozenset(), {}) > MAX_DEFAULTS]
    # The definition itself says more than what refers to it.
    for path in sorted(endless, key=lambda path: path[:1] != ("$defs",))[:1]:
        yield path, "its defaults hold themselves, so filling them in would not end"


def _defaults_in(node: Any, whole: Schema, opened: frozenset[str], known: dict[str, float]) -> float:
    """How many values `fill_defaults` adds where only an empty mapping is; infinity when they hold themselves."""
    name = node.get("$ref", "") if isinstance(node, dict) else ""
    if name in opened:
        return float("inf")
    if name not in known or not name:
        inner = opened | {name} if name else opened
        count = 1.0
        for each in dereferenced(node, whole).get("properties", {}).values():
            if isinstance(dereferenced(each, whole).get("default"), dict):
                count += _defaults_in(each, whole, inner, known)
        known[name] = count
    return known[name]


def _wrong_defaults(section: Schema, whole: Schema) -> Iterator[tuple[KeyPath, str]]:
    """A default that its own schema refuses would surprise everybody who leaves the key out."""
    for path, node in _parts(section):
        if "default" not in node:
            continue
        tree = fill_defaults(to_tree(node["default"], Origin(Position(SCHEMA_FILE))), node, whole)
        # Beside the definitions, so that its references are found.
        for problem in problems(to_data(tree), {**whole, **node, "$defs": whole["$defs"]}):
            yield (*path, "default"), f"the default is refused by its own schema: {problem.message}"


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
    if not isinstance(node, dict) or not isinstance(reference := node.get("$ref"), str):
        return node if isinstance(node, dict) else {}
    target = schema["$defs"].get(reference.removeprefix("#/$defs/"), {})
    followed = dereferenced(target, schema)
    return {**followed, **{key: inner for key, inner in node.items() if key != "$ref"}} if len(node) > 1 else followed


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
    shown = f"{layer.shown}/schema.json" if layer else SCHEMA_FILE
    text = text_of(layer, "schema.json", Report()) if layer else (SCHEMAS / "profile.json").read_text("utf-8")
    (document,) = parse(text or "{}", shown, Report())
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
