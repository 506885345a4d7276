"""`dynagen plan`: what follows from a profile, as layers see it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dynagen.commands._input import profile_argument, profile_options, read_words
from dynagen.commands._output import print_text


@click.command()
@profile_argument
@profile_options
@click.option("--facts", is_flag=True, help="Print the facts of the layers as well.")
def plan(
    profile: str | None, files: tuple[str, ...], settings: tuple[str, ...], root: Path | None, strict: bool, facts: bool
) -> None:
    """Print the plan of PROFILE: every name that an expression in a layer can use, with its value."""
    from dynagen.compiler import compile_profile
    from dynagen.diagnostics.masks import masked_data
    from dynagen.manifests.yaml import to_yaml

    given = read_words(profile, files, settings, root, strict)
    values: Mapping[str, Any] = {}
    if not given.report.failed:
        values = compile_profile(given.request, given.report).values
    given.print_report()
    if values:  # also when a layer is wrong: this is what its author needs to see
        shown = {key: value for key, value in values.items() if value is not None and (facts or key != "facts")}
        print_text(to_yaml(masked_data(shown)))
    sys.exit(1 if given.report.refused else 0)
