"""The composed schema of a profile: valid, described, with examples and defaults that fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from tests.conftest import ROOT


@pytest.fixture
def schema(dynagen) -> dict[str, Any]:  # type: ignore[no-untyped-def]
    run = dynagen("schema")
    assert run.code == 0
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_an_editor_asks_for_no_section_of_an_overlay_that_a_profile_may_not_have(schema: dict[str, Any]) -> None:
    assert schema["required"] == ["apiVersion", "kind", "metadata", "backend", "model", "gpu"]


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, inner in node.get("properties", {}).items():
            yield f"{path}.{name}", inner
        for key, inner in node.items():
            yield from properties(inner, f"{path}/{key}")
    elif isinstance(node, list):
        for inner in node:
            yield from properties(inner, path)


def test_it_is_a_json_schema_2020_12(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_every_overlay_has_its_section(schema: dict[str, Any]) -> None:
    assert {"gke", "istio", "monitoring"} <= schema["properties"].keys()


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    leaves = [path for path, inner in properties(schema) if "description" not in inner]
    # What Kubernetes itself describes: the sources of an environment variable.
    assert [path for path in leaves if "KeyRef" not in path and "keyRef" not in path and "fieldRef" not in path] == []


def test_examples_and_defaults_conform(schema: dict[str, Any]) -> None:
    for path, inner in properties(schema):
        validator = jsonschema.Draft202012Validator({**inner, "$defs": schema["$defs"]})
        for value in [*inner.get("examples", ()), *([inner["default"]] if "default" in inner else [])]:
            assert list(validator.iter_errors(value)) == [], (path, value)


def test_words_that_facts_and_files_define_are_in_it(schema: dict[str, Any]) -> None:
    assert schema["properties"]["backend"]["enum"] == ["sglang", "trtllm", "vllm"]
    assert "nvidia-h100-80gb" in schema["properties"]["gpu"]["enum"]
    assert schema["properties"]["release"]["examples"][0] == "1.7.0"
    assert schema["properties"]["kubernetes"]["enum"][0] == "1.31"


def test_a_folder_of_ones_own_adds_its_section(dynagen) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("schema", "overlays/our-team", cwd=ROOT / "tests/cases/good/user-overlay")
    assert run.code == 0
    assert json.loads(run.stdout)["properties"]["our-team"]["required"] == ["name"]
