"""The steps of a rule where no earlier object is there. Only used when the package is built."""

from __future__ import annotations

from dynagen.crd_rules.compiling import compile_rule
from dynagen.language.python_programs import Tree
from dynagen.language.syntax_tree import call_of, changed, constant, expression, name_of
from dynagen.language.translation import translated
from dynagen.memory import Memory


def translated_rule(text: str, optional: bool, memory: Memory) -> Tree:
    """None when CEL alone can evaluate it. `optional` is the rule's `optionalOldSelf`."""
    expr = expression(compile_rule(text, False, memory).serialized)
    return translated(changed(expr, _without_earlier) if optional else expr)


def _without_earlier(expr: bytes) -> bytes | None:
    call = call_of(expr)
    asked = call and call.function == "hasValue" and call.target and name_of(call.target) == "oldSelf"
    return constant(False) if asked else None
