"""A container in, the words that its program gets out: those of a shell script as the shell takes them apart."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from dynagen.engine.refused_values import Word

_SHELLS = ("sh", "bash", "dash", "ash", "zsh")


def words_of(container: dict[str, Any]) -> list[Word]:
    """The words of command and arguments, with paths below the container. None of a script that cannot be taken apart with certainty."""
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


def _split(script: str) -> list[str]:
    if "<<" in script:
        return []  # what follows may be no command
    comment, word, quoted, escaped = _patterns()
    text = script.replace("\\\n", " ")
    found = word.findall(comment.sub(" ", text) if "#" in text else text)
    if any(each in ("'", '"', "\\") for each in found):
        return []  # a quote that does not end, as when the comment was none

    def bare(part: re.Match[str]) -> str:
        single, double, other = part.groups()
        if double is not None:
            return escaped.sub(r"\1", double)
        return single if single is not None else str(other)

    return [quoted.sub(bare, each) if "'" in each or '"' in each or "\\" in each else each for each in found]


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Comments; words, quoted ones and operators; parts in quotes; what a backslash makes plain in double quotes.

    Source: 2.2 (quoting) and 2.3 (tokens) of the shell command language of POSIX.
    """
    double = r'"(?:[^"\\]|\\.)*"'
    return (
        re.compile(r"(?m)(?:^|(?<=\s))#.*$"),
        re.compile(rf"(?s)(?:[^\s'\"\\;&|()<>]+|'[^']*'|{double}|\\.)+|[;&|()<>]+|['\"\\]"),
        re.compile(r"""(?s)'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)"""),
        re.compile(r"""\\([$`"\\])"""),
    )
