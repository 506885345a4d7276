"""Items of lists that patches of the user made where they most likely meant to change one that was there."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.objects import Object
from dynagen.diagnostics import KeyPath, path_text, shortened
from dynagen.schema.sets import Schema
from dynagen.trees.growing import KEYS
from dynagen.trees.nodes import List, find_exactly, scalar

_LONGEST = 80


def hint_of_item(subject: Object, schema: Schema, path: KeyPath, missing: str) -> str:
    """What to do about `missing`, which an item at `path` does not have; empty where no patch made the item."""
    if not subject.manifest.changes or not path or not isinstance(path[-1], int):
        return ""
    items, node = find_exactly(subject.manifest.tree, path[:-1]), schema.root.at(path[:-1])
    if not isinstance(items, List):
        return ""
    keys = (node.merge_keys if node else ()) or KEYS.get(path[-2], ())
    if missing in keys:
        return _named(missing, [str(scalar(item, missing)) for item in items if scalar(item, missing) is not None])
    for depth in range(len(path) - 1, 0, -1):
        whole = find_exactly(subject.manifest.tree, path[:depth])
        if isinstance(whole, List) and isinstance(whole.replaced, List):
            return _replaced(path[:depth], whole.replaced, missing)
    return ""


def _replaced(path: KeyPath, before: List, key: str) -> str:
    known = [str(scalar(item, key)) for item in before if scalar(item, key) is not None]
    had = f"; it had {key}: {_shown(known)}" if known else ""
    return f"a patch replaces '{path_text(path)}' as a whole, for its items have no key: write each in full{had}"


def _named(key: str, known: Sequence[str]) -> str:
    if not known:
        return ""
    return f"items of this list are told apart by '{key}': say it to change the one of {_shown(known)}"


def _shown(known: Sequence[str]) -> str:
    return shortened(", ".join(known), _LONGEST)
