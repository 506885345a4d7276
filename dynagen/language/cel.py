"""CEL expressions: compiled and evaluated. The door to Google's cel-expr-python.

See https://cel.dev for the language. Expressions have CEL's string and math extensions.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, closest
from dynagen.language.syntax_tree import expression, reads, without_positions


class ExpressionError(Exception):
    """What is wrong with an expression: a code, a message, a hint."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


class Undecided(ExpressionError):
    """What an expression comes to is not known here, and may be to an API server. The message says what it does."""


class EvaluationError(Exception):
    """An evaluation came to no value: CEL gave up, or its value is none that Python can hold. The message says so."""


class ErrorValue(EvaluationError):
    """The value is an error, in CEL's words. Something that the expression reads may not be there."""


class Program(NamedTuple):
    """A compiled expression: CEL's serialised form, and what it reads."""

    serialized: bytes
    reads: tuple[KeyPath, ...]


# Expressions of the shipped layers, compiled when the package was built. The text alone decides what a program is.
known_programs: dict[str, Program] = {}


@cache
def _cel() -> Any:
    """CEL's module. cel-expr-python 0.1.3 gives away a reference to None with every null and every activation.

    Python 3.12 counts no references to None any more. Before, the count reaches zero after some thousand expressions and
    the interpreter aborts, so it gets more of them than any run can use up.
    """
    from cel_expr_python import cel

    if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        import ctypes

        ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40
    return cel


def program_of(text: str) -> Program:
    """The program of an expression: compiled beforehand, or now. Raises ExpressionError (DG306)."""
    return known_programs.get(text) or compile_program(text)


def compile_program(text: str) -> Program:
    cel = _cel()
    try:
        # Without CEL's type check: all names are dynamic, so it would find next to nothing, and we say more about
        # unknown names than it does. So no name has to be declared either.
        serialized = cel.NewEnv().compile(text, disable_check=True).serialize()
    except RuntimeError as error:
        raise ExpressionError("DG306", f"'{text}': {first_line(str(error))}") from error
    return Program(without_positions(serialized), tuple(dict.fromkeys(reads(expression(serialized)))))


KUBERNETES = "kubernetes"
# What an API server compiles rules with, as far as CEL has it: k8s.io/apiserver, pkg/cel/environment/base.go.
_EXTENSIONS = ("lists", "optional", "sets", "strings")


def parse_rule(text: str) -> bytes:
    """A rule of a CRD as CEL serialises it, macros expanded. Raises ExpressionError (DG216)."""
    try:
        serialized: bytes = _rule_environment().compile(text, disable_check=True).serialize()
    except RuntimeError as error:
        raise ExpressionError("DG216", f"'{text}': {first_line(str(error))}") from error
    return serialized


class RuleEnvironment:
    """CEL as rules of CRDs have it: `self`, `oldSelf`, and `earlier`, a list of the earlier object if there is one.

    `kubernetes` answers `kubernetes([name, arguments...])`; it raises ValueError for what is an error to CEL.
    """

    def __init__(self, kubernetes: Callable[[list[Any]], Any]) -> None:
        self._environment = _rule_environment(kubernetes)

    def load(self, serialized: bytes) -> Any:
        return self._environment.deserialize(serialized)

    def activate(self, value: Any, earlier: Sequence[Any] = ()) -> Any:
        """What expressions see. Building it costs as much as copying the values."""
        old = {"oldSelf": earlier[0]} if earlier else {}
        return self._environment.Activation({"self": value, "earlier": list(earlier), **old})

    def evaluate(self, expression: Any, activation: Any) -> Any:
        """A plain value. Raises ExpressionError (DG216)."""
        try:
            return _evaluated(expression, activation)
        except EvaluationError as error:
            raise _failure(str(error)) from error


def _failure(text: str) -> ExpressionError:
    """cel-expr-python has no other sign than its text that it gave up, after 10,000 steps.

    An API server allows more: https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints
    """
    if text == "Iteration budget exceeded":
        return Undecided("DG216", "takes too many steps")
    return ExpressionError("DG216", text)


@cache
def _rule_environment(kubernetes: Callable[[list[Any]], Any] | None = None) -> Any:
    cel = _cel()
    extensions = ", ".join(f"{{name: {name}}}" for name in _EXTENSIONS)
    overload = cel.Overload(KUBERNETES, cel.Type.DYN, [cel.Type.LIST], False, kubernetes)
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(f"extensions: [{extensions}]"),
        variables=dict.fromkeys(("self", "oldSelf", "earlier"), cel.Type.DYN),
        functions=[cel.FunctionDecl(KUBERNETES, [overload])] if kubernetes else None,
    )


class Environment:
    """CEL with a set of variables, and the expressions compiled for it. Imports CEL when the first one needs it."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._compiled: dict[str, tuple[Any, tuple[KeyPath, ...]]] = {}
        self.kept: dict[Any, Any] = {}  # values of expressions, by what they depend on

    @cached_property
    def _cel(self) -> Any:
        from cel_expr_python.ext import ext_math, ext_strings

        cel = _cel()
        return cel.NewEnv(
            variables=dict.fromkeys(self._names, cel.Type.DYN),
            extensions=[ext_strings.ExtStrings(), ext_math.ExtMath()],
        )

    def activate(self, values: Mapping[str, Any]) -> Any:
        return self._cel.Activation(values)

    def load(self, serialized: bytes) -> Any:
        """Something to evaluate."""
        return self._cel.deserialize(serialized)

    def evaluate(self, program: Any, activation: Any) -> Any:
        """A plain value. Raises EvaluationError."""
        return _evaluated(program, activation)

    def compile(self, text: str) -> tuple[Any, tuple[KeyPath, ...]]:
        """Something to evaluate, and what it reads. Raises ExpressionError."""
        if text not in self._compiled:
            program = program_of(text)
            for path in program.reads:
                if path[0] not in self._names:
                    near = closest(str(path[0]), self._names)
                    hint = f"did you mean '{near}'?" if near else "`dynagen plan` prints what there is"
                    raise ExpressionError("DG307", f"'{text}': unknown name '{path[0]}'", hint)
            self._compiled[text] = self.load(program.serialized), program.reads
        return self._compiled[text]


@lru_cache(maxsize=256)  # layers of users bring names of their own
def environment_for(names: frozenset[str]) -> Environment:
    return Environment(names)


def _evaluated(program: Any, activation: Any) -> Any:
    """The value as Python has it: the only place where CEL's values become ours. Raises EvaluationError.

    To Python an error is its text, like any other text: only its type tells. CEL has no lists and maps with errors inside.
    """
    try:
        value = program.eval(activation)
    except RuntimeError as error:  # CEL's own limit of iterations
        raise EvaluationError(first_line(str(error))) from error
    try:
        found, kind = value.plain_value(), value.type()
    except (TypeError, ValueError, SystemError) as error:  # an optional value; words that are cut within a character
        raise EvaluationError("cannot be evaluated") from error
    if kind == _cel().Type.ERROR or kind == _cel().Type.UNKNOWN:
        raise ErrorValue(first_line(str(found)))
    return found


def first_line(text: str) -> str:
    """CEL's message without its status and without the picture under it."""
    line = text.splitlines()[0] if text else "cannot be evaluated"
    line = re.sub(r"^[A-Z_]+: (?:ERROR: <input>:\d+:\d+: )?", "", line)
    return re.sub(r" \[[A-Z_]+\]$", "", line)
