"""CEL expressions: compiled, evaluated, and taken apart for what they read. The door to Google's cel-expr-python.

See https://cel.dev for the language. Expressions have CEL's string and math extensions.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, closest


class ExpressionError(Exception):
    """What is wrong with an expression: a code, a message, a hint."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


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
    return Program(_without_positions(serialized), tuple(dict.fromkeys(_reads(serialized))))


class Environment:
    """CEL with a set of variables, and the expressions compiled for it. Imports CEL when the first one needs it."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._compiled: dict[str, tuple[Any, tuple[KeyPath, ...]]] = {}

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

    def evaluate(self, serialized: bytes, activation: Any) -> Any:
        """The plain value of a program. Raises RuntimeError."""
        return self._cel.deserialize(serialized).eval(activation).plain_value()

    def compile(self, text: str) -> tuple[Any, tuple[KeyPath, ...]]:
        """Something to evaluate, and what it reads. Raises ExpressionError."""
        if text not in self._compiled:
            program = program_of(text)
            for path in program.reads:
                if path[0] not in self._names:
                    near = closest(str(path[0]), self._names)
                    hint = f"did you mean '{near}'?" if near else "`dynagen plan` prints what there is"
                    raise ExpressionError("DG307", f"'{text}': unknown name '{path[0]}'", hint)
            self._compiled[text] = self._cel.deserialize(program.serialized), program.reads
        return self._compiled[text]


@cache
def environment_for(names: frozenset[str]) -> Environment:
    return Environment(names)


def first_line(text: str) -> str:
    """CEL's message without its status and without the picture under it."""
    line = text.splitlines()[0] if text else "cannot be evaluated"
    line = re.sub(r"^[A-Z_]+: (?:ERROR: <input>:\d+:\d+: )?", "", line)
    return re.sub(r" \[[A-Z_]+\]$", "", line)


# What an expression reads, from the syntax tree that CEL serialises
# (https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto; numbers below are its field numbers).

_CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 3, 4, 5, 6, 7, 8, 9


def _reads(serialized: bytes) -> Iterator[KeyPath]:
    container = dict(_fields(serialized))[2]  # google.protobuf.Any.value: ParsedExpr or CheckedExpr
    fields = dict(_fields(container))
    yield from _walk(fields[4] if 4 in fields and 2 not in fields else fields.get(2, b""), frozenset())


def _without_positions(serialized: bytes) -> bytes:
    """The same program without CEL's own map of positions, which is large and in another order each time."""
    fields = dict(_fields(serialized))
    parsed = _field(2, dict(_fields(fields[2]))[2])
    return _field(1, fields[1]) + _field(2, parsed)


def _field(number: int, payload: bytes) -> bytes:
    length, size = len(payload), b""
    while length > 0x7F:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + payload


def _walk(expr: bytes, bound: frozenset[str]) -> Iterator[KeyPath]:
    chain = _chain(expr)
    if chain is not None:
        if chain[0] not in bound:
            yield chain
        return
    for number, payload in _fields(expr):
        if number == _SELECT:
            yield from _walk(dict(_fields(payload))[1], bound)
        elif number == _CALL:
            for inner, part in _fields(payload):
                if inner in (1, 3):
                    yield from _walk(part, bound)
        elif number == _LIST:
            for inner, part in _fields(payload):
                if inner == 1:
                    yield from _walk(part, bound)
        elif number == _STRUCT:
            for inner, entry in _fields(payload):
                if inner == 2:
                    for place, part in _fields(entry):
                        if place in (3, 4):
                            yield from _walk(part, bound)
        elif number == _COMPREHENSION:
            parts = dict(_fields(payload))
            names = {bytes(parts[n]).decode() for n in (1, 3, 8) if n in parts}
            inside = bound | names
            yield from _walk(parts[2], bound)
            for n in (4, 5, 6, 7):
                if n in parts:
                    yield from _walk(parts[n], inside)


def _chain(expr: bytes) -> KeyPath | None:
    """`a.b[0]['c']` as a path; None when the expression is anything else."""
    for number, payload in _fields(expr):
        if number == _IDENT:
            return (bytes(dict(_fields(payload)).get(1, b"")).decode(),)
        if number == _SELECT:
            parts = dict(_fields(payload))
            operand = _chain(parts[1])
            if operand is None:
                return None
            # has(a.b) does not need b: it reads a.
            return operand if parts.get(3) else (*operand, bytes(parts[2]).decode())
        if number == _CALL:
            entries = list(_fields(payload))
            function = next((bytes(p).decode() for n, p in entries if n == 2), "")
            arguments = [p for n, p in entries if n == 3]
            if function == "_[_]" and len(arguments) == 2:
                operand, key = _chain(arguments[0]), _constant(arguments[1])
                return None if operand is None or key is None else (*operand, key)
            return None
    return None


def _constant(expr: bytes) -> str | int | None:
    for number, payload in _fields(expr):
        if number == _CONST:
            for kind, value in _fields(payload):
                if kind == 3 and isinstance(value, int):  # int64_value
                    return value
                if kind == 6:  # string_value
                    return bytes(value).decode()
    return None


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer: (number, bytes or integer)."""
    index = 0
    while index < len(message):
        key, index = _varint(message, index)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, index = _varint(message, index)
            yield number, value
        elif wire == 2:
            length, index = _varint(message, index)
            yield number, message[index : index + length]
            index += length
        else:  # 1: eight bytes, 5: four bytes; doubles in constants
            index += 8 if wire == 1 else 4


def _varint(message: bytes, index: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[index]
        index += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, index
