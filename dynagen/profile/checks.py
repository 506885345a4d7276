"""What is wrong with a profile: against the composed schema, and against its rules across fields."""

from __future__ import annotations

from typing import Any

from dynagen.diagnostics import KeyPath, Report, closest, path_text
from dynagen.expressions import evaluate_rule
from dynagen.layers import shipped_overlays
from dynagen.merge import Tree, find
from dynagen.profile.schema import Schema, dereferenced
from dynagen.schemas import conforms, problems


def check(data: Any, schema: Schema, tree: Tree, report: Report) -> None:
    """Reports what in `data` violates `schema`: DG201 to DG205. `tree` says where it was written."""
    if conforms(data, schema):
        return
    found = problems(data, schema)
    assert found, "the profile does not conform, and nobody says why"
    wrong_type = {problem.path for problem in found if problem.keyword == "type"}
    unknown = [(problem.path, problem.key) for problem in found if problem.keyword == "additionalProperties"]
    for problem in found:
        if problem.keyword == "required" and any(
            path == problem.path and closest(str(key), [str(problem.key)]) for path, key in unknown
        ):
            continue  # what seems to be missing is there, misspelt
        if problem.path in wrong_type and problem.keyword != "type":
            continue  # of the wrong type, and therefore not one of the known words either
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
            message = problem.message
            if problem.keyword == "enum":
                words = [str(word) for word in problem.known]
                # A version is not misspelt but unknown.
                near = None if str(problem.value)[:1].isdigit() else closest(str(problem.value), words)
                message = f"unknown value '{problem.value}'"
                hint = f"did you mean '{near}'?" if near else "known: " + ", ".join(words)
            report.add(code, f"'{where}': {message}", at, hint)


def _type_hint(value: Any, message: str) -> str:
    if "string" in message and isinstance(value, (int, float)):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f'quote it: "{text}"'
    if value is None:
        return "give it a value, or leave the key out"
    return ""


def check_rules(data: Any, node: Any, schema: Schema, tree: Tree, path: KeyPath, report: Report) -> None:
    """Evaluates `x-kubernetes-validations`, as an API server does for a CRD. Reports DG206."""
    node = dereferenced(node, schema)
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
                check_rules(value, inner, schema, tree, (*path, key), report)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            if isinstance(value, (dict, list)):
                check_rules(value, node.get("items", {}), schema, tree, (*path, index), report)
