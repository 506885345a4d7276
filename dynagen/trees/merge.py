"""Strategic merge of trees that know where every value came from. The door to deepmerge.

Maps merge; `null` deletes; `$patch: replace|delete` as in kustomize
(https://kubectl.docs.kubernetes.io/references/kustomize/glossary/#patchstrategicmerge). A list merges by key when the
schema of its field names one, otherwise the later list replaces the earlier one. Nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dynagen.diagnostics import KeyPath, Origin
from dynagen.trees.nodes import Leaf, List, Map, Tree, to_data

if TYPE_CHECKING:
    from dynagen.schema.sets import Node


_DELETED = Leaf(None, None)  # type: ignore[arg-type]  # never leaves this module


class Conflict(NamedTuple):
    """A mapping or a list in whose place a patch puts something of another kind."""

    path: KeyPath
    base: Tree
    patch: Tree


def merge(
    base: Map, patch: Map, schema: Node | None, conflicts: list[Conflict] | None = None, plain: bool = False
) -> Map:
    """`patch` over `base`, as a new tree. `schema` is the schema of both; None merges every list by replacing it.

    `conflicts` is told what a patch most likely did not mean; the patch wins all the same. A `plain` patch is known to
    hold neither null nor `$patch`.
    """
    result = _merger(schema, [] if conflicts is None else conflicts, plain).merge(base, patch)
    return Map({}, patch.origin) if result is _DELETED else result


DIRECTIVES = ("replace", "delete")


def is_plain(value: Any) -> bool:
    """Whether plain data holds neither null nor `$patch`."""
    if isinstance(value, dict):
        return "$patch" not in value and all(map(is_plain, value.values()))
    return all(map(is_plain, value)) if isinstance(value, list) else value is not None


def unknown_directives(tree: Tree) -> Iterator[tuple[Any, Origin]]:
    """What stands behind `$patch` and is none of its words, with its origin."""
    if isinstance(tree, dict) and "$patch" in tree:
        leaf = tree["$patch"]
        word = to_data(leaf)
        if word not in DIRECTIVES:
            yield word, leaf.origin
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        if not isinstance(inner, Leaf):
            yield from unknown_directives(inner)


def without_directives(tree: Tree) -> Tree:
    """A tree that stands alone: `null` is not there, nor is `$patch`, nor what held nothing else."""
    if isinstance(tree, dict):
        kept: dict[str, Tree] = {}
        for key, inner in tree.items():
            if key == "$patch" or _directive(inner) == "delete":
                continue
            if isinstance(inner, Leaf):
                if inner.value is not None:
                    kept[key] = inner
                continue
            clean = without_directives(inner)
            if not _vanished(inner, clean):
                kept[key] = clean
        return Map(kept, tree.origin)
    if isinstance(tree, list):
        items = [item for item in tree if _directive(item) is None or len(item) > 1]
        return List([without_directives(item) for item in items if _directive(item) != "delete"], tree.origin)
    return tree


def _merger(schema: Node | None, conflicts: list[Conflict], plain: bool) -> Any:
    merger = _shared_merger()
    merger.schema, merger.conflicts, merger.plain = schema, conflicts, plain
    return merger


@cache
def _shared_merger() -> Any:
    """deepmerge's merger, which its strategies can ask for the schema of a place, and tell what does not go together.

    One for all: no strategy begins another merge.
    """
    from deepmerge import Merger

    class SchemaMerger(Merger):
        schema: Node | None = None
        conflicts: list[Conflict]
        plain = False

        def node(self, path: list[str | int]) -> Node | None:
            return self.schema.at(path) if self.schema else None

    return SchemaMerger([(dict, _merge_maps), (list, _merge_lists), (Leaf, _override)], ["override"], [_conflict])


def _conflict(config: Any, path: list[Any], base: Tree, patch: Tree) -> Tree:
    if base and not isinstance(base, Leaf):
        config.conflicts.append(Conflict(tuple(path), base, patch))
    return _override(config, path, base, patch)


def _override(config: Any, path: list[Any], base: Tree, patch: Tree) -> Tree:
    if isinstance(patch, Leaf):
        return Leaf(patch.value, patch.origin, base)
    fresh = patch if config.plain else without_directives(patch)
    return (Map if isinstance(fresh, Map) else List)(fresh, fresh.origin, base)


def _merge_maps(config: Any, path: list[Any], base: Map, patch: Map) -> Tree:
    directive = _directive(patch)
    if directive == "delete":
        return _DELETED
    if directive == "replace":
        return _override(config, path, base, patch)
    merged = Map(base, base.origin, base.replaced)
    if config.plain:
        for key, value in patch.items():
            here = merged.get(key)
            merged[key] = value if here is None else config.value_strategy([*path, key], here, value)
        return merged
    for key, value in patch.items():
        if _is_null(value):
            merged.pop(key, None)
        elif key in merged:
            result = config.value_strategy([*path, key], merged[key], value)
            if result is _DELETED:
                del merged[key]
            else:
                merged[key] = result
        elif _directive(value) != "delete":
            clean = without_directives(value)
            if not _vanished(value, clean):
                merged[key] = clean
    return merged


def _merge_lists(config: Any, path: list[Any], base: List, patch: List) -> Tree:
    if any(_directive(item) == "replace" and len(item) == 1 for item in patch):
        return _override(config, path, base, patch)
    node = config.node(path)
    keys = node.merge_keys if node else ()
    if not keys:
        return _override(config, path, base, patch)
    item_node = node.child(0)
    merged = List(base, base.origin, base.replaced)
    index = {_identity(item, keys, item_node): number for number, item in enumerate(merged)}
    deleted, seen = set(), set()
    for item in patch:
        identity = _identity(item, keys, item_node)
        if identity in seen and _directive(item) is None:
            merged.append(without_directives(item))  # twice in one patch: stays so, to be found (DG213)
            continue
        if identity is not None and _directive(item) is None:
            seen.add(identity)
        if identity is None or identity not in index:
            if _directive(item) != "delete":
                index[identity] = len(merged)
                merged.append(without_directives(item))
            continue
        number = index[identity]
        result = config.value_strategy([*path, number], merged[number], item)
        if result is _DELETED:
            deleted.add(number)
        else:
            merged[number] = result
    return List([item for number, item in enumerate(merged) if number not in deleted], merged.origin, merged.replaced)


def _identity(item: Tree, keys: tuple[str, ...], node: Node | None) -> tuple[Any, ...] | None:
    """The values of the list's keys in an item, defaults of the schema filled in; None if one is missing."""
    if not isinstance(item, Mapping):
        return None
    values = []
    for key in keys:
        value = item.get(key)
        if isinstance(value, Leaf):
            values.append(value.value)
            continue
        child = node.child(key) if node else None
        default = child.default if child else None
        if default is None:
            return None
        values.append(default)
    return tuple(values)


def _directive(tree: Tree) -> str | None:
    if isinstance(tree, dict) and isinstance(leaf := tree.get("$patch"), Leaf):
        return str(leaf.value)
    return None


def _vanished(before: Tree, after: Tree) -> bool:
    """Whether a container held nothing but nulls and directives: then it is not there either."""
    return not isinstance(after, Leaf) and bool(before) and not after


def _is_null(tree: Tree) -> bool:
    return isinstance(tree, Leaf) and tree.value is None
