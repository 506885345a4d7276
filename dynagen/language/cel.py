"""CEL expressions: compiled and evaluated. The door to Google's cel-expr-python.

See https://cel.dev for the language. Expressions have CEL's string and math extensions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, closest
from dynagen.language.python_programs import Tree
from dynagen.memory import Memory


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
    tree: Tree = None  # what Python does instead; only shipped expressions have it


def program_of(text: str, memory: Memory) -> Program:
    """The program of an expression: compiled beforehand, or now. Raises ExpressionError (DG306)."""
    return memory.once(compile_program, text)


def compile_program(text: str) -> Program:
    from dynagen.language.google_cel import cel
    from dynagen.language.syntax_tree import expression, reads, without_positions

    try:
        # Without CEL's type check: all names are dynamic, so it would find next to nothing, and we say more about
        # unknown names than it does. So no name has to be declared either, nor a function, unless it is a macro.
        serialized = cel.NewEnv(extensions=_macros(text)).compile(text, disable_check=True).serialize()
    except RuntimeError as error:
        # `${1:-x}`, `${NAME:+x}`, `${#NAME}`, `${NAME%.*}`, `${NAME}` of a shell
        shell = re.match(r"\s*[#!]?\w+\s*(:?[-+=?]|[%#/^,@]|$)", text) or not text.strip()
        hint = f"if a shell is meant, write $${{{text}}}" if shell else ""
        raise ExpressionError("DG306", f"'{text}': {first_line(str(error))}", hint) from error
    found = tuple(dict.fromkeys(reads(expression(serialized))))
    if spaces := re.findall(_IN_A_SPACE, text):
        found = tuple(path for path in found if path not in [(space,) for space in spaces])
    return Program(without_positions(serialized), found)


# Functions whose names have two parts; to CEL's parser `math` is a name like all others.
# source: extensions/math_ext_macros.cc and extensions/strings.cc of google/cel-cpp
_IN_A_SPACE = r"(?<![\w.])(math|strings)\.[A-Za-z]+\("


def _macros(text: str) -> list[Any]:
    if "math." not in text:
        return []
    from cel_expr_python.ext import ext_math

    return [ext_math.ExtMath()]


KUBERNETES = "kubernetes"
# What an API server compiles rules with, as far as CEL has it: k8s.io/apiserver, pkg/cel/environment/base.go.
_EXTENSIONS = ("lists", "optional", "sets", "strings")


def parse_rule(text: str, memory: Memory) -> bytes:
    """A rule of a CRD as CEL serialises it, macros expanded. Raises ExpressionError (DG216)."""
    try:
        serialized: bytes = memory.once(_rule_environment).compile(text, disable_check=True).serialize()
    except RuntimeError as error:
        raise ExpressionError("DG216", f"'{text}': {first_line(str(error))}") from error
    return serialized


class RuleEnvironment:
    """CEL as rules of CRDs have it: `self`, `oldSelf`, and `earlier`, a list of the earlier object if there is one.

    `kubernetes` answers `kubernetes([name, arguments...])`; it raises ValueError for what is an error to CEL.
    """

    def __init__(self, kubernetes: Callable[[list[Any]], Any]) -> None:
        self._kubernetes = kubernetes

    @cached_property
    def _environment(self) -> Any:
        return _rule_environment(self._kubernetes)

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


def _rule_environment(kubernetes: Callable[[list[Any]], Any] | None = None) -> Any:
    from dynagen.language.google_cel import cel

    extensions = ", ".join(f"{{name: {name}}}" for name in _EXTENSIONS)
    overload = cel.Overload(KUBERNETES, cel.Type.DYN, [cel.Type.LIST], False, kubernetes)
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(f"extensions: [{extensions}]"),
        variables=dict.fromkeys(("self", "oldSelf", "earlier"), cel.Type.DYN),
        functions=[cel.FunctionDecl(KUBERNETES, [overload])] if kubernetes else None,
    )


class Environment:
    """CEL with a set of variables, and the expressions compiled for it. Imports CEL when the first one needs it."""

    def __init__(self, names: frozenset[str], memory: Memory) -> None:
        self._names, self._memory = names, memory

    @cached_property
    def _cel(self) -> Any:
        from cel_expr_python.ext import ext_math, ext_strings

        from dynagen.language.google_cel import cel

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

    def loaded(self, serialized: bytes) -> Any:
        """The same, kept for the next time."""
        return self._memory.once(Environment.load, self, serialized)

    def compile(self, text: str) -> Program:
        """A program that reads no unknown names. Raises ExpressionError."""
        return self._memory.once(Environment._compile, self, text)

    def _compile(self, text: str) -> Program:
        program = program_of(text, self._memory)
        for path in program.reads:
            if path[0] not in self._names:
                near = closest(str(path[0]), self._names)
                hint = f"did you mean '{near}'?" if near else "`dynagen plan` prints what there is"
                raise ExpressionError("DG307", f"'{text}': unknown name '{path[0]}'", hint)
        return program


def _evaluated(program: Any, activation: Any) -> Any:
    """The value as Python has it: the only place where CEL's values become ours. Raises EvaluationError.

    To Python an error is its text, like any other text: only its type tells. CEL has no lists and maps with errors inside.
    """
    from dynagen.language.google_cel import cel

    try:
        value = program.eval(activation)
    except RuntimeError as error:  # CEL's own limit of iterations
        raise EvaluationError(first_line(str(error))) from error
    try:
        found, kind = value.plain_value(), value.type()
    except (TypeError, ValueError, SystemError) as error:  # an optional value; words that are cut within a character
        raise EvaluationError("cannot be evaluated") from error
    if kind in (cel.Type.ERROR, cel.Type.UNKNOWN):
        raise ErrorValue(first_line(str(found)))
    return found


def first_line(text: str) -> str:
    """CEL's message without its status and without the picture under it."""
    line = text.splitlines()[0] if text else "cannot be evaluated"
    line = re.sub(r"^[A-Z_]+: (?:ERROR: <input>:\d+:\d+: )?", "", line)
    return re.sub(r" \[[A-Z_]+\]$", "", line)
