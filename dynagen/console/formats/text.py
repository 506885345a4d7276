"""Diagnostics -> text, as compilers print them: place, code, message, the source line with a caret, a hint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynagen.console.outcome import Lines, Outcome, summary
from dynagen.diagnostics import Diagnostic, Position, masked

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
    return printable(at.file if at.file.startswith("--") else str(at))


def _source_line(at: Position, known: Lines) -> list[str]:
    found = known.at(at)
    if found is None:
        return []
    line = masked(found)
    start = max(0, at.column - _MAX_LINE // 2) if len(line) > _MAX_LINE else 0
    shown = line[start : start + _MAX_LINE].replace("\t", " ")
    column = at.column - 1 - start
    width = max(1, min(at.width or 1, len(shown) - column))
    number = f"{at.line:>5}"
    return [f"{number} | {printable(shown)}", f"{' ' * len(number)} | {' ' * column}^{'~' * (width - 1)}"]


def printable(text: str) -> str:
    """A terminal must not be steered by somebody's YAML."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
