"""Facts, patches and files of the wrong shape end in a finding and in no traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

PROFILE = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text(
    "utf-8"
) + "overlays: [gke, monitoring, ./team]\nengineArgs: [--seed, '1']\nrouter: {mode: kv}\n"
FACTS = sorted(
    {
        file.relative_to(folder).with_suffix("").parts[0]
        for folder in (ROOT / "base/facts", *ROOT.glob("overlays/*/facts"))
        for file in folder.rglob("*.yaml")
    }
)
WRONG = ["x", "1", "null", "[]", "[x]", "{}", "{a: x}", "{a: {b: x}}", "{'1.35': {driver: x}}", "{'1.35': x}", "{'1.6.1': x}", "{'1.6.1': {}}", "{$patch: delete}",
         "{$patch: replace}", "{gpu: x}", "{gpu: {key: [x]}}", "{nvidia-l4: x}", "{nvidia-l4: null}", "{nvidia-l4: {$patch: replace}}", "{vllm: x}", "{Qwen: x}", "{machines: x}",
         "{machines: {a: x}}", "{classes: x}", "{defaultClasses: x}", "{timeToFirstToken: x}", "{failed: [x]}", "{gmp: x}", "{gmp: {auto: x}}", "{vllm: {least: x}}", "{vllm: {fp8: x}}"]  # fmt: skip


def test_all_that_layers_know_has_a_schema() -> None:
    known = json.loads((ROOT / "schemas/facts.json").read_text("utf-8"))["properties"]
    assert set(FACTS) <= set(known)


@pytest.mark.parametrize(
    "name", [*FACTS, "models/Qwen", "flags/vllm", "flags/frontend", "gpus/nvidia-l4", "dashboards/vllm"]
)
def test_facts_of_a_wrong_shape_are_findings(name: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / f"team/facts/{name}.yaml"
    file.parent.mkdir(parents=True)
    (tmp_path / "p.yaml").write_text(PROFILE, "utf-8")
    passed = []
    for text in WRONG:
        file.write_text(text + "\n", "utf-8")
        run = dynagen("build", "p.yaml", cwd=tmp_path)
        assert run.code in (0, 1), (text, run)
        passed += [] if run.code else [text]
    assert not {"x", "1", "[]", "[x]"} & set(passed)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("drivers", '"1.35": {driver: x}', "drivers["), ("zones", "machines: {a3-: x}", "zones"), ("tolerations", "gpu: {key: 1}", "tolerations"),
        ("slo", "timeToFirstToken: {1s: 1}", "slo"), ("kinds", "gmp: {auto: x}", "kinds"), ("headers", "steering: x", "headers"), ("dashboards/vllm", "json: 1", "dashboards"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place(name: str, text: str, word: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / f"team/facts/{name}.yaml").parent.mkdir(parents=True)
    (tmp_path / f"team/facts/{name}.yaml").write_text(text + "\n", "utf-8")
    (tmp_path / "p.yaml").write_text(PROFILE, "utf-8")
    run = dynagen("check", "p.yaml", cwd=tmp_path)
    assert run.code == 1
    assert run.stderr.startswith(f"team/facts/{name}.yaml:1:") and f"'{word}" in run.stderr


@pytest.mark.parametrize(
    "name",
    [
        "models.yaml",
        "flags.yaml",
        "models/Qwen/deeper.yaml",
        "models/Qwen.yaml/a.yaml",
        "flags/nosuch.yaml",
        "models/deep/er.yaml",
    ],
)
def test_facts_that_nobody_reads_are_said(name: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "team/facts" / name
    file.parent.mkdir(parents=True)
    file.write_text("Qwen3-0.6B: {num_hidden_layers: 1}\n", "utf-8")
    (tmp_path / "p.yaml").write_text(PROFILE, "utf-8")
    run = dynagen("check", "p.yaml", cwd=tmp_path)
    assert f"team/facts/{name}" in run.stderr and "nobody reads it" in run.stderr


PATCHES = ["metadata: {$patch: delete}", "metadata: null", "metadata: x", "metadata: []", "metadata: {name: null}", "metadata: {name: {a: b}}", "$patch: delete", "$patch: replace",
           "$patch: merge", "$patch: null", "$patch: []", "$patch: {}", "spec: null", "spec: {$patch: delete}", "spec: {components: null}", "spec: {components: [null]}", "spec: {components: [x]}",
           "spec: {components: [{name: null}]}", "spec: {components: [{name: worker, $patch: replace}]}", "spec: {components: {a: b}}", "apiVersion: null", "metadata: {namespace: null}",
           "metadata: {labels: null}", "metadata: {labels: x}", "metadata: {annotations: {a: null}}", "spec: {components: [[]]}", "spec: {components: [{$patch: delete}]}", "status: {}"]  # fmt: skip


@pytest.mark.parametrize("folder", ["patches", "overrides", "common", "resources", "external"])
@pytest.mark.parametrize("patch", PATCHES)
def test_patches_of_all_shapes_end_in_a_report(patch: str, folder: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / f"team/{folder}").mkdir(parents=True)
    head = (
        ""
        if folder == "common"
        else "kind: DynamoGraphDeployment\n"
        + ("" if folder in ("patches", "overrides") else "apiVersion: nvidia.com/v1beta1\n")
    )
    (tmp_path / f"team/{folder}/a.yaml").write_text(f"{head}{patch}\n", "utf-8")
    (tmp_path / "p.yaml").write_text(PROFILE, "utf-8")
    run = dynagen("build", "p.yaml", cwd=tmp_path)
    assert run.code in (0, 1)
    for each in yaml.safe_load_all(run.stdout):
        assert each["apiVersion"] and each["kind"] and each["metadata"]["name"]
