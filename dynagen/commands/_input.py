"""What all commands that take a profile share: its arguments, reading it, printing what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dynagen.compiler import Request
from dynagen.diagnostics import Position, Report
from dynagen.profile import setting_path
from dynagen.source import MAX_BYTES, decode, parse, read

Command = TypeVar("Command", bound=Callable[..., Any])


def profile_options(command: Command) -> Command:
    """The arguments that name a profile."""
    for decorate in (
        click.option("--strict", is_flag=True, help="Count warnings as errors."),
        click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
                     help="Folder that overlays of your own must lie in. Default: the profile's folder."),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
                     help="A value that wins over all files: spot=true, disagg.decode.replicas=4, overlays=gke,istio."),
        click.option("-f", "--file", "files", multiple=True, metavar="FILE",
                     help="A further profile file over the ones before; may be given more than once."),
        click.argument("profile", required=False, metavar="[PROFILE]"),
    ):  # fmt: skip
        command = decorate(command)
    return command


def print_text(text: str) -> None:
    """Writes to standard output. Exits with 1 when that fails, with a message unless the reader has just gone away."""
    try:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        click.echo(f"error: cannot write to standard output: {(error.strerror or str(error)).lower()}", err=True)
        sys.exit(1)


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
        if not names:
            raise click.UsageError("Missing a profile: name a file, or - for standard input.")
        if names.count("-") > 1:
            raise click.UsageError("Standard input can be read only once.")
        for setting in settings:
            if not all(setting_path(setting)):
                raise click.UsageError(f"--set takes KEY=VALUE, not '{setting}'.")
        self.report = Report(strict)
        self.texts: dict[str, str] = {}
        sources = []
        for name in names:
            shown = "(standard input)" if name == "-" else name
            text = self._read(name, shown)
            if text is None:
                continue
            self.texts[shown] = text
            documents = parse(text, shown, self.report)
            if len(documents) > 1:
                self.report.add("DG110", "a profile is one document, this file has more", documents[1].at(),
                                hint="split the file; give further ones with -f")  # fmt: skip
            elif (not documents and not self.report.failed) or (documents and documents[0].data is None):
                self.report.add(
                    "DG109", "the file is empty", Position(shown), hint="begin with 'apiVersion: dynagen.dev/v1alpha1'"
                )
            sources += documents[:1]
        first = names[0]
        home = Path() if first == "-" else Path(first).parent
        self.request = Request(sources, settings, home, root or home)

    def _read(self, name: str, shown: str) -> str | None:
        if name == "-":
            return decode(sys.stdin.buffer.read(MAX_BYTES + 1), shown, self.report)
        return read(Path(name), shown, self.report)

    def print_report(self) -> None:
        """Prints all diagnostics to standard error."""
        diagnostics = self.report.diagnostics
        if not diagnostics:
            return
        from dynagen.console import to_text
        from dynagen.data import ROOT

        texts = dict(self.texts)
        for diagnostic in diagnostics:
            for at in (diagnostic.at, *(place for _, place in diagnostic.related)):
                for folder in (ROOT, self.request.home):
                    # Never shows a line of a file that a symbolic link leads to outside.
                    if at.file in texts or at.file.startswith("--"):
                        continue
                    try:
                        file = (folder / at.file).resolve()
                        if file.is_relative_to(folder.resolve()) and file.is_file():
                            texts[at.file] = file.read_text("utf-8", errors="replace")
                    except OSError:
                        continue  # a name that no file can have, or a file that is gone: then without its line
        click.echo(to_text(diagnostics, texts), err=True, nl=False)
        errors = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
        if errors:
            click.echo(f"{errors} error{'s' if errors > 1 else ''}", err=True)
