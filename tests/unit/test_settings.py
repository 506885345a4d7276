"""--set: Helm's ways of writing keys and values, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynagen.diagnostics import Report
from dynagen.profile.settings import overlays_said, setting_problem, setting_trees
from dynagen.text.paths import SCHEMAS
from dynagen.trees.nodes import to_data

SCHEMA = json.loads((SCHEMAS / "profile.json").read_bytes())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("spot=true", {"spot": True}),
        ("agg.replicas=3", {"agg": {"replicas": 3}}),
        ("model=null", {"model": None}),
        ("image=null", {"image": None}),
        ("servedModelName=8", {"servedModelName": "8"}),
        ("servedModelName=a\\,b", {"servedModelName": "a,b"}),
        ("metadata.labels.example\\.com/team=search", {"metadata": {"labels": {"example.com/team": "search"}}}),
        ("overlays=gke,istio", {"overlays": ["gke", "istio"]}),
        ("overlays={gke,istio}", {"overlays": ["gke", "istio"]}),
        ('overlays=["gke", "istio"]', {"overlays": ["gke", "istio"]}),
        ("overlays=", {"overlays": []}),
        ("overlays={}", {"overlays": []}),
        ("overlays=null", {"overlays": None}),
        ('engineArgs=["--enforce-eager","--seed","1"]', {"engineArgs": ["--enforce-eager", "--seed", "1"]}),
        (
            'engineArgs=--override-generation-config,{"temperature":0.6\\,"top_p":0.9}',
            {"engineArgs": ["--override-generation-config", '{"temperature":0.6,"top_p":0.9}']},
        ),
        ('env={"A": "1", "B": "x,y"}', {"env": {"A": "1", "B": "x,y"}}),
        ('env.CONFIG={"a":1}', {"env": {"CONFIG": '{"a":1}'}}),
        ('env.A={"secretKeyRef":{"name":"a","key":"b"}}', {"env": {"A": {"secretKeyRef": {"name": "a", "key": "b"}}}}),
        ("env.HF_TOKEN=abc", {"env": {"HF_TOKEN": "abc"}}),
        ('agg={"gpus": 2}', {"agg": {"gpus": 2}}),
    ],
)
def test_what_is_written_is_what_is_meant(written: str, expected: Any) -> None:
    report = Report()
    (tree,) = setting_trees([written], SCHEMA, report)
    assert to_data(tree) == expected
    assert setting_problem(written) is None and not report.diagnostics


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ('engineArgs={"temperature":0.6,"top_p":0.9}x,y', "cut at a comma"),
        ('engineArgs=--x,{"temperature":0.6,"top_p":0.9}', "cut at a comma"),
        ('engineArgs=["--x"', "not a list"),
        ("overlays=[gke,istio]", "not a list"),
        ("agg={gpus: 2}", "not a mapping"),
        ("agg=3", "not a mapping"),
        ("env=[]", "not a mapping"),
        ('agg={"gpus": NaN}', "'NaN' is no number"),
        ("release=1.6.1,spot=true", "one --set holds one setting"),
        ("spot=true,agg.replicas=2", "one --set holds one setting"),
        ("agg=" + "[" * 100_000, "not a mapping"),
    ],
)
def test_half_a_value_is_refused(written: str, words: str) -> None:
    report = Report()
    assert setting_trees([written], SCHEMA, report) == []
    (found,) = report.diagnostics
    assert found.code == "DG611" and words in found.message and found.hint


@pytest.mark.parametrize("written", ["spot", "=1", "a..b=1", "overlays[0]=gke", "agg.x[2].y=1", "engineArgs[]=x"])
def test_a_key_that_cannot_be_one_is_a_wrong_command_line(written: str) -> None:
    assert setting_problem(written)


def test_the_last_setting_decides_about_overlays() -> None:
    assert overlays_said(["spot=true"]) is None
    found = overlays_said(["overlays=gke", "overlays={istio,./team}"])
    assert found is not None and [entry for entry, _ in found] == ["istio", "./team"]
    assert overlays_said(["overlays=gke", "overlays=null"]) == []
