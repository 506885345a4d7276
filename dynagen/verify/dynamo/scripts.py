"""A container in, the words that its program gets out: those of a shell script as the shell takes them apart."""

from __future__ import annotations

import re
from typing import Any

from dynagen.engine.refused_values import Word

# Source: 2.2 (quoting) and 2.3 (tokens) of the shell command language of POSIX. They are compiled when a script needs them:
# comments; words, quoted ones and operators; parts in quotes; what a backslash makes plain in double quotes.
_COMMENT = r"(?m)(?:^|(?<=\s))#.*$"
_WORD = r"""(?s)(?:[^\s'"\\;&|()<>]+|'[^']*'|"(?:[^"\\]|\\.)*"|\\.)+|[;&|()<>]+|['"\\]"""
_PART = r"""(?s)'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)"""
_ESCAPED = r"""\\([$`"\\])"""

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
    text = script.replace("\\\n", " ")
    found = re.findall(_WORD, re.sub(_COMMENT, " ", text) if "#" in text else text)
    if any(each in ("'", '"', "\\") for each in found):
        return []  # a quote that does not end, as when the comment was none
    return [_unquoted(each) if "'" in each or '"' in each or "\\" in each else each for each in found]


def _unquoted(word: str) -> str:
    if word[0] == word[-1] == "'" and word.count("'") == 2:
        return word[1:-1]  # as JSON mostly stands
    return re.sub(_PART, _bare, word)


def _bare(part: re.Match[str]) -> str:
    single, double, other = part.groups()
    if double is not None:
        return re.sub(_ESCAPED, r"\1", double) if "\\" in double else double
    return single if single is not None else str(other)
