"""Comments that silence a rule where it arises: `# dynagen: allow DG415: two pods are enough for a test`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from dynagen.diagnostics import Position, Report, Silence
from dynagen.text.paths import RULES

# Texts: what a good build never asks is compiled when somebody does.
_COMMENT = r"(?:^|(?<=\s))#\s*dynagen:\s*(.*)"
_ALLOW = r"allow\s+(DG[0-9]{3})\s*:\s*(\S.*)"

# Of the stages: 6 goes on where 4 is full, and 7 where 6 is.
_RULES = ("DG4", "DG6", "DG7")
# What an old release does not know cannot be written for it.
_FOR_GOOD = frozenset({"DG408"})


def read_silences(text: str, file: str, report: Report, scalars: Sequence[tuple[int, int]] = ()) -> None:
    """Notes the comments of a YAML text. One on a line of its own speaks of the next line that is no comment.

    `scalars` says where values begin and end that only look as if they held comments, such as a script in a ConfigMap.
    Reports DG114 for a comment that names no rule, a stage that cannot be silenced, or no reason.
    """
    if "dynagen:" not in text:
        return
    lines = text.splitlines()
    spoken_of = _spoken_of(lines)
    begin = 0
    for number, (line, whole) in enumerate(zip(lines, text.splitlines(keepends=True), strict=True), 1):
        comment = re.compile(_COMMENT)
        found = comment.search(line)
        while found and _is_inside(begin + found.start(), scalars):
            found = comment.search(line, found.start() + 1)
        begin += len(whole)
        if not found:
            continue
        at = Position(file, number, found.start() + 1, len(line) - found.start())
        allowed = re.fullmatch(_ALLOW, found[1].strip())
        if not allowed:
            hint = "for example '# dynagen: allow DG415: two pods are enough for a test'"
            report.add("DG114", "a silence names a rule and a reason", at, hint)
        elif not (RULES / f"{allowed[1]}.yaml").is_file():
            report.add("DG114", f"there is no rule {allowed[1]}", at, "`dynagen rules` lists them")
        elif not can_be_silenced(allowed[1]):
            hint = "rules (DG401 and higher) can be; what is no profile or no manifest cannot become one"
            if allowed[1] in _FOR_GOOD:
                hint = "no comment gives a release what it does not have"
            report.add("DG114", f"{allowed[1]} cannot be silenced", at, hint)
        else:
            report.silence(spoken_of[number - 1], Silence(allowed[1], allowed[2], at))


def can_be_silenced(code: str) -> bool:
    """Whether there is such a rule, and a reason may stand against it."""
    known = re.fullmatch("DG[0-9]{3}", code) and (RULES / f"{code}.yaml").is_file()
    return bool(known) and code.startswith(_RULES) and code not in _FOR_GOOD


def _is_inside(index: int, scalars: Sequence[tuple[int, int]]) -> bool:
    before = bisect_right(scalars, index, key=lambda scalar: scalar[0])
    return before > 0 and index < scalars[before - 1][1]


def _spoken_of(lines: Sequence[str]) -> list[int]:
    """For each line the one that a comment in it is about; lines count from 1."""
    found: list[int] = []
    for number in range(len(lines), 0, -1):
        line = lines[number - 1].lstrip()
        found.append(number if (line and not line.startswith("#")) or not found else found[-1])
    return found[::-1]


def check_silences(report: Report) -> None:
    """Reports DG115 for a comment that silences nothing. Only worth asking when every stage has run."""
    for silence in report.idle_silences:
        message, hint = f"{silence.code} does not arise here", "remove the comment"
        report.add("DG115", message, silence.at, hint, severity="warning")
