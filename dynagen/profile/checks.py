"""What is wrong with a profile: against the composed schema, and against its rules across fields."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dynagen.diagnostics import KeyPath, Position, Report, closest, path_text
from dynagen.language.cel import ExpressionError
from dynagen.language.scope import evaluate_rule
from dynagen.memory import Memory
from dynagen.profile.releases import patches_of
from dynagen.profile.schema import Schema, dereferenced
from dynagen.schema.conformance import Source
from dynagen.schema.sets import conforms, problems
from dynagen.text.scalars import is_string_to_all, requoted
from dynagen.trees.nodes import List, Tree, find, to_data

if TYPE_CHECKING:
    from dynagen.profile.unknown_keys import UnknownKeys
    from dynagen.schema.explanation import Violation


def check(data: Any, source: Source, tree: Tree, report: Report) -> None:
    """Reports what in `data` violates a schema: DG201 to DG205. `tree` says where it was written."""
    schema = source.schema
    if conforms(data, schema, source):
        return
    found = problems(data, schema)
    assert found, "the profile does not conform, and nobody says why"
    wrong_type = {problem.path for problem in found if problem.keyword == "type"}
    from dynagen.profile.unknown_keys import UnknownKeys

    unknown = UnknownKeys(data, source)
    misspelt = [(each.path, each.key) for each in found if each.keyword == "additionalProperties" and each.key]
    missing = []
    for problem in found:
        if problem.keyword == "required" and any(
            unknown.may_mean(path, key, (*problem.path, str(problem.key))) for path, key in misspelt
        ):
            continue  # what seems to be missing is there, by another name
        if problem.path in wrong_type and problem.keyword != "type":
            continue  # of the wrong type, and therefore not one of the known words either
        if problem.keyword == "required" and not problem.path:
            missing.append(problem)
        elif report.is_full("error"):
            report.add("DG204", problem.message, find(tree, problem.path).origin.written)
        else:
            report.add(*_described(problem, schema, tree, unknown))
    if len(missing) > 2:  # a first profile: one answer
        from dynagen.profile.skeleton import skeleton

        names = " and ".join(f"'{problem.key}'" for problem in missing)
        report.add("DG203", f"{names} are missing", tree.origin.written, skeleton(data))
        return
    for problem in missing:
        report.add(*_described(problem, schema, tree, unknown))


def _described(problem: Violation, schema: Schema, tree: Tree, unknown: UnknownKeys) -> tuple[str, str, Position, str]:
    """Code, message, place and hint."""
    at = find(tree, problem.path).origin.written
    where = path_text(problem.path)
    if problem.keyword == "additionalProperties" and problem.key is not None:
        hint = unknown.hint(problem.path, problem.key, problem.known)
        parent = f" in '{where}'" if problem.path else ""
        at = find(tree, (*problem.path, problem.key)).origin.written
        return "DG201", f"unknown key '{problem.key}'{parent}", at, hint
    if problem.keyword == "required" and problem.key is not None:
        path = (*problem.path, problem.key)
        entry = None if problem.path else _entry_of_overlay(tree, problem.key)
        if entry is not None:
            message = f"'{problem.key}' is missing: the overlay needs its section"
            return "DG203", message, entry, _about(schema, path)
        return "DG203", f"'{path_text(path)}' is missing", at, _about(schema, path)
    if problem.keyword == "type":
        hint = _type_hint(problem.value, problem.message) or _about(schema, problem.path)
        if problem.path == ("release",):  # 1.6 is a number to YAML, and no release in quotes either
            patches = _patches(problem.value, problem.path, schema)
            hint = f"{patches}: quote one of them" if patches else _about(schema, problem.path)
        return "DG202", f"'{where}': {problem.message}", at, hint
    code = "DG205" if problem.path in (("apiVersion",), ("kind",)) else "DG204"
    if problem.keyword != "enum":
        hint = _patches(problem.value, problem.path, schema) or _about(schema, problem.path)
        return code, f"'{where}': {problem.message}", at, hint
    words = [str(word) for word in problem.known]
    near = _meant(str(problem.value), words)
    known = "known: " + ", ".join(words)
    # A word that is nearly ours may mean something else: `trtllm` is no misspelt `vllm`.
    hint = f"did you mean {near}?" + (f" {known}" if 1 < len(words) < 5 else "") if near else known
    return code, f"'{where}': unknown value '{problem.value}'", at, hint


def _meant(value: str, words: Sequence[str]) -> str:
    """The words that hold the value, if few do, or else the nearest. A version is not misspelt but unknown."""
    plain = re.sub("[-_ ]", "", value.lower())
    holding = [word for word in words if len(plain) > 1 and plain in re.sub("[-_ ]", "", word.lower())]
    if value[:1].isdigit() or 0 < len(holding) < 4:
        return "" if value[:1].isdigit() else " or ".join(f"'{word}'" for word in holding)
    near = closest(value, words)
    return f"'{near}'" if near else ""


def _entry_of_overlay(tree: Tree, name: str) -> Position | None:
    """Where `overlays` names the layer `name`."""
    entries = find(tree, ("overlays",))
    for index, entry in enumerate(to_data(entries) if isinstance(entries, List) else ()):
        if str(entry).rstrip("/").rsplit("/", 1)[-1] == name:
            return find(tree, ("overlays", index)).origin.written
    return None


def _patches(value: Any, path: KeyPath, schema: Schema) -> str:
    if path != ("release",):
        return ""
    return patches_of(str(value), schema["properties"]["release"]["examples"])


def _type_hint(value: Any, message: str) -> str:
    return requoted(value, message) or ("give it a value, or leave the key out" if value is None else "")


def _about(schema: Schema, path: KeyPath) -> str:
    """What the schema says of a key, and an example: what people would look up next."""
    node = dereferenced(schema, schema)
    for key in path:
        inner = node.get("items") if isinstance(key, int) else node.get("properties", {}).get(key)
        node = dereferenced(inner or node.get("additionalProperties") or {}, schema)
    said = str(node.get("description", "")).rstrip(".")
    examples = node.get("examples") or ([node["default"]] if node.get("default") not in (None, {}, []) else [])
    if not examples or isinstance(path[-1], int):
        return said
    example = examples[0]
    if not isinstance(example, str) or not is_string_to_all(example):
        example = json.dumps(example)
    return f"{said}; for example {path[-1]}: {example}" if said else f"for example {path[-1]}: {example}"


def check_rules(
    data: Any, node: Any, schema: Schema, tree: Tree, path: KeyPath, report: Report, memory: Memory
) -> None:
    """Evaluates `x-kubernetes-validations`, as an API server does for a CRD. Reports DG206."""
    node = dereferenced(node, schema)
    for rule in node.get("x-kubernetes-validations", ()):
        try:
            if evaluate_rule(rule["rule"], data, memory):
                continue
            message = rule.get("message") or f"rule '{rule['rule']}' does not hold"
        except ExpressionError as error:
            message = f"rule '{rule['rule']}' cannot be evaluated: {error}"
        field = tuple(part for part in rule.get("fieldPath", "").split(".") if part)
        where = f"'{path_text(path)}': " if path else ""
        report.add("DG206", where + message, find(tree, (*path, *field)).origin.written, rule.get("hint", ""))
    if isinstance(data, dict):
        for key, value in data.items():
            inner = node.get("properties", {}).get(key, node.get("additionalProperties", {}))
            if isinstance(value, (dict, list)):
                check_rules(value, inner, schema, tree, (*path, key), report, memory)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            if isinstance(value, (dict, list)):
                check_rules(value, node.get("items", {}), schema, tree, (*path, index), report, memory)
