"""Strategic merge of trees that know where every value came from.

Maps merge; `null` deletes; `$patch: replace|delete` as in kustomize
(https://kubectl.docs.kubernetes.io/references/kustomize/glossary/#patchstrategicmerge). A list merges by key when the
schema of its field names one. `- $patch: append` or `prepend`, an item of its own, adds the others to what is there,
`replace` takes its place. Without such an item a few lists of pods grow (`growing`), and any other is replaced. Nothing is
changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dynagen.diagnostics import KeyPath
from dynagen.trees.deletions import Deletions
from dynagen.trees.directives import directive, is_null, list_directive, vanished, without_directives
from dynagen.trees.growing import KEYS, grow
from dynagen.trees.nodes import Leaf, List, Map, Tree

if TYPE_CHECKING:
    from dynagen.schema.sets import Node


_DELETED = Leaf(None, None)  # type: ignore[arg-type]  # never leaves this module


class Conflict:
    """A mapping or a list in whose place a patch puts something of another kind."""

    __slots__ = ("base", "patch", "path")

    def __init__(self, path: KeyPath, base: Tree, patch: Tree) -> None:
        self.path, self.base, self.patch = path, base, patch


def merge(
    base: Map,
    patch: Map,
    schema: Node | None,
    conflicts: list[Conflict] | None = None,
    plain: bool = False,
    deletions: Deletions | None = None,
) -> Map:
    """`patch` over `base`, as a new tree. `schema` is the schema of both; None merges every list by replacing it.

    `conflicts` is told what a patch most likely did not mean; the patch wins all the same. `deletions` is told what the patch
    takes away. A `plain` patch is known to hold neither null nor `$patch`.
    """
    result = _Merge([] if conflicts is None else conflicts, plain, deletions or Deletions()).maps(
        (), base, patch, schema
    )
    return result if isinstance(result, Map) else Map({}, patch.origin)


class _Merge:
    """One merge: what it tells of conflicts, and whether its patch is known to be plain."""

    __slots__ = ("_conflicts", "_deletions", "_plain")

    def __init__(self, conflicts: list[Conflict], plain: bool, deletions: Deletions) -> None:
        self._conflicts, self._plain, self._deletions = conflicts, plain, deletions

    def values(self, path: KeyPath, base: Tree, patch: Tree, node: Node | None) -> Tree:
        """What becomes of the value at a path whose place in the schema is `node`."""
        if not self._plain and (is_null(patch) or directive(patch) == "delete"):
            self._deletions.hit(patch)
            return _DELETED
        if isinstance(base, Map) and isinstance(patch, Map):
            return self.maps(path, base, patch, node)
        if isinstance(base, List) and isinstance(patch, List):
            return self._lists(path, base, patch, node)
        if base and not isinstance(base, Leaf):
            self._conflicts.append(Conflict(path, base, patch))
        return self._instead(base, patch)

    def _instead(self, base: Tree, patch: Tree) -> Tree:
        if isinstance(patch, Leaf):
            return Leaf(patch.value, patch.origin, base)
        fresh = patch if self._plain else without_directives(patch)
        return (Map if isinstance(fresh, Map) else List)(fresh, fresh.origin, base)

    def maps(self, path: KeyPath, base: Map, patch: Map, node: Node | None) -> Tree:
        word = directive(patch)
        if word == "delete":
            return _DELETED
        if word == "replace":
            return self._instead(base, patch)
        merged = Map(base, base.origin, base.replaced)
        for key, value in patch.items():
            here = base.get(key)
            if here is None:
                self._add(merged, key, value, path)
            elif isinstance(value, Leaf) and isinstance(here, Leaf) and value.value is not None:
                merged[key] = Leaf(value.value, value.origin, here)
            else:
                merged[key] = self.values((*path, key), here, value, node.child(key) if node else None)
                if merged[key] is _DELETED:
                    del merged[key]
        return merged

    def _add(self, merged: Map, key: str, value: Tree, path: KeyPath) -> None:
        if self._plain:
            merged[key] = value
        elif is_null(value) or directive(value) == "delete":
            self._deletions.miss(value, (*path, key), key, merged)
        else:
            self._deletions.miss_inside(value, (*path, key))
            clean = without_directives(value)
            if not vanished(value, clean):
                merged[key] = clean

    def _lists(self, path: KeyPath, base: List, patch: List, node: Node | None) -> Tree:
        word = None if self._plain else list_directive(patch)
        if word in ("append", "prepend"):
            fresh: Any = without_directives(patch)
            return List([*base, *fresh] if word == "append" else [*fresh, *base], base.origin, base.replaced)
        keys = node.merge_keys or KEYS.get(path[-1], ()) if node else ()
        if node and not keys and word is None and (grown := grow(path[-1], base, patch)) is not None:
            return List(grown, base.origin, base.replaced)
        if not node or not keys or word == "replace":
            return self._instead(base, patch)
        below = node.child(0)
        merged = List(base, base.origin, base.replaced)
        index = {_identity(item, keys, below): number for number, item in enumerate(merged)}
        deleted, seen = set(), set()
        for item in patch:
            identity, own = _identity(item, keys, below), directive(item)
            if identity in seen and own is None:
                merged.append(without_directives(item))  # twice in one patch: stays so, to be found (DG213)
                continue
            if identity is not None and own is None:
                seen.add(identity)
            if identity is None or identity not in index:
                if own == "delete":
                    known = (str(each[0]) for each in index if each)
                    self._deletions.miss(item, path, str(identity[0]) if identity else "", known)
                else:
                    self._deletions.miss_inside(item, (*path, len(merged)))
                    index[identity] = len(merged)
                    merged.append(without_directives(item))
                continue
            number = index[identity]
            result = self.values((*path, number), merged[number], item, below)
            if result is _DELETED:
                deleted.add(number)
            else:
                merged[number] = result
        if not deleted:
            return merged
        kept = [item for number, item in enumerate(merged) if number not in deleted]
        return List(kept, merged.origin, merged.replaced)


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
