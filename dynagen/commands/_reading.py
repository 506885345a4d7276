"""Words of a command line in, profiles' files as read out. Needs no click."""

from __future__ import annotations

from pathlib import Path

from dynagen.checking.inputs import profile_document, read_file
from dynagen.diagnostics import Report
from dynagen.diagnostics.masks import masked
from dynagen.memory import Memory
from dynagen.profile import Request


class WrongWords(Exception):
    """Words that can mean no file and no setting; click calls that a usage error."""


def check_words(names: list[str], settings: tuple[str, ...]) -> None:
    """Raises WrongWords for words that can mean no file and no setting."""
    if not names:
        raise WrongWords("Nothing to read: name a file, or - for standard input.")
    if names.count("-") > 1:
        raise WrongWords("Standard input can be read only once.")
    for setting in settings:
        from dynagen.profile.settings import setting_problem

        if not setting.isprintable() and any(0xD800 <= ord(character) <= 0xDFFF for character in setting):
            shown = masked(setting.encode(errors="replace").decode())
            raise WrongWords(f"--set takes UTF-8, not '{shown}'.")
        if problem := setting_problem(setting):
            raise WrongWords(masked(problem))


class Input:
    """A profile's files as read, and their texts for messages."""

    def __init__(
        self,
        profile: str | None,
        files: tuple[str, ...],
        settings: tuple[str, ...],
        root: Path | None,
        strict: bool,
    ) -> None:
        names = [*([profile] if profile else []), *files]
        check_words(names, settings)
        self.names = names
        self.report = Report(strict)
        self.texts: dict[str, str] = {}
        sources = []
        found = [read_file(name, strict, sole=True, root=root) for name in names]
        for file in found:
            self.report.take(file.report)
            self.texts |= {file.shown: file.text} if file.text else {}
            sources += profile_document(file, self.report)
        home = found[0].home
        self.request = Request(sources, settings, home, root or home, memory=Memory())

    def print_report(self) -> None:
        """Prints all diagnostics to standard error."""
        if not self.report.diagnostics:
            return
        from dynagen.commands._output import Texts, say
        from dynagen.console import render
        from dynagen.console.outcome import Checked, Outcome, diagnostics_of

        texts = Texts(self.texts, [self.request.home, self.request.root])
        say(render(Outcome([Checked("", diagnostics_of(self.report))], texts), "text"))
