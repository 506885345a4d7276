"""Comments that silence a rule where it arises: `# dynagen: allow DG415: two pods are enough for a test`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dynagen.diagnostics import Position, Report, Silence

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*dynagen:\s*(.*)")
_ALLOW = re.compile(r"allow\s+(DG[0-9]{3})\s*:\s*(\S.*)")


def read_silences(text: str, file: str, report: Report, scalars: Sequence[tuple[int, int]] = ()) -> None:
    """Notes the comments of a YAML text. One on a line of its own speaks of the next line that is no comment.

    `scalars` says where values begin and end that only look as if they held comments, such as a script in a ConfigMap.
    Reports DG114 for a comment that names no rule, a stage that cannot be silenced, or no reason.
    """
    if "dynagen:" not in text:
        return
    lines = text.splitlines()
    begin = 0
    for number, (line, whole) in enumerate(zip(lines, text.splitlines(keepends=True), strict=True), 1):
        found = _COMMENT.search(line)
        while found and any(start <= begin + found.start() < end for start, end in scalars):
            found = _COMMENT.search(line, found.start() + 1)
        begin += len(whole)
        if not found:
            continue
        at = Position(file, number, found.start() + 1, len(line) - found.start())
        allowed = _ALLOW.fullmatch(found[1].strip())
        if not allowed:
            hint = "for example '# dynagen: allow DG415: two pods are enough for a test'"
            report.add("DG114", "a silence names a rule and a reason", at, hint)
        elif not allowed[1].startswith("DG4"):
            hint = "rules (DG401 and higher) can be; what is no profile or no manifest cannot become one"
            report.add("DG114", f"{allowed[1]} cannot be silenced", at, hint)
        else:
            report.silence(_spoken_of(lines, number), Silence(allowed[1], allowed[2], at))


def _spoken_of(lines: list[str], number: int) -> int:
    """The line that a comment in line `number` is about; lines count from 1."""
    while number < len(lines) and (not lines[number - 1].strip() or lines[number - 1].lstrip().startswith("#")):
        number += 1
    return number


def check_silences(report: Report) -> None:
    """Reports DG115 for a comment that silences nothing. Only worth asking when every stage has run."""
    for silence in report.idle_silences:
        message, hint = f"{silence.code} does not arise here", "remove the comment"
        report.add("DG115", message, silence.at, hint, severity="warning")
