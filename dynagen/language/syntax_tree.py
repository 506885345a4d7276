"""The syntax tree that CEL serialises in, what it reads and calls out; and the tree with other parts in places.

It is a protocol buffer (https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto; the numbers below
are its field numbers), small enough to be read here: `expr` is always the bytes of one `Expr`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath

CONST, IDENT, SELECT, CALL, LIST, STRUCT, COMPREHENSION = 3, 4, 5, 6, 7, 8, 9
# Where an Expr has others: below a field of its kind. The entries of a struct stand between it and its values.
_INNER = {SELECT: (1,), CALL: (1, 3), LIST: (1,), STRUCT: (2,), COMPREHENSION: (2, 4, 5, 6, 7)}
_ENTRY = (3, 4)

Change = Callable[[bytes], "bytes | None"]


class Call(NamedTuple):
    """A call: `a.f(b)` has a target, `f(b)` has none, and in `ip.isCanonical(b)` the target is a part of the name."""

    function: str
    target: bytes | None
    arguments: tuple[bytes, ...]


def expression(serialized: bytes) -> bytes:
    """The Expr of what CEL has serialised: a ParsedExpr or a CheckedExpr in a google.protobuf.Any."""
    container = dict(fields(serialized))[2]
    parts = dict(fields(container))
    found: bytes = parts[4] if 4 in parts and 2 not in parts else parts.get(2, b"")
    return found


def without_positions(serialized: bytes, expr: bytes | None = None) -> bytes:
    """The same program without CEL's own map of positions, which is large and in another order each time.

    With `expr`, a program of that.
    """
    kind = dict(fields(serialized))[1]
    return _field(1, kind) + _field(2, _field(2, expression(serialized) if expr is None else expr))


def reads(expr: bytes, bound: frozenset[str] = frozenset()) -> Iterator[KeyPath]:
    """What an expression reads: `a.b[0]['c']` is one path. Names of comprehensions are not among it.

    `has(a.b)` does not need b: it reads a.
    """
    yield from _reads(expr, dict.fromkeys(bound), presence=False)


def touches(expr: bytes) -> Iterator[KeyPath]:
    """The places that an expression looks at, no more than it needs: `has(a.b)` is a.b.?, `a.all(x, x.c)` is a.*.c.

    `*` stands for every item of a list and every value of a map; with `?` only whether the place is there counts.
    """
    yield from _reads(expr, {}, presence=True)


def _reads(expr: bytes, bound: Mapping[str, KeyPath | None], presence: bool) -> Iterator[KeyPath]:
    """`bound` are names of comprehensions, with the path they stand for, if it is known and wanted."""
    chain = _chain(expr, presence)
    if chain is not None:
        if presence and _is_test(expr):
            chain = (*chain, "?")
        name = str(chain[0])
        if name not in bound:
            yield chain
        elif (path := bound[name]) is not None:
            yield (*path, *chain[1:])
        return
    for number, payload in fields(expr):
        if number == COMPREHENSION:
            parts = dict(fields(payload))
            names = {n: bytes(parts[n]).decode() for n in (1, 3) if n in parts}
            over = _chain(parts[2], presence) if presence else None
            inside = {**bound, **dict.fromkeys(names.values())}
            if over is None:
                yield from _reads(parts[2], bound, presence)
            else:
                base = bound.get(str(over[0]), over[:1])
                inside[names[1]] = None if base is None else (*base, *over[1:], "*")
            for n in (4, 5, 6, 7):
                if n in parts:
                    yield from _reads(parts[n], inside, presence)
        elif number in _INNER:
            for inner in _below(number, payload):
                yield from _reads(inner, bound, presence)


def calls(expr: bytes) -> Iterator[Call]:
    """Every call, with those that CEL has made of operators (`_&&_`) and of macros."""
    if (found := call_of(expr)) is not None:
        yield found
    for number, payload in fields(expr):
        if number in _INNER:
            for inner in _below(number, payload):
                yield from calls(inner)


def call_of(expr: bytes) -> Call | None:
    """The call that this Expr is, or None."""
    for number, payload in fields(expr):
        if number == CALL:
            parts = list(fields(payload))
            name = next((bytes(part).decode() for n, part in parts if n == 2), "")
            target = next((part for n, part in parts if n == 1), None)
            return Call(name, target, tuple(part for n, part in parts if n == 3))
    return None


def encoded(call: Call) -> bytes:
    """The Expr of a call."""
    target = b"" if call.target is None else _field(1, call.target)
    arguments = b"".join(_field(3, argument) for argument in call.arguments)
    return _field(CALL, target + _field(2, call.function.encode()) + arguments)


def mapping(values: Mapping[str, bytes]) -> bytes:
    """The Expr of a map."""
    entries = (_field(2, _field(3, constant(key)) + _field(4, inner)) for key, inner in values.items())
    return _field(STRUCT, b"".join(entries))


def sequence(values: Iterable[bytes]) -> bytes:
    """The Expr of a list."""
    return _field(LIST, b"".join(_field(1, inner) for inner in values))


def constant(value: Any) -> bytes:
    """The Expr of a text, of bytes, of a number, of true, false or null."""
    if isinstance(value, str):
        kind = _field(6, value.encode("utf-8", "replace"))
    elif isinstance(value, bytes):
        kind = _field(7, value)
    elif isinstance(value, float):
        kind = bytes([5 << 3 | 1]) + struct.pack("<d", value)
    else:  # null is 1, a boolean 2, an integer 3
        number = 1 if value is None else 2 if isinstance(value, bool) else 3
        kind = bytes([number << 3]) + _encoded_varint(int(value or 0) & (1 << 64) - 1)
    return _field(CONST, kind)


def path_of(expr: bytes) -> KeyPath | None:
    """`a.b[0]` as a path, or None when the expression is anything else, as `has(a.b)` is."""
    return None if _is_test(expr) else _chain(expr)


def _is_test(expr: bytes) -> bool:
    return any(number == SELECT and bool(dict(fields(payload)).get(3)) for number, payload in fields(expr))


def name_of(expr: bytes) -> str | None:
    """`a` or `a.b` as text, or None when the expression is anything else."""
    chain = _chain(expr)
    return ".".join(map(str, chain)) if chain and all(isinstance(part, str) for part in chain) else None


def changed(expr: bytes, change: Change) -> bytes:
    """The tree with some of its expressions replaced, from the leaves up; `change` answers None for the others."""
    out = b""
    for number, payload, raw in _parts(expr):
        if number in _INNER:
            out += _field(number, _changed_below(payload, _INNER[number], number == STRUCT, change))
        else:
            out += raw
    replaced = change(out)
    return out if replaced is None else replaced


def _changed_below(message: bytes, numbers: tuple[int, ...], entries: bool, change: Change) -> bytes:
    out = b""
    for number, payload, raw in _parts(message):
        if number not in numbers:
            out += raw
        elif entries:
            out += _field(number, _changed_below(payload, _ENTRY, False, change))
        else:
            out += _field(number, changed(payload, change))
    return out


def _below(kind: int, message: bytes) -> Iterator[bytes]:
    for number, part in fields(message):
        if number in _INNER[kind]:
            if kind == STRUCT:
                yield from (value for place, value in fields(part) if place in _ENTRY)
            else:
                yield part


def _chain(expr: bytes, presence: bool = False) -> KeyPath | None:
    """`a.b[0]['c']` as a path; None when the expression is anything else."""
    for number, payload in fields(expr):
        if number == IDENT:
            return (bytes(dict(fields(payload)).get(1, b"")).decode(),)
        if number == SELECT:
            parts = dict(fields(payload))
            operand = _chain(parts[1], presence)
            if operand is None:
                return None
            return operand if parts.get(3) and not presence else (*operand, bytes(parts[2]).decode())
        if number == CALL:
            call = call_of(expr)
            if call and call.function == "_[_]" and len(call.arguments) == 2:
                operand, key = _chain(call.arguments[0], presence), _constant(call.arguments[1])
                return None if operand is None or key is None else (*operand, key)
            return None
    return None


def _constant(expr: bytes) -> str | int | None:
    for number, payload in fields(expr):
        if number == CONST:
            for kind, value in fields(payload):
                if kind == 3 and isinstance(value, int):  # int64_value
                    return value
                if kind == 6:  # string_value
                    return bytes(value).decode()
    return None


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer: (number, bytes or integer)."""
    for number, payload, _ in _parts(message):
        if payload is not None:
            yield number, payload


def _parts(message: bytes) -> Iterator[tuple[int, Any, bytes]]:
    """The same, each with all of its bytes; numbers of a fixed width, as in constants, have no payload."""
    index = 0
    while index < len(message):
        start = index
        key, index = _varint(message, index)
        number, wire = key >> 3, key & 7
        payload: Any = None
        if wire == 0:
            payload, index = _varint(message, index)
        elif wire == 2:
            length, index = _varint(message, index)
            payload = message[index : index + length]
            index += length
        else:  # 1: eight bytes, 5: four bytes
            index += 8 if wire == 1 else 4
        yield number, payload, message[start:index]


def _varint(message: bytes, index: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[index]
        index += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, index


def _field(number: int, payload: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _encoded_varint(len(payload)) + payload


def _encoded_varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])
