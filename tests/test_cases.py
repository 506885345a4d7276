"""All cases: a folder is a profile and the tree it becomes, or the complaints about it. A new case is a new folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT

GOOD = sorted(path.parent for path in (ROOT / "tests/cases/good").glob("*/profile.yaml"))
BAD = sorted(path.parent for path in (ROOT / "tests/cases/bad").glob("*/profile.yaml"))


def read_tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


def arguments_of(case: Path) -> list[str]:
    """More words for the command line, one a line, in a file called `arguments`."""
    file = case / "arguments"
    return file.read_text("utf-8").splitlines() if file.exists() else []


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_good_profile_becomes_the_expected_tree(case, dynagen, update, tmp_path):  # type: ignore[no-untyped-def]
    target = case / "expected" if update else tmp_path / "tree"
    run = dynagen("build", "profile.yaml", *arguments_of(case), "-o", str(target), cwd=case)
    assert (run.code, run.stderr) == (0, "")
    (target / "dynagen.record").unlink()  # says nothing that is not in the rest
    assert read_tree(target) == read_tree(case / "expected")


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_bad_profile_gets_the_expected_complaints(case, dynagen, update):  # type: ignore[no-untyped-def]
    expected = case / "expected.txt"
    run = dynagen("build", "profile.yaml", *arguments_of(case), cwd=case)
    assert run.code == 1
    assert run.stdout == ""
    if update:
        expected.write_text(run.stderr, "utf-8")
    assert run.stderr == expected.read_text("utf-8")
    assert f"[{case.name.split('-')[0]}]" in run.stderr
    assert dynagen("check", "profile.yaml", *arguments_of(case), cwd=case) == run
