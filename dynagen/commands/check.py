"""`dynagen check`: what `build` would refuse, without building."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dynagen.commands._input import Input, profile_options


@click.command()
@profile_options
def check(
    profile: str | None, files: tuple[str, ...], settings: tuple[str, ...], root: Path | None, strict: bool
) -> None:
    """Check PROFILE: its schema and rules, and every manifest that it would become. Writes nothing."""
    from dynagen.compiler import compile_profile

    given = Input(profile, files, settings, root, strict)
    if not given.report.failed:
        compile_profile(given.request, given.report)
    given.print_report()
    sys.exit(1 if given.report.failed else 0)
