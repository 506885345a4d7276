"""What a patch says at a path of the tree that it was merged into, or near it. Items of lists are found by their names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import KeyPath, Origin
from dynagen.trees.nodes import Leaf, Map, Tree, leaves, scalar, value_at

# How many steps above a value its neighbours are: a request and a limit are two below `resources`.
_NEIGHBOURS = 2
# What is above `spec` and an item of it has no part in what is wrong with the item.
_FURTHEST = 2


def nearest(patch: Map, tree: Any, path: KeyPath) -> Tree:
    """What a patch says that is nearest to a path of the tree."""
    return _ways(patch, tree, path)[-1]


def said_beside(patch: Map, tree: Any, path: KeyPath, strangers: bool) -> Origin | None:
    """Where a patch says a value or a neighbour of it, those of its own name first.

    Neighbours of other names, and what takes one away, only with `strangers`; of the further ones only what stands alone.
    """
    ways = _ways(patch, tree, path)
    for depth in range(len(ways) - 1, 0, -1):
        near = depth >= len(path) - _NEIGHBOURS
        said = list(_said(ways[depth])) if near or depth > _FURTHEST else []
        namesake = next((leaf for inner, leaf in said if near and inner[-1:] == path[-1:]), None)
        if namesake is not None:
            return namesake.origin
        if strangers and said and (near or len(said) == 1):
            key, leaf = said[0][0][:1], said[0][1]
            return ways[depth][key[0]].origin if near and key else leaf.origin  # type: ignore[index]
    return None


def _said(tree: Tree) -> Iterator[tuple[KeyPath, Leaf]]:
    """The leaves of a patch but for the names that only say which item is meant."""
    for path, leaf in leaves(tree):
        if path[-1:] != ("name",):
            yield path, leaf


def _ways(patch: Map, tree: Any, path: KeyPath) -> list[Tree]:
    """What a patch says at each step of a path, as far as it goes along."""
    ways: list[Any] = [patch]
    for key in path:
        found = ways[-1]
        if isinstance(tree, list) and isinstance(found, list):
            name = scalar(tree[key], "name") if isinstance(key, int) and key < len(tree) else None
            inner = next((item for item in found if name is not None and scalar(item, "name") == name), None)
        else:
            inner = found.get(key) if isinstance(found, dict) else None
        if inner is None:
            break
        ways.append(inner)
        tree = value_at(tree, (key,))
    return ways
