"""Every file of facts says when it was last held against its source."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.facts import DAYS, checked, fact_files, older


@pytest.mark.parametrize("file", fact_files(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_facts_say_when_they_were_checked(file: Path) -> None:
    day = checked(file.read_text("utf-8"))
    assert date(2026, 1, 1) <= day <= datetime.now(UTC).date() + timedelta(days=1)


@pytest.mark.parametrize("text", [
    "", "a: 1\n", "a: 1\n# checked: 2026-11-28\n", "# checked: 2026-11-28\n# checked: 2026-11-27\n", "# checked: today\n",
    "# checked: 2026-13-01\na: 1\n", "# checked 2026-11-28\n",
])  # fmt: skip
def test_a_head_that_does_not_say_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        checked(text)


def test_old_facts_are_listed_oldest_first(tmp_path: Path) -> None:
    folder = tmp_path / "base/facts/models"
    folder.mkdir(parents=True)
    for name, day in (("a", "2026-09-01"), ("b", "2026-08-01"), ("c", "2026-11-01")):
        (folder / f"{name}.yaml").write_text(f"# source: x\n# checked: {day}\nx: 1\n")
    found = [(file.stem, age) for file, age in older(DAYS, date(2026, 11, 28), tmp_path)]
    assert found == [("b", 119), ("a", 88)]
