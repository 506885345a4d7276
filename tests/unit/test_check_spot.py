"""Plain manifests of graphs on Spot nodes: what is to be done within the notice."""

from __future__ import annotations

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.text.source import parse

GRAPH = """apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {{name: chat}}
spec:
  components:
    - name: Frontend
      type: frontend
      podTemplate: {{spec: {{containers: [{{name: main, image: "example.com/frontend:1.6.1"}}]}}}}
    - name: worker
      type: worker
      podTemplate:
        spec:
          nodeSelector: {{cloud.google.com/gke-spot: {spot}}}
          terminationGracePeriodSeconds: {grace}
          containers:
            - name: main
              image: example.com/vllm:1.6.1
              env:
                - {{name: DYN_PREFILL_DRAIN_TIMEOUT_S, value: "{drain}"}}
                - {{name: OTHER, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
"""


def found(spot: str, grace: int, drain: str) -> list[tuple[str, int]]:
    report = Report()
    documents = parse(GRAPH.format(spot=spot, grace=grace, drain=drain), "graph.yaml", report)
    check_manifests(documents, Target("1.35", "1.6.1"), report)
    return [(each.code, each.at.line) for each in report.diagnostics if each.code == "DG433"]


def test_waits_longer_than_the_notice_are_found_at_their_line() -> None:
    assert found('"true"', 60, "45") == [("DG433", 14), ("DG433", 19)]


def test_pods_that_no_graph_makes_have_the_same_notice() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  nodeSelector: {cloud.google.com/gke-provisioning: spot}\n"
    report = Report()
    text = pod + "  terminationGracePeriodSeconds: 60\n  containers: [{name: main, image: 'a:1'}]\n"
    check_manifests(parse(text, "pod.yaml", report), Target("1.35", "1.6.1"), report)
    assert [(each.code, each.at.line) for each in report.diagnostics] == [("DG433", 6)]


def test_shorter_ones_and_other_nodes_are_fine() -> None:
    assert found('"true"', 15, "10.5") == []
    assert found('"false"', 60, "45") == []
    assert found('"true"', 15, "soon") == []
