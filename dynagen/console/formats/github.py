"""The outcome as workflow commands, which GitHub shows as annotations at the lines of a pull request.

Source: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions ("Setting an error message");
the escapes are those of packages/core/src/command.ts of actions/toolkit.
"""

from __future__ import annotations

from dynagen.console.formats.text import without_commands
from dynagen.console.outcome import Outcome, names_a_file
from dynagen.diagnostics import Diagnostic

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(outcome: Outcome) -> str:
    """Silenced diagnostics are left out: there is nothing to do about them."""
    return "".join(_command(diagnostic) for diagnostic in outcome.diagnostics if diagnostic.silenced is None)


def _command(diagnostic: Diagnostic) -> str:
    at = diagnostic.at
    properties: dict[str, object] = {}
    if names_a_file(at.file):
        properties = {"file": at.file, "line": at.line, "col": at.column, "endColumn": at.column + max(at.width, 1)}
    properties["title"] = diagnostic.code
    lines = [diagnostic.message]
    lines += [f"{words}: {place}" for words, place in diagnostic.related]
    lines += [f"hint: {diagnostic.hint}"] if diagnostic.hint else []
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{_COMMANDS[diagnostic.severity]} {listed}::{_data(chr(10).join(lines))}\n"


def _data(text: str) -> str:
    """Escaped; what else does not print would steer the terminal of whoever reads the log, and a command the log itself."""
    text = "".join(each if each.isprintable() or each in "\r\n" else "\N{REPLACEMENT CHARACTER}" for each in text)
    return without_commands(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
