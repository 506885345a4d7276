"""One YAML document: its data, and where each value was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import KeyPath, Position


class Document:
    """One YAML document: plain data, and where each value was written.

    `marks` holds line, column and width of every value one after the other, in the order of the text: of its key in a
    mapping, of itself in a list, of the document first of all. Whoever walks `data` in its order can read them along.
    One that `is_shared` is the same for many profiles, so it is worth keeping what is made of it.
    """

    __slots__ = ("_positions", "data", "file", "is_shared", "marks")

    def __init__(self, file: str, data: Any, marks: list[int], is_shared: bool = False) -> None:
        self.file, self.data, self.marks, self.is_shared = file, data, marks, is_shared
        self._positions: dict[KeyPath, Position] | None = None

    def at(self, path: KeyPath = ()) -> Position:
        """The position of `path`, or of its nearest ancestor in this file."""
        if not path:
            return Position(self.file, *self.marks[:3])
        if self._positions is None:
            self._positions = dict(_with_paths(self.data, self.walk()))
        while path and path not in self._positions:
            path = path[:-1]
        return self._positions[path]

    def walk(self) -> Iterator[Position]:
        """The positions in the order of the text."""
        numbers = iter(self.marks)
        return (Position(self.file, line, column, width) for line, column, width in zip(*[numbers] * 3, strict=True))


def _with_paths(value: Any, positions: Iterator[Position], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Position]]:
    yield path, next(positions)
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _with_paths(inner, positions, (*path, key))
