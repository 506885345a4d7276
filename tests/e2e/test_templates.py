"""Templates of pods: the API server's verdict on a Deployment of each is ours on the same template in a graph."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.e2e.admission import Admission, Answer
from tests.e2e.plane import Plane
from tests.e2e.test_updates import merged

Data = dict[str, Any]
KNOWN: Data = yaml.safe_load(Path(__file__).with_name("templates.yaml").read_text("utf-8"))
ENTRIES = [(each, kind) for kind in ("broken", "sound") for each in KNOWN[kind]]
NAMES = [each["name"] for each, _ in ENTRIES]
# What is missed beside them, and what we advise against.
OTHERS = ("DG47", "DG415", "DG416", "DG45", "DG401", "DG402")


def template(entry: Data) -> Data:
    found = merged(copy.deepcopy(KNOWN["base"]), {key: entry.get(key, {}) for key in ("metadata", "spec")})
    found["spec"]["containers"][0] = merged(found["spec"]["containers"][0], entry.get("main", {}))
    return found


def deployment(entry: Data) -> Data:
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template(entry)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": spec,
    }


def pod(entry: Data) -> Data:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        **merged(template(entry), {"metadata": {"name": "a", "namespace": "default"}}),
    }


def graph(entry: Data) -> Data:
    component = {"name": "frontend", "type": "frontend", "podTemplate": template(entry)}
    return {
        "apiVersion": "nvidia.com/v1beta1", "kind": "DynamoGraphDeployment", "metadata": {"name": "a", "namespace": "default"},
        "spec": {"components": [component]},
    }  # fmt: skip


def lws(entry: Data) -> Data:
    worker = {"size": 2, "workerTemplate": template(entry)}
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "metadata": {"name": "a", "namespace": "default"},
        "spec": {"replicas": 1, "leaderWorkerTemplate": worker},
    }  # fmt: skip


def ours(data: Data) -> list[str]:
    report = Report()
    check_manifests(parse(json.dumps(data), "a.yaml", report), Target("1.37", "1.6.1"), report)
    return [
        f"{each.code} {each.message}"
        for each in report.diagnostics
        if each.severity == "error" and not each.code.startswith(OTHERS)
    ]


@pytest.fixture(scope="module")
def answers(plane: Plane) -> dict[str, Answer]:
    texts = [json.dumps(pod(each) if each.get("pod") else deployment(each)) for each, _ in ENTRIES]
    return dict(zip(NAMES, Admission(plane).judge(texts), strict=True))


@pytest.mark.parametrize(("entry", "kind"), ENTRIES, ids=NAMES)
def test_the_server_says_what_is_written(entry: Data, kind: str, answers: dict[str, Answer]) -> None:
    assert answers[entry["name"]].accepted == (kind == "sound"), answers[entry["name"]].why


@pytest.mark.parametrize(("entry", "kind"), ENTRIES, ids=NAMES)
@pytest.mark.parametrize("make", [deployment, graph, lws], ids=["Deployment", "graph", "LeaderWorkerSet"])
def test_we_say_the_same(make: Any, entry: Data, kind: str, answers: dict[str, Answer]) -> None:
    found = ours(make(entry))
    assert bool(found) == (not answers[entry["name"]].accepted), (found, answers[entry["name"]].why)
