"""A container in, the words that its program gets out: those of a shell script as the shell takes them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath

_SHELLS = ("sh", "bash", "dash", "ash", "zsh")


class Word(NamedTuple):
    """`path` leads to the argument that it stands in, below the container."""

    text: str
    path: KeyPath


def words_of(container: dict[str, Any]) -> list[Word]:
    """The words of command and arguments. None of a script that cannot be taken apart with certainty."""
    given = [
        Word(str(part), (field, index))
        for field in ("command", "args")
        for index, part in enumerate(container.get(field) or ())
    ]
    if len(given) == 1 and given[0].path[0] == "args" and " " in given[0].text:
        return [Word(text, given[0].path) for text in _split(given[0].text)]  # a shell is what it can only be meant for
    if not given or given[0].text.rpartition("/")[2] not in _SHELLS:
        return given
    for index, word in enumerate(given[1:], 1):
        if not word.text.startswith("-"):
            return []  # a script in a file
        if not word.text.startswith("--") and "c" in word.text:
            script = given[index + 1 : index + 2]
            return [Word(text, each.path) for each in script for text in _split(each.text)]
    return []


def values_of(words: Sequence[Word], *flags: str) -> Iterator[Word]:
    """The values of these flags. What a variable stands in is left out: nobody knows its value.

    `_` is as good as `-` in a flag, as vLLM takes it.
    """
    for index, word in enumerate(words):
        flag, equals, value = word.text.partition("=")
        if not flag.startswith("-") or flag.replace("_", "-") not in flags:
            continue
        found = Word(value, word.path) if equals else words[index + 1] if index + 1 < len(words) else None
        if found is not None and "$" not in found.text and "`" not in found.text:
            yield found


def _split(script: str) -> list[str]:
    import re
    import shlex

    if "<<" in script:
        return []  # what follows may be no command
    text = re.sub(r"(?m)(^|\s)#.*$", " ", script.replace("\\\n", " "))
    words = shlex.shlex(text, posix=True, punctuation_chars=True)
    words.whitespace_split, words.commenters = True, ""
    try:
        return list(words)
    except ValueError:  # a quote that does not end, as when the comment was none
        return []
