"""Plain manifests and what is said about them. A case is a folder; a new case is a new folder, and no code.

    manifests.yaml   objects as somebody would apply them
    arguments        more words for the command line, one a line, if there are any
    expected.txt     all complaints, in the words of `dynagen check`; without this file there are none
    changes.txt      small changes to these manifests, and what is said then

A change has a title, the lines that go and come as in a diff, and the complaints, which may be none:

    # the key is misspelt
    -              key: password
    +              key: passwd
    manifests.yaml:16:20: error[DG471] Pod 'shell': Secret 'login' has no key 'passwd'

    # the key is in a Secret that the cluster has
    $ --external Secret/session
    -              name: login
    +              name: session
    no complaint

A line `$` holds more words for the command line; a line `...` stands between two places that change at once. The lines
that go, with those kept around them, are in the manifests exactly once. With `--against=manifests.yaml` a change is an
update of what the cluster has. `pytest --update` rewrites the complaints.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import chdir
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from dynagen.checking.manifests import Target, check_manifests
from dynagen.checking.paths import read_earlier
from dynagen.commands._group import dynagen as group
from dynagen.commands.check import check
from dynagen.console import to_text
from dynagen.diagnostics import Report
from dynagen.profile.schema import core_schema
from dynagen.text.source import parse
from tests.conftest import ROOT
from tests.test_cases import arguments_of

CASES = sorted(path.parent for path in (ROOT / "tests/cases").glob("*/*/manifests.yaml"))
NOTHING = "no complaint\n"


def name_of(case: Path) -> str:
    return f"{case.parent.name}-{case.name}"


class Change(NamedTuple):
    """A part of changes.txt: `head` is its text up to the complaints, `words` and `hunks` are what that says."""

    head: str
    words: list[str]
    hunks: list[str]

    def made_in(self, text: str) -> str:
        for hunk in self.hunks:
            lines = hunk.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] in " -")
            new = "".join(line[1:] for line in lines if line[0] in " +")
            times = f"\n{text}".count(f"\n{old}")
            assert times == 1, f"these lines are in the manifests {times} times:\n{self.head}"
            text = f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]
        return text


def changes_in(text: str) -> list[Change]:
    return [_change(part) for part in f"\n{text}".split("\n# ")[1:]]


def _change(part: str) -> Change:
    title, *lines = part.splitlines(keepends=True)
    head = list(takewhile(lambda line: line[0] in "$-+ .", lines))
    words = [word for line in head if line[0] == "$" for word in line[1:].split()]
    hunks = "".join(line for line in head if line[0] != "$").split("...\n")
    return Change(f"# {title}{''.join(head)}", words, [hunk for hunk in hunks if hunk])


def complaints_about(text: str, words: Sequence[str], case: Path) -> str:
    """What `dynagen check manifests.yaml` finds in the folder of the case, with these words after it."""
    report = Report()
    check_manifests(parse(text, "manifests.yaml", report), target_of(tuple(words), case), report)
    return to_text(report.diagnostics, {"manifests.yaml": text})


@cache
def target_of(words: tuple[str, ...], case: Path) -> Target:
    # Below the group, as in a real call: click keeps what it first finds out about a command.
    given = check.make_context(
        "check", ["manifests.yaml", *words], parent=click.Context(group, **group.context_settings)
    ).params
    default = {key: core_schema()["properties"][key]["default"] for key in ("kubernetes", "release")}
    with chdir(case):
        earlier = read_earlier(given["against"], Report()) if given["against"] else []
    versions = (given[key] or default[key] for key in default)
    return Target(*versions, external=given["external"], earlier=earlier)


def expect(found: str, file: Path, update: bool) -> None:
    """That the file holds what was found; no file holds nothing."""
    if update:
        file.write_text(found, "utf-8") if found else file.unlink(missing_ok=True)
    assert found == (file.read_text("utf-8") if file.exists() else "")


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_manifests_get_the_expected_complaints(case: Path, update: bool) -> None:
    text = (case / "manifests.yaml").read_text("utf-8")
    expect(complaints_about(text, arguments_of(case), case), case / "expected.txt", update)


@pytest.mark.parametrize("case", [case for case in CASES if (case / "changes.txt").exists()], ids=name_of)
def test_changed_manifests_get_the_expected_complaints(case: Path, update: bool) -> None:
    text, file = (case / "manifests.yaml").read_text("utf-8"), case / "changes.txt"
    found = []
    for change in changes_in(file.read_text("utf-8")):
        said = complaints_about(change.made_in(text), [*arguments_of(case), *change.words], case)
        found.append(change.head + (said or NOTHING))
    expect("\n".join(found), file, update)


@pytest.mark.parametrize("case", [case for case in CASES if case.name.startswith("DG")], ids=name_of)
def test_a_case_that_is_called_by_a_code_shows_it(case: Path) -> None:
    files = [file for file in (case / "expected.txt", case / "changes.txt") if file.exists()]
    assert any(f"[{case.name.split('-')[0]}]" in file.read_text("utf-8") for file in files)
