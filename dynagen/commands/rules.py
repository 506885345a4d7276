"""`dynagen rules`: what the codes in messages mean."""

from __future__ import annotations

import json
import textwrap

import click

from dynagen.console import catalogue


@click.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="json holds everything that is known of the rules.")  # fmt: skip
def rules(codes: tuple[str, ...], format_: str) -> None:
    """List all rules, or explain those with these CODEs: why they are there, and what to do.

    \b
      dynagen rules
      dynagen rules DG401
    """
    from dynagen.commands._output import print_text
    from dynagen.diagnostics import closest

    known = catalogue.codes()
    named = [code.upper() for code in codes]
    for code in named:
        if code not in known:
            near = closest(code, known)
            raise click.UsageError(f"There is no rule '{code}'." + (f" Did you mean '{near}'?" if near else ""))
    found = [catalogue.find_rule(code) for code in named or known]
    if format_ == "json":
        print_text(json.dumps([{**rule._asdict(), "source": rule.source or None} for rule in found], indent=2) + "\n")
    elif named:
        print_text("\n".join(_explained(rule) for rule in found))
    else:
        print_text("".join(f"{rule.code}  {rule.severity:7}  {rule.title}\n" for rule in found))


def _explained(rule: catalogue.Rule) -> str:
    parts = [
        f"{rule.code}: {rule.title} ({rule.severity})",
        textwrap.fill(rule.why, 100),
        textwrap.fill(rule.fix, 100),
        f"Wrong:\n\n{textwrap.indent(rule.bad, '    ')}",
        f"Right:\n\n{textwrap.indent(rule.good, '    ')}",
    ]
    return "\n\n".join([*parts, *([f"Source: {rule.source}"] if rule.source else [])]) + "\n"
