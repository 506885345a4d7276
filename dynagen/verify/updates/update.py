"""One object before and after an apply."""

from __future__ import annotations

from typing import Any

from dynagen.cluster.objects import Findings, Object
from dynagen.diagnostics import KeyPath


class Update:
    """`before` and `after` are the data of `old` and of what applying `new` makes of it, with what the server fills in."""

    __slots__ = ("after", "before", "new", "old")

    def __init__(self, old: tuple[Object, dict[str, Any]], new: tuple[Object, dict[str, Any]]) -> None:
        self.old, self.before = old
        self.new, self.after = new

    def report(
        self, findings: Findings, code: str, path: KeyPath, message: str, hint: str, severity: str = "error"
    ) -> None:
        places = [_written(each.data, path) for each in (self.new, self.old)]
        findings.add(code, self.new, places[0], message, hint, severity, also=[("before", self.old, places[1])])


def _written(data: dict[str, Any], path: KeyPath) -> KeyPath:
    """Where a value was written: a text of a Secret in `stringData`."""
    return ("stringData", *path[1:]) if path[0] == "data" and "stringData" in data else path
