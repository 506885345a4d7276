"""`dynagen build`: a profile in, manifests out, as one stream or as a tree of files."""

from __future__ import annotations

from pathlib import Path

import click

from dynagen.commands._building import run_build
from dynagen.commands._input import profile_argument, profile_options, read_words


@click.command()
@profile_argument
@profile_options
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    help="Write a tree here, one file per object, instead of a stream to standard output.",
)
@click.option("--force", is_flag=True, help="Write the tree over files that somebody has changed by hand.")
def build(
    profile: str | None,
    files: tuple[str, ...],
    settings: tuple[str, ...],
    root: Path | None,
    strict: bool,
    output: str | None,
    force: bool,
) -> None:
    """Build the manifests of PROFILE ('-' for standard input).

    \b
      dynagen build profile.yaml | kubectl apply -f -
      dynagen build profile.yaml -o out/
    """
    run_build(read_words(profile, files, settings, root, strict), output, force)
