"""`dynagen models`: the models whose shape is known."""

from __future__ import annotations

import click

from dynagen.commands._tables import format_option, has_all, print_rows, text_of, words_argument


@click.command()
@words_argument
@format_option
def models(words: tuple[str, ...], format_: str) -> None:
    """List the models that are known by name: parameters in billions, precision of the weights, context in tokens, size of
    the weights in GiB.

    With WORDs, those whose name or precision has all of them.

    \b
      dynagen models qwen3 fp8
      dynagen models nvidia/ --format json
    """
    from dynagen.plan.fit.listing import listed_models

    rows = [each._asdict() for each in listed_models(lambda text: has_all(text, words))]
    heads = dict.fromkeys(("model", "billions", "precision", "context"), text_of)
    print_rows(rows, {**heads, "weightsGiB": lambda size: f"{size:.1f}", "experts": text_of}, format_)
