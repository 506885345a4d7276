"""What all commands that take one profile share: its arguments, reading it, printing what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dynagen.checking.inputs import profile_document, read_file
from dynagen.compiler import Request
from dynagen.diagnostics import Report
from dynagen.profile.loading import setting_path

Command = TypeVar("Command", bound=Callable[..., Any])


def profile_options(command: Command) -> Command:
    """How a profile is read."""
    for decorate in (
        click.option("--strict", is_flag=True, help="Count warnings as errors."),
        click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
                     help="Folder that overlays of your own must lie in. Default: the profile's folder."),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
                     help="A value that wins over all files: spot=true, disagg.decode.replicas=4, overlays=gke,istio; "
                          "null takes a value back."),
        click.option("-f", "--file", "files", multiple=True, metavar="FILE",
                     help="A further profile file over the ones before; may be given more than once."),
    ):  # fmt: skip
        command = decorate(command)
    return command


def profile_argument(command: Command) -> Command:
    return click.argument("profile", required=False, metavar="[PROFILE]")(command)


def check_words(names: list[str], settings: tuple[str, ...]) -> None:
    """Raises a usage error for words that can mean no file and no setting."""
    if not names:
        raise click.UsageError("Nothing to read: name a file, or - for standard input.")
    if names.count("-") > 1:
        raise click.UsageError("Standard input can be read only once.")
    for setting in settings:
        if not setting.isprintable() and any(0xD800 <= ord(character) <= 0xDFFF for character in setting):
            shown = setting.encode(errors="replace").decode()
            raise click.UsageError(f"--set takes UTF-8, not '{shown}'.")
        if not all(setting_path(setting)):
            raise click.UsageError(f"--set takes KEY=VALUE, not '{setting}'.")


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
        self.report = Report(strict)
        self.texts: dict[str, str] = {}
        sources = []
        found = [read_file(name, strict, sole=True) for name in names]
        for file in found:
            self.report.take(file.report)
            self.texts |= {file.shown: file.text} if file.text else {}
            sources += profile_document(file, self.report)
        home = found[0].home
        self.request = Request(sources, settings, home, root or home)

    def print_report(self) -> None:
        """Prints all diagnostics to standard error."""
        if not self.report.diagnostics:
            return
        from dynagen.commands._output import Texts
        from dynagen.console import render
        from dynagen.console.outcome import Checked, Outcome, findings_of

        texts = Texts(self.texts, [self.request.home, self.request.root])
        click.echo(render(Outcome([Checked("", findings_of(self.report))], texts), "text"), err=True, nl=False)
