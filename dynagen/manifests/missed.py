"""Patches that would take away what is not there."""

from __future__ import annotations

from dynagen.diagnostics import Report, closest, path_text
from dynagen.trees.deletions import Deletions


def report_missed(deletions: Deletions, report: Report) -> None:
    """Reports DG620."""
    for at, (path, name, known) in deletions.missed:
        near = closest(name, known) if name else None
        hint = f"did you mean '{near}'?" if near else "leave it out, or put it under a 'when' that says where it counts"
        message = (
            f"'{path_text(path)}' is not there"
            if path[-1:] == (name,)
            else f"there is no '{name}' in '{path_text(path)}'"
        )
        report.add("DG620", f"{message}, so nothing is taken away", at, hint, severity="warning")
