"""What a patch may say beside data: `null`, and `$patch`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import Origin
from dynagen.trees.nodes import Leaf, List, Map, Tree, to_data

DIRECTIVES = ("replace", "delete")
LIST_DIRECTIVES = ("replace", "append", "prepend")  # of an item that says nothing else


def is_plain(value: Any) -> bool:
    """Whether plain data holds neither null nor `$patch`."""
    if isinstance(value, dict):
        return "$patch" not in value and all(map(is_plain, value.values()))
    return all(map(is_plain, value)) if isinstance(value, list) else value is not None


def unknown_directives(
    tree: Tree, known: tuple[str, ...] = DIRECTIVES
) -> Iterator[tuple[Any, Origin, tuple[str, ...]]]:
    """What stands behind `$patch` and is none of its words there, with its origin and the words."""
    if isinstance(tree, dict) and "$patch" in tree:
        leaf = tree["$patch"]
        word = to_data(leaf)
        if word not in known:
            yield word, leaf.origin, known
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        if not isinstance(inner, Leaf):
            alone = isinstance(tree, list) and len(inner) == 1
            yield from unknown_directives(inner, (*LIST_DIRECTIVES, "delete") if alone else DIRECTIVES)


def without_directives(tree: Tree) -> Tree:
    """A tree that stands alone: `null` is not there, nor is `$patch`, nor what held nothing else."""
    if isinstance(tree, dict):
        kept: dict[str, Tree] = {}
        for key, inner in tree.items():
            if isinstance(inner, Leaf):
                if inner.value is not None and key != "$patch":
                    kept[key] = inner
                continue
            if key == "$patch" or directive(inner) == "delete":
                continue
            clean = without_directives(inner)
            if not vanished(inner, clean):
                kept[key] = clean
        return Map(kept, tree.origin)
    if isinstance(tree, list):
        items = [item for item in tree if directive(item) is None or len(item) > 1]
        return List([without_directives(item) for item in items if directive(item) != "delete"], tree.origin)
    return tree


def directive(tree: Tree) -> str | None:
    if isinstance(tree, dict) and isinstance(leaf := tree.get("$patch"), Leaf):
        return str(leaf.value)
    return None


def vanished(before: Tree, after: Tree) -> bool:
    """Whether a container held nothing but nulls and directives: then it is not there either."""
    return not isinstance(after, Leaf) and bool(before) and not after


def is_null(tree: Tree) -> bool:
    return isinstance(tree, Leaf) and tree.value is None


def list_directive(patch: List) -> str | None:
    """The word of the item that says nothing but `$patch`, if a list has one."""
    return next((word for item in patch if (word := directive(item)) and len(item) == 1), None)
