"""The JSON Schema of a profile, composed from the core and the layers' sections, and the defaults that it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.data import SCHEMAS
from dynagen.diagnostics import KeyPath, Origin, Position, Report
from dynagen.layers import Layer
from dynagen.merge import List, Map, Tree, to_tree

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
    schema["properties"]["kubernetes"]["enum"] = kubernetes_versions()
    schema["properties"]["gpu"]["enum"] = list(facts.get("gpus", {}))
    for layer in layers:
        if not layer.schema_file.is_file():
            continue
        at = Position(f"{layer.shown}/schema.json")
        if not layer.schema_file.resolve().is_relative_to(layer.folder):
            report.add("DG303", f"'{at.file}' leads out of its layer's folder", at, hint="copy the file")
            continue
        try:
            section = json.loads(layer.schema_file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            report.add("DG305", f"not a JSON Schema: {error}", at)
            continue
        if not isinstance(section, dict):
            report.add("DG305", "not a JSON Schema: expected an object", at)
        elif layer.name in schema["properties"]:
            report.add(
                "DG305", f"a layer may not be called '{layer.name}': the profile has that key", at, "rename the folder"
            )
        else:
            section = _with_local_definitions(section, layer.name, schema)
            if section.get("type") == "object" and not section.get("required"):
                section.setdefault("default", {})  # so that its own defaults count when the section is left out
            schema["properties"][layer.name] = section
    return schema


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


def fill_defaults(tree: Tree, node: Any, schema: Schema, path: KeyPath) -> Tree:
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
            filled[key] = fill_defaults(value, properties.get(key, {}), schema, (*path, key))
        return filled
    if isinstance(tree, List):
        return List([fill_defaults(item, node.get("items", {}), schema, (*path, 0)) for item in tree], tree.origin)
    return tree


def without_required(schema: Any) -> Any:
    """The schema of a part of a profile: nothing has to be there."""
    if isinstance(schema, dict):
        return {
            key: without_required(inner)
            for key, inner in schema.items()
            if key != "required" or not isinstance(inner, list)
        }
    return [without_required(inner) for inner in schema] if isinstance(schema, list) else schema
