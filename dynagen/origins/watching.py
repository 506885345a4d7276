"""Facts in, the same out, with a note of each leaf that is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynagen.diagnostics import KeyPath


class Watched(Mapping[str, Any]):
    """Notes in `seen` the paths of leaves. No dict: `{**facts}` would not ask for them."""

    def __init__(self, facts: Mapping[str, Any], path: KeyPath, seen: dict[KeyPath, None]) -> None:
        self._facts, self._path, self._seen = facts, path, seen

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def _watched(self, key: Any, value: Any) -> Any:
        path = (*self._path, key)
        if isinstance(value, Mapping):
            return Watched(value, path, self._seen)
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            return [
                Watched(item, (*path, index), self._seen) if isinstance(item, Mapping) else item
                for index, item in enumerate(value)
            ]
        self._seen[path] = None
        return value

    def __getitem__(self, key: str) -> Any:
        return self._watched(key, self._facts[key])
