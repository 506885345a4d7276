"""`dynagen releases`: the releases of Dynamo that are known."""

from __future__ import annotations

import click

from dynagen.commands._tables import format_option, has_all, print_rows, text_of, words_argument


@click.command()
@words_argument
@format_option
def releases(words: tuple[str, ...], format_: str) -> None:
    """List the releases of Dynamo that are known, newest first: date, engines, lowest driver, API version, CRDs.

    With WORDs, those that have all of them.

    \b
      dynagen releases
      dynagen releases 1.6 --format json
    """
    from dynagen.diagnostics import Report
    from dynagen.layers.finding import base_layer
    from dynagen.memory import Memory
    from dynagen.profile.facts import load_facts
    from dynagen.text.versions import parse_version

    known = load_facts([base_layer(Memory())], Report())["releases"]
    engines = sorted({name for facts in known.values() for name in facts.get("engines", {})}, reverse=True)
    rows = [
        {
            "release": name,
            "date": facts.get("date"),
            **{engine: facts.get("engines", {}).get(engine) for engine in engines},
            "driver": facts.get("driver"),
            "api": facts["apiVersion"],
            "crds": facts["crds"],
        }
        for name, facts in sorted(known.items(), key=lambda each: parse_version(each[0]), reverse=True)
    ]
    found = [row for row in rows if has_all(" ".join(map(str, row.values())), words)]
    print_rows(found, dict.fromkeys(rows[0], text_of), format_)
