"""The monitoring layer: one scraper, expressions that parse, metrics that exist, dashboards that load."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from tests.conftest import ROOT
from tests.unit.compiling import compiled, env, pod

GPU = "gpu: nvidia-l4\noverlays: [gke, monitoring]\n"
MODES = {"agg": "agg: {replicas: 2}\n", "disagg": "disagg: {prefill: {replicas: 2}, decode: {replicas: 3}}\n"}
SCRAPES = {
    "gmp": "{scrape: gmp}",
    "podmonitor": "{scrape: podmonitor}",
    "chart": "{scrape: chart}",
    "none": "{scrape: none, rules: prometheusrule}",
}
RELEASES = list(yaml.safe_load((ROOT / "base/facts/releases.yaml").read_text("utf-8")))
Manifests = dict[tuple[str, str], dict[str, Any]]


def build(
    backend: str = "vllm", mode: str = "agg", section: str = "{}", more: str = "", codes: tuple[str, ...] = ()
) -> Manifests:
    return compiled(f"backend: {backend}\n{MODES[mode]}{GPU}monitoring: {section}\n{more}", codes)


def rules(manifests: Manifests) -> Iterator[tuple[str, dict[str, Any]]]:
    for (kind, name), manifest in manifests.items():
        if kind in ("Rules", "PrometheusRule"):
            for group in manifest["spec"]["groups"]:
                for rule in group["rules"]:
                    yield name, rule


def rule_named(manifests: Manifests, word: str) -> dict[str, Any]:
    return next(rule for _, rule in rules(manifests) if word in (rule.get("record"), rule.get("alert")))


def dashboard(manifests: Manifests) -> dict[str, Any]:
    (text,) = manifests["ConfigMap", "chat-dashboard"]["data"].values()
    found: dict[str, Any] = json.loads(text)
    return found


def queries(board: dict[str, Any]) -> Iterator[str]:
    """The queries, with Grafana's variables written out."""
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    found += [annotation["expr"] for annotation in board["annotations"]["list"]]
    constants = {each["name"]: each["query"] for each in board["templating"]["list"] if each["type"] == "constant"}
    for query in found:
        query = query.replace("$__rate_interval", "5m")
        for name, value in constants.items():
            query = query.replace(f"${name}", value)
        assert "$" not in query
        yield query


def selectors(node: Any) -> Iterator[Any]:
    """The vector selectors in a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
        return
    for part in ("expr", "lhs", "rhs", "param", "vs", "vector_selector", "matrix_selector", "args"):
        inner = getattr(node, part, None)
        for each in inner if isinstance(inner, list) else [inner] if inner is not None else []:
            if not isinstance(each, str):
                yield from selectors(each)


@cache
def metrics() -> dict[str, tuple[int, ...]]:
    """Every metric that we may name, with the release that brought it."""
    families = yaml.safe_load((Path(__file__).parent / "monitoring_metrics.yaml").read_text("utf-8"))
    return {name: number(release) for family in families.values() for name, release in family.items()}


def number(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def base_name(name: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", name)


ALL = [
    pytest.param(backend, mode, scrape, spot, id=f"{backend}-{mode}-{scrape}-{'spot' if spot else 'on-demand'}")
    for backend, mode, scrape, spot in product(("vllm", "sglang", "trtllm"), MODES, SCRAPES, (False, True))
]


@pytest.mark.parametrize(("backend", "mode", "scrape", "spot"), ALL)
def test_every_expression_is_promql_and_looks_at_known_metrics_of_this_graph(
    backend: str, mode: str, scrape: str, spot: bool
) -> None:
    manifests = build(backend, mode, SCRAPES[scrape], f"spot: {str(spot).lower()}\n")
    recorded = {rule["record"] for _, rule in rules(manifests) if "record" in rule}
    expressions = [rule["expr"] for _, rule in rules(manifests)] + list(queries(dashboard(manifests)))
    assert len(expressions) > 90
    for expression in expressions:
        seen = list(selectors(promql_parser.parse(expression)))
        assert len(seen) == len(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*\{", expression)), expression
        for selector in seen:
            matchers = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
            assert matchers["namespace"] == "ml-prod"
            assert re.fullmatch(matchers["dynamo_namespace"], "ml-prod-chat")
            assert selector.name in recorded or base_name(selector.name) in metrics(), selector.name


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("backend", ["vllm", "sglang", "trtllm"])
def test_rules_look_at_nothing_that_the_release_lacks(backend: str, release: str) -> None:
    for mode in MODES:
        manifests = build(backend, mode, more=f"release: {release}\nspot: true\n")
        recorded = {rule["record"] for _, rule in rules(manifests) if "record" in rule}
        for _, rule in rules(manifests):
            for selector in selectors(promql_parser.parse(rule["expr"])):
                if selector.name not in recorded:
                    assert metrics()[base_name(selector.name)] <= number(release), rule
                labels = {matcher.name for matcher in selector.matchers.matchers}
                assert "error_type" not in labels or number(release) >= (1, 0)


def test_before_error_types_every_failure_counts() -> None:
    expression = rule_named(build(more="release: 0.9.1\n"), "dynagen:slo_availability:bad_ratio_rate5m")["expr"]
    assert 'status="error"' in expression and "error_type" not in expression


@pytest.mark.parametrize(("section", "kinds"), [
    ("{scrape: gmp}", {"PodMonitoring", "Rules"}),
    ("{scrape: gmp, rules: none}", {"PodMonitoring"}),
    ("{scrape: podmonitor}", {"PodMonitor", "PrometheusRule"}),
    ("{scrape: chart}", {"PrometheusRule"}),
    ("{scrape: none}", set()),
    ("{scrape: none, rules: gmp}", {"Rules"}),
    ("{scrape: none, rules: prometheusrule}", {"PrometheusRule"}),
])  # fmt: skip
def test_there_is_one_scraper_and_one_kind_of_rules(section: str, kinds: set[str]) -> None:
    found = {kind for kind, _ in build(section=section)}
    assert found & {"PodMonitoring", "PodMonitor", "Rules", "PrometheusRule"} == kinds


@pytest.mark.parametrize("scrape", ["gmp", "podmonitor"])
def test_monitors_scrape_the_ports_that_the_operator_names(scrape: str) -> None:
    kind, key = {"gmp": ("PodMonitoring", "endpoints"), "podmonitor": ("PodMonitor", "podMetricsEndpoints")}[scrape]
    manifests = build(section=f"{{scrape: {scrape}, interval: 15s}}")
    for name, port in (("chat-frontend-metrics", "http"), ("chat-worker-metrics", "system")):
        (endpoint,) = manifests[kind, name]["spec"][key]
        assert (endpoint["port"], endpoint["path"], endpoint["interval"]) == (port, "/metrics", "15s")


def test_monitors_of_the_chart_leave_pods_alone_that_ours_scrape() -> None:
    """The annotation stands on the graph: Dynamo's operator looks there, whatever makes the pods."""
    for release, opted_out in product(("1.6.1", "1.1.1"), (True, False)):
        section = "{scrape: podmonitor}" if opted_out else "{scrape: gmp}"
        manifests = build(mode="disagg", section=section, more=f"release: {release}\n")
        annotations = manifests["DynamoGraphDeployment", "chat"]["metadata"].get("annotations", {})
        assert annotations.get("nvidia.com/enable-metrics") == ("false" if opted_out else None)
    for (kind, _), manifest in build(section="{scrape: podmonitor}").items():
        if kind == "PodMonitor":
            assert "metrics-enabled" not in json.dumps(manifest["spec"]["selector"])


def test_workers_of_every_type_are_selected() -> None:
    selector = build()["PodMonitoring", "chat-worker-metrics"]["spec"]["selector"]
    assert selector["matchExpressions"][0]["values"] == ["worker", "prefill", "decode"]


@pytest.mark.parametrize("release", ["1.6.1", "1.1.1"])
def test_the_role_of_a_worker_comes_from_its_name(release: str) -> None:
    """In v1alpha1 prefill and decode workers have the same component type."""
    more = f"release: {release}\n"
    pairs = build(mode="disagg", more=more)["PodMonitoring", "chat-worker-metrics"]["spec"]["targetLabels"]["fromPod"]
    assert {"from": "nvidia.com/dynamo-component", "to": "dynamo_component_type"} in pairs
    manifests = build(mode="disagg", section="{scrape: podmonitor}", more=more)
    source = "__meta_kubernetes_pod_label_nvidia_com_dynamo_component"
    (endpoint,) = manifests["PodMonitor", "chat-worker-metrics"]["spec"]["podMetricsEndpoints"]
    assert {"sourceLabels": [source], "targetLabel": "dynamo_component_type"} in endpoint["relabelings"]


def test_labels_for_a_prometheus_operator_are_on_what_it_selects() -> None:
    manifests = build(section="{scrape: podmonitor, labels: {release: prom}}")
    found = {
        kind for (kind, _), manifest in manifests.items() if manifest["metadata"]["labels"].get("release") == "prom"
    }
    assert found == {"PodMonitor", "PrometheusRule"}


@pytest.mark.parametrize("section", [
    "{scrape: gmp, rules: prometheusrule}", "{scrape: podmonitor, rules: gmp}", "{scrape: chart, rules: gmp}",
    "{scrape: gmp, labels: {release: prom}}", "{scrape: none, labels: {release: prom}}",
    "{scrape: chart, rules: none, labels: {release: prom}}",
])  # fmt: skip
def test_contradictions_are_refused(section: str) -> None:
    assert build(section=section, codes=("DG206",)) == {}


def test_the_namespace_label_is_matched_in_all_its_spellings() -> None:
    expression = rule_named(build(), "dynagen:frontend_requests:rate5m")["expr"]
    found = re.search(r'dynamo_namespace=~"([^"]*)"', expression)
    assert found
    for spelling in ("ml-prod-chat", "ml_prod_chat", "ml_prod_chat_1a2b3c4d", "ml-prod-chat-1a2b3c4d"):
        assert re.fullmatch(found[1], spelling)
    for other in ("ml-prod-chat-2", "ml-prod-chatty", "x-ml-prod-chat"):
        assert not re.fullmatch(found[1], other)


def test_rules_are_as_google_managed_prometheus_takes_them() -> None:
    """Its operator sets these labels itself, and refuses a rule that has one
    (Scope in pkg/rules/rules.go of GoogleCloudPlatform/prometheus-engine)."""
    for _, rule in rules(build(mode="disagg", more="spot: true\n")):
        assert not {"namespace", "cluster", "location", "project_id"} & rule.get("labels", {}).keys()
        assert rule.keys() <= {"record", "alert", "expr", "for", "labels", "annotations"}
        assert ("annotations" in rule) == ("alert" in rule)


def test_no_two_rules_are_the_same() -> None:
    for backend, mode in product(("vllm", "sglang", "trtllm"), MODES):
        seen = [
            (rule.get("record", rule.get("alert")), sorted(rule["labels"].items()))
            for name, rule in rules(build(backend, mode, more="spot: true\n"))
            if name not in ("chat-prefill", "chat-decode")  # one for each pool
        ]
        assert all(seen.count(each) == 1 for each in seen)


@pytest.mark.parametrize("objective", ["250ms", "500ms", "1s", "2s", "4s", "8s"])
def test_a_time_of_an_objective_is_a_bound_of_the_histogram(objective: str) -> None:
    manifests = build(section=f"{{slo: {{timeToFirstToken: {{within: {objective}}}}}}}")
    seconds = float(objective[:-2]) / 1000 if objective.endswith("ms") else float(objective[:-1])
    assert matching_bounds(manifests, "TTFT", "time_to_first_token") == [seconds]


@pytest.mark.parametrize("objective", ["25ms", "50ms", "100ms", "200ms"])
def test_an_inter_token_time_is_a_bound_of_the_histogram(objective: str) -> None:
    manifests = build(section=f"{{slo: {{interTokenLatency: {{within: {objective}}}}}}}")
    assert matching_bounds(manifests, "ITL", "inter_token_latency") == [float(objective[:-2]) / 1000]


def matching_bounds(manifests: Manifests, variable: str, metric: str) -> list[float]:
    """The bounds of the frontend's histogram that rules and the dashboard match, all with the same pattern."""
    expressions = [rule["expr"] for _, rule in rules(manifests)] + list(queries(dashboard(manifests)))
    (pattern,) = {
        found
        for expression in expressions
        for found in re.findall(rf'{metric}_seconds_bucket\{{[^}}]*\}}[^}}]*le=~"([^"]*)"', expression)
    }
    settings = env(pod(manifests, "Frontend"))
    return [float(bound) for bound in histogram_bounds(settings, variable) if re.fullmatch(pattern, bound)]


def histogram_bounds(settings: dict[str, str], name: str) -> list[str]:
    """What the frontend makes of its variables, as Prometheus shows them (metrics.rs: two significant digits)."""
    low, high, count = (float(settings[f"DYN_METRICS_{name}_{word}"]) for word in ("MIN", "MAX", "COUNT"))
    values = [low * (high / low) ** (step / (count - 1)) for step in range(1, int(count))]
    return [f"{float(f'{value:.2g}'):g}" for value in values]


def test_older_releases_get_the_older_names() -> None:
    settings = env(pod(build(more="release: 1.5.1\n"), "Frontend"))
    assert settings["DYN_HISTOGRAM_DYN_METRICS_TTFT_COUNT"] == "14"
    assert "DYN_METRICS_TTFT_COUNT" not in settings


def test_an_alert_that_the_release_cannot_feed_is_not_made() -> None:
    assert ("Rules", "chat-readiness") in build()
    assert ("Rules", "chat-readiness") not in build(more="release: 1.4.2\n")


def test_disaggregated_graphs_alone_have_transfer_alerts() -> None:
    assert ("Rules", "chat-transfer") in build(mode="disagg")
    assert ("Rules", "chat-transfer") not in build(mode="agg")


def test_each_pool_has_as_many_workers_as_the_profile_says() -> None:
    manifests = build(mode="disagg")
    for name, replicas in (("prefill", 2), ("decode", 3)):
        ((_, rule),) = (each for each in rules(manifests) if each[0] == f"chat-{name}")
        assert rule["expr"].endswith(f") < {replicas}") and f'dynamo_component_type="{name}"' in rule["expr"]
    assert ("PrometheusRule", "chat-decode") not in build(mode="disagg", section="{scrape: chart}")


@pytest.mark.parametrize("objective", [90, 93.9, 94, 95, 99.5, 99.99])
def test_no_burn_rate_is_out_of_reach(objective: float) -> None:
    """A factor times its budget of one or more can never be exceeded."""
    each = f"{{objective: {objective}}}"
    slo = f"{{availability: {objective}, timeToFirstToken: {each}, interTokenLatency: {each}}}"
    found = [
        float(factor) * (1 - float(percent) / 100)
        for _, rule in rules(build(section=f"{{slo: {slo}}}"))
        for factor, percent in re.findall(r"> ([0-9.]+) \* \(1 - ([0-9.]+) / 100\)", rule["expr"])
    ]
    assert len(found) == 3 * 4 * 2
    assert all(0 < reach < 0.95 for reach in found)


def test_rules_and_the_dashboard_can_be_left_out() -> None:
    manifests = build(section="{rules: none, dashboard: {enabled: false}}")
    assert {kind for kind, _ in manifests} & {"Rules", "ConfigMap"} == set()
    assert "DYN_METRICS_TTFT_COUNT" not in env(pod(manifests, "Frontend"))


def test_the_dashboard_needs_no_rules() -> None:
    manifests = build(section="{rules: none}")
    assert not [query for query in queries(dashboard(manifests)) if "dynagen:" in query]
    assert "DYN_METRICS_TTFT_COUNT" in env(pod(manifests, "Frontend"))


@pytest.mark.parametrize("backend", ["vllm", "sglang", "trtllm"])
def test_the_dashboard_can_be_loaded(backend: str) -> None:
    manifests = build(backend, section="{interval: 60s, dashboard: {folder: Inference}}")
    config = manifests["ConfigMap", "chat-dashboard"]
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert config["metadata"]["annotations"]["grafana_folder"] == "Inference"
    ((file, text),) = config["data"].items()
    assert file == "ml-prod-chat.json" and len(text) < 262144
    assert not re.findall(r"<[a-z ]+>", text)
    board = dashboard(manifests)
    assert len(board["uid"]) <= 40
    assert "id" not in board
    identities = [panel["id"] for panel in board["panels"]]
    assert len(set(identities)) == len(identities)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and place["x"] + place["w"] <= 24
        taken |= cells
    drawn = [panel for panel in board["panels"] if panel["type"] != "row"]
    # Grafana takes $__rate_interval from it: four scrapes, so that a rate never sees less than two.
    assert {panel["interval"] for panel in drawn} == {"60s"}
    assert {target["datasource"]["uid"] for panel in drawn for target in panel["targets"]} == {"$datasource"}


def test_dashboards_of_graphs_that_share_a_namespace_do_not_collide() -> None:
    manifests = build(section="{dashboard: {namespace: grafana, label: team_dashboard}}")
    metadata = manifests["ConfigMap", "ml-prod-chat-dashboard"]["metadata"]
    assert metadata["namespace"] == "grafana"
    assert metadata["labels"]["team_dashboard"] == "1" and "grafana_dashboard" not in metadata["labels"]
