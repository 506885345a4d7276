"""The files of facts and when each was last held against its source: `python -m tests.facts [DAYS]` lists the old ones.

The head of a file, the comments before its first line of data, has one line `# checked: YYYY-MM-DD`. It is no key, because the
keys of most of these files are names: of models, of releases, of classes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import takewhile
from pathlib import Path

from tests.conftest import ROOT

DAYS = 60
CHECKED = re.compile(r"# checked: ([0-9]{4}-[0-9]{2}-[0-9]{2})")


def fact_files(root: Path = ROOT) -> list[Path]:
    """Those of the shipped layers."""
    return sorted([*root.glob("base/facts/**/*.yaml"), *root.glob("overlays/*/facts/**/*.yaml")])


def checked(text: str) -> date:
    """When the facts of a file were last held against their source. Raises ValueError without one such line, or with two."""
    head = takewhile(lambda line: line.startswith("#"), text.splitlines())
    found = [match[1] for line in head if (match := CHECKED.fullmatch(line))]
    if len(found) != 1:
        raise ValueError(f"{len(found)} lines '# checked: YYYY-MM-DD' in the head of the file, and there has to be one")
    return date.fromisoformat(found[0])


def older(days: int, today: date, root: Path = ROOT) -> Iterator[tuple[Path, int]]:
    """The files whose facts are older, the oldest first, each with its days."""
    ages = [((today - checked(file.read_text("utf-8"))).days, file) for file in fact_files(root)]
    yield from ((file, age) for age, file in sorted(ages, key=lambda each: (-each[0], each[1])) if age > days)


def main(words: list[str]) -> None:
    days = int(words[0]) if words else DAYS
    for file, age in older(days, datetime.now(UTC).date()):
        print(f"{file.relative_to(ROOT)}: checked {age} days ago")


if __name__ == "__main__":
    main(sys.argv[1:])
