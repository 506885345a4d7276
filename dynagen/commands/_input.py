"""The arguments of all commands that take one profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from dynagen.commands._reading import Input, WrongWords, check_words

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


def read_words(
    profile: str | None, files: tuple[str, ...], settings: tuple[str, ...], root: Path | None, strict: bool
) -> Input:
    """The files that a command line names. Raises a usage error for words that can mean none."""
    with _usage_errors():
        return Input(profile, files, settings, root, strict)


def expect_words(names: list[str], settings: tuple[str, ...]) -> None:
    """Raises a usage error for words that can mean no file and no setting."""
    with _usage_errors():
        check_words(names, settings)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """What is wrong with words, in click's own way."""
    try:
        yield
    except WrongWords as error:
        raise click.UsageError(str(error)) from error
