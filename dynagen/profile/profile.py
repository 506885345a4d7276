"""A checked profile: what every later stage reads."""

from __future__ import annotations

from typing import Any

from dynagen.diagnostics import KeyPath, Position
from dynagen.trees.nodes import Map, find, find_exactly, to_data


class Profile:
    """A checked profile: plain data with all defaults, and where each value was written."""

    def __init__(self, tree: Map, default_files: frozenset[str]) -> None:
        """`default_files` are the files of layers and schemas that values may come from."""
        self.tree = tree
        self.data: dict[str, Any] = to_data(tree)
        self._default_files = default_files

    def written(self, path: KeyPath) -> Position | None:
        """Where the value at `path` was written in a profile's file; None when it is a default or not there at all."""
        found = find_exactly(self.tree, path)
        return None if found is None or found.origin.written.file in self._default_files else found.origin.written

    def value(self, path: KeyPath) -> Any:
        """The plain data at `path`, which must be there."""
        found: Any = self.data
        for key in path:
            found = found[key]
        return found

    def at(self, path: KeyPath = ()) -> Position:
        """Where the value at `path`, or its nearest ancestor, was written."""
        return find(self.tree, path).origin.written
