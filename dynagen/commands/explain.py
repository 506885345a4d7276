"""`dynagen explain`: where a value in a manifest came from."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dynagen.commands._input import profile_options, read_words
from dynagen.commands._output import print_text

if TYPE_CHECKING:
    from dynagen.explain import AddressError, Explainer, Explanation
    from dynagen.manifests.building import Manifest


@click.command()
@click.argument("profile", metavar="PROFILE")
@click.argument("subject", required=False, metavar="[KIND/NAME]")
@click.argument("path", required=False, metavar="[PATH]")
@profile_options
@click.option("--all", "everything", is_flag=True, help="Every value of every object.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def explain(
    profile: str,
    subject: str | None,
    path: str | None,
    files: tuple[str, ...],
    settings: tuple[str, ...],
    root: Path | None,
    strict: bool,
    everything: bool,
    format_: str,
) -> None:
    """Show where values in the manifests of PROFILE come from.

    For one value: its file, line and expression, the profile's values and the facts that make a difference to it, what
    it replaced, and what would replace it. Without PATH, or when PATH leads to more than one value: the object as a
    tree, with the place of each value beside it.

    \b
      dynagen explain profile.yaml Service/web
      dynagen explain profile.yaml DynamoGraphDeployment/web 'spec.components[decode].replicas'
      dynagen explain profile.yaml --all --format json
    """
    from dynagen.compiler import compile_profile
    from dynagen.explain import AddressError, Explainer
    from dynagen.layers.rendering import Skipped

    if everything == (subject is not None):
        raise click.UsageError("Name an object as KIND/NAME, or say --all.")
    given = read_words(profile, files, settings, root, strict)
    skipped: list[Skipped] = []
    if not given.report.failed:
        compilation = compile_profile(given.request, given.report, skipped)
    given.print_report()
    if given.report.refused:
        sys.exit(1)
    try:
        for text in _explained(compilation.manifests, Explainer(compilation, skipped), subject, path, format_):
            print_text(text)
    except AddressError as error:
        _say_error(error)
        sys.exit(1)


def _explained(
    manifests: Sequence[Manifest], explainer: Explainer, subject: str | None, path: str | None, format_: str
) -> Iterator[str]:
    """What there is to say of the objects asked for, piece by piece. Raises AddressError."""
    from dynagen.console.formats.text import in_json
    from dynagen.explain import Marks, find_object, find_value, to_data, to_text, to_tree_text
    from dynagen.trees.nodes import Leaf, find

    def explained() -> Iterator[tuple[Manifest, Sequence[Explanation]]]:
        """Each with the values asked for."""
        for manifest in manifests if subject is None else [find_object(manifests, subject)]:
            wanted = find_value(manifest.tree, path) if path else ()
            yield manifest, [leaf for leaf in explainer.explain(manifest) if leaf.path[: len(wanted)] == wanted]

    if format_ == "json":
        yield in_json(json.dumps(to_data(explained(), explainer), indent=2, ensure_ascii=False)) + "\n"
        return
    for number, (manifest, leaves) in enumerate(explained()):
        wanted = find_value(manifest.tree, path) if path else ()
        marks = Marks(explainer.own, explainer.lists(manifest))
        if isinstance(find(manifest.tree, wanted), Leaf):
            yield to_text(manifest, leaves[0], marks)
        else:
            yield "\n" * bool(number) + to_tree_text(manifest, wanted, {leaf.path: leaf for leaf in leaves}, marks)


def _say_error(error: AddressError) -> None:
    from dynagen.console.formats.text import printable
    from dynagen.diagnostics.masks import masked

    click.echo(f"error: {printable(masked(str(error)))}", err=True)
    if error.hint:
        click.echo(f"  hint: {printable(masked(error.hint))}", err=True)
