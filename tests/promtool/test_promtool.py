"""Prometheus' own judge on the rules: they are valid, and alerts fire when they should and not otherwise."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import tools
from tests.unit.compiling import compiled

SERIES = '{namespace="ml-prod",dynamo_namespace="ml-prod-chat",model="qwen/qwen3-0.6b"'


def rule_files(folder: Path, backend: str, mode: str) -> list[str]:
    sizes = "agg: {replicas: 2}" if mode == "agg" else "disagg: {prefill: {replicas: 2}, decode: {replicas: 2}}"
    manifests = compiled(f"backend: {backend}\n{sizes}\ngpu: nvidia-l4\nspot: true\noverlays: [gke, monitoring]\n")
    names = []
    for (kind, name), manifest in manifests.items():
        if kind == "Rules":
            file = folder / f"{name}.yaml"
            file.write_text(yaml.safe_dump({"groups": manifest["spec"]["groups"]}), "utf-8")
            names.append(str(file))
    assert names
    return names


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run([tools.path("promtool"), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("mode", ["agg", "disagg"])
@pytest.mark.parametrize("backend", ["vllm", "sglang"])
def test_rules_are_valid(backend: str, mode: str, tmp_path: Path) -> None:
    assert "SUCCESS" in promtool("check", "rules", *rule_files(tmp_path, backend, mode))


def check_alerts(tmp_path: Path, series: dict[str, str], at: str, alerts: dict[str, bool]) -> None:
    """Holds that at a time each of `alerts` fires, or does not."""
    files = rule_files(tmp_path, "vllm", "disagg")
    test: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)',
                "eval_time": at,
                "exp_samples": [{"labels": "{}", "value": int(fires)}],
            }
            for name, fires in alerts.items()
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": files, "evaluation_interval": "1m", "tests": [test]}), "utf-8")
    promtool("test", "rules", file)


def requests(error_type: str, status: str, step: int) -> dict[str, str]:
    name = f'dynamo_frontend_requests_total{SERIES},status="{status}",error_type="{error_type}"}}'
    return {name: f"0+{step}x240"}


def test_a_tenth_of_failing_requests_burns_the_budget_fast(tmp_path: Path) -> None:
    series = requests("", "success", 90) | requests("internal", "error", 10)
    check_alerts(tmp_path, series, "2h", {"DynagenAvailabilityBudgetBurnsFast": True})


def test_failures_that_are_the_callers_doing_burn_nothing(tmp_path: Path) -> None:
    series = requests("", "success", 50) | requests("validation", "error", 50)
    check_alerts(
        tmp_path, series, "2h", {"DynagenAvailabilityBudgetBurnsFast": False, "DynagenAvailabilityBudgetBurns": False}
    )


def test_one_failed_request_of_a_few_wakes_nobody(tmp_path: Path) -> None:
    success = f'dynamo_frontend_requests_total{SERIES},status="success",error_type=""}}'
    error = f'dynamo_frontend_requests_total{SERIES},status="error",error_type="internal"}}'
    series = {success: "0+0x100 1+0x140", error: "0+0x100 1+0x140"}
    check_alerts(tmp_path, series, "2h", {"DynagenAvailabilityBudgetBurnsFast": False})


def first_tokens(in_time: int, bound: str) -> dict[str, str]:
    """A hundred requests a minute, of which some get their first token in time."""
    name = "dynamo_frontend_time_to_first_token_seconds"
    return requests("", "success", 100) | {
        f'{name}_bucket{SERIES},le="{bound}"}}': f"0+{in_time}x240",
        f"{name}_count{SERIES}}}": "0+100x240",
    }


def test_late_first_tokens_burn_the_budget(tmp_path: Path) -> None:
    # Prometheus 3 writes integer bounds with a point.
    check_alerts(tmp_path, first_tokens(10, "1.0"), "2h", {"DynagenTimeToFirstTokenBudgetBurnsFast": True})


def test_first_tokens_in_time_burn_nothing(tmp_path: Path) -> None:
    check_alerts(tmp_path, first_tokens(99, "1"), "2h", {"DynagenTimeToFirstTokenBudgetBurnsFast": False})


def test_a_model_that_nobody_serves_is_a_page(tmp_path: Path) -> None:
    series = {f"dynamo_frontend_model_ready{SERIES}}}": "1x10 0x50"}
    check_alerts(tmp_path, series, "12m", {"DynagenModelNotReady": False})
    check_alerts(tmp_path, series, "30m", {"DynagenModelNotReady": True})


def test_a_graph_that_nobody_scrapes_is_a_page(tmp_path: Path) -> None:
    check_alerts(tmp_path, {"other": "1x60"}, "30m", {"DynagenFrontendDown": True})
    up = 'up{namespace="ml-prod",pod="chat-frontend-abc-1"}'
    check_alerts(tmp_path, {up: "1x60"} | requests("", "success", 1), "30m", {"DynagenFrontendDown": False})


def test_failing_transfers_are_seen_under_the_spelling_of_workers(tmp_path: Path) -> None:
    labels = '{namespace="ml-prod",dynamo_namespace="ml-prod-chat-1a2b3c4d",pod="chat-decode-1"}'
    check_alerts(
        tmp_path, {f"vllm:nixl_num_failed_transfers_total{labels}": "0+1x60"}, "30m", {"DynagenKvTransferFailing": True}
    )
    other = labels.replace("ml-prod-chat", "ml-prod-chatty")
    check_alerts(
        tmp_path, {f"vllm:nixl_num_failed_transfers_total{other}": "0+1x60"}, "30m", {"DynagenKvTransferFailing": False}
    )
