"""Objects against the rules of their CRDs: where a finding points, and what an earlier object changes."""

from __future__ import annotations

from typing import Any

from dynagen.checking.manifests import Target, check_manifests
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.diagnostics import Origin, Position, Report
from dynagen.manifests.building import Manifest
from dynagen.memory import Memory
from dynagen.origins.pointing import where_written
from dynagen.schema.sets import Schemas
from dynagen.text.paths import SCHEMAS
from dynagen.text.source import parse
from dynagen.trees.nodes import Map, to_tree
from dynagen.verify.crd_rules import check_rules

ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: chat, namespace: demo}
spec:
  rules:
    - matches:
        - path:
            value: v1/chat
"""


def found(text: str) -> list[tuple[str, int, str]]:
    report = Report()
    check_manifests(parse(text, "a.yaml", report), Target("1.34", "1.5.0"), report)
    return [(each.code, each.at.line, each.message) for each in report.diagnostics if each.code in ("DG215", "DG216")]


def test_plain_manifests_are_checked_against_rules() -> None:
    """`type` is PathPrefix by default, and the rule reads it."""
    assert found(ROUTE) == [
        (
            "DG215",
            8,
            "HTTPRoute 'chat': spec.rules[0].matches[0].path: value must be an absolute path and start with '/' when type"
            " one of ['Exact', 'PathPrefix']",
        )
    ]
    assert found(ROUTE.replace("v1/chat", "/v1/chat")) == []


def kept(data: dict[str, Any], earlier: dict[str, Any] | None) -> list[str]:
    report = Report()
    old = [made(earlier)] if earlier else []
    cluster = Cluster(Schemas([SCHEMAS / "dynamo-1.5"]), "1.34", (1, 6, 1), Memory(), earlier=old)
    check_rules([made(data)], cluster, Findings(report, where_written))
    return [each.message for each in report.diagnostics]


def made(data: dict[str, Any]) -> Object:
    tree = to_tree(data, Origin(Position("a.yaml")))
    assert isinstance(tree, Map)
    return Object(Manifest(tree, Position("a.yaml")))


def worker(**fields: Any) -> dict[str, Any]:
    component = {"name": "decode", "type": "worker", **fields}
    head = {
        "apiVersion": "nvidia.com/v1beta1",
        "kind": "DynamoGraphDeployment",
        "metadata": {"name": "g", "namespace": "d"},
    }
    return {**head, "spec": {"components": [{"name": "other", "type": "frontend"}, component]}}


def test_a_rule_that_compares_needs_an_earlier_object() -> None:
    assert kept(worker(minAvailable=1), None) == []
    assert kept(worker(minAvailable=1), worker(minAvailable=1)) == []
    assert kept(worker(minAvailable=1, replicas=3), worker(minAvailable=2, replicas=3)) == [
        "DynamoGraphDeployment 'g': spec.components[1]: minAvailable is immutable after creation"
    ]


def test_a_rule_that_is_too_much_work_is_only_noted() -> None:
    """CEL in Python stops after 10,000 steps, and the rule about names compares each with each."""
    head = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "s", "namespace": "d"}}
    ports = [{"name": f"p{number}", "number": number} for number in range(1, 151)]
    report = Report()
    check_rules(
        [made({**head, "spec": {"hosts": ["a.b"], "ports": ports}})],
        Cluster(Schemas([SCHEMAS / "istio"]), "1.34", (1, 6, 1), Memory()),
        Findings(report, where_written),
    )
    assert {(each.code, each.severity) for each in report.diagnostics} == {("DG216", "note")}
    assert not report.failed
