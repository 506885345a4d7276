"""The monitoring layer: one scraper, expressions that parse, metrics that exist, dashboards that load."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import promql_parser
import pytest

from tests.unit.compiling import compiled, env, pod

GPU = "gpu: nvidia-l4\noverlays: [gke, monitoring]\n"
MODES = {"agg": "agg: {replicas: 2}\n", "disagg": "disagg: {prefill: {replicas: 2}, decode: {replicas: 2}}\n"}
Manifests = dict[tuple[str, str], dict[str, Any]]


def build(backend: str = "vllm", mode: str = "agg", section: str = "{}", more: str = "") -> Manifests:
    return compiled(f"backend: {backend}\n{MODES[mode]}{GPU}monitoring: {section}\n{more}")


def rules(manifests: Manifests) -> Iterator[tuple[str, dict[str, Any]]]:
    for (kind, name), manifest in manifests.items():
        if kind in ("Rules", "PrometheusRule"):
            for group in manifest["spec"]["groups"]:
                for rule in group["rules"]:
                    yield name, rule


def dashboard(manifests: Manifests) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(manifests["ConfigMap", "chat-dashboard"]["data"]["dashboard.json"])
    return found


def queries(board: dict[str, Any]) -> Iterator[str]:
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for annotation in board["annotations"]["list"]:
        yield annotation["expr"]


ALL = [
    pytest.param(backend, mode, scrape, spot, id=f"{backend}-{mode}-{scrape}-{'spot' if spot else 'on-demand'}")
    for backend, mode, scrape, spot in product(("vllm", "sglang"), MODES, ("gmp", "podmonitor"), (False, True))
]


@pytest.mark.parametrize(("backend", "mode", "scrape", "spot"), ALL)
def test_every_expression_is_promql_and_names_metrics_that_exist(
    backend: str, mode: str, scrape: str, spot: bool
) -> None:
    manifests = build(backend, mode, f"{{scrape: {scrape}}}", f"spot: {str(spot).lower()}\n")
    recorded = {rule["record"] for _, rule in rules(manifests) if "record" in rule}
    expressions = [rule["expr"] for _, rule in rules(manifests)]
    expressions += [expr.replace("$__rate_interval", "5m") for expr in queries(dashboard(manifests))]
    assert len(expressions) > 60
    for expression in expressions:
        promql_parser.parse(expression)
        assert "${" not in expression
        for name in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?=\{)", expression):
            assert name in recorded or base_name(name) in METRICS, name


@pytest.mark.parametrize(("scrape", "kinds"), [
    ("gmp", {"PodMonitoring", "Rules"}), ("podmonitor", {"PodMonitor", "PrometheusRule"}), ("chart", {"PrometheusRule"}),
])  # fmt: skip
def test_there_is_one_scraper_and_one_kind_of_rules(scrape: str, kinds: set[str]) -> None:
    found = {kind for kind, _ in build(section=f"{{scrape: {scrape}}}")}
    assert found & {"PodMonitoring", "PodMonitor", "Rules", "PrometheusRule"} == kinds


def test_monitors_of_the_chart_leave_pods_alone_that_ours_scrape() -> None:
    graph = build(mode="disagg", section="{scrape: podmonitor}")["DynamoGraphDeployment", "chat"]
    for each in graph["spec"]["components"]:
        assert each["podTemplate"]["metadata"]["annotations"] == {"nvidia.com/enable-metrics": "false"}
    for each in build(mode="disagg")["DynamoGraphDeployment", "chat"]["spec"]["components"]:
        assert "metadata" not in each["podTemplate"]


def test_workers_of_every_type_are_selected() -> None:
    selector = build()["PodMonitoring", "chat-worker-metrics"]["spec"]["selector"]
    assert selector["matchExpressions"][0]["values"] == ["worker", "prefill", "decode"]


def test_labels_for_a_prometheus_operator_are_on_what_it_selects() -> None:
    manifests = build(section="{scrape: podmonitor, labels: {release: prom}}")
    found = {
        kind for (kind, _), manifest in manifests.items() if manifest["metadata"]["labels"].get("release") == "prom"
    }
    assert found == {"PodMonitor", "PrometheusRule"}


def test_the_namespace_label_is_matched_in_all_its_spellings() -> None:
    (expression,) = (
        rule["expr"] for _, rule in rules(build()) if rule.get("record") == "dynagen:frontend_requests:rate5m"
    )
    found = re.search(r'dynamo_namespace=~"([^"]*)"', expression)
    assert found
    for spelling in ("ml-prod-chat", "ml_prod_chat", "ml_prod_chat_1a2b3c4d", "ml-prod-chat-1a2b3c4d"):
        assert re.fullmatch(found[1], spelling)
    for other in ("ml-prod-chat-2", "ml-prod-chatty", "x-ml-prod-chat"):
        assert not re.fullmatch(found[1], other)


@pytest.mark.parametrize("objective", ["250ms", "500ms", "1s", "2s", "4s", "8s"])
def test_a_time_of_an_objective_is_a_bound_of_the_histogram(objective: str) -> None:
    manifests = build(section=f"{{slo: {{timeToFirstToken: {objective}}}}}")
    settings = env(pod(manifests, "Frontend"))
    bounds = histogram_bounds(settings, "TTFT")
    (pattern,) = {
        found[1]
        for _, rule in rules(manifests)
        if (found := re.search(r'time_to_first_token_seconds_bucket.*le=~"([^"]*)"', rule["expr"]))
    }
    matching = [bound for bound in bounds if re.fullmatch(pattern.replace("\\\\", "\\"), bound)]
    seconds = float(objective[:-2]) / 1000 if objective.endswith("ms") else float(objective[:-1])
    assert [float(bound) for bound in matching] == [seconds]


@pytest.mark.parametrize("objective", ["25ms", "50ms", "100ms", "200ms"])
def test_an_inter_token_time_is_a_bound_of_the_histogram(objective: str) -> None:
    manifests = build(section=f"{{slo: {{interTokenLatency: {objective}}}}}")
    bounds = histogram_bounds(env(pod(manifests, "Frontend")), "ITL")
    (pattern,) = {
        found[1]
        for _, rule in rules(manifests)
        if (found := re.search(r'inter_token_latency_seconds_bucket.*le=~"([^"]*)"', rule["expr"]))
    }
    matching = [bound for bound in bounds if re.fullmatch(pattern.replace("\\\\", "\\"), bound)]
    assert [float(bound) for bound in matching] == [float(objective[:-2]) / 1000]


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


def test_no_burn_rate_is_out_of_reach() -> None:
    """A factor times its budget of one or more can never be exceeded."""
    for latency in ("95", "99"):
        for _, rule in rules(build(section=f"{{slo: {{latency: '{latency}'}}}}")):
            for factor, budget in re.findall(r"> ([0-9.]+) \* (0\.[0-9]+)", rule["expr"]):
                assert float(factor) * float(budget) < 1


def test_rules_can_be_left_out() -> None:
    manifests = build(section="{rules: false, dashboard: {enabled: false}}")
    assert {kind for kind, _ in manifests} & {"Rules", "ConfigMap"} == set()
    assert "DYN_METRICS_TTFT_COUNT" not in env(pod(manifests, "Frontend"))


@pytest.mark.parametrize("backend", ["vllm", "sglang"])
def test_the_dashboard_can_be_loaded(backend: str) -> None:
    manifests = build(backend, section="{dashboard: {folder: Inference}}")
    config = manifests["ConfigMap", "chat-dashboard"]
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert config["metadata"]["annotations"]["grafana_folder"] == "Inference"
    assert len(config["data"]["dashboard.json"]) < 262144
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
    assert {target["datasource"]["uid"] for panel in board["panels"] for target in panel.get("targets", ())} == {
        "$datasource"
    }


def base_name(name: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", name)


# source: dynamo/prometheus_names.py in the wheel ai-dynamo-runtime 1.6.1, and lib/llm/src/http/service/metrics.rs
METRICS = {f"dynamo_frontend_{name}" for name in ["requests_total", "output_tokens_total", "cached_tokens", "input_sequence_tokens", "output_sequence_tokens", "active_requests", "request_duration_seconds", "time_to_first_token_seconds", "inter_token_latency_seconds", "stage_requests", "model_ready", "model_rejection_total", "model_migration_total", "model_migration_duration_seconds", "event_loop_stall_total", "router_queue_pending_isl_tokens"]}  # fmt: skip
METRICS |= {"dynamo_component_uptime_seconds", "up"}
# source: vllm/v1/metrics/loggers.py and vllm/distributed/kv_transfer/kv_connector/v1/nixl/stats.py of vLLM 0.31.0
METRICS |= {f"vllm:{name}" for name in ["kv_cache_usage_perc", "num_requests_running", "num_requests_waiting", "num_preemptions_total", "prefix_cache_hits_total", "prefix_cache_queries_total", "prompt_tokens_total", "generation_tokens_total", "nixl_xfer_time_seconds", "nixl_bytes_transferred", "nixl_num_failed_transfers_total", "nixl_num_kv_expired_reqs_total"]}  # fmt: skip
# source: sglang/srt/observability/metrics_collector.py of SGLang 0.5.21
METRICS |= {f"sglang:{name}" for name in ["token_usage", "num_running_reqs", "num_queue_reqs", "num_retracted_requests_total", "prefill_effective_tokens_total", "realtime_tokens_total", "num_prefill_bootstrap_queue_reqs", "num_prefill_inflight_queue_reqs", "num_decode_prealloc_queue_reqs", "num_decode_transfer_queue_reqs", "kv_transfer_latency_ms", "num_transfer_failed_reqs_total", "num_bootstrap_failed_reqs_total"]}  # fmt: skip
