"""The outcome as JSON: what schemas/check.json describes. Its `version` changes when a key changes its meaning or goes."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from dynagen.console.formats.text import in_json
from dynagen.console.outcome import Outcome, counts
from dynagen.diagnostics import Diagnostic, Position

VERSION = 1


def render(outcome: Outcome) -> str:
    diagnostics = outcome.diagnostics
    found = counts(diagnostics)
    data = {
        "version": VERSION,
        "dynagen": version("dynagen"),
        "files": [checked.file for checked in outcome.checked],
        "findings": [_diagnostic(diagnostic) for diagnostic in diagnostics],
        "summary": {
            "files": len(outcome.checked),
            "errors": found["error"],
            "warnings": found["warning"],
            "notes": found["note"],
            "silenced": found["silenced"],
        },
    }
    return in_json(json.dumps(data, indent=2)) + "\n"


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **_place(diagnostic.at),
        "hint": diagnostic.hint or None,
        "related": [{"message": words, **_place(at)} for words, at in diagnostic.related],
        "silenced": diagnostic.silenced,
    }


def _place(at: Position) -> dict[str, Any]:
    return {"file": at.file, "line": at.line, "column": at.column, "endColumn": at.column + max(at.width, 1)}
