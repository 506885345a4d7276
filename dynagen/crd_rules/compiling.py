"""The text of a CRD's rule in, a program out; what an API server would not compile, or we could not evaluate, is refused.

CEL offers its own extensions. What else Kubernetes declares is written anew in the syntax tree: as a call of
`kubernetes([name, arguments...])`, which Python answers; for a function that is left out, it answers with an error, and a
rule that ends in one is the API server's to judge. There is no type check: the API server that took the CRD has done that.
"""

from __future__ import annotations

from dynagen.crd_rules import functions
from dynagen.crd_rules.rule_program import Program
from dynagen.diagnostics import shortened
from dynagen.language.cel import KUBERNETES, ExpressionError, parse_rule
from dynagen.language.syntax_tree import (
    Call,
    call_of,
    calls,
    changed,
    constant,
    encoded,
    expression,
    name_of,
    reads,
    sequence,
    touches,
    without_positions,
)
from dynagen.memory import Memory

_KNOWN = functions.IN_CEL | functions.NAMES | functions.LEFT_OUT
_QUALIFIED = frozenset(name for name in _KNOWN if "." in name)
_VARIABLES = frozenset({"self", "oldSelf"})
_TYPES = frozenset(["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"])


def compile_rule(text: str, optional: bool, memory: Memory) -> Program:
    """`optional` is the rule's `optionalOldSelf`. Raises ExpressionError (DG216)."""
    serialized = parse_rule(text, memory)
    expr = changed(expression(serialized), _with_names)
    touched = tuple(dict.fromkeys(path for path in touches(expr) if path[0] in _VARIABLES))
    transition = any(path[0] == "oldSelf" for path in touched)
    called = [call.function for call in calls(expr)]
    if unknown := [name for name in called if name not in _KNOWN]:
        raise ExpressionError("DG216", f"unknown function '{unknown[0]}' in '{_short(text)}'")
    missing = next((name for name in called if name in functions.LEFT_OUT), "")
    expr = changed(expr, _without_left_out)
    if strange := [name for path in reads(expr) if (name := str(path[0])) not in _VARIABLES | _TYPES]:
        raise ExpressionError("DG216", f"unknown name '{strange[0]}' in '{_short(text)}'")
    expr = changed(expr, _answered)
    if optional:
        expr = bound(expr, {"oldSelf": changed(expression(parse_rule(functions.OPTIONAL, memory)), _with_names)})
    return Program(without_positions(serialized, expr), touched, transition, missing)


def bound(expr: bytes, values: dict[str, bytes]) -> bytes:
    """The expression with other expressions in the place of some of its variables."""
    return changed(expr, lambda inner: values.get(name_of(inner) or ""))


def _short(text: str) -> str:
    return shortened(" ".join(text.split()), 80)


def _with_names(expr: bytes) -> bytes | None:
    """`ip.isCanonical(x)` is a call of `ip.isCanonical` without a target; CEL decides that only when it evaluates."""
    call = call_of(expr)
    if call is None or call.target is None:
        return None
    name = f"{name_of(call.target)}.{call.function}"
    return encoded(Call(name, None, call.arguments)) if name in _QUALIFIED else None


def _without_left_out(expr: bytes) -> bytes | None:
    """No arguments: they may use variables of a macro that is left out as well."""
    call = call_of(expr)
    return _asked(call.function) if call and call.function in functions.LEFT_OUT else None


def _answered(expr: bytes) -> bytes | None:
    call = call_of(expr)
    if call is None or call.function not in functions.NAMES:
        return None
    return _asked(call.function, *([call.target] if call.target is not None else []), *call.arguments)


def _asked(name: str, *arguments: bytes) -> bytes:
    return encoded(Call(KUBERNETES, None, (sequence([constant(name), *arguments]),)))
