"""Lines of plain YAML in, the values and marks of the scalars, keys and brackets in them out: see `plain_yaml`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

# Well below the limits of `exact_yaml`, which counts keys as well.
MAX_DEPTH = 40
MAX_MARKED = 24_000
MAX_KEY = 1000  # YAML allows 1024 characters

# On one line, with the escapes that everybody knows.
_QUOTED = r""""(?:[^"\\]|\\[nt"\\])*+"|'(?:[^']|'')*+'"""
_FIRST = r"""(?:[^ \-?:,\[\]{}#&*!|>'"%@`]|-{1,2}[A-Za-z0-9])"""
# A colon at the end of a word would make a key of what is before it, a # that begins one a comment of the rest.
_IN_BLOCK = r"(?:[^ :]|:(?=[^ ]))"
_IN_FLOW = r"(?:[^ :,?\[\]{}]|:(?=[^ :,?\[\]{}]))"
BLOCK_SCALAR, FLOW_SCALAR = (
    re.compile(f"{_QUOTED}|{_FIRST}{word}*+(?: ++(?!#){word}++)*+") for word in (_IN_BLOCK, _IN_FLOW)
)
# Neither nothing nor a comment. No slices of lines anywhere: JSON may be all on one.
_FOLLOWING = re.compile(r" *+(?=[^#]|(?<=[^ ])#)")


class Declined(Exception):
    """There is more to this text than is understood here."""


def demand(is_plain: bool) -> None:
    if not is_plain:
        raise Declined


def after(line: str, column: int) -> int:
    """The column of what follows on this line from `column` on; -1 when nothing does, or a comment."""
    found = _FOLLOWING.match(line, column)
    return found.end() if found else -1


def key_at(line: str, column: int, scalar: re.Pattern[str]) -> str:
    """The key that begins there, as it is written; empty where there is none."""
    found = scalar.match(line, column)
    return found[0] if found and line[found.end() : found.end() + 2] in (": ", ":") else ""


class Flow:
    """Where reading has come to; rows and columns count from 0, those in marks from 1.

    `plain` gives the value of a scalar without quotes.
    """

    def __init__(self, lines: list[str], plain: Callable[[str], Any]) -> None:
        self.lines, self._plain = lines, plain
        self.row = self._depth = 0
        self.marks: list[int] = []
        # As `exact_yaml` has it: a text without aliases may have as many as fit into it.
        self._most = 3 * max(MAX_MARKED, sum(map(len, lines)) // 4)

    @property
    def line(self) -> str:
        return self.lines[self.row]

    def mark(self, row: int, column: int, width: int = 0) -> int:
        """Gives the place of the width, which may only be known later."""
        self.marks += (row + 1, column + 1, width)
        demand(len(self.marks) <= self._most)
        return len(self.marks) - 1

    def nested(self, read: Callable[[int], T], column: int) -> T:
        self._depth += 1
        demand(self._depth <= MAX_DEPTH)
        value = read(column)
        self._depth -= 1
        return value

    def key(self, column: int, scalar: re.Pattern[str], found: dict[str, Any]) -> tuple[str, int]:
        """A key that has not been found yet, and the column behind its colon."""
        written = key_at(self.line, column, scalar)
        demand(0 < len(written) <= MAX_KEY)
        key = self._scalar(written)
        demand(isinstance(key, str) and key not in found)
        self.mark(self.row, column, len(written))
        return key, column + len(written) + 1

    def flow(self, column: int, scalar: re.Pattern[str]) -> tuple[Any, int, int]:
        """A scalar or what is between brackets, the width of how it begins, and the column behind it."""
        if self.line[column] in "[{":
            read = self._list if self.line[column] == "[" else self._mapping
            value, end = self.nested(read, self._past_breaks(column + 1))
            return value, 1, end
        found = scalar.match(self.line, column)
        if not found:
            raise Declined
        return self._scalar(found[0]), len(found[0]), found.end()

    def _scalar(self, written: str) -> Any:
        if written[0] == "'":
            return written[1:-1].replace("''", "'")
        if written[0] != '"':
            return self._plain(written)
        parts = written[1:-1].split(r"\\")
        return "\\".join(part.replace(r"\n", "\n").replace(r"\t", "\t").replace(r"\"", '"') for part in parts)

    def _list(self, column: int) -> tuple[Any, int]:
        found = []
        while self.line[column] != "]":
            mark = self.mark(self.row, column)
            value, self.marks[mark], column = self.flow(column, FLOW_SCALAR)
            found.append(value)
            column = self._past_comma(column, "]")
        return found, column + 1

    def _mapping(self, column: int) -> tuple[Any, int]:
        found: dict[str, Any] = {}
        while self.line[column] != "}":
            key, column = self.key(column, FLOW_SCALAR, found)
            found[key], _, column = self.flow(self._past_breaks(column), FLOW_SCALAR)
            column = self._past_comma(column, "}")
        return found, column + 1

    def _past_comma(self, column: int, closing: str) -> int:
        """The column of the next item, or of the closing bracket."""
        column = self._past_breaks(column)
        if self.line[column] == ",":
            return self._past_breaks(column + 1)
        demand(self.line[column] == closing)
        return column

    def _past_breaks(self, column: int) -> int:
        while (following := after(self.line, column)) < 0:
            self.row, column = self.row + 1, 0
            demand(self.row < len(self.lines))
        return following
