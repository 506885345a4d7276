"""The page on the rules of Dynamo's webhook says of each where it is judged, and it is judged there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from dynagen.compiled.reading import table
from dynagen.text.paths import PACKAGE, SCHEMAS
from dynagen.text.versions import numbered
from tests.conftest import ROOT

SETS = sorted(SCHEMAS.glob("dynamo-[!0]*"), key=lambda each: numbered(each.name))
FOLDER = PACKAGE / "verify/dynamo"
PAGE = (ROOT / "docs/webhook-rules.md").read_text("utf-8")
# With the version whose CRD has the rule.
ROWS = [
    (
        *(cell.strip() for cell in line.strip("|").split("|")),
        "v1alpha1" if part.startswith("Fields of v1") else "v1beta1",
    )
    for part in PAGE.split("\n## ")
    for line in part.splitlines()
    if re.match(r"\| (?!rule|---)", line)
]
# What the controllers or the engines say, and what an update may not change; the page has the first in its last part.
CODES = {"DG416", *(f"DG{number}" for number in range(450, 470))} - {"DG463", "DG464"}


def scoped() -> set[str]:
    """The codes of our rows."""
    rules = table("verify/dynamo/rules.yaml")
    return {code for scope, codes in rules.items() if scope not in ("sections", "hints") for code in codes}


@cache
def words(file: Path) -> str:
    """The text of a file of a set, and of what it shares with others."""
    text = file.read_text("utf-8")
    return text + "".join(
        words((file.parent / name).resolve()) for name in sorted(set(re.findall(r'"([^"]+\.json)#', text)))
    )


def first_with(message: str, version: str) -> str:
    """The first release whose CRD says this, if the ones before have that version as well."""
    files = [folder / f"nvidia.com/dynamographdeployment_{version}.json" for folder in SETS]
    there = [file.parts[-3].removeprefix("dynamo-") for file in files if file.is_file()]
    having = [name for name, file in zip(SETS, files, strict=True) if file.is_file() and message in words(file)]
    first = having[0].name.removeprefix("dynamo-")
    return "" if first == there[0] else first


@pytest.mark.parametrize(("rule", "code", "since", "source", "judged", "version"), ROWS, ids=[row[0] for row in ROWS])
def test_a_rule_is_judged_where_the_page_says(
    rule: str, code: str, since: str, source: str, judged: str, version: str
) -> None:
    name = re.fullmatch(r"\[(DG\d+)\]\(rules/\1\.md\)", code)
    assert name and (ROOT / f"docs/rules/{name[1]}.md").is_file()
    assert re.fullmatch(r"\w+\.go", source)
    if judged.startswith("CRD: "):
        assert name[1] == "DG215" and since == first_with(judged.removeprefix("CRD: "), version)
    elif judged == "rules.yaml":
        assert name[1] in scoped()
    else:
        assert f'"{name[1]}"' in (FOLDER / judged).read_text("utf-8")


def test_the_page_has_every_code() -> None:
    named = {(re.findall(r"DG\d+", code)[0], judged) for _, code, _, _, judged, _ in ROWS}
    assert {code for code, _ in named} == CODES | {"DG215"}
    assert {code for code, judged in named if judged == "rules.yaml"} == scoped()
