"""The text of a CRD's rule in, a program out; what an API server would not compile, or we could not evaluate, is refused.

CEL offers its own extensions. What else Kubernetes declares is written anew in the syntax tree: as a call of
`kubernetes([name, arguments...])`, which Python answers, or as the expression in `_MEANINGS`. There is no type check: the
API server that took the CRD has done that.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, NamedTuple
from zlib import crc32

from dynagen.crd_rules import functions
from dynagen.diagnostics import KeyPath, shortened
from dynagen.language.cel import KUBERNETES, ExpressionError, parse_rule
from dynagen.language.syntax_tree import (
    Call,
    call_of,
    calls,
    changed,
    encoded,
    expression,
    name_of,
    reads,
    touches,
    without_positions,
)


class Program(NamedTuple):
    """A compiled rule: CEL's serialised form, and the places that it looks at, in `self` or `oldSelf`.

    A `transition` looks at the earlier object as well.
    """

    serialized: bytes
    touches: tuple[KeyPath, ...]
    transition: bool


# https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
_STANDARD = """
    @in @not_strictly_false _&&_ _||_ !_ -_ _?_:_ _==_ _!=_ _<_ _<=_ _>_ _>=_ _+_ _-_ _*_ _/_ _%_ _[_] _[?_] _?._
    bool bytes contains double duration dyn endsWith getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours
    getMilliseconds getMinutes getMonth getSeconds int matches size startsWith string timestamp type uint
"""
# The extensions that an API server has, as far as CEL itself has them: k8s.io/apiserver, pkg/cel/environment/base.go.
# `indexOf` and `lastIndexOf` are not here, because Kubernetes has them for lists too, nor is `substring`:
# cel-expr-python 0.1.3 refuses the end of a text as the end of a part, and offsets behind it, where CEL in Go does not.
_EXTENSIONS = """
    charAt join lowerAscii replace split trim upperAscii format strings.quote
    distinct first flatten last lists.range reverse slice sort @sortByAssociatedKeys
    sets.contains sets.equivalent sets.intersects
    hasValue optional.none optional.of optional.ofNonZeroValue optional.unwrap or orValue unwrapOpt value
"""
_IN_CEL = frozenset((_STANDARD + _EXTENSIONS).split())
_QUALIFIED = frozenset(name for name in _IN_CEL | functions.NAMES if "." in name)
_VARIABLES = frozenset({"self", "oldSelf"})
_TYPES = frozenset(["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"])

# What a call of Python alone cannot say, because it gives back values that Python has no word for, or has the name of a
# function of CEL. `a0` is the target or the first argument; `kubernetes` answers for the rest.
_MEANINGS = {
    ("min", 1): "cel.bind(x, a0, x[kubernetes(['min', x])])",
    ("max", 1): "cel.bind(x, a0, x[kubernetes(['max', x])])",
    ("sum", 1): "cel.bind(x, kubernetes(['sum', a0]), type(x) == string ? duration(x) : x)",
    ("string", 1): "cel.bind(x, a0, type(x) == map ? kubernetes(['string', x]) : string(x))",
    ("validate", 2): "optional.ofNonZeroValue(kubernetes(['validate', a0, a1]))",
    # A list of a hundred million numbers would take seconds and all memory.
    ("lists.range", 1): f"cel.bind(x, a0, x > {functions.MAX_RANGE} ? kubernetes(['lists.range', x]) : lists.range(x))",
    ("format.named", 1): "optional.ofNonZeroValue(kubernetes(['format.named', a0]))",
}
_ADDRESSES = frozenset({"ip", "cidr"})
# `oldSelf` of a rule with `optionalOldSelf`; there is at most one earlier object.
OPTIONAL = "size(earlier) == 0 ? optional.none() : optional.of(earlier[0])"

# Tells programs apart that were compiled with another meaning of functions.
COMPILER = crc32(repr((sorted(_MEANINGS.items()), OPTIONAL, sorted(_IN_CEL), sorted(functions.NAMES))).encode())


@cache
def compile_rule(text: str, optional: bool = False) -> Program:
    """`optional` is the rule's `optionalOldSelf`. Raises ExpressionError (DG216)."""
    serialized = parse_rule(text)
    expr = changed(expression(serialized), _with_names)
    _check(expr, text)
    touched = tuple(dict.fromkeys(path for path in touches(expr) if path[0] in _VARIABLES))
    found = frozenset(call.function for call in calls(expr))
    expr = changed(expr, partial(_meaning, found=found))
    if optional:
        expr = bound(expr, {"oldSelf": parsed(OPTIONAL)})
    transition = any(path[0] == "oldSelf" for path in touched)
    return Program(without_positions(serialized, expr), touched, transition)


def rule_trouble(rule: Mapping[str, Any]) -> str:
    """Why an entry of `x-kubernetes-validations` cannot be used, or nothing."""
    shapes = {"rule": str, "message": str, "messageExpression": str, "fieldPath": str, "optionalOldSelf": bool}
    for key, shape in shapes.items():
        if not isinstance(rule.get(key, shape()), shape):
            return f"'{key}' of a rule is of the wrong type"
    if not rule.get("rule"):
        return "a rule has no 'rule'"
    try:
        compile_rule(rule["rule"], rule.get("optionalOldSelf", False))
        if rule.get("messageExpression"):
            compile_rule(rule["messageExpression"])
    except ExpressionError as error:
        return str(error)
    return ""


def bound(expr: bytes, values: dict[str, bytes]) -> bytes:
    """The expression with other expressions in the place of some of its variables."""
    return changed(expr, lambda inner: values.get(name_of(inner) or ""))


@cache
def parsed(text: str) -> bytes:
    """An expression of our own; it may hold `cel.bind`, which is nothing that an API server has."""
    return changed(expression(parse_rule(text, "bindings")), _with_names)


def _check(expr: bytes, text: str) -> None:
    for call in calls(expr):
        name = call.function
        if name not in _IN_CEL and name not in functions.NAMES and not _is_format(name):
            raise ExpressionError("DG216", f"unknown function '{name}' in '{_short(text)}'")
    for path in reads(expr):
        name = str(path[0])
        if name not in _VARIABLES and name not in _TYPES:
            raise ExpressionError("DG216", f"unknown name '{name}' in '{_short(text)}'")


def _short(text: str) -> str:
    return shortened(" ".join(text.split()), 80)


def _is_format(name: str) -> bool:
    family, _, format_ = name.partition(".")
    return family == "format" and format_ in functions.FORMATS


def _with_names(expr: bytes) -> bytes | None:
    """`ip.isCanonical(x)` is a call of `ip.isCanonical` without a target; CEL decides that only when it evaluates."""
    call = call_of(expr)
    if call is None or call.target is None:
        return None
    name = f"{name_of(call.target)}.{call.function}"
    if name in _QUALIFIED or _is_format(name):
        return encoded(Call(name, None, call.arguments))
    if call.function == "exists_one" and len(call.arguments) == 3:  # CEL in C++ spells it only the other way
        names = [name_of(argument) for argument in call.arguments[:2]]
        if all(name and name.isidentifier() for name in names):
            return bound(
                parsed(f"a0.existsOne({names[0]}, {names[1]}, a1)"), {"a0": call.target, "a1": call.arguments[2]}
            )
    return None


def _meaning(expr: bytes, found: frozenset[str]) -> bytes | None:
    call = call_of(expr)
    if call is None:
        return None
    arguments = (call.target, *call.arguments) if call.target is not None else call.arguments
    values = {f"a{index}": argument for index, argument in enumerate(arguments)}
    if _is_format(call.function) and not arguments:
        return parsed(f"kubernetes(['format.named', '{call.function.partition('.')[2]}'])")
    if call.function == "string" and not found & _ADDRESSES:
        return None
    if meaning := _MEANINGS.get((call.function, len(arguments))):
        return bound(parsed(meaning), values)
    if call.function in functions.NAMES - _IN_CEL:
        return bound(parsed(f"{KUBERNETES}([{', '.join([repr(call.function), *values])}])"), values)
    return None
