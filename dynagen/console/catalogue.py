"""The code of a rule in, what there is to say about it out: the files in dynagen/rules/."""

from __future__ import annotations

from typing import NamedTuple

from dynagen.diagnostics import Report
from dynagen.text.paths import RULES
from dynagen.text.source import parse


class Rule(NamedTuple):
    """One rule. `bad` and `good` are an example of kind `example` (profile, manifests, text); `source` may be empty."""

    code: str
    title: str
    severity: str
    why: str
    fix: str
    example: str = "text"
    bad: str = ""
    good: str = ""
    source: str = ""


def codes() -> list[str]:
    return sorted(path.stem for path in RULES.glob("DG*.yaml"))


def find_rule(code: str) -> Rule:
    """Raises KeyError for a code that is none."""
    if code not in codes():
        raise KeyError(code)
    # What it reports is about comments that examples show.
    documents = parse((RULES / f"{code}.yaml").read_text("utf-8"), f"{code}.yaml", Report())
    return Rule(code, **{key: str(value).strip() for key, value in documents[0].data.items()})
