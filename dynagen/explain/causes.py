"""A leaf, or why a file counts, in; the paths of the profile and of facts that it follows from out. Asks each thing once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any

from dynagen.compiler import Compilation, influence_on
from dynagen.diagnostics import Given, KeyPath, Origin
from dynagen.explain.steps import Steps, walk
from dynagen.language.cel import ExpressionError
from dynagen.manifests.building import Manifest
from dynagen.origins.changes import Change
from dynagen.origins.influence import Influence
from dynagen.trees.nodes import Leaf, Tree

Paths = dict[KeyPath, None]


class Causes:
    def __init__(self, compilation: Compilation, steps: Steps) -> None:
        self._compilation, self._steps = compilation, steps
        self._known: dict[Any, Paths] = {}
        self._awake: dict[Any, list[tuple[Change, Given]]] = {}

    @cached_property
    def influence(self) -> Influence:
        """Made with the first question: some hundred plans."""
        return influence_on(self._compilation)

    def of_value(self, leaf: Leaf, manifest: Manifest | None = None, path: KeyPath = ()) -> Paths:
        """What the value of a leaf follows from. `path` is its place in a manifest, if it stands in one."""
        origin = leaf.origin
        if not origin.expression:
            return {}
        nodes = list(_nodes(manifest.tree, path)) if manifest is not None else []
        first = next((number for number, node in enumerate(nodes) if node.origin is origin), len(nodes) - 1)
        if manifest is None or first == len(nodes) - 1:
            return self._of_part(origin, ())
        # A map or a list came out of one expression: only the part that became this leaf counts.
        keys = [self._steps.step(manifest, path[:depth], path[depth]) for depth in range(first, len(path))]
        item = [self._steps.step(manifest, path[: first - 1], path[first - 1])] if first else []
        for inside in (keys, [*item, *keys]):
            try:
                value = self.influence.evaluate(origin.expression, origin.given, self._compilation.values)
                if walk(value, inside) == leaf.value:
                    return self._of_part(origin, inside)
            except (ExpressionError, LookupError, TypeError):
                continue
        return self._of_part(origin, ())

    def _of_part(self, origin: Origin, steps: Sequence[Any]) -> Paths:
        key = (origin.expression, _reason(origin.given), repr(steps))
        if key not in self._known:
            part = partial(walk, steps=steps)
            self._known[key] = self.influence.of_expression(origin.expression, origin.reads, origin.given, part)
        return self._known[key]

    def of_presence(self, given: Given | None) -> Paths:
        """What takes a file away, or the item of its loop."""
        if given is None:
            return {}
        key = _reason(given)
        if key not in self._known:
            self._known[key] = self.influence.of_presence(given)
        return self._known[key]

    def awakened(self, given: Given) -> list[tuple[Change, Given]]:
        """For which changes a file that does not count would count."""
        key = _reason(given)
        if key not in self._awake:
            self._awake[key] = list(self.influence.awakened(given))
        return self._awake[key]


def _reason(given: Given | None) -> Any:
    """What tells reasons apart: an item is told by its number, and need not be hashed."""
    return given and (given.when, given.loop, given.variable, given.number)


def _nodes(tree: Tree, path: KeyPath) -> Iterator[Tree]:
    """The nodes on a path, from the root to its end."""
    yield tree
    for key in path:
        tree = tree[key]  # type: ignore[index]
        yield tree
