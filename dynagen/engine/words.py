"""Words of command lines, each with its place; what nobody knows before the pod runs is marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynagen.diagnostics import KeyPath
from dynagen.engine.arguments import places_of


class Word:
    """`path` leads to the argument that it stands in. Not `known`: it holds a variable, or what another command prints.

    `open`: it may be any number of words, as `$EXTRA_ARGS` without quotes is.
    """

    __slots__ = ("known", "open", "path", "text")

    def __init__(self, text: str, path: KeyPath, known: bool | None = None, open: bool = False) -> None:
        self.text, self.path, self.open = text, path, open
        self.known = "$" not in text and "`" not in text if known is None else known


def values_of(words: Sequence[Word], *flags: str) -> Iterator[Word]:
    """The values of these flags that are known."""
    for value, index in places_of([word.text for word in words], *flags):
        if value is not None and words[index].known:
            yield Word(value, words[index].path, known=True)
