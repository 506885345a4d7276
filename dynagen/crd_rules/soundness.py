"""The schema of a kind that somebody else may have written in, what is wrong with its rules out."""

from __future__ import annotations

from dynagen.crd_rules.compiling import rule_problem
from dynagen.crd_rules.rule_nodes import RULES, VALIDATIONS, find_rule_paths, parts_at
from dynagen.diagnostics import path_text
from dynagen.memory import Memory
from dynagen.schema.conformance import Source


def rules_problem(source: Source, memory: Memory) -> str:
    """The first thing that is wrong, or nothing: a rule that cannot be compiled, places of rules that are not told."""
    places = list(find_rule_paths(source.schema, source))
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
