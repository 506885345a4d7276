"""Names, labels and what goes with them: as the API server of the tests says, and no stricter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.manifests.yaml import to_yaml
from dynagen.text.names import (
    config_key_problem,
    key_problem,
    label_problem,
    subdomain_problem,
    value_problem,
)
from dynagen.text.source import parse

RELEASE = "1.6.1"


def codes(data: dict[str, Any], kubernetes: str = "1.35") -> list[str]:
    report = Report()
    check_manifests(parse(to_yaml(data), "a.yaml", report), Target(kubernetes, RELEASE), report)
    return [each.code for each in report.diagnostics if each.code in ("DG212", "DG441", "DG442", "DG443", "DG444")]


def config(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}}


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({"name": "a.b-c.1"}, []),
        ({"name": "a" * 253}, []),
        ({"name": "a" * 254}, ["DG441"]),
        ({"name": "A"}, ["DG441"]),
        ({"name": "a_b"}, ["DG441"]),
        ({"name": "a..b"}, ["DG441"]),
        ({"name": "-a"}, ["DG441"]),
        ({"name": "a\n"}, ["DG441"]),
        ({"generateName": "a-"}, []),
        ({"generateName": "A-"}, ["DG441"]),
        ({"namespace": "a.b"}, ["DG441"]),
        ({"namespace": "a" * 63}, []),
        ({"namespace": "a" * 64}, ["DG441"]),
        ({"labels": {"a": "", "b.c/D_e": "A.b_c-1"}}, []),
        ({"labels": {"a": "a" * 64}}, ["DG442"]),
        ({"labels": {"a": "a b"}}, ["DG442"]),
        ({"labels": {"a/b/c": "a"}}, ["DG442"]),
        ({"labels": {"": "a"}}, ["DG442"]),
        ({"labels": {"A.b/c": "a"}}, ["DG442"]),
        ({"annotations": {"A.b/C": "any text\n"}}, []),
        ({"annotations": {"a b": ""}}, ["DG442"]),
        ({"annotations": {"a": "b" * (256 * 1024)}}, ["DG442"]),
        ({"finalizers": ["foregroundDeletion", "example.com/a"]}, []),
        ({"finalizers": ["a b"]}, ["DG442"]),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1", "controller": True}]}, []),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": ""}]}, ["DG442"]),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": n, "uid": n, "controller": True} for n in "ab"]}, ["DG442"]),
    ],
)  # fmt: skip
def test_metadata(metadata: dict[str, Any], found: list[str]) -> None:
    assert codes(config(**metadata)) == found


@pytest.mark.parametrize(
    ("api_version", "kind", "name", "good"),
    [
        ("v1", "Namespace", "a.b", False),
        ("v1", "Namespace", "a" * 63, True),
        ("v1", "ServiceAccount", "a.b", True),
        ("rbac.authorization.k8s.io/v1", "Role", "System:Node", True),
        ("rbac.authorization.k8s.io/v1", "Role", "a/b", False),
        ("rbac.authorization.k8s.io/v1", "Role", "..", False),
        ("policy/v1", "PodDisruptionBudget", "A b", True),  # nobody checks it
    ],
)
def test_names_differ_by_kind(api_version: str, kind: str, name: str, good: bool) -> None:
    data = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}
    if kind == "Role":
        data["rules"] = []
    assert codes(data) == ([] if good else ["DG441"])


def test_a_namespace_on_what_has_none_is_overlooked() -> None:
    assert codes({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "namespace": "A B"}}) == []


def test_a_service_may_begin_with_a_digit_since_1_36() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "1a"}, "spec": {"ports": [{"port": 80}]}}
    assert codes(service, "1.35") == ["DG441"]
    assert codes(service, "1.36") == []


def test_names_of_jobs_become_labels() -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a" * 64}, "spec": {"template": template}}
    assert codes(job) == ["DG441"]
    assert codes({**job, "metadata": {"name": "a" * 63}}) == []


def test_pods_of_templates_and_selectors_have_labels_too() -> None:
    template = {"metadata": {"labels": {"a": "b c"}}, "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}  # fmt: skip
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"template": template}}
    assert codes(job) == ["DG442"]
    for expression in (
        {"key": "a", "operator": ""}, {"key": "a", "operator": "In"}, {"key": "a b", "operator": "Exists"},
        {"key": "a", "operator": "Exists", "values": ["a"]}, {"key": "a", "operator": "In", "values": ["a b"]},
    ):  # fmt: skip
        assert codes(budget(selector={"matchExpressions": [expression]})) == ["DG442"]
    assert codes(budget(selector={"matchLabels": {"a": "b c"}})) == ["DG442"]


def budget(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize(
    ("kind", "spec", "good"),
    [
        ("v1 Service", {"ports": [{"port": 80}]}, True),
        ("v1 Service", {"ports": [{"port": 80000}]}, False),
        ("v1 Service", {"ports": [{"port": 80, "targetPort": 0}]}, False),
        ("v1 Service", {"ports": [{"port": 80, "targetPort": "http"}]}, True),
        ("v1 Service", {"ports": [{"port": 80, "name": "a"}, {"port": 81}]}, False),
        ("v1 Service", {"type": "ExternalName", "externalName": "example.com"}, True),
        ("v1 Service", {"clusterIP": "None"}, True),
        ("v1 Service", {}, False),
        ("autoscaling/v2 HorizontalPodAutoscaler", {"minReplicas": 2, "maxReplicas": 2}, True),
        ("autoscaling/v2 HorizontalPodAutoscaler", {"minReplicas": 3, "maxReplicas": 2}, False),
        ("autoscaling/v2 HorizontalPodAutoscaler", {"maxReplicas": 0}, False),
        ("apps/v1 Deployment", {"matchLabels": {"app": "web"}}, True),
        ("apps/v1 Deployment", {"matchLabels": {"app": "wbe"}}, False),
        ("apps/v1 StatefulSet", {"matchLabels": {"name": "web"}}, False),
    ],
)
def test_services_scalers_and_workloads(kind: str, spec: dict[str, Any], good: bool) -> None:
    version, kind = kind.split()
    if version == "autoscaling/v2":
        spec["scaleTargetRef"] = {"kind": "Deployment", "name": "a"}
    if version == "apps/v1":
        containers = [{"name": "main", "image": "a:1"}]
        spec = {
            "selector": spec,
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}},
        }
    found = codes({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": spec})
    assert [code for code in found if code < "DG470"] == ([] if good else ["DG443"])


@pytest.mark.parametrize(
    ("spec", "good"),
    [
        ({"maxUnavailable": "50%"}, True),
        ({"minAvailable": 0}, True),
        ({"maxUnavailable": "1"}, False),
        ({"maxUnavailable": "101%"}, False),
        ({"maxUnavailable": -1}, False),
        ({"maxUnavailable": 1, "minAvailable": 1}, False),
        ({"maxUnavailable": 1, "unhealthyPodEvictionPolicy": ""}, False),
    ],
)
def test_budgets(spec: dict[str, Any], good: bool) -> None:
    assert codes(budget(**spec)) == ([] if good else ["DG443"])


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}, 0),
        ({"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": 1}}}, 0),
        ({"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "0e5"}}}, 1),
        ({"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "-1Gi"}}}, 1),
        ({"accessModes": ["ReadWriteMany", "ReadWriteOncePod"], "resources": {"requests": {"storage": "1Gi"}}}, 1),
        ({"accessModes": ["RWX"], "resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "a"}, 0),
        ({"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "A"}, 1),
        ({"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}, 0),
        ({"accessModes": [""], "resources": {"requests": {"storage": "1Gi"}}}, 1),
        ({}, 2),
    ],
)
def test_claims(spec: dict[str, Any], found: int) -> None:
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a"}, "spec": spec}
    assert codes(claim) == ["DG443"] * found + ["DG444"] * (2 if "volumeMode" in spec else 0)


def test_config_maps() -> None:
    assert codes({**config(), "data": {"a.b_C-1": ""}}) == []
    assert codes({**config(), "data": {"a/b": ""}}) == ["DG441"]
    assert codes({**config(), "data": {"..a": ""}}) == ["DG441"]
    assert codes({**config(), "data": {"a": ""}, "binaryData": {"a": "YQ=="}}) == ["DG443"]
    # A file that large cannot be read; two of them can be merged.
    assert codes({**config(), "data": dict.fromkeys("ab", "a" * 400000)}) == []


@given(st.text(max_size=70))
def test_every_label_is_a_subdomain_a_key_and_a_value(text: str) -> None:
    if not label_problem(text):
        assert not (subdomain_problem(text) or key_problem(text) or value_problem(text) or config_key_problem(text))
