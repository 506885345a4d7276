"""What the bench compares is the same output, made in two ways."""

from __future__ import annotations

import subprocess
from typing import Any

import yaml

from bench.kustomize import TREE
from tests import tools
from tests.conftest import ROOT


def by_name(stream: str) -> dict[tuple[str, str], Any]:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(stream)}


def test_kustomize_makes_the_same_objects(dynagen) -> None:  # type: ignore[no-untyped-def]
    overlay = next(path for path in TREE.iterdir() if path.name == "monitoring")
    made = subprocess.run([tools.path("kubectl"), "kustomize", overlay], check=True, capture_output=True, text=True)
    built = dynagen("build", str(ROOT / "examples/qwen3-32b-spot-h100.yaml"))
    assert by_name(made.stdout) == by_name(built.stdout), "run `python -m bench.kustomize`"
