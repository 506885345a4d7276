"""How large the value of an expression could become, from its syntax tree and the values that it sees.

CEL stops expressions that take too many steps, but `replace()` of `replace()` needs few of them to fill the memory. So
this is asked first. The bound is generous: no text that a layer would make comes near it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dynagen.language.syntax_tree import (
    CALL,
    COMPREHENSION,
    CONST,
    IDENT,
    LIST,
    SELECT,
    STRUCT,
    expression,
    fields,
    without_positions,
)

MAX_SIZE = 8 * 1024 * 1024  # characters and items


class Size(NamedTuple):
    """At most so many `items`, and `total` characters and items of items in all."""

    items: int
    total: int


_ONE = Size(1, 1)
Known = Mapping[str, Any]


def largest(serialized: bytes, values: Known, evaluate: Callable[[bytes], Any]) -> int:
    """The most characters and items that the value, or anything on the way to it, can have.

    `evaluate` takes a part of the program, itself a program, that is known to be small.
    """
    estimate = _Estimate(values, lambda expr: evaluate(without_positions(serialized, expr)))
    estimate.of(expression(serialized), {})
    return estimate.most


class _Estimate:
    def __init__(self, values: Known, evaluate: Callable[[bytes], Any]) -> None:
        self._values, self._evaluate, self.most = values, evaluate, 0
        self._texts: dict[tuple[bytes, frozenset[str]], Any] = {}

    def of(self, expr: bytes, bound: Mapping[str, Size]) -> Size:
        found = self._of(expr, bound)
        self.most = max(self.most, found.total)
        return found

    def _of(self, expr: bytes, bound: Mapping[str, Size]) -> Size:
        for number, payload in fields(expr):
            if number == CONST:
                return _constant(payload)
            if number == IDENT:
                name = bytes(dict(fields(payload)).get(1, b"")).decode()
                return bound[name] if name in bound else _measured(self._values.get(name))
            if number == SELECT:
                parts = dict(fields(payload))
                return _ONE if parts.get(3) else self._part(self._known(expr, bound), parts[1], bound)
            if number == CALL:
                return self._call(expr, payload, bound)
            if number == LIST:
                return _together([self.of(part, bound) for place, part in fields(payload) if place == 1])
            if number == STRUCT:
                entries = [dict(fields(entry)) for place, entry in fields(payload) if place == 2]
                return _together(
                    [self.of(entry[place], bound) for entry in entries for place in (3, 4) if place in entry]
                )
            if number == COMPREHENSION:
                return self._comprehension(dict(fields(payload)), bound)
        return _ONE

    def _part(self, known: Any, whole: bytes, bound: Mapping[str, Size]) -> Size:
        """A field or an item: as large as it is, or at most as large as what it is taken from."""
        if known is not None:
            return _measured(known)
        total = self.of(whole, bound).total
        return Size(total, total)

    def _call(self, expr: bytes, payload: bytes, bound: Mapping[str, Size]) -> Size:
        function, operands = _call(payload)
        known = self._known(expr, bound) if function in ("_[_]", "replace") else None
        if function == "_[_]" and operands:
            return self._part(known, operands[0], bound)
        if known is not None:
            return _measured(known)
        sizes = [self.of(part, bound) for part in operands]
        if function == "_?_:_" and len(sizes) == 3:
            return Size(max(sizes[1].items, sizes[2].items), max(sizes[1].total, sizes[2].total))
        if function == "replace" and len(sizes) >= 3:
            text, old, new = sizes[:3]
            places = text.total // old.total if old.total > 0 and _is_constant(operands[1]) else text.total + 1
            return Size(1, text.total + places * new.total)
        if function == "join" and sizes:
            return Size(1, sizes[0].total + sizes[0].items * sum(size.total for size in sizes[1:]))
        if function == "split" and sizes:
            return Size(sizes[0].total + 1, 2 * sizes[0].total + 1)
        if function in (
            "size",
            "_==_",
            "_!=_",
            "_<_",
            "_>_",
            "_<=_",
            "_>=_",
            "@in",
            "matches",
            "contains",
            "startsWith",
            "endsWith",
        ):
            return _ONE
        if function == "format":  # one argument may be written more than once
            return Size(1, sum(size.total for size in sizes) * (1 + (sizes[0].total if sizes else 0)))
        return Size(sum(size.items for size in sizes), 1 + sum(size.total for size in sizes))

    def _comprehension(self, parts: dict[int, Any], bound: Mapping[str, Size]) -> Size:
        """`map`, `filter` and their like add something to a result for each item. The step is taken from an empty one."""
        names = {place: bytes(parts[place]).decode() for place in (1, 3, 8) if place in parts}
        over = self.of(parts[2], bound) if 2 in parts else _ONE
        begin = self.of(parts[4], bound) if 4 in parts else _ONE
        item = Size(over.total, over.total)
        inside = {**bound, names.get(1, ""): item, names.get(8, ""): item, names.get(3, ""): Size(0, 0)}
        if 5 in parts:
            self.of(parts[5], inside)
        step = self.of(parts[6], inside) if 6 in parts else _ONE
        result = Size(begin.items + over.items * step.items, begin.total + over.items * step.total)
        self.most = max(self.most, result.total)
        return self.of(parts[7], {**bound, names.get(3, ""): result}) if 7 in parts else result

    def _known(self, expr: bytes, bound: Mapping[str, Size]) -> Any:
        """The value of what only looks things up, and of texts made of such; None for everything else."""
        key = (expr, frozenset(bound))
        if key not in self._texts:
            self._texts[key] = self._look_up(expr, bound)
        return self._texts[key]

    def _look_up(self, expr: bytes, bound: Mapping[str, Size]) -> Any:
        for number, payload in fields(expr):
            if number == CONST:
                return next((_literal(kind, value) for kind, value in fields(payload)), None)
            if number == IDENT:
                name = bytes(dict(fields(payload)).get(1, b"")).decode()
                return None if name in bound else self._values.get(name)
            if number == SELECT:
                parts = dict(fields(payload))
                return None if parts.get(3) else _item(self._known(parts[1], bound), bytes(parts[2]).decode())
            if number == CALL:
                function, operands = _call(payload)
                found = [self._known(part, bound) for part in operands]
                if function == "_[_]" and len(found) == 2:
                    return _item(*found)
                if function == "replace" and len(found) == 3 and all(isinstance(each, str) for each in found):
                    size = len(found[0]) + found[0].count(found[1]) * len(found[2])
                    return found[0].replace(found[1], found[2]) if size <= MAX_SIZE else None
                # What does not multiply can be asked.
                return None if bound or not _is_small(function, found) else self._evaluate(expr)
        return None


def _call(payload: bytes) -> tuple[str, list[bytes]]:
    """The name of a function and its operands, what it is called on first."""
    parts = list(fields(payload))
    function = next((bytes(part).decode() for number, part in parts if number == 2), "")
    return function, [part for number, part in parts if number == 1] + [part for number, part in parts if number == 3]


def _is_small(function: str, operands: list[Any]) -> bool:
    """Whether a call of operators and conversions gives no more than what goes in."""
    if function not in ("_?_:_", "_+_", "string", "_>=_", "_<=_", "_>_", "_<_", "_==_", "_!=_", "!_", "_&&_", "_||_"):
        return False
    return all(each is not None and not isinstance(each, (dict, list)) for each in operands)


def _item(whole: Any, key: Any) -> Any:
    return whole.get(key) if isinstance(whole, dict) and isinstance(key, str) else None


def _constant(payload: bytes) -> Size:
    return next((Size(1, len(value)) for kind, value in fields(payload) if kind in (6, 7)), _ONE)


def _literal(kind: int, value: Any) -> Any:
    """A text as it is; of a number or a boolean only that it is one counts."""
    return bytes(value).decode() if kind == 6 else True if kind in (2, 3, 4, 5) else None


def _is_constant(expr: bytes) -> bool:
    return any(number == CONST for number, _ in fields(expr))


def _together(sizes: list[Size]) -> Size:
    return Size(len(sizes), len(sizes) + sum(size.total for size in sizes))


def _measured(value: Any) -> Size:
    if isinstance(value, str):
        return Size(1, len(value))
    if isinstance(value, dict):
        return _together([_measured(each) for pair in value.items() for each in pair])
    if isinstance(value, list):
        return _together([_measured(each) for each in value])
    return _ONE
