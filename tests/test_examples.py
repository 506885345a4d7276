"""`out/` is what the examples become, today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_cases import read_tree

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


@pytest.mark.parametrize("profile", EXAMPLES, ids=lambda path: path.stem)
def test_out_is_not_stale(profile: Path, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("build", str(profile), "-o", str(tmp_path / "tree"))
    assert run.code == 0, run.stderr
    assert read_tree(tmp_path / "tree") == read_tree(ROOT / "out" / profile.stem), "run `make out`"


def test_nothing_in_out_is_left_over() -> None:
    assert {folder.name for folder in (ROOT / "out").iterdir()} == {profile.stem for profile in EXAMPLES}


@pytest.mark.slow
@pytest.mark.parametrize("profile", EXAMPLES, ids=lambda path: path.stem)
def test_the_same_bytes_come_out_whatever_the_hash_seed(profile: Path) -> None:
    import os
    import subprocess
    import sys

    outputs = {
        subprocess.run(
            [sys.executable, "-m", "dynagen", "build", str(profile)], cwd=ROOT, check=True, capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(outputs) == 1


@pytest.mark.parametrize("profile", EXAMPLES, ids=lambda path: path.stem)
def test_every_leaf_knows_where_it_was_written(profile: Path) -> None:
    from dynagen.text.paths import ROOT as DATA
    from dynagen.trees.nodes import leaves
    from tests.test_kubeconform import compile_files

    compilation = compile_files(profile, [])
    for manifest in compilation.manifests:
        for path, leaf in leaves(manifest.tree):
            at = leaf.origin.written
            file = profile if at.file == profile.name else DATA / at.file
            line = file.read_text("utf-8").splitlines()[at.line - 1]
            assert at.column <= len(line), (str(manifest), path, at)
            # The release decides the version of a graph, whatever the layer says.
            if leaf.origin.expression and path != ("apiVersion",):
                assert "${" in line or ">-" in line or "|" in line, (str(manifest), path, at)
