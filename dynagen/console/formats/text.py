"""Diagnostics -> text, as compilers print them: place, code, message, the source line with a caret, a hint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynagen.console.outcome import Lines, Outcome, summary
from dynagen.diagnostics import Diagnostic, Position

_MAX_LINE = 160
# Findings at a line that holds what nobody should see: a token.
_WITHOUT_LINE = frozenset({"DG478"})


def render(outcome: Outcome) -> str:
    """Silenced diagnostics are counted only."""
    diagnostics = outcome.diagnostics
    shown = [diagnostic for diagnostic in diagnostics if diagnostic.silenced is None]
    counted = summary(diagnostics)
    return to_text(shown, outcome.texts) + (f"{counted}\n" if counted else "")


def to_text(diagnostics: Sequence[Diagnostic], texts: Mapping[str, str]) -> str:
    """`texts` holds the text of each file that positions may name; without it no source line is shown."""
    lines = Lines(texts)
    return "".join(_one(diagnostic, lines) for diagnostic in diagnostics)


def _one(diagnostic: Diagnostic, known: Lines) -> str:
    lines = [f"{_place(diagnostic.at)}: {diagnostic.severity}[{diagnostic.code}] {printable(diagnostic.message)}"]
    lines += _source_line(diagnostic.at, known) if diagnostic.code not in _WITHOUT_LINE else []
    for words, at in diagnostic.related:
        lines.append(f"  {_place(at)}: {printable(words)}")
    if diagnostic.hint:
        first, *others = diagnostic.hint.split("\n")
        lines += [f"  hint: {printable(first)}", *(f"    {printable(line)}" for line in others)]
    return "\n".join(lines) + "\n"


def _place(at: Position) -> str:
    shown = at.file if at.file.startswith("--") else str(at)
    # A line that begins with `::` would be a command to whoever runs this; so written, the path is the same.
    return printable(f"./{shown}" if shown.lstrip().startswith("::") else shown)


def _source_line(at: Position, known: Lines) -> list[str]:
    line = known.at(at)
    if line is None:
        return []
    start = max(0, at.column - _MAX_LINE // 2) if len(line) > _MAX_LINE else 0
    shown = line[start : start + _MAX_LINE].replace("\t", " ")
    column = at.column - 1 - start
    width = max(1, min(at.width or 1, len(shown) - column))
    number = f"{at.line:>5}"
    return [f"{number} | {printable(shown)}", f"{' ' * len(number)} | {' ' * column}^{'~' * (width - 1)}"]


def printable(text: str) -> str:
    """Neither a terminal nor a CI system must be steered by somebody's YAML. As long as before."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return without_commands(text)


def in_json(text: str) -> str:
    """A text of JSON in which no CI system finds a command; it means the same."""
    return text.replace("##", "#\\u0023") if "##" in text else text


def without_commands(line: str) -> str:
    """A line that no CI system takes for a command to itself; as long as before.

    `::` counts at the beginning of a line, blanks aside, `##[` and `##vso[` anywhere.
    Source: src/Runner.Common/ActionCommand.cs of actions/runner; src/Microsoft.VisualStudio.Services.Agent, Command.cs of
    microsoft/azure-pipelines-agent.
    """
    if "##" in line:
        line = line.replace("##[", "#\N{REPLACEMENT CHARACTER}[")
        lower = line.lower()
        while (at := lower.find("##vso[")) >= 0:
            line = f"{line[:at]}#\N{REPLACEMENT CHARACTER}{line[at + 2 :]}"
            lower = line.lower()
    begin = len(line) - len(line.lstrip())
    return f"{line[:begin]}:\N{REPLACEMENT CHARACTER}{line[begin + 2 :]}" if line.startswith("::", begin) else line
