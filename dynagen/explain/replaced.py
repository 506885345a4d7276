"""A leaf in, what stood there before out: layers replace what layers before them said, or repeat it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import KeyPath
from dynagen.explain.explained import Earlier
from dynagen.trees.nodes import Leaf, Tree, find, find_exactly, to_data


def first_to_say(leaf: Leaf, is_name: bool) -> Leaf:
    """The first that said the same: without the patches that repeat it, it would be as it is.

    What names an item is repeated by every patch of that item, in whatever words.
    """
    while isinstance(before := leaf.replaced, Leaf) and before.value == leaf.value:
        if not is_name and before.origin.expression != leaf.origin.expression:
            break
        leaf = before
    return leaf


def replaced(tree: Tree, path: KeyPath) -> Iterator[Earlier]:
    """The values that the one at `path` replaced, with all on the way to it, the last one first, repetitions once."""
    leaf = find(tree, path)
    last: tuple[Any, str] | None = (to_data(leaf), leaf.origin.expression)
    for depth in range(len(path), -1, -1):
        node = find_exactly(tree, path[:depth])
        earlier = node.replaced if node is not None else None
        while earlier is not None:
            part = find_exactly(earlier, path[depth:])
            said = None if part is None else (to_data(part), part.origin.expression)
            if part is not None and said != last:
                yield Earlier(to_data(part), part.origin.written, part.origin.expression)
                last = said
            earlier = earlier.replaced
