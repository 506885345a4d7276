"""The page on the rules of Dynamo's webhook says of each where it is judged, and it is judged there."""

from __future__ import annotations

import re

import pytest

from dynagen.compiled.reading import table
from dynagen.text.paths import PACKAGE, SCHEMAS
from tests.conftest import ROOT

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
CODES = {"DG416", *(f"DG{number}" for number in range(450, 470))} - {"DG464"}


def scoped() -> set[str]:
    """The codes of our rows."""
    rules = table("verify/dynamo/rules.yaml")
    return {code for scope, codes in rules.items() if scope not in ("sections", "hints") for code in codes}


@pytest.mark.parametrize(("rule", "code", "since", "source", "judged", "version"), ROWS, ids=[row[0] for row in ROWS])
def test_a_rule_is_judged_where_the_page_says(
    rule: str, code: str, since: str, source: str, judged: str, version: str
) -> None:
    name = re.fullmatch(r"\[(DG\d+)\]\(rules/\1\.md\)", code)
    assert name and (ROOT / f"docs/rules/{name[1]}.md").is_file()
    assert re.fullmatch(r"\w+\.go", source)
    if judged.startswith("CRD: "):
        schema = SCHEMAS / f"dynamo-1.5/nvidia.com/dynamographdeployment_{version}.json"
        assert name[1] == "DG215" and judged.removeprefix("CRD: ") in schema.read_text("utf-8")
    elif judged == "rules.yaml":
        assert name[1] in scoped()
    else:
        assert f'"{name[1]}"' in (FOLDER / judged).read_text("utf-8")


def test_the_page_has_every_code() -> None:
    named = {(re.findall(r"DG\d+", code)[0], judged) for _, code, _, _, judged, _ in ROWS}
    assert {code for code, _ in named} == CODES | {"DG215"}
    assert {code for code, judged in named if judged == "rules.yaml"} == scoped()
