"""The istio overlay: every key of its section, and on all it makes the rules of istiod's webhook and its analyser.

Codes of the form IST0101 are those of `istioctl analyze`
(pkg/config/analysis/msg/messages.yaml and pkg/config/validation of istio/istio, commit 86c9f01).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.conftest import ROOT
from tests.unit.compiling import told

HOST = "chat.example.com"
SERVICE = "chat-frontend.team.svc.cluster.local"
TAKEN_BY_THE_OPERATOR = {"chat-frontend", "chat-epp", "chat-pool", "chat-route"}

PROFILE: dict[str, Any] = {
    "apiVersion": "dynagen.dev/v1alpha1",
    "kind": "Profile",
    "metadata": {"name": "chat", "namespace": "team"},
    "backend": "vllm",
    "model": "Qwen/Qwen3-0.6B",
    "gpu": "nvidia-l4",
    "disagg": {"prefill": {}, "decode": {}},
    "overlays": ["istio"],
}

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tls": {"tlsCredential": "chat-tls"},
    "existing gateway": {"gateway": "istio-ingress/public"},
    "selector": {"gatewaySelector": {"app": "edge"}},
    "limits": {"maxRequests": 96},
    "gateway api": {"routing": "gateway-api"},
    "gateway api with tls": {"routing": "gateway-api", "tlsCredential": "chat-tls"},
    "gateway api, existing": {"routing": "gateway-api", "gateway": "istio-ingress/public"},
    "managed mesh": {"mesh": "csm-managed"},
    "no mesh": {"mesh": "none"},
    "strict mesh": {"mtls": "strict"},
    "revision": {"revision": "1-30"},
}


def compile_with(istio: dict[str, Any], **rest: Any) -> tuple[dict[tuple[str, str], dict[str, Any]], Report]:
    """The objects by kind and name, for a profile with a section `istio` and other keys of choice."""
    report = Report()
    text = json.dumps({**PROFILE, "istio": {"host": HOST, **istio}, **rest})
    request = Request(parse(text, "profile.yaml", report), (), ROOT, ROOT)
    compilation = compile_profile(request, report)
    return {(manifest.kind, manifest.name): manifest.to_data() for manifest in compilation.manifests}, report


def build(istio: dict[str, Any], **rest: Any) -> dict[tuple[str, str], dict[str, Any]]:
    objects, report = compile_with(istio, **rest)
    assert [each for each in told(report) if each.code != "DG646"] == []  # most have no certificate
    return objects


def component(objects: dict[tuple[str, str], dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [one for one in objects["DynamoGraphDeployment", "chat"]["spec"]["components"] if one["name"] == name]
    return dict(found["podTemplate"])


def environment(template: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in template["spec"]["containers"][0]["env"]}


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS)
def objects(request: pytest.FixtureRequest) -> dict[tuple[str, str], dict[str, Any]]:
    """What each variant of the section becomes, with everything that the base can make."""
    return build(request.param, frontend={"replicas": 2}, modelCache={"size": "10Gi", "accessPod": True})


def of_kind(objects: dict[tuple[str, str], dict[str, Any]], kind: str, group: str) -> list[dict[str, Any]]:
    return [one for (of, _), one in objects.items() if of == kind and one["apiVersion"].startswith(group + "/")]


def virtual_services(objects: dict[tuple[str, str], dict[str, Any]]) -> list[dict[str, Any]]:
    return of_kind(objects, "VirtualService", "networking.istio.io")


def gateways(objects: dict[tuple[str, str], dict[str, Any]]) -> list[dict[str, Any]]:
    return of_kind(objects, "Gateway", "networking.istio.io")


# The keys, one by one.


def test_by_default_a_gateway_serves_plain_http_for_the_host() -> None:
    made = build({})
    assert made["Gateway", "chat-ingress"]["spec"] == {
        "selector": {"istio": "ingressgateway"},
        "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [HOST]}],
    }
    assert made["VirtualService", "chat-ingress"]["spec"]["gateways"] == ["team/chat-ingress"]


def test_a_credential_brings_https_and_a_redirect() -> None:
    https, http = build({"tlsCredential": "chat-tls"})["Gateway", "chat-ingress"]["spec"]["servers"]
    assert https["port"] == {"number": 443, "name": "https", "protocol": "HTTPS"}
    assert https["tls"] == {"mode": "SIMPLE", "credentialName": "chat-tls", "minProtocolVersion": "TLSV1_2"}
    assert http["port"]["number"] == 80 and http["tls"] == {"httpsRedirect": True}


@pytest.mark.parametrize("routing", ["virtualservice", "gateway-api"])
def test_a_gateway_that_exists_is_used_and_none_is_made(routing: str) -> None:
    made = build({"gateway": "istio-ingress/public", "routing": routing})
    assert [kind for kind, _ in made if kind == "Gateway"] == []
    if routing == "virtualservice":
        assert made["VirtualService", "chat-ingress"]["spec"]["gateways"] == ["istio-ingress/public"]
    else:
        assert made["HTTPRoute", "chat-ingress"]["spec"]["parentRefs"] == [
            {"name": "public", "namespace": "istio-ingress"}
        ]


def test_the_selector_picks_the_gateway_pods() -> None:
    selector = {"app": "edge"}
    assert build({"gatewaySelector": selector})["Gateway", "chat-ingress"]["spec"]["selector"] == selector


def test_outside_only_the_api_is_reachable_and_generations_are_never_tried_twice() -> None:
    models, generation = build({})["VirtualService", "chat-ingress"]["spec"]["http"]
    assert models["match"] == [{"uri": {"prefix": "/v1/models"}, "method": {"exact": "GET"}}]
    assert generation["match"] == [{"uri": {"prefix": "/v1/"}}]
    assert generation["retries"] == {"attempts": 0}


def test_clients_cannot_pick_workers_or_jump_the_queue() -> None:
    for rule in build({})["VirtualService", "chat-ingress"]["spec"]["http"]:
        removed = rule["headers"]["request"]["remove"]
        assert {"x-dynamo-worker-instance-id", "x-dynamo-request-priority", "x-dp-rank"} <= set(removed)
        assert "x-dynamo-session-id" not in removed
    (rule,) = build({"routing": "gateway-api"})["HTTPRoute", "chat-ingress"]["spec"]["rules"]
    assert rule["filters"] == [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": removed}}]
    assert len(removed) <= 16  # maxItems of HTTPHeaderFilter.remove


def test_clients_with_a_sidecar_do_not_retry_either() -> None:
    spec = build({})["VirtualService", "chat-mesh"]["spec"]
    assert (spec["hosts"], spec["gateways"]) == ([SERVICE], ["mesh"])
    assert "match" not in spec["http"][-1] and spec["http"][-1]["retries"] == {"attempts": 0}
    assert ("VirtualService", "chat-mesh") not in build({"mesh": "none"})


def test_the_gateway_api_routes_the_same_paths() -> None:
    made = build({"routing": "gateway-api"})
    assert made["Gateway", "chat-ingress"]["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert made["Gateway", "chat-ingress"]["spec"] == {
        "gatewayClassName": "istio",
        "listeners": [{"name": "http", "hostname": HOST, "port": 80, "protocol": "HTTP"}],
    }
    route = made["HTTPRoute", "chat-ingress"]["spec"]
    assert (route["parentRefs"], route["hostnames"]) == ([{"name": "chat-ingress"}], [HOST])
    assert route["rules"][0]["matches"] == [{"path": {"type": "PathPrefix", "value": "/v1"}}]
    assert route["rules"][0]["backendRefs"] == [{"name": "chat-frontend", "port": 8000}]
    assert ("VirtualService", "chat-ingress") not in made


def test_the_gateway_api_with_a_credential_redirects_to_https() -> None:
    made = build({"routing": "gateway-api", "tlsCredential": "chat-tls"})
    https, http = made["Gateway", "chat-ingress"]["spec"]["listeners"]
    assert (https["protocol"], https["port"], http["port"]) == ("HTTPS", 443, 80)
    assert https["tls"] == {"mode": "Terminate", "certificateRefs": [{"name": "chat-tls"}]}
    assert made["HTTPRoute", "chat-ingress"]["spec"]["parentRefs"] == [{"name": "chat-ingress", "sectionName": "https"}]
    redirect = made["HTTPRoute", "chat-redirect"]["spec"]
    assert redirect["parentRefs"] == [{"name": "chat-ingress", "sectionName": "http"}]
    assert redirect["rules"][0]["filters"][0]["requestRedirect"] == {"scheme": "https", "statusCode": 301}


def test_limits_are_written_only_when_asked_for() -> None:
    assert build({})["DestinationRule", "chat-mesh"]["spec"]["trafficPolicy"]["connectionPool"] == {
        "tcp": {"connectTimeout": "5s"}
    }
    assert build({"maxRequests": 96})["DestinationRule", "chat-mesh"]["spec"]["trafficPolicy"]["connectionPool"] == {
        "tcp": {"connectTimeout": "5s", "maxConnections": 96},
        "http": {"http2MaxRequests": 96, "http1MaxPendingRequests": 64},
    }


def test_overload_ejects_no_frontend_and_one_frontend_is_never_ejected() -> None:
    several = build({}, frontend={"replicas": 2})["DestinationRule", "chat-mesh"]["spec"]["trafficPolicy"]
    outliers = several["outlierDetection"]
    assert outliers["consecutive5xxErrors"] == 0  # 529 is a 5xx
    assert outliers["consecutiveGatewayErrors"] == 5 and outliers["maxEjectionPercent"] <= 50
    assert (
        "outlierDetection"
        not in build({}, frontend={"replicas": 1})["DestinationRule", "chat-mesh"]["spec"]["trafficPolicy"]
    )


def test_the_frontend_joins_the_mesh_with_its_api_alone() -> None:
    metadata = component(build({}), "Frontend")["metadata"]
    assert metadata["labels"] == {"sidecar.istio.io/inject": "true"}
    assert metadata["annotations"]["traffic.sidecar.istio.io/includeInboundPorts"] == "8000"
    assert metadata["annotations"]["traffic.sidecar.istio.io/includeOutboundIPRanges"] == ""


def test_the_sidecar_outlives_the_last_stream_and_not_the_pod() -> None:
    template = component(build({}), "Frontend")
    (document,) = parse(template["metadata"]["annotations"]["proxy.istio.io/config"], "annotation", Report())
    assert document.data["proxyMetadata"]["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] == "true"
    drain = int(document.data["terminationDrainDuration"].removesuffix("s"))
    streams = int(environment(template)["DYN_HTTP_GRACEFUL_SHUTDOWN_TIMEOUT_SECS"])
    assert streams < drain < template["spec"]["terminationGracePeriodSeconds"]


def test_streams_are_kept_alive_unless_the_profile_says_how() -> None:
    name = "DYN_HTTP_SSE_KEEP_ALIVE_INTERVAL_MS"
    assert environment(component(build({}), "Frontend"))[name] == "15000"
    chosen = build({}, frontend={"env": {name: "5000"}})
    assert environment(component(chosen, "Frontend"))[name] == "5000"


def test_a_revision_goes_on_the_pod() -> None:
    labels = component(build({"revision": "1-30"}), "Frontend")["metadata"]["labels"]
    assert labels == {"sidecar.istio.io/inject": "true", "istio.io/rev": "1-30"}


def test_without_a_mesh_nothing_is_injected() -> None:
    metadata = component(build({"mesh": "none"}), "Frontend")["metadata"]
    assert metadata == {"labels": {"sidecar.istio.io/inject": "false"}}


def test_only_the_managed_mesh_needs_a_label_on_the_namespace() -> None:
    assert "istio-injection" not in build({})["Namespace", "team"]["metadata"]["labels"]
    assert build({"mesh": "csm-managed"})["Namespace", "team"]["metadata"]["labels"]["istio-injection"] == "enabled"
    _, report = compile_with({"mesh": "csm-managed"}, createNamespace=False)
    assert [each.code for each in told(report)] == ["DG613"]


def test_nothing_of_the_model_cache_is_patched_when_it_is_not_there() -> None:
    made = build({}, modelCache={"size": "10Gi", "download": False})
    assert {kind for kind, _ in made} & {"Job", "Pod"} == set()


def test_old_releases_get_the_same_labels_and_annotations() -> None:
    new, old = build({}), build({}, release="1.1.1")
    services = old["DynamoGraphDeployment", "chat"]["spec"]["services"]
    assert services["Frontend"]["extraPodMetadata"] == component(new, "Frontend")["metadata"]
    assert services["prefill"]["extraPodMetadata"]["labels"] == {"sidecar.istio.io/inject": "false"}


@pytest.mark.parametrize(
    ("istio", "field"),
    [
        ({"gateway": "istio-ingress/public", "tlsCredential": "chat-tls"}, "tlsCredential"),
        ({"gateway": "istio-ingress/public", "gatewaySelector": {"app": "edge"}}, "gatewaySelector"),
        ({"routing": "gateway-api", "gatewaySelector": {"app": "edge"}}, "gatewaySelector"),
        ({"routing": "gateway-api", "mesh": "csm-managed"}, "routing"),
        ({"mesh": "none", "revision": "1-30"}, "revision"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(istio: dict[str, Any], field: str) -> None:
    _, report = compile_with(istio)
    assert [diagnostic.code for diagnostic in told(report)] == ["DG206"]
    assert field in report.diagnostics[0].message


@pytest.mark.parametrize(
    "istio",
    [
        {"host": "chat"}, {"host": "*.example.com"}, {"host": "Chat.example.com"}, {"host": "a..b"},
        {"gateway": "public"}, {"gateway": "a/b/c"}, {"gatewaySelector": {}}, {"tlsCredential": "ns/name"},
        {"maxRequests": 0}, {"routing": "ingress"}, {"mesh": "istio-ambient"}, {"revision": "1.30"},
    ],
    ids=str,
)  # fmt: skip
def test_values_that_cannot_work_are_refused(istio: dict[str, Any]) -> None:
    _, report = compile_with(istio)
    assert {diagnostic.code for diagnostic in report.diagnostics} == {"DG204"}


# The rules, on every variant.


def test_no_name_is_one_that_the_operator_takes(objects) -> None:  # type: ignore[no-untyped-def]
    ours = {name for kind, name in objects if kind not in ("DynamoGraphDeployment", "Namespace")}
    assert not ours & TAKEN_BY_THE_OPERATOR
    assert not [one for one in objects.values() for label in one["metadata"]["labels"] if "nvidia.com/" in label]


def test_istio_objects_are_written_as_v1(objects) -> None:  # type: ignore[no-untyped-def]
    versions = {one["apiVersion"] for one in objects.values() if "istio.io" in one["apiVersion"]}
    assert versions <= {"networking.istio.io/v1", "security.istio.io/v1"}
    assert "networking.istio.io/v1" in versions


def test_ist0101_every_gateway_of_ours_exists(objects) -> None:  # type: ignore[no-untyped-def]
    known = {f"team/{one['metadata']['name']}" for one in gateways(objects)} | {"mesh", "istio-ingress/public"}
    for service in virtual_services(objects):
        assert set(service["spec"]["gateways"]) <= known


def test_ist0101_ist0112_ist0174_every_destination_is_the_frontend_in_full_with_its_port(objects) -> None:  # type: ignore[no-untyped-def]
    for service in virtual_services(objects):
        for rule in service["spec"]["http"]:
            assert rule["route"] == [{"destination": {"host": SERVICE, "port": {"number": 8000}}}]
    assert objects["DestinationRule", "chat-mesh"]["spec"]["host"] == SERVICE


def test_ist0109_hosts_are_unique_and_full(objects) -> None:  # type: ignore[no-untyped-def]
    hosts = [host for service in virtual_services(objects) for host in service["spec"]["hosts"]]
    assert len(hosts) == len(set(hosts)) and set(hosts) <= {HOST, SERVICE}


def test_ist0128_ist0140_ist0173_rules_have_no_tls_and_no_subsets(objects) -> None:  # type: ignore[no-untyped-def]
    spec = objects["DestinationRule", "chat-mesh"]["spec"]
    assert "subsets" not in spec and "tls" not in spec["trafficPolicy"]
    assert len([kind for kind, _ in objects if kind == "DestinationRule"]) == 1


def test_ist0130_ist0131_the_widest_rule_comes_last_and_names_are_unique(objects) -> None:  # type: ignore[no-untyped-def]
    for service in virtual_services(objects):
        rules = service["spec"]["http"]
        prefixes = [rule["match"][0]["uri"]["prefix"] if "match" in rule else "" for rule in rules]
        assert prefixes == sorted(prefixes, key=len, reverse=True) and len(set(prefixes)) == len(prefixes)
        assert len({rule["name"] for rule in rules}) == len(rules)


def test_ist0132_the_gateway_serves_the_host(objects) -> None:  # type: ignore[no-untyped-def]
    for gateway in gateways(objects):
        assert all(server["hosts"] == [HOST] for server in gateway["spec"]["servers"])


def test_ist0138_ist0145_ist0162_one_gateway_with_the_ports_80_and_443(objects) -> None:  # type: ignore[no-untyped-def]
    assert len([kind for kind, _ in objects if kind == "Gateway"]) <= 1
    for gateway in gateways(objects):
        ports = [server["port"] for server in gateway["spec"]["servers"]]
        assert {port["number"] for port in ports} <= {80, 443}
        assert len({port["number"] for port in ports}) == len({port["name"] for port in ports}) == len(ports)


def test_the_webhook_accepts_every_server(objects) -> None:  # type: ignore[no-untyped-def]
    for gateway in gateways(objects):
        assert gateway["spec"]["servers"]
        for server in gateway["spec"]["servers"]:
            tls = server.get("tls", {})
            if server["port"]["protocol"] == "HTTPS":
                assert tls["mode"] == "SIMPLE" and tls["credentialName"]
            else:
                assert tls in ({}, {"httpsRedirect": True})


def test_the_webhook_accepts_every_route_and_streams_are_not_cut(objects) -> None:  # type: ignore[no-untyped-def]
    for service in virtual_services(objects):
        assert service["spec"]["http"]
        for rule in service["spec"]["http"]:
            assert "timeout" not in rule
            assert not {"redirect", "directResponse", "delegate", "mirror"} & rule.keys()
            assert rule.get("retries", {"attempts": 0}) == {"attempts": 0}
    for route in of_kind(objects, "HTTPRoute", "gateway.networking.k8s.io"):
        assert not [rule for rule in route["spec"]["rules"] if "timeouts" in rule or "retry" in rule]


def test_the_webhook_accepts_the_traffic_policy(objects) -> None:  # type: ignore[no-untyped-def]
    policy = objects["DestinationRule", "chat-mesh"]["spec"]["trafficPolicy"]
    assert all(policy.values()) and all(policy["connectionPool"].values())
    assert policy["loadBalancer"] == {"simple": "LEAST_REQUEST"}


def test_ist0107_ist0108_ist0135_annotations_are_known_ones_of_pods(objects) -> None:  # type: ignore[no-untyped-def]
    known = {
        "traffic.sidecar.istio.io/includeInboundPorts", "traffic.sidecar.istio.io/includeOutboundIPRanges",
        "proxy.istio.io/config",
    }  # fmt: skip
    for one in objects.values():
        assert not [name for name in one["metadata"].get("annotations", {}) if "istio.io" in name]
    for name in ("Frontend", "prefill", "decode"):
        assert component(objects, name)["metadata"].get("annotations", {}).keys() <= known


def test_ist0123_the_namespace_has_one_injection_label_at_most(objects) -> None:  # type: ignore[no-untyped-def]
    labels = objects["Namespace", "team"]["metadata"]["labels"]
    assert len({"istio-injection", "istio.io/rev"} & labels.keys()) <= 1


def test_ist0144_no_container_runs_as_the_proxy(objects) -> None:  # type: ignore[no-untyped-def]
    assert '"runAsUser": 1337' not in json.dumps(list(objects.values()))


def test_workers_and_the_pods_of_the_model_cache_stay_out_of_the_mesh(objects) -> None:  # type: ignore[no-untyped-def]
    (job,) = [one for (kind, _), one in objects.items() if kind == "Job"]
    (access,) = [one for (kind, _), one in objects.items() if kind == "Pod"]
    outside = [component(objects, "prefill"), component(objects, "decode"), job["spec"]["template"], access]
    for pod in outside:
        assert pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
        assert "annotations" not in pod["metadata"]


def test_no_kind_is_one_that_the_managed_mesh_refuses(objects) -> None:  # type: ignore[no-untyped-def]
    assert not {kind for kind, _ in objects} & {"EnvoyFilter", "WasmPlugin", "Sidecar"}


@pytest.mark.parametrize(
    ("rest", "open_to", "told_of"),
    [
        ({}, None, []),
        ({"overlays": ["istio", "monitoring"]}, {"8000": {"mode": "PERMISSIVE"}}, ["DG650"]),
        ({"overlays": ["istio", "monitoring"], "monitoring": {"scrape": "none"}}, None, []),
        ({"overlays": ["gke", "istio"]}, None, []),
        (
            {"overlays": ["gke", "istio"], "gke": {"gateway": {"enabled": True}}},
            {"8000": {"mode": "PERMISSIVE"}},
            ["DG650"],
        ),
    ],
)
def test_a_strict_mesh_stays_strict_but_for_what_has_no_sidecar(
    rest: dict[str, Any], open_to: Any, told_of: list[str]
) -> None:
    objects, report = compile_with({"mtls": "strict", "tlsCredential": "chat-tls"}, **rest)
    assert [each.code for each in told(report) if each.code != "DG437"] == told_of
    spec = objects["PeerAuthentication", "chat-mesh"]["spec"]
    assert (spec["mtls"], spec.get("portLevelMtls")) == ({"mode": "STRICT"}, open_to)
    usual = build({})["PeerAuthentication", "chat-mesh"]["spec"]
    assert (usual["mtls"], "portLevelMtls" in usual) == ({"mode": "PERMISSIVE"}, False)
    assert [each.code for each in told(compile_with({"mesh": "none", "mtls": "strict"})[1])] == ["DG206"]


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_a_gateway_of_its_own_without_a_certificate_is_told_of(variant: dict[str, Any]) -> None:
    _, report = compile_with(variant)
    expected = [] if {"gateway", "tlsCredential"} & variant.keys() else ["DG646"]
    assert [each.code for each in told(report)] == expected
    assert {each.at.file for each in report.diagnostics} <= {"profile.yaml"}
