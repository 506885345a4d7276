"""A smaller run of `make agree` with a seed of its own, and what makes it worth something."""

from __future__ import annotations

from collections import Counter

import pytest

from dynagen.schema.sets import Schemas
from tests.agree import Case, Fault, compare, known_faults, unexplained
from tests.agree.judges import kubeconform, ours
from tests.agree.objects import settings
from tests.mutants import OPERATORS, Mutant

pytestmark = pytest.mark.oracle

SEED, COUNT = 20, 1_000
NEWEST = settings()[0]
# A schema says nothing about the order of keys and items. The others are accepted a few times in ten thousand, or never.
NEVER_REFUSED = {"reorder"}
HARDLY_ACCEPTED = {"null", "retype", "unknown field", "wrong word", "wrong version", "wrong kind"}


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return list(compare(NEWEST, COUNT, SEED))


def test_kubeconform_says_the_same_of_every_mutant(cases: list[Case]) -> None:
    assert len(cases) == COUNT
    wrong = unexplained(cases)
    assert not wrong, "\n".join(map(str, wrong[:5]))


def test_the_mutants_matter(cases: list[Case]) -> None:
    """A good share is refused and a good share accepted, and no operator is idle."""
    accepted = sum(case.ours.accepted for case in cases)
    assert COUNT // 4 < accepted < COUNT * 3 // 4
    found = Counter((case.mutant.operator, case.ours.accepted) for case in cases)
    for operator in OPERATORS:
        assert found[operator, False] or operator in NEVER_REFUSED, f"'{operator}' is never refused"
        assert found[operator, True] or operator in HARDLY_ACCEPTED, f"'{operator}' is never accepted"
        assert sum(found[operator, verdict] for verdict in (True, False)) > COUNT // 200, (
            f"'{operator}' is hardly tried"
        )


def test_a_seed_gives_the_same_mutants(cases: list[Case]) -> None:
    again = compare(NEWEST, 60, SEED)
    assert [case.mutant for case in again][:30] == [case.mutant for case in list(compare(NEWEST, 60, SEED))][:30]


@pytest.mark.parametrize("fault", known_faults(), ids=lambda fault: fault.ours)
def test_what_is_known_to_differ_still_does(fault: Fault) -> None:
    mine = ours(fault.example, Schemas(NEWEST.folders))
    (theirs,) = kubeconform([fault.example], NEWEST.folders)
    case = Case(NEWEST, Mutant("", "", (), fault.example, None), mine, theirs)
    assert not case.agrees
    assert fault.explains(case)
    assert fault.reason
