"""What Istio's rules share: durations, hosts, expressions. Each rule has its cases in tests/cases/istio.

What istioctl says of the same cases is tested in tests/istioctl.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.text.durations import duration_problem, nanoseconds
from dynagen.text.source import parse
from dynagen.verify.istio.common import regex_problem
from dynagen.verify.istio.hosts import host_problem, overlap
from tests.conftest import ROOT

CASES = sorted(path.parent for path in (ROOT / "tests/cases/istio").glob("*/manifests.yaml"))
OURS = tuple(f"DG{number}" for number in range(479, 500) if number != 484)  # DG484 is gone


def report_of(text: str) -> Report:
    report = Report()
    check_manifests(parse(text, "manifests.yaml", report), Target("1.35", "1.6.1"), report)
    return report


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_good_or_says_what_istioctl_finds(case: Path) -> None:
    good = case.name.startswith("good-")
    assert (case / "expected.txt").exists() is (case / "istioctl.yaml").exists() is not good


def test_every_code_has_a_case() -> None:
    assert {case.name.split("-")[0] for case in CASES} - {"good"} == set(OURS)


def test_a_stream_without_istio_is_not_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynagen.verify.istio.mesh.Mesh.__init__", lambda *_: pytest.fail("looked at"))
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: team}\nspec: {ports: [{port: 80}]}\n"
    assert report_of(text).diagnostics == []


def test_durations_are_read_as_go_reads_them() -> None:
    assert nanoseconds("1h30m") == 90 * 60 * 10**9
    assert nanoseconds("-1.5s") == -1_500_000_000
    assert [nanoseconds(text) for text in ("1d", "10", "", "s", "1.s.")] == [None] * 5
    assert duration_problem("1ms") is None
    assert duration_problem("1500us") == "1500us is finer than milliseconds"


def test_wildcards_stand_for_whole_first_labels() -> None:
    assert [host_problem(host) for host in ("*", "*.a.b", "*-a.b", "a", "a.b.")] == [None] * 5
    assert all(host_problem(host) for host in ("", "a..b", "a.*.b", "a_b", "1.2.3.4", "-a", "a" * 64))
    assert overlap("*.com", "*.example.com") and overlap("a.com", "*.com") and not overlap("*.a.com", "a.com")


@pytest.mark.parametrize("regex", [r"\pL+", "(?U)a+", "(?s)a(?m)b", "a{2,3}", r"[[:alpha:]]\z", r"(?P<a>x)", r"\Qa+\E"])
def test_what_re2_alone_can_say_is_no_mistake(regex: str) -> None:
    assert regex_problem(regex) is None


@pytest.mark.parametrize("regex", ["(", "a**", "(?=a)", "(?<!a)b", r"(a)\1", "a{2,1}", "[b-a]", "x" * 1025, ""])
def test_what_re2_cannot_say_is_one(regex: str) -> None:
    assert regex_problem(regex)


def test_an_object_without_a_namespace_may_be_in_any() -> None:
    text = (
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\n"
        "spec: {host: a.example.com, exportTo: [team], workloadSelector: {matchLabels: {app: a}}}\n"
    )
    assert report_of(text).diagnostics == []


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: team, labels: {app: web, version: v1}}
spec: {containers: [{name: main, image: "example.com/web:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: team}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: team}
spec: {host: web, subsets: [{name: v2, labels: {version: v2}}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: web, namespace: team}
spec: {selector: {matchLabels: {version: v2}}}
---
"""
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: web, namespace: team}
spec: {address: 10.0.0.1, labels: {app: web, version: v2}}
"""
GROUP = """\
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: web, namespace: team}
spec: {metadata: {labels: {app: web, version: v2}}, template: {ports: {http: 80}}}
"""


def test_machines_outside_of_the_cluster_are_selected_like_pods() -> None:
    assert {each.code for each in report_of(POD).diagnostics} == {"DG473", "DG497"}
    for machines in (ENTRY, GROUP):
        assert report_of(POD + machines).diagnostics == []
