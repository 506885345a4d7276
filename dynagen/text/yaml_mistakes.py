"""Where a mistake of YAML was made, which is often before its parser noticed, and what to do about it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_NO_SPACE = re.compile(r"[ \t]*(?:- +)?([A-Za-z_][\w.-]*):[^\s:/]")
_OPENED = {"{": "}", "[": "]"}


class Mistake(NamedTuple):
    """`mark` is a mark of ruamel.yaml's; `hint` may be empty."""

    mark: Any
    message: str
    hint: str


def explain(text: str, error: Any) -> Mistake:
    """ruamel.yaml's MarkedYAMLError for a text, in other words if there are better ones."""
    opened, noticed = error.context_mark, error.problem_mark
    context, problem = (" ".join(str(words or "").split()) for words in (error.context, error.problem))
    as_noticed = Mistake(noticed or opened, problem or context or "cannot be read", "")
    if noticed is None:
        return as_noticed
    if context == "while scanning a simple key" and opened is not None:
        found = _NO_SPACE.match(_line(text, opened))
        hint = f"a space after the colon: '{found[1]}: ...'" if found else "a key has a colon and a space after it"
        return Mistake(opened, "neither a key nor the end of a text", hint)
    if "-quoted scalar" in context or "a quoted scalar" in context:
        if problem.startswith("found unknown escape"):
            return as_noticed._replace(hint="write \\\\ for a backslash, or single quotes around the text")
        return Mistake(opened, "the quote that opens here is not closed", "close it; a quote inside of '...' is ''")
    if context.startswith("while parsing a flow") and opened is not None:
        bracket = text[opened.index : opened.index + 1]
        if re.search(r"[:,\[{]\s*\$\{", _line(text, opened)):
            return Mistake(
                opened, f"'{bracket}' is not closed", "between brackets a text that begins with '${' needs quotes"
            )
        if opened.line == noticed.line and text[noticed.index : noticed.index + 1] == ":":
            return as_noticed._replace(
                hint=f"a comma is missing before the last key, or a '{_OPENED.get(bracket, '')}'"
            )
        return Mistake(opened, f"'{bracket}' is not closed", f"close it: line {noticed.line + 1} is still inside of it")
    return as_noticed._replace(hint=_hint(context, problem, text[noticed.index : noticed.index + 1]))


def _hint(context: str, problem: str, character: str) -> str:
    if problem.startswith("mapping values are not allowed"):
        return "indent it as the keys beside it; a text that holds ': ' needs quotes"
    if problem.startswith("sequence entries are not allowed"):
        return "a list begins on the next line, or is [one, two]"
    if "cannot start any token" in problem:
        return f"a text that begins with '{character}' needs quotes"
    if context == "while scanning an alias":
        return "a text that begins with '*' needs quotes"
    if problem.startswith("expected <block end>, but found '<scalar>'"):
        return "indent it as the lines before; a text that begins with a quote ends with it"
    if problem.startswith("expected <block end>"):
        return "indent it as the keys or items beside it"
    return ""


def _line(text: str, mark: Any) -> str:
    begin = text.rfind("\n", 0, mark.index) + 1
    return text[begin:].partition("\n")[0]
