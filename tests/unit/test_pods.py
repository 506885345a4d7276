"""The one description of pods: where templates are, and what runs of them."""

from __future__ import annotations

import pytest

from dynagen.cluster.pod_templates import pod_templates
from dynagen.cluster.pods import Pod, pods_of
from tests.unit.linting import objects_of, report_of

TEMPLATE = (
    "{metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a, ports: [{name: web, containerPort: 80}]}]}}"
)
SELECTOR = "selector: {matchLabels: {app: a}}, "
IMAGE = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1"
BETA = f"""
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {{name: demo, namespace: team}}
spec:
  backendFramework: vllm
  labels: {{team: blue}}
  components:
    - {{name: Frontend, type: frontend, podTemplate: {{spec: {{containers: [{{name: main, image: "{IMAGE}"}}]}}}}}}
    - name: decode
      type: decode
      podTemplate:
        metadata: {{labels: {{app: a}}, annotations: {{note: b}}}}
        spec: {{containers: [{{name: main, image: "{IMAGE}", ports: [{{name: web, containerPort: 80}}]}}]}}
"""
ALPHA = f"""
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {{name: demo, namespace: team}}
spec:
  backendFramework: vllm
  labels: {{team: blue}}
  services:
    Frontend: {{componentType: frontend, extraPodSpec: {{mainContainer: {{image: "{IMAGE}"}}}}}}
    decode:
      componentType: worker
      subComponentType: decode
      extraPodMetadata: {{labels: {{app: a}}, annotations: {{note: b}}}}
      extraPodSpec: {{mainContainer: {{image: "{IMAGE}", ports: [{{name: web, containerPort: 80}}]}}}}
"""


def pods(text: str, release: tuple[int, int, int] = (1, 6, 1)) -> list[Pod]:
    return pods_of(objects_of(text), release)


@pytest.mark.parametrize(
    ("head", "count"),
    [
        (f"apiVersion: v1, kind: Pod, {TEMPLATE[1:-1].replace('{', '{name: x, ', 1)}", 1),
        (f"apiVersion: apps/v1, kind: Deployment, metadata: {{name: x}}, spec: {{{SELECTOR}template: {TEMPLATE}}}", 1),
        (f"apiVersion: v1, kind: ReplicationController, metadata: {{name: x}}, spec: {{template: {TEMPLATE}}}", 1),
        (f"apiVersion: leaderworkerset.x-k8s.io/v1, kind: LeaderWorkerSet, metadata: {{name: x}}, spec: {{leaderWorkerTemplate: {{workerTemplate: {TEMPLATE}, leaderTemplate: {TEMPLATE}}}}}", 2),
        (f"apiVersion: v1, kind: PodTemplate, metadata: {{name: x}}, template: {TEMPLATE}", 0),
    ],
)  # fmt: skip
def test_the_pods_of_a_kind_have_the_labels_and_ports_of_its_template(head: str, count: int) -> None:
    found = pods(f"{{{head}}}")
    assert [(pod.labels, pod.ports) for pod in found] == [({"app": ("a",)}, {"web"})] * count


def test_a_graph_has_the_same_pods_in_both_versions_of_its_api() -> None:
    for new, old in zip(pods(BETA), pods(ALPHA), strict=True):
        kind = "nvidia.com/dynamo-component-type"
        assert {**new.labels, kind: ()}.items() <= {**old.labels, kind: ()}.items()
        assert set(new.labels[kind]) <= set(old.labels[kind])
        assert (new.ports, new.namespace, new.of_graph) == (old.ports, old.namespace, True)
        assert new.template and old.template
        assert new.template.annotations == old.template.annotations


def test_the_operator_adds_labels_and_ports() -> None:
    frontend, decode = pods(BETA)
    assert frontend.ports == {"http"}
    assert decode.ports and {"web", "system", "nixl"} <= decode.ports
    assert decode.values("app") == ("a",)
    assert decode.values("team") == ("blue",)
    assert decode.values("nvidia.com/dynamo-namespace") == ("team-demo",)
    assert decode.values("nvidia.com/dynamo-worker-hash") == ()
    assert decode.values("grove.io/podgang") == ()
    assert decode.values("nvidia.com/dynamo-sub-component-type") is None
    assert pods(BETA, (1, 4, 0))[1].values("nvidia.com/dynamo-sub-component-type") == ("decode",)


def test_all_checks_look_at_the_same_templates() -> None:
    objects = objects_of(BETA)
    assert all(one is other for one, other in zip(pod_templates(objects), pod_templates(objects), strict=True))


def test_a_main_container_of_v1alpha1_is_one_of_the_pod_to_istio() -> None:
    user = "{securityContext: {runAsUser: 1337}, "
    text = ALPHA.replace(
        "extraPodMetadata: {labels: {app: a}", 'extraPodMetadata: {labels: {sidecar.istio.io/inject: "true"}'
    )
    found = report_of(text.replace("mainContainer: {", f"mainContainer: {user}")).diagnostics
    assert [(each.code, text.splitlines()[each.at.line - 1].strip()[:9]) for each in found if each.code == "DG499"] == [
        ("DG499", "Frontend:"),
        ("DG499", "extraPodS"),
    ]
