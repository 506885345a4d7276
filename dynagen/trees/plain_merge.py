"""Data merged by deepmerge, later over earlier: profile files, defaults, facts. The door to deepmerge.

Maps merge, all else is replaced. `null` and `$patch` mean what they mean to `merge`, which merges manifests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dynagen.trees.directives import without_directives
from dynagen.trees.nodes import Leaf, Map, Tree, scalar, to_data


def merge_data(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The parts over each other, as new data. What a part takes back is null."""
    from copy import deepcopy

    from deepmerge import Merger

    merger = Merger([(dict, [_directive, "merge"])], ["override"], ["override"])
    merged: dict[str, Any] = {}
    for part in parts:
        merger.merge(merged, deepcopy(part))  # deepmerge works in place and shares subtrees
    return merged


def merge_trees(trees: Sequence[Map]) -> Map:
    """The same with places: every value has the origin of the tree that said it last, a map that of the first."""
    if len(trees) == 1:
        return trees[0]
    placed = _placed(merge_data(map(to_data, trees)), trees)
    return placed if isinstance(placed, Map) else Map({}, trees[0].origin)


def _directive(_: object, __: object, base: dict[str, Any], later: dict[str, Any]) -> Any:
    """deepmerge's strategy for a map that says `$patch`: null, itself, or the next strategy's turn."""
    from deepmerge import STRATEGY_END

    word = later.get("$patch")
    if word == "delete":
        return None
    return {key: value for key, value in later.items() if key != "$patch"} if word == "replace" else STRATEGY_END


def _placed(data: Any, said: Sequence[Tree]) -> Tree | None:
    """Merged data as a tree; None where nothing is there. `said` are the trees that say something here, the last one last."""
    said = said[_after_last(_is_gone, said) :]
    if not said:
        return None
    found = _placed_map(data, said) if isinstance(data, dict) else without_directives(said[-1])
    # What held nothing but nulls is not there either, unless something was there before.
    return found if found or isinstance(found, Leaf) or not said[0] or len(said) > 1 else None


def _placed_map(data: dict[str, Any], said: Sequence[Tree]) -> Map:
    counts = [tree for tree in said[_after_last(_stands_alone, said[1:]) :] if isinstance(tree, Map)]
    inner = {}
    for key, value in data.items():
        found = _placed(value, [tree[key] for tree in counts if key in tree]) if key != "$patch" else None
        if found is not None:
            inner[key] = found
    return Map(inner, counts[0].origin)


def _after_last(holds: Callable[[Tree], bool], said: Sequence[Tree]) -> int:
    return max((number for number, tree in enumerate(said, 1) if holds(tree)), default=0)


def _is_gone(tree: Tree) -> bool:
    """Whether a tree takes back what was said before."""
    return (
        scalar(tree, "$patch") == "delete" if isinstance(tree, Map) else isinstance(tree, Leaf) and tree.value is None
    )


def _stands_alone(tree: Tree) -> bool:
    """Whether a tree, said later, replaces what was said before."""
    return not isinstance(tree, Map) or "$patch" in tree
