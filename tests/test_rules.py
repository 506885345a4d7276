"""The catalogue: every rule has its keys, its examples are judged as they say, and `dynagen rules` shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dynagen.checking.manifests import Target, check_manifests
from dynagen.compiler import Request, compile_profile
from dynagen.console.catalogue import Rule, codes, find_rule
from dynagen.diagnostics import Report
from dynagen.manifests.yaml import to_yaml
from dynagen.text.source import parse
from tests.conftest import ROOT

RULES = ROOT / "dynagen/rules"
KEYS = ["title", "severity", "why", "fix", "example", "bad", "good", "source"]
MINIMAL = {
    "apiVersion": "dynagen.dev/v1alpha1",
    "kind": "Profile",
    "metadata": {"name": "demo"},
    "backend": "vllm",
    "model": "Qwen/Qwen3-0.6B",
    "gpu": "nvidia-l4",
    "agg": {"replicas": 2, "gpus": 1},
}
TARGET = Target("1.35", "1.6.1")


def entry(code: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((RULES / f"{code}.yaml").read_text("utf-8"))
    return found


@pytest.mark.parametrize("code", codes())
def test_every_entry_has_its_keys_in_order(code: str) -> None:
    found = entry(code)
    assert list(found) == [key for key in KEYS if key in found]
    assert set(KEYS) - set(found) <= {"source"}
    assert all(isinstance(value, str) and value.strip() == value and value for value in found.values()), found
    assert found["severity"] in ("error", "warning", "note")
    assert found["example"] in ("profile", "manifests", "text")
    assert found["bad"] != found["good"]
    assert not found["title"].endswith(".") and len(found["title"]) <= 70
    assert found["why"].endswith((".", ").")) and found["fix"].endswith((".", "?", "`."))
    if code.startswith("DG4") and code != "DG404":  # which flags dynagen sets is its own matter
        assert "source" in found, "a fact about Dynamo, GKE or Istio without a source"


def merged(low: Any, high: Any) -> Any:
    """A fragment over a profile; null removes a key."""
    if not (isinstance(low, dict) and isinstance(high, dict)):
        return high
    both = {
        key: merged(low.get(key), high[key]) if key in high else low[key] for key in [*low, *(set(high) - set(low))]
    }
    return {key: value for key, value in both.items() if value is not None}


def judged(rule: Rule, example: str, folder: Path) -> set[str]:
    """The codes that an example gets."""
    report = Report()
    if rule.example == "manifests":
        check_manifests(parse(example, "manifests.yaml", report), TARGET, report)
    else:
        text = to_yaml(merged(MINIMAL, yaml.safe_load(example)))
        compile_profile(Request(parse(text, "profile.yaml", report), [], folder, folder), report)
    return {diagnostic.code for diagnostic in report.diagnostics}


@pytest.mark.parametrize("code", [code for code in codes() if entry(code).get("example") in ("profile", "manifests")])
def test_every_example_is_judged_as_it_says(code: str, tmp_path: Path) -> None:
    rule = find_rule(code)
    assert code in judged(rule, rule.bad, tmp_path)
    good = judged(rule, rule.good, tmp_path)
    assert code not in good
    assert not {other for other in good if find_rule(other).severity == "error"}, "the good example is not good"


def test_all_rules_are_listed(dynagen) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("rules")
    assert (run.code, run.stderr) == (0, "")
    assert [line.split()[0] for line in run.stdout.splitlines()] == codes()
    assert re.search(r"(?m)^DG415  warning  single Spot worker$", run.stdout)


def test_one_rule_is_explained(dynagen) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("rules", "dg415")
    assert (run.code, run.stderr) == (0, "")
    assert run.stdout.startswith("DG415: single Spot worker (warning)\n\nA Spot node may go away")
    for words in (
        "Use 2 replicas or more.",
        "Wrong:",
        "    agg: {replicas: 1}",
        "Right:",
        "    agg: {replicas: 2}",
        "Source: ",
    ):
        assert words in run.stdout


def test_rules_come_as_json(dynagen) -> None:  # type: ignore[no-untyped-def]
    everything = json.loads(dynagen("rules", "--format", "json").stdout)
    assert [rule["code"] for rule in everything] == codes()
    assert set(everything[0]) == {"code", *KEYS}
    assert [rule["source"] for rule in everything if rule["code"] == "DG101"] == [None]
    assert json.loads(dynagen("rules", "DG415", "DG401", "--format", "json").stdout) == [
        rule for code in ("DG415", "DG401") for rule in everything if rule["code"] == code
    ]


def test_an_unknown_rule_gets_a_suggestion(dynagen) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("rules", "DG41")
    assert run.code == 2
    assert "There is no rule 'DG41'" in run.stderr and "DG41" in run.stderr
