"""One mistake inside one object, before anybody knows which object that is and where it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import KeyPath


class Fault:
    """`path` starts at the top of the object."""

    __slots__ = ("hint", "message", "path", "severity")

    def __init__(self, path: KeyPath, message: str, hint: str = "", severity: str = "error") -> None:
        self.path, self.message, self.hint, self.severity = path, message, hint, severity


Faults = Iterator[Fault]


def warning(path: KeyPath, message: str, hint: str = "") -> Fault:
    return Fault(path, message, hint, "warning")


def items(tree: dict[str, Any], key: str, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """The items of a list that may be missing, each with its path; those of a map by key."""
    value = tree.get(key) or ()
    for index, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key, index), item
