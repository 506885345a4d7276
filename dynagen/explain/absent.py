"""Documents of layers that do not count, and a leaf in; which of them would change it, and what would let them count out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.diagnostics import Given, KeyPath
from dynagen.explain.causes import Causes, Paths
from dynagen.explain.steps import Steps
from dynagen.language.cel import ExpressionError
from dynagen.layers.finding import Layer
from dynagen.layers.rendering import Skipped
from dynagen.manifests.building import Manifest
from dynagen.origins.influence import Influence
from dynagen.trees.nodes import Leaf


class AbsentFiles:
    def __init__(self, skipped: Sequence[Skipped], layers: Sequence[Layer], causes: Causes, steps: Steps) -> None:
        self._skipped, self._layers, self._causes, self._steps = skipped, layers, causes, steps

    def that_would_change(self, leaf: Leaf, manifest: Manifest, path: KeyPath) -> Iterator[tuple[Given, Paths]]:
        """Why each does not count that comes after the file that set the leaf, and the paths that would change that."""
        steps = self._steps.of(manifest, path)
        mine = self._turn(leaf.origin.written.file)
        for document, given in self._skipped:
            if self._turn(document.file) >= mine and _may_touch(document.data, manifest, steps):
                paths = self._paths_that_touch(document.data, given, manifest, steps, leaf.value)
                if paths:
                    yield given, paths

    def _paths_that_touch(
        self, document: Any, given: Given, manifest: Manifest, steps: Sequence[Any], value: Any
    ) -> Paths:
        found: Paths = {}
        for change, for_item in self._causes.awakened(given):
            touch = _Touch(self._causes.influence, for_item, change.values)
            if change.path not in found and touch.changes(document, manifest, steps, value):
                found[change.path] = None
        return found

    def _turn(self, file: str) -> tuple[int, int, str]:
        """When a file of a layer has its turn: as in compile_profile."""
        for number, layer in enumerate(self._layers):
            if file.startswith(f"{layer.shown}/"):
                rest = file.removeprefix(f"{layer.shown}/")
                folder = rest.split("/", 1)[0]
                if folder == "common":
                    return (-1, number, rest)
                return (1, number, rest) if folder == "overrides" else (0, number, f"{folder != 'resources':d}{rest}")
        return (2, 0, file)  # a profile


class _Touch:
    """What a document of a layer would do under other values."""

    def __init__(self, influence: Influence, given: Given, values: Mapping[str, Any]) -> None:
        self._influence, self._given, self._values = influence, given, values

    def changes(self, document: Any, manifest: Manifest, steps: Sequence[Any], value: Any) -> bool:
        """Whether the value at the end of `steps` would be another one."""
        try:
            return all(
                wanted is None or self._scalar(wanted) == found for wanted, found in _identity(document, manifest)
            ) and self._reaches(document, steps, value)
        except (ExpressionError, LookupError, TypeError):
            return False  # it cannot be built then, so it changes nothing

    def _reaches(self, node: Any, steps: Sequence[Any], value: Any) -> bool:
        node = self._scalar(node)
        if not steps:
            return bool(node != value)
        step = steps[0]
        if isinstance(node, dict):
            return "$patch" in node or (step in node and self._reaches(node[step], steps[1:], value))
        if isinstance(node, list) and isinstance(step, dict):
            items = [item for item in node if all(self._scalar(item.get(key)) == step[key] for key in step)]
            return bool(items) and self._reaches(items[0], steps[1:], value)
        return True  # a list that is replaced, or a scalar in place of what was there

    def _scalar(self, value: Any) -> Any:
        text = isinstance(value, str) and "${" in value
        return self._influence.evaluate(value, self._given, self._values) if text else value


def _may_touch(node: Any, manifest: Manifest, steps: Sequence[Any]) -> bool:
    """Whether a document could reach the end of `steps`, whatever its expressions say."""
    if not isinstance(node, dict):
        return False
    if any(isinstance(said, str) and "${" not in said and said != own for said, own in _identity(node, manifest)):
        return False
    for step in steps:
        if not isinstance(node, dict) or "$patch" in node:
            return True
        if step not in node:
            return False
        node = node[step]
    return True


def _identity(document: Any, manifest: Manifest) -> list[tuple[Any, str]]:
    """What a document says of the object it is for, and what that object says."""
    metadata = document.get("metadata")
    return [
        (document.get("apiVersion"), manifest.api_version),
        (document.get("kind"), manifest.kind),
        (metadata.get("name") if isinstance(metadata, dict) else None, manifest.name),
    ]
