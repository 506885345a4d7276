"""`dynagen schema`: the JSON Schema of a profile, for editors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command()
@click.argument(
    "overlays", nargs=-1, metavar="[OVERLAY]...", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
def schema(overlays: tuple[Path, ...]) -> None:
    """Print the JSON Schema 2020-12 of a profile: the core, and one section per overlay.

    OVERLAY is a folder of your own whose section is added to those of the shipped ones.

    \b
      dynagen schema > profile.schema.json
      # in the profile: # yaml-language-server: $schema=profile.schema.json
    """
    from dynagen.commands._output import print_text
    from dynagen.console import to_text
    from dynagen.diagnostics import Position, Report
    from dynagen.layers.finding import base_layer, find_overlay, shipped_overlays
    from dynagen.memory import Memory
    from dynagen.plan import backends
    from dynagen.profile.facts import load_facts
    from dynagen.profile.schema import compose_schema

    report = Report()
    memory = Memory()
    found = [base_layer(memory)]
    for entry in [*shipped_overlays(), *(f"./{path}" if not path.is_absolute() else str(path) for path in overlays)]:
        layer = find_overlay(entry, Position(entry), Path(), Path(Path.cwd().anchor), report, memory)
        if layer:
            found.append(layer)
    composed = compose_schema(found, load_facts(found, report), backends.names(), report)
    if report.failed:
        click.echo(to_text(report.diagnostics, {}), err=True, nl=False)
        sys.exit(1)
    print_text(json.dumps(composed, indent=2, ensure_ascii=False) + "\n")
