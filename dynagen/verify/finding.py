"""One mistake inside one object, before anybody knows which object that is and where it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import KeyPath


class Finding:
    """What a rule yields. Unpacked it is what `report` of a pod template, a component or a graph takes after the code."""

    __slots__ = ("hint", "message", "path", "severity")

    def __init__(self, path: KeyPath, message: str, hint: str = "", severity: str = "error") -> None:
        self.path, self.message, self.hint, self.severity = path, message, hint, severity

    def __iter__(self) -> Iterator[Any]:
        return iter((self.path, self.message, self.hint, self.severity))
