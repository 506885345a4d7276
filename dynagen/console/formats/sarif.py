"""The outcome as SARIF 2.1.0, which code scanning of GitHub and others reads.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. Files are relative to %SRCROOT%, the folder
that `dynagen check` is called in. Columns count UTF-16 code units: what readers take for granted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dynagen.console.catalogue import codes, find_rule
from dynagen.console.formats.text import in_json
from dynagen.console.outcome import Lines, Outcome, names_a_file
from dynagen.diagnostics import STANDARD_INPUT, Diagnostic, Position


def render(outcome: Outcome) -> str:
    diagnostics, lines = outcome.diagnostics, Lines(outcome.texts)
    rules = sorted({diagnostic.code for diagnostic in diagnostics} & set(codes()))
    indices = {code: index for index, code in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "dynagen",
                "semanticVersion": version("dynagen"),
                "rules": [_rule(code) for code in rules],
            }
        },
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The folder that dynagen was called in."}}},
        "artifacts": [{"location": location} for location in _artifacts(checked.file for checked in outcome.checked)],
        "results": [_result(diagnostic, indices, lines) for diagnostic in diagnostics],
    }
    log = {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return in_json(json.dumps(log, indent=2)) + "\n"


def _rule(code: str) -> dict[str, Any]:
    rule = find_rule(code)
    parts = [rule.why, f"Fix: {rule.fix}", f"For example, wrong:\n\n{rule.bad}\n\nright:\n\n{rule.good}"]
    text = "\n\n".join([*parts, *([f"Source: {rule.source}"] if rule.source else [])])
    markdown = (
        f"{rule.why}\n\n**Fix:** {rule.fix}\n\nWrong:\n\n{_fenced(rule.bad)}\n\nRight:\n\n{_fenced(rule.good)}"
        + (f"\n\nSource: {rule.source}" if rule.source else "")
    )
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": rule.severity},
    }


def _fenced(example: str) -> str:
    return f"```yaml\n{example}\n```"


def _result(diagnostic: Diagnostic, indices: Mapping[str, int], lines: Lines) -> dict[str, Any]:
    reason = diagnostic.silenced
    words = diagnostic.message + (f"\nHint: {diagnostic.hint}" if diagnostic.hint else "")
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity,
        "message": {"text": words},
        "locations": [_location(diagnostic.at, lines)],
    }
    if diagnostic.code in indices:
        result["ruleIndex"] = indices[diagnostic.code]
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, **_location(at, lines), "message": {"text": said}}
            for number, (said, at) in enumerate(diagnostic.related)
        ]
    if reason is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": reason}]
    return result


def _artifacts(files: Iterable[str]) -> list[dict[str, Any]]:
    return [location for file in files if (location := _artifact(file))]


def _artifact(file: str) -> dict[str, Any] | None:
    """Where a file lies: relative to the current folder if it is below it. None for what is no file."""
    if not names_a_file(file):
        return None
    inside = os.path.relpath(_file_for(file))
    if Path(inside).parts[:1] == ("..",):
        return {"uri": "file://" + quote(os.fsencode(os.path.abspath(_file_for(file))))}  # noqa: PTH100  # links stay as they are
    # A colon in the first part would read as a scheme.
    return {"uri": quote(os.fsencode(Path(inside).as_posix())), "uriBaseId": "%SRCROOT%"}


def _file_for(name: str) -> str:
    """A file stands for its folder, the first one in it: GitHub refuses a result at a folder, and shows none at '.'."""
    if not os.path.isdir(name):  # noqa: PTH112  # links stay as they are
        return name
    for folder, folders, files in os.walk(name):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        if seen := sorted(each for each in files if not each.startswith(".")):
            return str(Path(folder, seen[0]))
    return str(Path(name, ".dynagen"))  # an empty one: what is said of it is shown all the same


def _location(at: Position, lines: Lines) -> dict[str, Any]:
    artifact = _artifact(at.file)
    if artifact is None:  # GitHub shows no result without a place in a file
        word = "stdin" if at.file == STANDARD_INPUT else "command-line"
        region = {"startLine": max(at.line, 1), "startColumn": max(at.column, 1)}
        return {
            "physicalLocation": {"artifactLocation": {"uri": word}, "region": region},
            "logicalLocations": [{"fullyQualifiedName": at.file}],
        }
    line = lines.at(at) or ""
    start, end = at.column - 1, at.column - 1 + max(at.width, 1)
    region = {
        "startLine": at.line,
        "startColumn": _units(line, start) + 1,
        "endColumn": _units(line, end) + 1,
    }
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _units(line: str, characters: int) -> int:
    """How many UTF-16 code units the first characters of a line are; what is not known of it counts one each."""
    if line.isascii():
        return characters
    return characters + sum(ord(character) > 0xFFFF for character in line[:characters])
