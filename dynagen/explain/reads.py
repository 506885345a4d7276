"""Paths that a value follows from in, what stands there and where it is written out: of the profile, its defaults, facts."""

from __future__ import annotations

from collections.abc import Iterable

from dynagen.diagnostics import KeyPath, Report
from dynagen.explain.explained import Read
from dynagen.profile import Profile
from dynagen.profile.facts import fact_tree
from dynagen.profile.library import Library
from dynagen.profile.schema import default_place
from dynagen.trees.nodes import Map, Tree, find_exactly, to_data


class Reads:
    """Looks up each path once."""

    def __init__(self, profile: Profile, library: Library) -> None:
        self._profile, self._layers = profile, library.layers
        self._facts: dict[str, Map] = {}
        self._found: dict[KeyPath, Read] = {}

    def of(self, paths: Iterable[KeyPath]) -> list[Read]:
        return [self._read(path) for path in paths]

    def _read(self, path: KeyPath) -> Read:
        if path not in self._found:
            self._found[path] = self._look_up(path)
        return self._found[path]

    def _look_up(self, path: KeyPath) -> Read:
        if path[0] == "facts":
            found = self._fact(path[1:])
            return Read("fact", path, to_data(found), found.origin.written)
        value = find_exactly(self._profile.tree, path)
        if value is None:
            return Read("unset", path, None, None)
        at = self._profile.written(path)
        if at is not None:
            return Read("profile", path, to_data(value), at)
        return Read("default", path, to_data(value), default_place(path, value.origin.written, self._layers))

    def _fact(self, path: KeyPath) -> Tree:
        """A fact with its place. Those of models and flags are in files of their own, which are not read with the others."""
        for only in ("", f"facts/{path[0]}/{path[1]}.yaml" if len(path) > 1 else ""):
            if only not in self._facts:
                self._facts[only] = fact_tree(self._layers, Report(), only)
            if (found := find_exactly(self._facts[only], path)) is not None:
                return found
        return self._facts[""]
