"""Plain YAML in, data and marks of its documents out, exactly as `parse_exactly` gives them; None in any doubt.

What people write in profiles and manifests is a small part of YAML. It is read here before ruamel.yaml could even be
imported. All else, and every mistake, ends reading at once: `exact_yaml` knows what it means, or what to say about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dynagen.text.plain_flow import BLOCK_SCALAR, Declined, Flow, after, demand, key_at
from dynagen.text.scalars import Ambiguous, parse_plain


def read_plain(text: str, plain: Callable[[str], Any] = parse_plain) -> list[tuple[Any, list[int]]] | None:
    """Data and marks of each document; None when `parse_exactly` has to read the text, or to say what is wrong.

    `plain` gives the value of a scalar without quotes, or raises Ambiguous.
    """
    lines = text.split("\n")
    # What is not printable, such as a tab, often means something else.
    if "\n..." in text or text.startswith("...") or not all(map(str.isprintable, lines)):
        return None
    if "dynagen:" in text and not _are_comments(lines):
        return None
    try:
        return _Reader(lines, plain).documents()
    except (Declined, Ambiguous):
        return None


def _are_comments(lines: Sequence[str]) -> bool:
    """Whether `dynagen:` surely begins comments only, which then are read by their own. No text goes over lines here."""
    for line in lines:
        before, sign, comment = line.partition("#")
        if "|" in before or ">" in before or before.count('"') % 2 or before.count("'") % 2 or "dynagen:" in before:
            return False
        if sign and ("'" in before or '"' in before or before[-1:].strip()):
            return False
        if "dynagen:" in comment and not comment.lstrip(" ").startswith("dynagen:"):
            return False
    return True


def _is_entry(line: str, column: int) -> bool:
    return line[column : column + 2] in ("- ", "-")


class _Reader(Flow):
    """A block is known by the column that it begins at. What reads one leaves the row at the line below it."""

    def documents(self) -> list[tuple[Any, list[int]]]:
        found: list[tuple[Any, list[int]]] = []
        while not found or self.row < len(self.lines):
            if found or self._next_line() < 0:  # at `---`, which may be left out before the first document
                demand(self.row < len(self.lines) and after(self.line, 3) < 0)
                self.row += 1
            first = len(self.marks)
            data = self._marked(self._next_line(), -1)
            found.append((data, self.marks[first:]))
            demand(self._next_line() < 0)  # a line that was too far to the right for one block is so for all
        return found

    def _next_line(self) -> int:
        """Goes to the next line with more than a comment: the column that it begins at, or -1 at a document's end."""
        while self.row < len(self.lines):
            column = after(self.line, 0)
            if column >= 0:
                return -1 if self.line.startswith("---") else column
            self.row += 1
        return -1

    def _marked(self, column: int, block: int) -> Any:
        """A node that has no key whose mark could stand for it."""
        mark = self.mark(self.row, column)
        value, self.marks[mark] = self._node(column, block)
        return value

    def _node(self, column: int, block: int) -> tuple[Any, int]:
        """The value that begins at this column within that block, and its width."""
        demand(column >= 0)
        if _is_entry(self.line, column):
            return self.nested(self._entries, column), 0
        if key_at(self.line, column, BLOCK_SCALAR):
            return self.nested(self._pairs, column), 0
        return self._inline(column, block)

    def _entries(self, block: int) -> list[Any]:
        found = [self._entry(block)]
        while self._next_line() == block and _is_entry(self.line, block):
            found.append(self._entry(block))
        return found

    def _entry(self, block: int) -> Any:
        column, row = after(self.line, block + 1), self.row
        if column < 0:
            self.row += 1
            column = self._next_line()
        if column > block:
            return self._marked(column, block)
        self.mark(row, block + 1)
        return None

    def _pairs(self, block: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not found or self._next_line() == block:
            key, column = self.key(block, BLOCK_SCALAR, found)
            found[key] = self._value(column, block)
        return found

    def _value(self, column: int, block: int) -> Any:
        column = after(self.line, column)
        if column >= 0:
            return self._inline(column, block)[0]
        self.row += 1
        column = self._next_line()
        # A list may begin below its key, no further to the right.
        is_below = column > block or (column == block and _is_entry(self.line, block))
        return self._node(column, block)[0] if is_below else None

    def _inline(self, column: int, block: int) -> tuple[Any, int]:
        if self.line[column] == "|":
            return self._literal(self.line[column:].rstrip(" "), block), 0
        value, width, end = self.flow(column, BLOCK_SCALAR)
        demand(after(self.line, end) < 0)
        self.row += 1
        return value, width

    def _literal(self, header: str, block: int) -> str:
        first = "".join(self.lines[self.row + 1 : self.row + 2])
        indent = len(first) - len(first.lstrip(" "))
        demand(header in ("|", "|-") and 0 <= block < indent < len(first))
        found = []
        self.row += 1
        while self.row < len(self.lines) and not self.line[:indent].strip(" "):
            found.append(self.line[indent:])
            self.row += 1
        demand(self.row < len(self.lines) or not self.lines[-1])  # without its last line break a text is odd here
        while not found[-1]:
            found.pop()
        return "\n".join(found) + ("\n" if header == "|" else "")
