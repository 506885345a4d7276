"""What patches take away, and whether it was there: a word that deletes and finds nothing is most likely misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dynagen.diagnostics import KeyPath, Position
from dynagen.trees.nodes import Leaf, Tree


class Miss(NamedTuple):
    """A deletion that found nothing: of what, and what there is beside it."""

    path: KeyPath
    name: str
    known: tuple[str, ...]


class Deletions:
    """Deletions of one compilation by the place where they are written: one that finds something once is meant."""

    def __init__(self) -> None:
        self._hits: set[Position] = set()
        self._misses: dict[Position, Miss] = {}

    def hit(self, patch: Tree) -> None:
        for at in _written(patch):
            self._hits.add(at)

    def miss(self, patch: Tree, path: KeyPath, name: str, known: Iterable[str]) -> None:
        for at in _written(patch):
            self._misses.setdefault(at, Miss(path, name, tuple(known)))

    def miss_inside(self, patch: Tree, path: KeyPath) -> None:
        """All that a patch would take away of what it adds itself."""
        for key, inner in patch.items() if isinstance(patch, dict) else ():
            if key != "$patch":
                self.miss(inner, (*path, key), str(key), ())
                self.miss_inside(inner, (*path, key))
        for item in patch if isinstance(patch, list) else ():
            name = item.get("name") if isinstance(item, dict) else None
            self.miss(item, path, str(name.value) if isinstance(name, Leaf) else "", ())
            self.miss_inside(item, path)

    @property
    def missed(self) -> Iterator[tuple[Position, Miss]]:
        return ((at, miss) for at, miss in self._misses.items() if at not in self._hits)


def _written(patch: Tree) -> Iterator[Position]:
    """Where a deletion is written. A null that an expression came to says that there is nothing to say: it is none."""
    leaf = patch.get("$patch") if isinstance(patch, dict) else patch
    if not isinstance(leaf, Leaf) or leaf.origin.expression:
        return
    if leaf.value is None or (leaf.value == "delete" and isinstance(patch, dict)):
        yield leaf.origin.written
