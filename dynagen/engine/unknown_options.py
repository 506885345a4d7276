"""An option that a program does not know: whose it is, or what it is a misspelling of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.diagnostics import Finding, shortened
from dynagen.engine.options import Parser
from dynagen.engine.words import Word


def unknown(parser: Parser, name: str, word: Word, severity: str) -> tuple[str, Finding]:
    flag, title = shortened(name, 60), parser.title
    head = name.split(".")[0].replace("_", "-")
    code = "DG434" if parser.name == "frontend" else "DG436"
    version = parser.version if parser.name in ("frontend", "mocker", "trtllm") else parser.engine
    whose = f"{title} {parser.engine}" if version == parser.engine and version else title
    if code == "DG434":
        whose = f"the frontend of release {parser.version}" if parser.version else title
    near = _near(head, [each for section in parser.sections for each in section.known()])
    message = f"{whose} does not know '{flag}'" + (
        ", and would not start" if severity == "error" else ", as far as we know"
    )
    if parser.name in ("vllm", "sglang", "trtllm"):
        for other, theirs in parser.others():
            if any(section.option(head) for section in theirs.sections) and near != head:
                called = counterpart(parser, theirs.name, head)
                hint = f"it is {other}'s; {title} calls it '{called}'" if called else f"it is {other}'s: leave it out"
                return code, Finding(word.path, message, hint, severity)
    hint = f"did you mean '{near}'?" if near else f"leave it out; `{command_of(parser)} --help` has the list"
    return code, Finding(word.path, message, hint, severity)


def counterpart(parser: Parser, other: str, flag: str) -> str:
    """What a program calls what another one calls `flag`; empty if nobody knows."""
    rows: list[Mapping[str, Any]] = parser.look_up("flags", "counterparts").get("same", [])
    return next((str(row[parser.name][0]) for row in rows if flag in row.get(other, ()) and parser.name in row), "")


def command_of(parser: Parser) -> str:
    return {"vllm.serve": "vllm serve"}.get(parser.program, f"python3 -m {parser.program}")


def _near(flag: str, words: list[str]) -> str | None:
    """The flag that this one is most likely a misspelling of. Much closer than other words: engines have many flags."""
    import difflib

    found = difflib.get_close_matches(flag, words, n=1, cutoff=0.85)
    return found[0] if found else None
