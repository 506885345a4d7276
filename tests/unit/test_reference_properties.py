"""What holds for references at large: in all shipped trees, in many objects, in objects that are out of order.

Each reference by itself has a case in tests/cases/references.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest

from dynagen.checking.manifests import objects_of
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import Report
from dynagen.memory import Memory
from dynagen.origins.pointing import where_written
from dynagen.profile.library import schema_folders
from dynagen.schema.sets import Schemas
from dynagen.text.source import parse
from dynagen.verify.references.check import check
from dynagen.verify.references.routes import _intersect
from tests.conftest import ROOT
from tests.unit.linting import report_of

CASES = ROOT / "tests/cases/references"
INSTALLATION = (CASES / "a-whole-installation/manifests.yaml").read_text("utf-8")
TREES = [*sorted((ROOT / "out").iterdir()), *sorted((ROOT / "tests/cases/good").glob("*/expected"))]
# What nobody refers to: it does its work by being there.
NOBODYS = {
    "DestinationRule", "GCPBackendPolicy", "HealthCheckPolicy", "HTTPRoute", "Job", "Namespace", "NetworkPolicy",
    "PeerAuthentication",
    "Pod", "PodDisruptionBudget", "PodMonitor", "PodMonitoring", "PrometheusRule", "Rules", "VirtualService",
}  # fmt: skip
# And of other kinds: dashboards, which Grafana finds by their label.
NOBODYS_NAMES = {"qwen3-32b-dashboard", "chat-contact"}

# Claims that the profiles of good cases say are there.
CLAIMS = ("filled", "models", "compiled", "prompts", "results.v2")


@pytest.mark.slow
@pytest.mark.parametrize("tree", TREES, ids=lambda path: path.name if path.name != "expected" else path.parent.name)
def test_an_object_that_others_refer_to_is_missed_and_no_other_is(tree: Path) -> None:
    files = {file: file.read_text("utf-8") for file in tree.glob("*.yaml") if file.name != "kustomization.yaml"}
    release = {"release-0.9-legacy-flags": "0.9.0", "release-1.1-v1alpha1": "1.1.1"}.get(tree.parent.name, "1.6.1")

    def found(texts: dict[Path, str]) -> set[str]:
        report = report_of(
            "---\n".join(texts.values()),
            release,
            (
                "Secret/hf-token-secret",
                "Secret/qwen-tls",
                "Secret/a-tls",
                "StorageClass/fast",
                *(f"PersistentVolumeClaim/{name}" for name in CLAIMS),
            ),
        )
        return {each.code for each in report.diagnostics if each.code.startswith("DG47")}

    assert found(files) == set()
    for file, text in files.items():
        subject = parse(text, file.name, Report())[0].data
        nobodys = subject["kind"] in NOBODYS or subject["metadata"]["name"] in NOBODYS_NAMES
        missed = found({other: text for other, text in files.items() if other != file})
        assert bool(missed) is not nobodys, file.name
        assert missed <= {"DG470", "DG473"}


@pytest.mark.parametrize(
    ("listener", "host", "meets"),
    [
        ("a.example.com", "a.example.com", True), ("a.example.com", "b.example.com", False),
        ("*.example.com", "a.example.com", True), ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False), ("a.example.com", "*.example.com", True),
        ("*.example.com", "*.example.com", True), ("*.a.example.com", "*.example.com", True),
        ("*.example.com", "*.example.org", False), ("example.com", "*.example.com", False),
    ],
)  # fmt: skip
def test_hosts_meet_as_the_gateway_api_says(listener: str, host: str, meets: bool) -> None:
    assert _intersect(listener, host) is meets


def work(text: str) -> tuple[int, int]:
    """How many functions the check calls, and how much it finds: a clock that does not depend on the machine."""
    report, calls = Report(), 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    objects = objects_of(parse(text, "manifests.yaml", report), report)
    cluster = Cluster(Schemas(schema_folders([], "1.34", None, Memory())), "1.34", (1, 6, 1), Memory())
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        check(objects, cluster, Findings(report, where_written))
    finally:
        sys.setprofile(before)
    return calls, len(report.diagnostics)


def many(text: str, number: int) -> str:
    """As many of the same in one namespace, each with names of its own."""
    return "---\n".join(text.replace("-0", f"-{index}") for index in range(number))


def test_the_cost_grows_with_the_number_of_objects_and_no_faster() -> None:
    work(INSTALLATION)
    (few, none), (more, still_none) = work(many(INSTALLATION, 20)), work(many(INSTALLATION, 80))
    assert none == still_none == 0
    assert more / few < 4.4


def test_so_it_does_when_everything_is_wrong() -> None:
    istio = [text for text in INSTALLATION.split("---\n") if "networking.istio.io" in text]
    (few, some), (more, all_of_them) = work(many("---\n".join(istio), 110)), work(many("---\n".join(istio), 130))
    assert (some, all_of_them) == (110, 130)
    assert more / few < 1.25


def test_no_object_makes_it_fall_over() -> None:
    """Parts are taken away and put in other places: of what conforms, nothing does; what is external may be anything."""
    schemas = Schemas(schema_folders([], "1.34", None, Memory()))
    chance = random.Random(1)
    texts = [file.read_text("utf-8") for file in sorted(CASES.glob("*/manifests.yaml"))]
    checked = 0
    for text in texts * 6:
        objects = objects_of(parse(text, "manifests.yaml", Report()), Report())
        for subject in objects:
            if chance.random() < 0.6:
                _disturb(subject.data, chance)
        external = [each for each in objects if chance.random() < 0.4]
        rest = [
            each
            for each in objects
            if each not in external
            and (schema := schemas.find(each.api_version, each.kind)) is not None
            and schema.conforms(each.data)
        ]
        checked += len(rest)
        check(rest, Cluster(schemas, "1.34", (1, 6, 1), Memory(), external), Findings(Report(), where_written))
    assert checked > 200


def _disturb(value: Any, chance: random.Random) -> None:
    places = []

    def walk(inner: Any) -> None:
        for key in list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ():
            if key not in ("apiVersion", "kind", "metadata"):
                places.append((inner, key))
                walk(inner[key])

    walk(value)
    for _ in range(chance.choice((1, 2))):
        if places:
            inner, key = chance.choice(places)
            inner[key] = chance.choice(([], {}, "", "x", 1, True, [{}], {"a": "b"}, [[]], inner[key]))
