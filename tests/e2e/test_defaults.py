"""Fields that documents call required and API servers fill in: those that we do not miss, they do not miss either."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.e2e.admission import Admission
from tests.e2e.plane import Plane

POD = {"containers": [{"name": "main", "image": "busybox:1.37"}]}
LABELS = {"matchLabels": {"app": "a"}}
TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": POD}
HEADER = {"httpGet": {"port": 80, "httpHeaders": [{"name": "x"}]}}
OBJECTS: list[dict[str, Any]] = [
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "a"}},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
     "roleRef": {"kind": "ClusterRole", "name": "a"}, "subjects": [{"kind": "User", "name": "a"}]},
    {"apiVersion": "apps/v1", "kind": "StatefulSet", "spec": {"selector": LABELS, "template": TEMPLATE}},
    {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"},
    {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {"policyTypes": ["Ingress"]}},
    {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"},
    {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{**POD["containers"][0], "livenessProbe": HEADER}]}},
    {"apiVersion": "v1", "kind": "Pod", "spec": {**POD, "securityContext": {"sysctls": [{"name": "net.ipv4.ip_local_port_range"}]}}},
    {"apiVersion": "v1", "kind": "LimitRange", "spec": {}},
    # what is missed by all
    {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "endpoints": []},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "roleRef": {"name": "a"}},
    {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": LABELS}},
    {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"name": "a"}]}},
]  # fmt: skip
CLUSTER = ("ClusterRoleBinding", "PriorityClass")


@pytest.fixture(scope="module")
def answers(plane: Plane) -> list[str]:
    found = Admission(plane).judge([_text(each) for each in OBJECTS])
    return ["" if each.accepted else each.why for each in found]


def _text(data: dict[str, Any]) -> str:
    space = {} if data["kind"] in CLUSTER else {"namespace": "default"}
    return json.dumps({**data, "metadata": {"name": "a", **space}})


@pytest.mark.parametrize("kubernetes", ["1.31", "1.37"])
def test_the_verdicts_are_the_same(answers: list[str], kubernetes: str) -> None:
    def ours(data: dict[str, Any]) -> list[str]:
        report = Report()
        check_manifests(parse(_text(data), "a.yaml", report), Target(kubernetes, "1.6.1"), report)
        return [each.message for each in report.diagnostics if each.code == "DG212"]

    differing = [
        (data, ours(data), why) for data, why in zip(OBJECTS, answers, strict=True) if bool(ours(data)) != bool(why)
    ]
    assert differing == []
