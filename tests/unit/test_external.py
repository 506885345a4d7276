"""What the cluster has already: said by the profile, by the layers, and held against what objects say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.unit.compiling import HEAD, told
from tests.unit.linting import GROVE

PROFILE = HEAD + "backend: vllm\ngpu: nvidia-l4\nagg: {replicas: 1, gpus: 1}\n"
ENV = "env: {KEY: {secretKeyRef: {name: bucket, key: token}}}\n"


def said(folder: Path, profile: str, **files: str) -> list[tuple[str, str]]:
    """Codes and hints for a profile with a layer `team`, whose files are given by folder."""
    for name, text in files.items():
        file = folder / "team" / name / "file.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    report = Report()
    overlays = "" if "overlays:" in profile else "overlays: [./team]\n" if files else ""
    documents = parse(PROFILE + overlays + profile, "profile.yaml", report)
    compile_profile(Request(documents, [], folder, folder), report)
    return [(each.code, each.hint) for each in told(report)]


def test_a_name_is_declared_in_the_profile(tmp_path: Path) -> None:
    ((code, hint),) = said(tmp_path, ENV)
    assert (code, hint) == (
        "DG470",
        "add it, or say that the cluster has it: 'external: [Secret/bucket]' in the profile",
    )
    assert said(tmp_path, ENV + "external: [Secret/bucket]\n") == []
    assert said(tmp_path, ENV + "external: [Secret/ml-prod/bucket]\n") == []
    assert said(tmp_path, ENV + "external: [Secret/other/bucket]\n") != []


SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: bucket}\n"


def test_a_layer_says_what_there_is_and_what_is_in_it(tmp_path: Path) -> None:
    assert said(tmp_path, ENV, external=SECRET) == []
    assert said(tmp_path, ENV, external=SECRET + "stringData: {token: ''}\n") == []
    assert said(tmp_path, ENV, external=SECRET + "data: {tokens: ''}\n") == [("DG471", "did you mean 'tokens'?")]
    elsewhere = SECRET.replace("bucket}", "bucket, namespace: other}")
    assert said(tmp_path, ENV, external=elsewhere) == [("DG470", "there is one in 'other'")]


def test_what_is_declared_as_an_object_needs_a_kind_and_a_name(tmp_path: Path) -> None:
    assert [code for code, _ in said(tmp_path, "", external="kind: Secret\nmetadata: {name: x}\n")] == ["DG313"]


def test_objects_of_the_cluster_are_for_all_namespaces(tmp_path: Path) -> None:
    patch = "kind: DynamoGraphDeployment\nspec: {components: [{name: worker, podTemplate: {spec: {priorityClassName: high}}}]}\n"
    assert [code for code, _ in said(tmp_path, "", patches=patch)] == ["DG470"]
    assert said(tmp_path, "external: [PriorityClass/high]\n", patches=patch) == []
    assert said(tmp_path, "", patches=patch, external="apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\n") == []  # fmt: skip


def test_a_gateway_that_exists_is_known_with_its_listeners(tmp_path: Path) -> None:
    gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: public, namespace: edge}\n"
    spec = "spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}\n"
    profile = "overlays: [istio, ./team]\nistio: {host: chat.example.com, routing: gateway-api, gateway: edge/public}\n"
    assert said(tmp_path, profile.replace(", ./team", "")) == []
    ((code, hint),) = said(tmp_path, profile, external=gateway + spec)
    assert (code, "HTTPS" in hint) == ("DG646", True)
    spec = spec.replace("protocol: HTTP,", "protocol: HTTPS, tls: {certificateRefs: [{name: cert}]},")
    assert said(tmp_path, profile, external=gateway + spec) == []
    ((code, _),) = said(tmp_path, profile, external=gateway + spec.replace("All", "Same"))
    assert code == "DG475"


@pytest.mark.parametrize(
    "profile",
    [
        "huggingFaceSecret: hf",
        "modelCache: {claimName: models}",
        "modelCache: {size: 200Gi, storageClassName: fast}",
        "modelCache: {size: 2Ti}\noverlays: [gke]",
        "modelCache: {size: 200Gi, accessMode: ReadWriteOnce}\noverlays: [gke]",
        "overlays: [gke]\ngke: {gateway: {host: chat.example.com, tlsSecret: chat-tls}}",
        "overlays: [gke]\ngke: {gateway: {host: chat.example.com, class: gke-l7-global-external-managed, certificateMap: m}}",
        "overlays: [istio]\nistio: {host: chat.example.com}",
        "overlays: [istio]\nistio: {host: chat.example.com, tlsCredential: chat-tls}",
        "overlays: [istio]\nistio: {host: chat.example.com, gatewaySelector: {app: edge}}",
        "overlays: [istio]\nistio: {host: chat.example.com, gateway: edge/public}",
        "overlays: [istio]\nistio: {host: chat.example.com, mesh: none}",
        "overlays: [istio]\nistio: {host: chat.example.com, routing: gateway-api, tlsCredential: chat-tls}",
        "overlays: [istio]\nistio: {host: chat.example.com, routing: gateway-api, gateway: edge/public}",
        "overlays: [istio]\nistio: {host: chat.example.com, mesh: csm-managed}",
        "overlays: [gke, istio]\nistio: {host: chat.example.com}\ngke: {gateway: {enabled: true}}",
        "overlays: [monitoring]\nmonitoring: {scrape: podmonitor}",
        "overlays: [monitoring]\nmonitoring: {scrape: chart}",
        "overlays: [monitoring]\nmonitoring: {dashboard: {namespace: monitoring}}",
        "overlays: [gke, monitoring]\ncreateNamespace: false",
        "overlays: [monitoring]\nrelease: 1.1.1",
        "overlays: [monitoring]\nrelease: 1.2.0",
        "overlays: [monitoring]\nrelease: 0.8.0",
    ],
)
@pytest.mark.parametrize("mode", ["", "disagg: {prefill: {replicas: 2, gpus: 1}, decode: {replicas: 1, gpus: 1}}\n"])
def test_whatever_the_shipped_layers_make_resolves(tmp_path: Path, profile: str, mode: str) -> None:
    report = Report()
    text = HEAD + "backend: vllm\ngpu: nvidia-l4\n" + (mode or "agg: {replicas: 1, gpus: 1}\n") + profile + "\n"
    compile_profile(Request(parse(text, "profile.yaml", report), [], tmp_path, tmp_path), report)
    assert [each for each in report.diagnostics if each.code.startswith("DG47")] == []
    assert {each.code for each in told(report)} <= {"DG405", "DG437", "DG645", "DG646"}


def test_a_graph_that_exists_is_known_with_its_components(tmp_path: Path) -> None:
    graph = (
        "apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nmetadata: {name: other}\n"
        "spec: {components: [{name: Frontend, type: frontend}, {name: decode, type: decode}]}\n"
    )
    budget = (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\n"
        "spec: {maxUnavailable: 1, selector: {matchLabels: {nvidia.com/dynamo-graph-deployment-name: other, nvidia.com/dynamo-component: decode}}}\n"
    )
    assert [code for code, _ in said(tmp_path, "", resources=budget)] == ["DG473"]
    assert said(tmp_path, "", resources=budget, external=graph) == []
    wrong = budget.replace("component: decode", "component: decod")
    assert said(tmp_path, "", resources=wrong, external=graph) == [("DG473", "did you mean 'decode'?")]


def test_a_definition_among_the_external_objects_says_what_the_cluster_can_do(tmp_path: Path) -> None:
    patch = "kind: DynamoGraphDeployment\nspec: {priorityClassName: high}\n"
    high = "external: [PriorityClass/high]\n"
    assert [code for code, _ in said(tmp_path, high, patches=patch)] == ["DG455"]
    assert said(tmp_path, high.replace("]", f", {GROVE}]"), patches=patch) == []
