"""Comments that silence a rule where it arises: `# dynagen: allow DG415: two pods are enough for a test`."""

from __future__ import annotations

import re

from dynagen.diagnostics import Position, Report, Silence

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*dynagen:\s*(.*)")
_ALLOW = re.compile(r"allow\s+(DG[0-9]{3})\s*:\s*(\S.*)")


def read_silences(text: str, file: str, report: Report) -> None:
    """Notes the comments of a YAML text. One on a line of its own speaks of the next line that is no comment.

    Reports DG114 for a comment that names no rule, a stage that cannot be silenced, or no reason.
    """
    if "dynagen:" not in text:
        return
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        found = _COMMENT.search(line)
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
