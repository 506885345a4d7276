"""Rows in, a table for a terminal out; and which rows somebody asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from dynagen.commands._output import print_text

Command = TypeVar("Command", bound=Callable[..., Any])


def words_argument(command: Command) -> Command:
    return click.argument("words", nargs=-1, metavar="[WORD]...")(command)


def format_option(command: Command) -> Command:
    return click.option(
        "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="json holds the same, with numbers as numbers.",
    )(command)  # fmt: skip


def has_all(text: str, words: Sequence[str]) -> bool:
    """Whether all words are in it, in any order and in any case."""
    folded = text.lower()
    return all(word.lower() in folded for word in words)


def print_rows(rows: Sequence[dict[str, Any]], heads: dict[str, Callable[[Any], str]], format_: str) -> None:
    """`heads` are the columns of the table: a key of the rows, and how its value is written. JSON has all keys."""
    if format_ == "json":
        print_text(json.dumps(list(rows), indent=2, ensure_ascii=False) + "\n")
        return
    cells = [list(heads), *([write(row[key]) for key, write in heads.items()] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(heads))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)
    print_text("".join(f"{line}\n" for line in lines))


def text_of(value: Any) -> str:
    """A value as people read it: `-` for what is not known, lists with commas."""
    if value is None or value == "":
        return "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    return str(value)
