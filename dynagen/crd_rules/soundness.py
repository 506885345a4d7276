"""The schema of a kind that somebody else may have written in, what is wrong with its rules out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.crd_rules.programs import program_of
from dynagen.crd_rules.rule_nodes import RULES, VALIDATIONS, TooManyPlaces, find_rule_paths, parts_at
from dynagen.diagnostics import path_text
from dynagen.language.cel import ExpressionError
from dynagen.memory import Memory
from dynagen.schema.conformance import Source


def rules_problem(source: Source, memory: Memory) -> str:
    """The first thing that is wrong, or nothing: a rule that cannot be compiled, places of rules that are not told."""
    try:
        places = list(find_rule_paths(source.schema, source))
    except TooManyPlaces:
        return "its references make too many places of each other"
    except RecursionError:
        return "it is nested too deep"
    for path in places:
        for schema, _ in parts_at(source.schema, source, path):
            for rule in schema.get(VALIDATIONS, ()):
                problem = "a rule must be an object" if not isinstance(rule, dict) else rule_problem(rule, memory)
                if problem:
                    where = path_text(tuple("*" if step is None else step for step in path))
                    return f"{where}: {problem}" if path else problem
    told = source.schema.get(RULES, [])
    if not isinstance(told, list) or sorted(map(repr, told)) != sorted(map(repr, places)):
        return f"'{RULES}' does not say where its rules are"
    return ""


def rule_problem(rule: Mapping[str, Any], memory: Memory) -> str:
    """Why an entry of `x-kubernetes-validations` cannot be used, or nothing."""
    shapes = {"rule": str, "message": str, "messageExpression": str, "fieldPath": str, "optionalOldSelf": bool}
    for key, shape in shapes.items():
        if not isinstance(rule.get(key, shape()), shape):
            return f"'{key}' of a rule is of the wrong type"
    if not rule.get("rule"):
        return "a rule has no 'rule'"
    try:
        program_of(rule["rule"], rule.get("optionalOldSelf", False), memory)
        if rule.get("messageExpression"):
            program_of(rule["messageExpression"], False, memory)
    except ExpressionError as error:
        return str(error)
    return ""
