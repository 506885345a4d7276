"""`dynagen build`: a profile in, manifests out, as one stream or as a tree of files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dynagen.commands._input import Input, profile_argument, profile_options
from dynagen.commands._output import print_text


@click.command()
@profile_argument
@profile_options
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    help="Write a tree here, one file per object, instead of a stream to standard output.",
)
def build(
    profile: str | None,
    files: tuple[str, ...],
    settings: tuple[str, ...],
    root: Path | None,
    strict: bool,
    output: str | None,
) -> None:
    """Build the manifests of PROFILE ('-' for standard input).

    \b
      dynagen build profile.yaml | kubectl apply -f -
      dynagen build profile.yaml -o out/
    """
    from dynagen.compiler import compile_profile
    from dynagen.manifests.yaml import HEADER, to_files, to_stream

    given = Input(profile, files, settings, root, strict)
    if not given.report.failed:
        compilation = compile_profile(given.request, given.report)
    if given.report.refused:
        given.print_report()
        sys.exit(1)
    if output is None:
        print_text(to_stream(compilation.manifests))
    else:
        from dynagen.manifests.files import write_tree

        tree = to_files(compilation.manifests)
        foreign = write_tree(tree, Path(output), HEADER, output, given.report)
        for name in foreign if not given.report.refused else ():
            click.echo(f"left alone: {output.rstrip('/')}/{name} (not written by dynagen)", err=True)
    given.print_report()
    sys.exit(1 if given.report.refused else 0)
