"""Explanations for people: one value with all that led to it, or an object as a tree with a place beside each value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.console.formats.text import printable
from dynagen.diagnostics import KeyPath, Position, path_text, shortened
from dynagen.diagnostics.masks import masked
from dynagen.explain.address import address_of
from dynagen.explain.explained import Explanation, Read
from dynagen.explain.lists import ReplacedList, is_own
from dynagen.manifests.building import Manifest
from dynagen.text.scalars import is_string_to_all
from dynagen.trees.nodes import Leaf, Tree, find

_WIDEST = 72
# What a plain scalar cannot begin with: https://yaml.org/spec/1.2.2/#53-indicator-characters
_INDICATORS = tuple("#&*!|>%@`'\"{}[],")


class Marks:
    """What is said beside places: which are in layers of the user (`own`), and which lists patches replaced."""

    def __init__(self, own: Sequence[str] = (), lists: Sequence[ReplacedList] = ()) -> None:
        self.own, self.lists = own, {each.path: each for each in lists}

    def place(self, at: Position) -> str:
        if at.file.startswith("--"):
            return at.file
        return f"{at.file}:{at.line}:{at.column}" + (" (yours)" if is_own(at, self.own) else "")

    def lost(self, path: KeyPath) -> tuple[str, str] | None:
        """What the list at a path took the place of, and where that stands."""
        found = self.lists.get(path)
        if found is None:
            return None
        words = " (`- $patch: append` keeps it)" if found.append else ""
        return _short(", ".join(map(_whole, found.lost))) + words, self.place(found.at)


def to_text(manifest: Manifest, leaf: Explanation, marks: Marks) -> str:
    """Everything about one value."""
    rows: list[tuple[str, str, str]] = []
    rows.append(("written", leaf.expression and _short(leaf.expression), marks.place(leaf.at)))
    rows += _rows("from", leaf.reads, marks)
    for condition in leaf.conditions:
        rows.append((condition.word, _short(condition.expression), marks.place(condition.at)))
        rows += _rows("", condition.reads, marks)
    rows += _rows("named by", leaf.identity, marks)
    for condition in leaf.absent:
        rows.append(("changed if", _short(condition.expression), marks.place(condition.at)))
        rows += _rows("", condition.reads, marks)
    for number, earlier in enumerate(leaf.replaced):
        said = f"{_scalar(earlier.value)}  {_short(earlier.expression)}".rstrip()
        rows.append(("" if number else "replaced", said, marks.place(earlier.at)))
    for depth in range(len(leaf.path)):
        if lost := marks.lost(leaf.path[:depth]):
            rows.append(("lost", *lost))
    width = max(len(what) for _, what, _ in rows)
    lines = [f"{manifest.kind}/{manifest.name}", *_value(address_of(manifest.tree, leaf.path), leaf.value), ""]
    lines += [f"{word:<11} {what:<{width}}  {at}".rstrip() for word, what, at in rows]
    return masked("\n".join(map(printable, lines))) + "\n"


def _value(address: str, value: Any) -> list[str]:
    """The value as a whole, however long it is."""
    if isinstance(value, str) and "\n" in value:
        return [f"{address}: |", *("  " + line for line in value.splitlines())]
    return [f"{address}: {_scalar(value, short=False)}"]


def _rows(word: str, reads: Sequence[Read], marks: Marks) -> Iterator[tuple[str, str, str]]:
    for read in reads:
        value = "" if read.kind == "unset" else f" = {_scalar(read.value)}"
        at = "(not set)" if read.at is None else marks.place(read.at) + (" (default)" if read.kind == "default" else "")
        yield word, f"  {path_text(read.path)}{value}" if not word else f"{path_text(read.path)}{value}", at
        word = "" if not word else " "


def to_tree_text(manifest: Manifest, path: KeyPath, leaves: Mapping[KeyPath, Explanation], marks: Marks) -> str:
    """The part of an object at `path`, a value a line; beside it its place, and the profile's values behind it."""
    lines: list[tuple[str, str]] = []
    _tree(find(manifest.tree, path), path, ("", ""), leaves, lines, marks)
    width = min(max((len(line) for line, _ in lines), default=0), _WIDEST)
    title = f"{manifest.kind}/{manifest.name}" + (f"  {address_of(manifest.tree, path)}" if path else "")
    rows = [f"{line:<{width}}  {note}".rstrip() for line, note in lines]
    return masked("\n".join(map(printable, [title, "", *rows]))) + "\n"


def _tree(
    tree: Tree, path: KeyPath, before: tuple[str, str], leaves: Mapping[KeyPath, Explanation],
    lines: list[tuple[str, str]], marks: Marks,
) -> None:  # fmt: skip
    """`before` is what stands before the first key, such as the dash of a list's item, and before the others."""
    first, indent = before
    if not tree and not isinstance(tree, Leaf):
        lines.append((f"{first}{'{}' if isinstance(tree, dict) else '[]'}", ""))
        return
    if isinstance(tree, Leaf):
        leaf = leaves[path]
        lines.append((first + _scalar(leaf.value), _note(leaf, marks)))
        return
    for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree):
        head = f"{first}{_scalar(key)}:" if isinstance(key, str) else f"{first}-"
        first = indent
        if isinstance(inner, Leaf):
            leaf = leaves[*path, key]
            lines.append((f"{head} {_scalar(leaf.value)}", _note(leaf, marks)))
        elif not inner:
            lines.append((f"{head} {'{}' if isinstance(inner, dict) else '[]'}", ""))
        elif isinstance(key, int):
            _tree(inner, (*path, key), (f"{head} ", f"{indent}  "), leaves, lines, marks)
        else:
            lost = marks.lost((*path, key))
            lines.append((head, f"# lost, of {lost[1]}: {lost[0]}" if lost else ""))
            deeper = f"{indent}  "
            _tree(inner, (*path, key), (deeper, deeper), leaves, lines, marks)


def _note(leaf: Explanation, marks: Marks) -> str:
    behind = ", ".join(path_text(read.path) for read in leaf.reads if read.kind != "unset")
    return f"# {marks.place(leaf.at)}" + (f" <- {behind}" if behind else "")


def _short(expression: str) -> str:
    return shortened(" ".join(expression.split()), _WIDEST)


def _whole(value: Any) -> str:
    """An item of a list with all that is in it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else _scalar(value)


def _scalar(value: Any, short: bool = True) -> str:
    """A value on one line, as YAML would have it or near to it. Of maps and lists it says only that they are there."""
    if isinstance(value, (dict, list)):
        return "{...}" if isinstance(value, dict) else "[...]"
    plain = isinstance(value, str) and value.isprintable() and ": " not in value and " #" not in value
    plain = plain and value[:1] not in _INDICATORS
    text = value if plain and is_string_to_all(value) else json.dumps(value, ensure_ascii=False)
    return _short(text) if short else text
