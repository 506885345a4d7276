"""Prometheus' own judge on the rules: they are valid, and alerts fire when they should and not otherwise.

Each YAML file beside this one holds `tests` as `promtool test rules` takes them, and under `profile` what to add to a
profile; the rules that come of it are what is tested.
"""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import tools
from tests.unit.compiling import compiled

HERE = Path(__file__).parent
SIZES = {"agg": "agg: {replicas: 2}", "disagg": "disagg: {prefill: {replicas: 2}, decode: {replicas: 3}}"}


def rule_files(folder: Path, profile: dict[str, Any]) -> list[str]:
    """Writes the rules of a graph called chat as Prometheus reads them."""
    head = {"gpu": "nvidia-l4", "overlays": ["gke", "monitoring"]}
    names = []
    for (kind, name), manifest in compiled(yaml.safe_dump(head | profile)).items():
        if kind in ("Rules", "PrometheusRule"):
            file = folder / f"{name}.yaml"
            file.write_text(yaml.safe_dump({"groups": manifest["spec"]["groups"]}), "utf-8")
            names.append(str(file))
    assert names
    return names


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run([tools.path("promtool"), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("backend", "mode", "release", "scrape"),
    list(product(("vllm", "sglang", "trtllm"), SIZES, ("0.8.1", "1.2.1", "1.6.1"), ("gmp", "podmonitor"))),
)
def test_rules_are_valid(backend: str, mode: str, release: str, scrape: str, tmp_path: Path) -> None:
    profile = {"backend": backend, "release": release, "spot": True, "monitoring": {"scrape": scrape}}
    files = rule_files(tmp_path, profile | yaml.safe_load(SIZES[mode]))
    assert "SUCCESS" in promtool("check", "rules", "--lint=all", "--lint-fatal", *files)


@pytest.mark.parametrize("file", sorted(HERE.glob("*.yaml")), ids=lambda file: file.stem)
def test_alerts_fire_when_they_should(file: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(file.read_text("utf-8"))
    test = {
        "rule_files": rule_files(tmp_path, document["profile"]),
        "evaluation_interval": "1m",  # groups come in any order, and see five minutes back
        "tests": document["tests"],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test), "utf-8")
    promtool("test", "rules", tmp_path / "test.yaml")
