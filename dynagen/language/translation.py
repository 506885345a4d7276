"""CEL's syntax tree in, a tree of steps for `python_programs.py` out: what is on its list, and nothing else.

Only used when the package is built.
"""

from __future__ import annotations

import struct
from typing import Any

from dynagen.language.python_programs import Tree
from dynagen.language.syntax_tree import (
    CALL,
    COMPREHENSION,
    CONST,
    LIST,
    SELECT,
    STRUCT,
    call_of,
    fields,
    path_of,
)

# Functions and how many arguments they have; members, whose first argument stands before the dot.
_FUNCTIONS = {
    **dict.fromkeys(["!_", "@not_strictly_false", "size", "string", "dyn", "duration"], 1),
    **dict.fromkeys(["_&&_", "_||_", "_==_", "_!=_", "_<_", "_>_", "_<=_", "_>=_", "@in", "_+_", "_[_]"], 2),
    "_?_:_": 3,
}
_MEMBERS = {"size": 1, "lowerAscii": 1, "contains": 2, "startsWith": 2, "endsWith": 2, "split": 2, "replace": 3}
_DOUBLE = bytes([5 << 3 | 1])  # before eight bytes


class _Outside(Exception):
    """There is a part that is not on the list."""


def translated(expr: bytes) -> Tree | None:
    """The steps of an expression; None when CEL alone can evaluate it."""
    try:
        return _tree(expr)
    except _Outside:
        return None


def _tree(expr: bytes) -> Tree:
    if (path := path_of(expr)) is not None:
        return ["at", *path]
    for number, payload in fields(expr):
        if number == CONST:
            return _constant(payload)
        if number == SELECT:
            parts = dict(fields(payload))
            key = bytes(parts[2]).decode()
            return ["has" if parts.get(3) else "_[_]", _tree(parts[1]), key]
        if number == CALL:
            return _call(expr)
        if number == LIST:
            return ["list", *(_tree(item) for place, item in _only(payload, 1))]
        if number == STRUCT:
            return ["map", *(_entry(entry) for _, entry in _only(payload, 2))]
        if number == COMPREHENSION:
            return _fold(payload)
    raise _Outside


def _only(message: bytes, *places: int) -> list[tuple[int, Any]]:
    """All fields, which must be of these numbers: there are others for optional items and for messages."""
    found = list(fields(message))
    if not {number for number, _ in found} <= set(places):
        raise _Outside
    return found


def _entry(entry: bytes) -> list[Tree]:
    parts = dict(_only(entry, 1, 3, 4))
    return [_tree(parts[3]), _tree(parts[4])]


def _call(expr: bytes) -> Tree:
    call = call_of(expr)
    assert call is not None
    operands = call.arguments if call.target is None else (call.target, *call.arguments)
    if (_FUNCTIONS if call.target is None else _MEMBERS).get(call.function) != len(operands):
        raise _Outside
    return [call.function, *map(_tree, operands)]


def _fold(payload: bytes) -> Tree:
    parts = dict(_only(payload, 1, 2, 3, 4, 5, 6, 7))
    return [
        "fold",
        *(bytes(parts[place]).decode() for place in (1, 3)),
        *(_tree(parts[place]) for place in (2, 4, 5, 6, 7)),
    ]


def _constant(payload: bytes) -> Tree:
    if payload[:1] == _DOUBLE:
        return struct.unpack("<d", payload[1:])[0]
    for kind, value in fields(payload):
        if kind == 1:
            return None
        if kind == 2:
            return bool(value)
        if kind == 3:
            return value - (1 << 64) if value >> 63 else value
        if kind == 6:
            return bytes(value).decode()
    raise _Outside
