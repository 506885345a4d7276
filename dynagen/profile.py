"""Profile files in, one checked profile out: merged over the layers' defaults, every value with its position."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.data import SCHEMAS
from dynagen.diagnostics import KeyPath, Origin, Position, Report, closest, path_text
from dynagen.expressions import evaluate_rule
from dynagen.layers import Layer, defaults, document_tree, shipped_overlays
from dynagen.merge import Leaf, List, Map, Tree, find, merge, to_data, to_tree
from dynagen.scalars import Ambiguous, parse_plain
from dynagen.schemas import conforms, problems
from dynagen.source import Document

Schema = dict[str, Any]

_SCHEMA_FILE = "schemas/profile.json"


class Profile:
    """A checked profile: plain data with all defaults, and where each value was written."""

    def __init__(self, tree: Map, default_files: frozenset[str]) -> None:
        """`default_files` are the files of layers and schemas that values may come from."""
        self.tree = tree
        self.data: dict[str, Any] = to_data(tree)
        self._default_files = default_files

    def written(self, path: KeyPath) -> Position | None:
        """Where the value at `path` was written in a profile's file; None when it is a default or not there at all."""
        at = find_exactly(self.tree, path)
        return None if at is None or at.file in self._default_files else at

    def at(self, path: KeyPath = ()) -> Position:
        """Where the value at `path`, or its nearest ancestor, was written."""
        return find(self.tree, path).origin.written


def find_exactly(tree: Tree, path: KeyPath) -> Position | None:
    for key in path:
        if isinstance(tree, Map) and key in tree:
            tree = tree[key]
        elif isinstance(tree, List) and isinstance(key, int) and key < len(tree):
            tree = tree[key]
        else:
            return None
    return tree.origin.written


def core_schema() -> Schema:
    schema: Schema = json.loads((SCHEMAS / "profile.json").read_text("utf-8"))
    return schema


def compose_schema(layers: Sequence[Layer], facts: Mapping[str, Any], backends: Sequence[str], report: Report) -> Schema:
    """The core schema with one section per layer, and with the words that facts and files define."""
    schema = core_schema()
    schema["properties"]["backend"]["enum"] = list(backends)
    schema["properties"]["release"]["enum"] = list(facts.get("releases", {}))
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
            report.add("DG305", f"a layer may not be called '{layer.name}': the profile has that key", at, "rename the folder")
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


def load_profile(
    sources: Sequence[Document],
    settings: Sequence[str],
    layers: Sequence[Layer],
    schema: Schema,
    report: Report,
) -> Profile | None:
    """One profile out of files (later ones win) and `--set` settings (they win over files). None when it is refused."""
    fragments = [document_tree(source) for source in sources if _is_mapping(source, report)]
    if len(fragments) < len(sources):
        return None
    for number, setting in enumerate(settings, 1):
        fragment = _setting(setting, Position(f"--set {setting}", 1, 1), schema, report)
        if fragment is not None:
            fragments.append(fragment)
    # Each file for its shape, then the whole for completeness: one mistake must not turn into three.
    shape = _without_required(schema)
    for fragment in fragments:
        check(to_data(fragment), shape, fragment, report)
    merged = fragments[0]
    for fragment in fragments[1:]:
        merged = merge(merged, fragment, None)
    low = [document_tree(found) for layer in layers if (found := defaults(layer, report))]
    for fragment in low:
        check(to_data(fragment), shape, fragment, report)
    for fragment in reversed(low):
        merged = merge(fragment, merged, None)
    if not (report.failed and _mentions_unknown(report)):
        check(to_data(merged), schema, merged, report)
    if report.failed:
        return None
    filled = _fill_defaults(merged, schema, schema, ())
    assert isinstance(filled, Map)
    _check_rules(to_data(filled), schema, schema, filled, (), report)
    from_layers = frozenset(fragment.origin.written.file for fragment in low)
    return None if report.failed else Profile(filled, from_layers | {_SCHEMA_FILE})


def _mentions_unknown(report: Report) -> bool:
    """Whether a key was misspelt: what seems to be missing is then most likely that one."""
    return any(diagnostic.code == "DG201" for diagnostic in report.diagnostics)


def _is_mapping(source: Document, report: Report) -> bool:
    if isinstance(source.data, dict):
        return True
    found = "a list" if isinstance(source.data, list) else "nothing" if source.data is None else "a scalar"
    report.add("DG111", f"a profile is a mapping, this is {found}", source.at(), hint="begin with 'apiVersion: dynagen.dev/v1alpha1'")
    return False


def _setting(setting: str, at: Position, schema: Schema, report: Report) -> Map | None:
    """`a.b=1` as a tree. The schema decides whether a value is a text; anything else is read as YAML's plain scalars."""
    key, equals, text = setting.partition("=")
    path = tuple(key.split("."))
    if not equals or not all(path):
        report.add("DG207", f"--set takes key=value, got '{setting}'", at, hint="for example --set spot=true")
        return None
    node: Any = schema
    for part in path:
        node = _deref(node, schema)
        node = node.get("properties", {}).get(part) or node.get("additionalProperties") if isinstance(node, dict) else None
    kind = _deref(node, schema).get("type") if isinstance(node, dict) else None
    kinds = kind if isinstance(kind, list) else [kind]
    value: Any
    if "array" in kinds:
        value = text.split(",") if text else []
    elif "string" in kinds or (isinstance(node, dict) and "enum" in _deref(node, schema)):
        value = text
    else:
        try:
            value = parse_plain(text)
        except Ambiguous:
            value = text
    for part in reversed(path):
        value = {part: value}
    tree = to_tree(value, Origin(at))
    assert isinstance(tree, Map)
    return tree


def _without_required(schema: Any) -> Any:
    """The schema of a part of a profile: nothing has to be there."""
    if isinstance(schema, dict):
        return {key: _without_required(inner) for key, inner in schema.items() if key != "required" or not isinstance(inner, list)}
    return [_without_required(inner) for inner in schema] if isinstance(schema, list) else schema


def check(data: Any, schema: Schema, tree: Tree, report: Report) -> None:
    """Reports what in `data` violates `schema`: DG201 to DG205. `tree` says where it was written."""
    if conforms(data, schema):
        return
    for problem in problems(data, schema):
        at = find(tree, problem.path).origin.written
        where = path_text(problem.path)
        hint = ""
        if problem.keyword == "additionalProperties" and problem.key is not None:
            parent = f" in '{where}'" if problem.path else ""
            near = closest(problem.key, problem.known)
            hint = f"did you mean '{near}'?" if near else "known keys: " + ", ".join(sorted(problem.known))
            if not problem.path and problem.key in shipped_overlays():
                hint = f"add '{problem.key}' to 'overlays'"
            at = find(tree, (*problem.path, problem.key)).origin.written
            report.add("DG201", f"unknown key '{problem.key}'{parent}", at, hint)
        elif problem.keyword == "required" and problem.key is not None:
            report.add("DG203", f"'{path_text((*problem.path, problem.key))}' is missing", at)
        elif problem.keyword == "type":
            report.add("DG202", f"'{where}': {problem.message}", at, _type_hint(problem.value, problem.message))
        else:
            code = "DG205" if problem.path in (("apiVersion",), ("kind",)) else "DG204"
            if problem.keyword == "enum":
                near = closest(str(problem.value), [str(word) for word in problem.known])
                hint = f"did you mean '{near}'?" if near else "one of: " + ", ".join(str(word) for word in problem.known)
            report.add(code, f"'{where}': {problem.message}", at, hint)


def _type_hint(value: Any, message: str) -> str:
    if "string" in message and isinstance(value, (int, float)):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f'quote it: "{text}"'
    if value is None:
        return "give it a value, or leave the key out"
    return ""


def _deref(node: Any, schema: Schema) -> Schema:
    """A schema node with its reference into `$defs` followed; keys beside `$ref` win."""
    if isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
        target = schema["$defs"].get(reference.removeprefix("#/$defs/"), {})
        return {**_deref(target, schema), **{key: inner for key, inner in node.items() if key != "$ref"}}
    return node if isinstance(node, dict) else {}


def _fill_defaults(tree: Tree, node: Any, schema: Schema, path: KeyPath) -> Tree:
    """Adds what the schema says about keys that are not there."""
    node = _deref(node, schema)
    if isinstance(tree, Map):
        properties = node.get("properties", {})
        filled = Map(tree, tree.origin)
        for key, inner in properties.items():
            inner = _deref(inner, schema)
            if key not in filled and "default" in inner:
                filled[key] = to_tree(inner["default"], Origin(Position(_SCHEMA_FILE)))
        for key, value in filled.items():
            filled[key] = _fill_defaults(value, properties.get(key, {}), schema, (*path, key))
        return filled
    if isinstance(tree, List):
        return List([_fill_defaults(item, node.get("items", {}), schema, (*path, 0)) for item in tree], tree.origin)
    return tree


def _check_rules(data: Any, node: Any, schema: Schema, tree: Tree, path: KeyPath, report: Report) -> None:
    """Evaluates `x-kubernetes-validations`, as an API server does for a CRD. Reports DG206."""
    node = _deref(node, schema)
    for rule in node.get("x-kubernetes-validations", ()):
        verdict = evaluate_rule(rule["rule"], data)
        if verdict is True:
            continue
        message = rule.get("message") or f"rule '{rule['rule']}' does not hold"
        if isinstance(verdict, str):
            message = f"rule '{rule['rule']}' cannot be evaluated: {verdict}"
        field = tuple(part for part in rule.get("fieldPath", "").split(".") if part)
        where = f"'{path_text(path)}': " if path else ""
        report.add("DG206", where + message, find(tree, (*path, *field)).origin.written, rule.get("hint", ""))
    if isinstance(data, dict):
        for key, value in data.items():
            inner = node.get("properties", {}).get(key, node.get("additionalProperties", {}))
            if isinstance(value, (dict, list)):
                _check_rules(value, inner, schema, tree, (*path, key), report)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            if isinstance(value, (dict, list)):
                _check_rules(value, node.get("items", {}), schema, tree, (*path, index), report)
