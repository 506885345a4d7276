"""Releases of Dynamo that are not in the facts, and the lists of what is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dynagen.compiler import Compilation, Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.layers.finding import base_layer
from dynagen.memory import Memory
from dynagen.profile.facts import load_facts
from dynagen.text.source import parse
from dynagen.text.versions import nearest_version
from tests.unit.compiling import told

KNOWN = load_facts([base_layer(Memory())], Report())["releases"]


@pytest.mark.parametrize(("text", "found"), [
    ("1.6.1", "1.6.1"), ("1.6.9", "1.6.2"), ("1.2.7", "1.2.1"), ("1.7.4", "1.7.0"), ("1.8.0", "1.7.0"), ("2.0.0", "1.7.0"),
    ("0.7.9", None), ("0.1.0", None), ("latest", None), ("1.6", None), ("1.6.1-rc1", None),
])  # fmt: skip
def test_the_release_whose_facts_count(text: str, found: str | None) -> None:
    assert nearest_version(text, KNOWN) == found
    assert nearest_version(text, []) is None


def test_every_known_release_has_its_engines() -> None:
    assert all(set(facts["engines"]) == {"vllm", "sglang", "trtllm"} for facts in KNOWN.values())


def compiled(release: str, home: Path = Path(), more: str = "") -> tuple[Compilation, list[tuple[str, str]]]:
    report = Report()
    text = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nmetadata: {name: demo}\nbackend: vllm\nmodel: Qwen/Qwen3-0.6B\n"
    text += f"gpu: nvidia-l4\nagg: {{replicas: 2}}\nrelease: {release}\n{more}"
    found = compile_profile(Request(parse(text, "profile.yaml", report), [], home, home), report)
    return found, [(each.code, each.severity) for each in told(report)]


@pytest.mark.parametrize(("release", "codes"), [
    ("1.6.9", []), ("1.7.3", []), ("1.9.0", [("DG681", "warning")]), ("0.7.1", [("DG680", "error")]),
    ("1.6", [("DG202", "error")]), ('"1.6"', [("DG204", "error")]), ("v1.6.1", [("DG204", "error")]),
])  # fmt: skip
def test_what_is_said_of_a_release(release: str, codes: list[tuple[str, str]]) -> None:
    found, said = compiled(release)
    assert said == codes
    if found.manifests:
        images = json.dumps([manifest.to_data() for manifest in found.manifests])
        assert f"vllm-runtime:{release}" in images


def test_a_layer_says_the_facts_of_a_release(tmp_path: Path) -> None:
    (tmp_path / "ours/facts").mkdir(parents=True)
    text = '"1.9.0": {apiVersion: nvidia.com/v1beta1, crds: dynamo-1.5}\n'
    (tmp_path / "ours/facts/releases.yaml").write_text(text)
    assert compiled("1.9.0", tmp_path, "overlays: [./ours]\n")[1] == []


def rows(dynagen: Any, *words: str) -> list[dict[str, Any]]:
    run = dynagen(*words, "--format", "json")
    assert run.code == 0, run.stderr
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def test_releases_are_listed_newest_first(dynagen: Any) -> None:
    found = rows(dynagen, "releases")
    assert [row["release"] for row in found[:2]] == ["1.7.0", "1.6.2"]
    assert len(found) == len(KNOWN)
    assert [row["release"] for row in rows(dynagen, "releases", "0.28", "1.5.1")] == ["1.5.1"]
    assert dynagen("releases", "0.28").stdout.splitlines()[1].startswith("1.5.1")
    assert dynagen("releases", "nothing-like-it").stdout.splitlines()[1:] == []


def test_models_are_found_by_all_words_in_any_case(dynagen: Any) -> None:
    found = rows(dynagen, "models", "FP8", "qwen3-32b")
    names = [row["model"] for row in found]
    assert "Qwen/Qwen3-32B-FP8" in names and "RedHatAI/Qwen3-32B-FP8-dynamic" in names
    (row,) = (row for row in found if row["model"] == "Qwen/Qwen3-32B-FP8")
    assert (row["billions"], row["precision"], row["context"], row["experts"]) == (32.8, "fp8", 40960, None)
    assert row["weightsGiB"] == pytest.approx(32, rel=0.05)
    assert rows(dynagen, "models", "no-such-model") == []


def test_gpus_are_listed_with_their_machines(dynagen: Any) -> None:
    (row,) = rows(dynagen, "gpus", "h200")
    assert row["gpu"] == "nvidia-h200-141gb" and row["machines"] == ["a3-ultragpu-8g (8)"]
    assert row["zones"] > 5 and "fp8" in row["formats"]
    assert {row["gpu"] for row in rows(dynagen, "gpus", "fp4")} >= {"nvidia-b200", "nvidia-gb300"}
    assert len(rows(dynagen, "gpus")) == 11
