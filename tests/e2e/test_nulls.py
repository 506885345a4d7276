"""Null in custom resources: server-side apply refuses what we warn of, and takes the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.e2e.plane import Plane
from tests.e2e.test_examples import use_dynamo

Data = dict[str, Any]


def custom(api_version: str, kind: str, spec: Data) -> Data:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "namespace": "default"}, "spec": spec}


def graph(more: Data, pod: Data, main: Data) -> Data:
    container = {"name": "main", "image": "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1", **main}
    frontend = {"name": "frontend", "type": "frontend", "podTemplate": {"spec": {"containers": [container], **pod}}}
    return custom("nvidia.com/v1beta1", "DynamoGraphDeployment", {"components": [frontend], **more})


ISTIO, ROUTES = "networking.istio.io/v1", "gateway.networking.k8s.io/v1"
CASES: dict[str, Data] = {
    "a text": graph({"priorityClassName": None}, {}, {}),
    "a map": graph({"annotations": None}, {}, {}),
    "a list": graph({"env": None}, {}, {}),
    "a value of a map": graph({"labels": {"a": None}}, {}, {}),
    "an object": graph({"restart": None}, {}, {}),
    "in a pod": graph({}, {"nodeSelector": None}, {}),
    "a quantity": graph({}, {}, {"resources": {"limits": {"cpu": None}}}),
    "a volume": graph({}, {"volumes": [{"name": "a", "emptyDir": None}]}, {}),
    "metadata": {**graph({}, {}, {}), "metadata": {"name": "a", "namespace": "default", "labels": None}},
    "status": {**graph({}, {}, {}), "status": None},
    "nothing": graph({}, {}, {}),
    "DestinationRule": custom(ISTIO, "DestinationRule", {"host": "a", "trafficPolicy": None}),
    "HTTPRoute": custom(ROUTES, "HTTPRoute", {"hostnames": None, "rules": [{"matches": None}]}),
    "PodMonitoring": custom("monitoring.googleapis.com/v1", "PodMonitoring", {"selector": {"matchLabels": None}, "endpoints": [{"port": 1, "interval": "5s"}]}),
    "Deployment": {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "default"},
        "spec": {"strategy": None, "selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"nodeSelector": None, "containers": [{"name": "a", "image": "b", "args": None}]}}},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def dynamo(plane: Plane) -> Plane:
    use_dynamo(plane, None)
    return plane


@pytest.mark.parametrize("name", CASES)
def test_what_we_warn_of_is_refused(dynamo: Plane, name: str) -> None:
    text = json.dumps(CASES[name])
    report = Report()
    check_manifests(parse(text, "a.yaml", report), Target("1.37", "1.6.1"), report)
    ours = any(each.code == "DG674" for each in report.diagnostics)
    answer = dynamo.try_kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", input=text)
    assert ours == ("null" in answer.stderr) == bool(answer.returncode), answer.stderr


@pytest.mark.parametrize("name", CASES)
def test_a_client_drops_them(dynamo: Plane, name: str) -> None:
    answer = dynamo.try_kubectl("create", "--dry-run=server", "-f", "-", input=json.dumps(CASES[name]))
    assert not answer.returncode, answer.stderr
