"""What an API server asks of network policies and of the levels of pod security, beyond schemas."""

from __future__ import annotations

import pytest

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.text.source import parse


def codes(text: str) -> list[str]:
    report = Report()
    check_manifests(parse(text, "a.yaml", report), Target("1.35", "1.6.1"), report)
    return [each.code for each in report.diagnostics if each.code in ("DG442", "DG443")]


POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:\n  podSelector: {}\n  ingress: [%s]\n"


@pytest.mark.parametrize(("rule", "found"), [
    ("{from: [{podSelector: {matchLabels: {a: /b}}}]}", ["DG442"]),
    ("{from: [{namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}]}", ["DG442"]),
    ("{from: [{podSelector: {}}, {namespaceSelector: {matchLabels: {a: b}}}]}", []),
    ("{ports: [{endPort: 3}]}", ["DG443"]),
    ("{ports: [{port: http, endPort: 3}]}", ["DG443"]),
    ("{ports: [{port: 90, endPort: 80}]}", ["DG443"]),
    ("{ports: [{port: 90, endPort: 90}, {port: http}]}", []),
    ("{}", []),
    ("{from: [{}]}", ["DG443"]),
    ("{from: [{podSelector: {matchExpressions: [{key: a, operator: Equals}]}}]}", ["DG442"]),
    ("{from: [{podSelector: {matchExpressions: [{key: a, operator: Exists}]}}]}", []),
    ("{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}", ["DG443"]),
    ("{from: [{namespaceSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}", ["DG443"]),
    ("{from: []}", []),
    ("{from: [{ipBlock: {cidr: 10.0.0.0/8}}, {podSelector: {}, namespaceSelector: {}}]}", []),
])  # fmt: skip
def test_rules_of_network_policies(rule: str, found: list[str]) -> None:
    assert codes(POLICY % rule) == found


@pytest.mark.parametrize(("labels", "found"), [
    ("{pod-security.kubernetes.io/warn: strict}", ["DG443"]),
    ("{pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: latest}", []),
])  # fmt: skip
def test_levels_of_pod_security(labels: str, found: list[str]) -> None:
    assert codes(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: a, labels: {labels}}}\n") == found


@pytest.mark.parametrize(("name", "found"), [(".inf", ["DG443"]), ("", []), ("fast.a", [])])
def test_the_class_of_attributes_of_a_claim_is_a_name(name: str, found: list[str]) -> None:
    spec = f"{{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}, volumeAttributesClassName: '{name}'}}"
    assert codes(f"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: a}}\nspec: {spec}\n") == found


@pytest.mark.parametrize(("name", "found"), [
    ("''", ["DG443"]), ("a/b/c", ["DG443"]), ("a" * 64, ["DG443"]),
    ("kubernetes.io/gce-pd", []), ("Example.com/NFS", []), ("pd.csi.storage.gke.io", []), ("nfs", []),
])  # fmt: skip
def test_the_provisioner_of_a_class_is_a_name(name: str, found: list[str]) -> None:
    assert (
        codes(f"apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: a}}\nprovisioner: {name}\n")
        == found
    )
