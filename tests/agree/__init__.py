"""Our verdicts held against kubeconform's, one mutant after the other. `python -m tests.agree` is `make agree`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dynagen.schema.sets import Schemas
from tests.agree.judges import Verdict, kubeconform, ours
from tests.agree.objects import Setting, objects, others
from tests.mutants import Mutant, mutants

KNOWN = Path(__file__).with_name("known.yaml")
BATCH = 250  # so that an interrupted run has little in memory


class Case(NamedTuple):
    """One mutant and what both say of it."""

    setting: Setting
    mutant: Mutant
    ours: Verdict
    theirs: Verdict

    @property
    def agrees(self) -> bool:
        return self.ours.accepted == self.theirs.accepted

    def __str__(self) -> str:
        heads = (
            f"{self.mutant.kind}, {self.mutant.operator} at {self.mutant.path}, kubernetes {self.setting.kubernetes}"
        )
        return f"--- {heads}\nours:   {self.ours}\ntheirs: {self.theirs}\n{self.mutant.text}"


class Fault(NamedTuple):
    """An entry of known.yaml: where the two differ, and why that is no mistake of ours."""

    who: str
    ours: str
    theirs: str
    reason: str
    example: str

    def explains(self, case: Case) -> bool:
        """Whether the words of both fit. `ours` and `theirs` are regular expressions; `accepted` stands for a yes."""
        return all(
            re.search(pattern, verdict.why if not verdict.accepted else "accepted")
            for pattern, verdict in ((self.ours, case.ours), (self.theirs, case.theirs))
        )


def known_faults() -> list[Fault]:
    entries: list[dict[str, Any]] = yaml.safe_load(KNOWN.read_text("utf-8"))
    return [Fault(**entry) for entry in entries]


def compare(setting: Setting, count: int, seed: int) -> Iterator[Case]:
    """Three of five mutants are made of the project's own objects, the others of all further kinds."""
    schemas = Schemas(setting.folders)
    made = list(mutants(objects(schemas), schemas, count * 3 // 5, seed))
    made += mutants(others(setting, schemas, seed), schemas, count - len(made), seed + 1)
    for start in range(0, count, BATCH):
        batch = made[start : start + BATCH]
        theirs = kubeconform([mutant.text for mutant in batch], setting.folders)
        for mutant, verdict in zip(batch, theirs, strict=True):
            yield Case(setting, mutant, ours(mutant.text, schemas), verdict)


def unexplained(cases: Iterable[Case]) -> list[Case]:
    faults = known_faults()
    return [case for case in cases if not case.agrees and not any(fault.explains(case) for fault in faults)]


def summary(cases: list[Case]) -> str:
    """What was tried, by operator and by kind: accepted by both, refused by both, known to differ."""
    lines = [f"{len(cases)} mutants"]
    for title, key in (("change", lambda case: case.mutant.operator), ("kind", lambda case: case.mutant.kind)):
        found: dict[str, Counter[str]] = {}
        for case in cases:
            outcome = "differ" if not case.agrees else "accepted" if case.ours.accepted else "refused"
            found.setdefault(key(case), Counter())[outcome] += 1
        lines.append(f"\n{title:64}{'accepted':>10}{'refused':>10}{'differ':>10}")
        lines += [
            f"{name:64}{counts['accepted']:10}{counts['refused']:10}{counts['differ']:10}"
            for name, counts in sorted(found.items())
        ]
    return "\n".join(lines)
