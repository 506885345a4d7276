"""Steps of a path that hold whatever else is in a list: an item by the values of its keys, as its schema names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath
from dynagen.manifests.building import Manifest
from dynagen.schema.sets import Schemas
from dynagen.trees.nodes import Leaf, Map, find_exactly


class Steps:
    """A step is a key of a map, the number of an item, or what the item is told apart by: `{"name": "main"}`."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def of(self, manifest: Manifest, path: KeyPath) -> list[Any]:
        return [self.step(manifest, path[:depth], step) for depth, step in enumerate(path)]

    def step(self, manifest: Manifest, path: KeyPath, step: str | int) -> Any:
        """The step from `path`."""
        item = find_exactly(manifest.tree, (*path, step))
        if isinstance(step, int) and isinstance(item, Map):
            keys = self._merge_keys(manifest, path)
            if keys and all(isinstance(item.get(key), Leaf) for key in keys):
                return {key: item[key].value for key in keys}
        return step

    def names(self, manifest: Manifest, path: KeyPath) -> Iterator[KeyPath]:
        """Where the values stand that tell the items of lists on a path apart."""
        for depth, step in enumerate(path):
            if isinstance(step, int):
                yield from ((*path[: depth + 1], key) for key in self._merge_keys(manifest, path[:depth]))

    def _merge_keys(self, manifest: Manifest, path: KeyPath) -> tuple[str, ...]:
        schema = self._schemas.find(manifest.api_version, manifest.kind)
        node = schema.root.at(path) if schema else None
        return node.merge_keys if node else ()


def walk(value: Any, steps: Sequence[Any]) -> Any:
    """The part of a value at the end of some steps. Raises LookupError when it has none, TypeError for another form."""
    for step in steps:
        value = _item(value, step)[step if isinstance(step, str) else 0]
    return value


def _item(value: Any, step: Any) -> Any:
    """What a step leads to, as a map or a list of one."""
    if isinstance(step, dict):
        return [item for item in value if all(item.get(key) == wanted for key, wanted in step.items())]
    return value if isinstance(step, str) else [value[step]]
