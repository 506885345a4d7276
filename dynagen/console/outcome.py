"""What `check` found, file by file: what every output format is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from dynagen.diagnostics import STANDARD_INPUT, Diagnostic, Report


def names_a_file(file: str) -> bool:
    """False for what positions name beside files: an option of the command line, standard input."""
    return file != STANDARD_INPUT and not file.startswith("--")


@lru_cache(maxsize=4)
def lines_of(text: str) -> list[str]:
    """The lines of a text in which much may have been found."""
    return text.splitlines()


class Checked(NamedTuple):
    """A file that was checked and what was found because of it, also in the layers that it uses."""

    file: str
    diagnostics: Sequence[Diagnostic]


class Outcome:
    """All files of one run, and `notes` on what was left out.

    `texts` gives the text of a file that positions name, where it is known.
    """

    def __init__(
        self, checked: Iterable[Checked], texts: Mapping[str, str] | None = None, notes: Sequence[Diagnostic] = ()
    ) -> None:
        self.checked, self.notes = list(checked), list(notes)
        self.texts = {} if texts is None else texts

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
