"""The outside referee: kubeconform, strict and offline, with our schemas, on every tree that the project holds."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dynagen.checking.kubeconform import verdicts
from dynagen.compiler import Compilation, Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.manifests.yaml import to_stream
from dynagen.text.source import parse
from tests import tools
from tests.conftest import ROOT
from tests.test_cases import GOOD, arguments_of

pytestmark = pytest.mark.oracle

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def compile_files(profile: Path, arguments: list[str]) -> Compilation:
    files = [
        profile,
        *(profile.parent / word for flag, word in pairwise(arguments) if flag == "-f"),
    ]
    settings = [word for flag, word in pairwise(arguments) if flag == "--set"]
    report = Report()
    sources = [parse(file.read_text("utf-8"), file.name, report)[0] for file in files]
    compilation = compile_profile(Request(sources, settings, profile.parent, profile.parent), report)
    assert not report.diagnostics
    return compilation


def judge(stream: str, compilation: Compilation) -> list[dict[str, Any]]:
    """kubeconform's verdict on each object: its status and message."""
    assert compilation.plan is not None
    crds = compilation.library.facts["releases"][compilation.plan.release]["crds"]
    folders = compilation.library.schema_folders(compilation.plan.kubernetes, crds)
    return verdicts(str(tools.path("kubeconform")), stream, folders)


def assert_valid(stream: str, compilation: Compilation, objects: int) -> None:
    verdicts = judge(stream, compilation)
    assert [verdict for verdict in verdicts if verdict["status"] != "statusValid"] == []
    assert len(verdicts) == objects


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_every_expected_tree_is_valid(case: Path) -> None:
    compilation = compile_files(case / "profile.yaml", arguments_of(case))
    files = [file for file in sorted((case / "expected").glob("*.yaml")) if file.name != "kustomization.yaml"]
    stream = "".join(f"---\n{file.read_text('utf-8')}" for file in files)
    assert_valid(stream, compilation, len(compilation.manifests))


@pytest.mark.parametrize("profile", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid(profile: Path) -> None:
    compilation = compile_files(profile, [])
    assert_valid(to_stream(compilation.manifests), compilation, len(compilation.manifests))


def test_the_referee_can_say_no() -> None:
    compilation = compile_files(GOOD[0] / "profile.yaml", arguments_of(GOOD[0]))
    stream = to_stream(compilation.manifests)
    broken = re.sub(r"  replicas: [0-9]+\n", "  replicas: one\n", stream, count=1)
    assert broken != stream
    assert "statusInvalid" in {verdict["status"] for verdict in judge(broken, compilation)}
    unknown = stream.replace("kind: DynamoGraphDeployment", "kind: DynamoGraph")
    assert "statusError" in {verdict["status"] for verdict in judge(unknown, compilation)}
