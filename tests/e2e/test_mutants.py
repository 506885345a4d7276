"""A thousand mutants and more of our manifests on a real API server: what it refuses and we take is a mistake of ours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.profile.schema import core_schema
from dynagen.schema.sets import Schemas
from dynagen.schema_import.crds import custom_resource_definitions
from dynagen.text.source import parse
from tests.agree.objects import Setting, objects
from tests.e2e.admission import Admission, Answer
from tests.e2e.conftest import SCHEMAS
from tests.e2e.plane import Plane
from tests.mutants import Mutant, mutants
from tests.tools import version_of

SEED, COUNT = 7, 1_500
DYNAMO = "dynamo-1.5"
KNOWN: dict[str, list[dict[str, Any]]] = yaml.safe_load(Path(__file__).with_name("mutants.yaml").read_text("utf-8"))


class Case(NamedTuple):
    """`ours` holds what we say against it, if anything."""

    mutant: Mutant
    ours: str
    theirs: Answer

    def __str__(self) -> str:
        head = f"--- {self.mutant.kind}, {self.mutant.operator} at {self.mutant.path}"
        return f"{head}\nours:   {self.ours or 'accepted'}\nserver: {self.theirs.why or 'accepted'}"


@pytest.fixture(scope="module")
def cases(plane: Plane) -> Iterator[list[Case]]:
    """The server's own version decides which schemas count."""
    setting = Setting(".".join(version_of("kube-apiserver").removeprefix("v").split(".")[:2]), DYNAMO)
    plane.install(custom_resource_definitions(SCHEMAS, [DYNAMO]))
    plane.notes["dynamo"] = DYNAMO
    schemas = Schemas(setting.folders)
    originals = objects(schemas)
    spaces = {each["metadata"]["namespace"] for each in originals if "namespace" in each["metadata"]}
    plane.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}} for space in sorted(spaces)])
    accounts = [each for each in originals if each["kind"] == "ServiceAccount"]
    plane.apply(accounts)  # a Pod is refused without
    made = list(mutants(originals, schemas, COUNT, SEED))
    answers = Admission(plane).judge([mutant.text for mutant in made])
    yield [Case(mutant, complaint(mutant.text, setting), answer) for mutant, answer in zip(made, answers, strict=True)]
    for account in accounts:
        place = ("-n", account["metadata"]["namespace"], "--ignore-not-found")  # originals share some
        plane.kubectl("delete", "serviceaccount", account["metadata"]["name"], *place)


def complaint(text: str, setting: Setting) -> str:
    """The first error of everything that `dynagen check` knows; nothing when there is none.

    A mutant stands alone, so what it refers to does not count.
    """
    report = Report()
    documents = parse(text, "mutant.yaml", report)
    if not report.failed:
        release = core_schema()["properties"]["release"]["default"]
        check_manifests(documents, Target(setting.kubernetes, release), report)
    errors = [f"{each.code} {each.message}" for each in report.diagnostics if each.severity == "error"]
    errors = [words for words in errors if not words.startswith("DG47")]
    return errors[0] if errors else ""


def unknown(differing: list[tuple[Case, str]], known: list[dict[str, Any]]) -> list[str]:
    """What no entry explains, and entries that explain more than they may."""
    counts: Counter[str] = Counter()
    left = []
    for case, words in differing:
        entry = next((each for each in known if re.search(each["says"], words)), None)
        if entry is None:
            left.append(str(case))
        else:
            counts[entry["says"]] += 1
    print("\n".join(f"{counts[each['says']]:5} {each['reason']}" for each in known))
    over = [each for each in known if counts[each["says"]] > each.get("at_most", COUNT)]
    return left + [
        f"'{each['says']}': {counts[each['says']]} times, at most {each['at_most']} are known" for each in over
    ]


def test_what_we_take_the_server_takes(cases: list[Case]) -> None:
    differing = [(case, case.theirs.why) for case in cases if not case.ours and not case.theirs.accepted]
    assert not (wrong := unknown(differing, KNOWN["taken_all_the_same"])), "\n".join(wrong)


def test_what_the_server_takes_we_refuse_on_purpose_only(cases: list[Case]) -> None:
    differing = [(case, case.ours) for case in cases if case.ours and case.theirs.accepted]
    assert not (wrong := unknown(differing, KNOWN["refused_on_purpose"])), "\n".join(wrong)


def test_the_mutants_matter_to_the_server(cases: list[Case]) -> None:
    accepted = sum(case.theirs.accepted for case in cases)
    assert COUNT // 5 < accepted < COUNT * 4 // 5
    assert sum(bool(case.ours) != case.theirs.accepted for case in cases) > COUNT * 9 // 10
