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
from dynagen.manifests.building import Manifest
from dynagen.text.scalars import is_string_to_all
from dynagen.trees.nodes import Leaf, Tree, find

_WIDEST = 72
# What a plain scalar cannot begin with: https://yaml.org/spec/1.2.2/#53-indicator-characters
_INDICATORS = tuple("#&*!|>%@`'\"{}[],")


def to_text(manifest: Manifest, leaf: Explanation) -> str:
    """Everything about one value."""
    rows: list[tuple[str, str, str]] = []
    rows.append(("written", leaf.expression and _short(leaf.expression), _place(leaf.at)))
    rows += _rows("from", leaf.reads)
    for condition in leaf.conditions:
        rows.append((condition.word, _short(condition.expression), _place(condition.at)))
        rows += _rows("", condition.reads)
    rows += _rows("named by", leaf.identity)
    for condition in leaf.absent:
        rows.append(("changed if", _short(condition.expression), _place(condition.at)))
        rows += _rows("", condition.reads)
    for number, earlier in enumerate(leaf.replaced):
        said = f"{_scalar(earlier.value)}  {_short(earlier.expression)}".rstrip()
        rows.append(("" if number else "replaced", said, _place(earlier.at)))
    width = max(len(what) for _, what, _ in rows)
    lines = [f"{manifest.kind}/{manifest.name}", *_value(address_of(manifest.tree, leaf.path), leaf.value), ""]
    lines += [f"{word:<11} {what:<{width}}  {at}".rstrip() for word, what, at in rows]
    return masked("\n".join(map(printable, lines))) + "\n"


def _value(address: str, value: Any) -> list[str]:
    """The value as a whole, however long it is."""
    if isinstance(value, str) and "\n" in value:
        return [f"{address}: |", *("  " + line for line in value.splitlines())]
    return [f"{address}: {_scalar(value, short=False)}"]


def _rows(word: str, reads: Sequence[Read]) -> Iterator[tuple[str, str, str]]:
    for read in reads:
        value = "" if read.kind == "unset" else f" = {_scalar(read.value)}"
        at = "(not set)" if read.at is None else _place(read.at) + (" (default)" if read.kind == "default" else "")
        yield word, f"  {path_text(read.path)}{value}" if not word else f"{path_text(read.path)}{value}", at
        word = "" if not word else " "


def to_tree_text(manifest: Manifest, path: KeyPath, leaves: Mapping[KeyPath, Explanation]) -> str:
    """The part of an object at `path`, a value a line; beside it its place, and the profile's values behind it."""
    lines: list[tuple[str, str]] = []
    _tree(find(manifest.tree, path), path, "", "", leaves, lines)
    width = min(max(len(line) for line, _ in lines), _WIDEST)
    title = f"{manifest.kind}/{manifest.name}" + (f"  {address_of(manifest.tree, path)}" if path else "")
    rows = [f"{line:<{width}}  {note}".rstrip() for line, note in lines]
    return masked("\n".join(map(printable, [title, "", *rows]))) + "\n"


def _tree(
    tree: Tree, path: KeyPath, first: str, indent: str, leaves: Mapping[KeyPath, Explanation],
    lines: list[tuple[str, str]],
) -> None:  # fmt: skip
    """`first` is what stands before the first key: the dash of a list's item."""
    if isinstance(tree, Leaf):
        leaf = leaves[path]
        lines.append((first + _scalar(leaf.value), _note(leaf)))
        return
    for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree):
        head = f"{first}{_scalar(key)}:" if isinstance(key, str) else f"{first}-"
        first = indent
        if isinstance(inner, Leaf):
            leaf = leaves[*path, key]
            lines.append((f"{head} {_scalar(leaf.value)}", _note(leaf)))
        elif not inner:
            lines.append((f"{head} {'{}' if isinstance(inner, dict) else '[]'}", ""))
        elif isinstance(key, int):
            _tree(inner, (*path, key), f"{head} ", f"{indent}  ", leaves, lines)
        else:
            lines.append((head, ""))
            deeper = f"{indent}  "
            _tree(inner, (*path, key), deeper, deeper, leaves, lines)


def _note(leaf: Explanation) -> str:
    behind = ", ".join(path_text(read.path) for read in leaf.reads if read.kind != "unset")
    return f"# {_place(leaf.at)}" + (f" <- {behind}" if behind else "")


def _place(at: Position) -> str:
    return f"{at.file}:{at.line}:{at.column}" if not at.file.startswith("--") else at.file


def _short(expression: str) -> str:
    return shortened(" ".join(expression.split()), _WIDEST)


def _scalar(value: Any, short: bool = True) -> str:
    """A value on one line, as YAML would have it or near to it. Of maps and lists it says only that they are there."""
    if isinstance(value, (dict, list)):
        return "{...}" if isinstance(value, dict) else "[...]"
    plain = isinstance(value, str) and value.isprintable() and ": " not in value and " #" not in value
    plain = plain and value[:1] not in _INDICATORS
    text = value if plain and is_string_to_all(value) else json.dumps(value, ensure_ascii=False)
    return _short(text) if short else text
