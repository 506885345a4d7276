"""The built wheel in an empty environment, away from the checkout, does what the checkout does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.sources import copy_sources

pytestmark = pytest.mark.oracle

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PROFILES = sorted((ROOT / "examples").glob("*.yaml"))


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy: building writes beside the sources.
    sources = folder / "sources"
    copy_sources(sources)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, sources, cwd=folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The command of an environment that holds the wheel and what it asks for, nothing else."""
    environment = wheel.parent / "environment"
    venv.create(environment, with_pip=True)
    pip = [environment / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, wheel, cwd=wheel.parent)
    return environment / "bin/dynagen"


def test_the_wheel_holds_the_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"dynagen", f"{wheel.name.split('-py3')[0]}.dist-info"}
    for wanted in ("base/layer.yaml", "overlays/gke/layer.yaml", "schemas/profile.json", "compiled/base.json"):
        assert f"dynagen/data/{wanted}" in names
    rules = {path.name for path in (ROOT / "dynagen/rules").iterdir()}
    assert {name.removeprefix("dynagen/rules/") for name in names if name.startswith("dynagen/rules/")} == rules


def test_the_sdist_builds_the_same_wheel(wheel: Path) -> None:
    """`python -m build` makes the wheel out of the sdist: what is missing there would be missing in the wheel."""
    assert list(wheel.parent.glob("*.tar.gz"))


def test_the_wheel_and_the_sdist_hold_the_licence(wheel: Path) -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    (sdist,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        stored = archive.extractfile(f"{sdist.name.removesuffix('.tar.gz')}/LICENSE")
        assert stored is not None and stored.read().decode() == text
    with zipfile.ZipFile(wheel) as archive:
        info = f"{wheel.name.split('-py3')[0]}.dist-info"
        assert archive.read(f"{info}/licenses/LICENSE").decode() == text
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Version"] == PROJECT["version"]
    minimum = PROJECT["requires-python"].removeprefix(">=")
    assert f"Programming Language :: Python :: {minimum}" in metadata.get_all("Classifier", [])


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_the_installed_command_builds_the_same_bytes(installed: Path, profile: Path, tmp_path: Path) -> None:
    shutil.copy(profile, tmp_path / "profile.yaml")
    elsewhere = run(installed, "build", "profile.yaml", cwd=tmp_path)
    here = run(sys.executable, "-m", "dynagen", "build", str(profile), cwd=ROOT)
    assert elsewhere == here
    assert run(installed, "check", "profile.yaml", cwd=tmp_path) == ""


def test_the_installed_command_prints_the_schema(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "schema", cwd=tmp_path) == run(sys.executable, "-m", "dynagen", "schema", cwd=ROOT)


def test_the_installed_command_explains_rules_and_speaks_sarif(installed: Path, tmp_path: Path) -> None:
    listed = run(installed, "rules", cwd=tmp_path)
    assert listed == run(sys.executable, "-m", "dynagen", "rules", cwd=ROOT)
    shutil.copy(PROFILES[0], tmp_path / "profile.yaml")
    (tmp_path / "values.yaml").write_text("a: 1\n")
    log = json.loads(run(installed, "check", ".", "--format", "sarif", cwd=tmp_path))
    spoken = [result for result in log["runs"][0]["results"] if "suppressions" not in result]
    assert [result["ruleId"] for result in spoken] == ["DG117"]


def test_the_installed_command_writes_a_tree(installed: Path, tmp_path: Path) -> None:
    shutil.copy(PROFILES[0], tmp_path / "profile.yaml")
    run(installed, "build", "profile.yaml", "-o", "out", cwd=tmp_path)
    assert "kustomization.yaml" in {path.name for path in (tmp_path / "out").iterdir()}
