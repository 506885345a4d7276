"""What `check` found, file by file: what every output format is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dynagen.diagnostics import STANDARD_INPUT, Diagnostic, Position, Report
from dynagen.diagnostics.masks import masked


def names_a_file(file: str) -> bool:
    """False for what positions name beside files: an option of the command line, standard input."""
    return file != STANDARD_INPUT and not file.startswith("--")


# A profile and the layers' files that it was used with.
_AT_HAND = 4


class Lines:
    """The lines of the texts that positions name, without tokens.

    Much may be found in one text, and something in each of thousands: those at hand stay taken apart.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._lines: dict[str, list[str]] = {}

    def at(self, at: Position) -> str | None:
        """The line of a position, as long as it was written; None where nobody knows it."""
        if at.file not in self._lines:
            if len(self._lines) >= _AT_HAND:
                self._lines.clear()
            self._lines[at.file] = masked(self._texts[at.file]).splitlines() if at.file in self._texts else []
        lines = self._lines[at.file]
        return lines[at.line - 1] if 0 < at.line <= len(lines) else None


class Checked(NamedTuple):
    """A file that was checked and what was found because of it, also in the layers that it uses."""

    file: str
    diagnostics: Sequence[Diagnostic]


class Outcome:
    """All files of one run, and `notes` on what was left out; `profiles` and `objects` say how many there were.

    `texts` gives the text of a file that positions name, where it is known.
    """

    def __init__(
        self,
        checked: Iterable[Checked],
        texts: Mapping[str, str] | None = None,
        notes: Sequence[Diagnostic] = (),
        profiles: int = 0,
        objects: int = 0,
    ) -> None:
        self.checked, self.notes = list(checked), list(notes)
        self.texts = {} if texts is None else texts
        self.profiles, self.objects = profiles, objects

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Sorted by file, line, column and code; what several profiles share is said once."""
        unique = dict.fromkeys([*self.notes, *(each for checked in self.checked for each in checked.diagnostics)])
        return sorted(unique, key=lambda diagnostic: (diagnostic.sort_key, diagnostic.silenced or ""))

    @property
    def failed(self) -> bool:
        return any(
            diagnostic.severity == "error" and diagnostic.silenced is None
            for checked in self.checked
            for diagnostic in checked.diagnostics
        )


def what_was_done(outcome: Outcome) -> str:
    """`2 profiles and 41 objects in 12 files: 1 error`."""
    counted = ((outcome.profiles, "profile"), (outcome.objects, "object"))
    parts = [_number(*each) for each in counted if each[0]] or ["nothing"]
    files = len({checked.file for checked in outcome.checked})
    return f"{' and '.join(parts)} in {_number(files, 'file')}: {summary(outcome.diagnostics) or 'all is well'}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def diagnostics_of(report: Report) -> list[Diagnostic]:
    """Sorted; those that are silenced last."""
    return [*report.diagnostics, *report.silenced]


def counts(diagnostics: Iterable[Diagnostic]) -> dict[str, int]:
    """How many there are of each severity, and how many are silenced."""
    found = dict.fromkeys(("error", "warning", "note", "silenced"), 0)
    for diagnostic in diagnostics:
        found[diagnostic.severity if diagnostic.silenced is None else "silenced"] += 1
    return found


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning, 1 silenced`; nothing when there is nothing."""
    found = counts(diagnostics)
    words = [
        f"{number} {severity}{'s' if number > 1 else ''}"
        for severity, number in found.items()
        if number and severity != "silenced"
    ]
    return ", ".join([*words, *([f"{found['silenced']} silenced"] if found["silenced"] else [])])
