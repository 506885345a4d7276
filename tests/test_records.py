"""A tree knows whose it is: what `build -o` and `check` make of its record."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dynagen import __version__
from dynagen.manifests.record import FILE
from tests.conftest import ROOT
from tests.test_cases import read_tree

PROFILE = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8") + "huggingFaceSecret: login\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(PROFILE)
    (tmp_path / "b.yaml").write_text(PROFILE.replace("name: demo", "name: other"))
    return tmp_path


def test_the_version_is_that_of_the_package() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_record_is_the_same_wherever_the_tree_is_built(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    assert dynagen("build", "a.yaml", "-o", "out", cwd=home).code == 0
    assert dynagen("build", str(home / "a.yaml"), "-o", str(home / "deep/er/out")).code == 0
    assert read_tree(home / "out") == read_tree(home / "deep/er/out")
    record = (home / "out" / FILE).read_text()
    assert "profile:\n- a.yaml\n" in record and str(home) not in record
    assert not re.search("20[0-9]{2}-", record)


def test_a_tree_of_another_profile_is_refused(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    dynagen("build", "a.yaml", "-o", "out", cwd=home)
    before = read_tree(home / "out")
    run = dynagen("build", "b.yaml", "-o", "out", "--force", cwd=home)
    assert (run.code, read_tree(home / "out")) == (1, before)
    assert run.stderr.startswith(f"out/{FILE}:1:1: error[DG505] 'out' is the tree of the profile ")
    assert f"remove 'out/{FILE}'" in run.stderr
    (home / "out" / FILE).unlink()  # what the hint says; so it was before there were records, too
    assert dynagen("build", "b.yaml", "-o", "out", cwd=home) == (0, "", "")
    assert "dynamographdeployment-demo.yaml" not in read_tree(home / "out")


def test_a_change_by_hand_is_not_lost(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    dynagen("build", "a.yaml", "-o", "out", cwd=home)
    before, file = read_tree(home / "out"), home / "out/dynamographdeployment-demo.yaml"
    file.write_text(file.read_text() + "# mine\n")
    changed = read_tree(home / "out")
    run = dynagen("build", "a.yaml", "-o", "out", cwd=home)
    assert (run.code, run.stderr.count("DG506"), read_tree(home / "out")) == (1, 1, changed)
    assert dynagen("build", "a.yaml", "-o", "out", "--force", cwd=home) == (0, "", "")
    assert read_tree(home / "out") == before


def test_what_git_does_to_line_ends_and_what_is_gone_is_no_change_by_hand(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    dynagen("build", "a.yaml", "-o", "out", cwd=home)
    before = read_tree(home / "out")
    for file in (home / "out").iterdir():
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    (home / "out/kustomization.yaml").unlink()
    assert dynagen("build", "a.yaml", "-o", "out", cwd=home) == (0, "", "")
    assert read_tree(home / "out") == before


def test_files_that_no_build_wrote_stay_whatever_they_begin_with(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    dynagen("build", "a.yaml", "-o", "out", cwd=home)
    copy = (home / "out/dynamographdeployment-demo.yaml").read_text()
    (home / "out/copy.yaml").write_text(copy)
    run = dynagen("build", "a.yaml", "-o", "out", cwd=home)
    assert (run.code, run.stderr) == (0, "left alone: out/copy.yaml (not written by dynagen)\n")
    assert (home / "out/copy.yaml").read_text() == copy


@pytest.mark.parametrize(
    "text", ["", "# mine\n", "{", "<<<<<<< HEAD\n", "owner: [1]\n", "files: {a: {b: c}}\nexternal: 1\n"]
)
def test_a_record_that_says_nothing_is_none(dynagen, home: Path, text: str) -> None:  # type: ignore[no-untyped-def]
    dynagen("build", "a.yaml", "-o", "out", cwd=home)
    header = (home / "out" / FILE).read_text().splitlines()[0]
    (home / "out" / FILE).write_text(f"{header}\n{text}")
    assert dynagen("check", "out", "--external", "Secret/login", cwd=home).code == 0
    assert dynagen("build", "b.yaml", "-o", "out", cwd=home) == (0, "", "")


def test_check_knows_what_the_record_knows(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    (home / "a.yaml").write_text(PROFILE + 'release: 1.1.1\nkubernetes: "1.33"\n')
    dynagen("build", "a.yaml", "-o", "out/a", cwd=home)
    dynagen("build", "b.yaml", "-o", "out/b", cwd=home)
    for paths in (["out"], ["out/a"], ["out/a", "out/b"], ["out/b/dynamographdeployment-other.yaml"]):
        assert dynagen("check", *paths, "--strict", cwd=home) == (0, "", ""), paths
    file = home / "out/a/dynamographdeployment-demo.yaml"
    assert "v1alpha1" in file.read_text()
    assert (
        dynagen("check", "out/a", "--release", "1.1.1", cwd=home).code == 0
    )  # what is said on the command line counts
    file.write_text(file.read_text().replace("login", "logon"))
    run = dynagen("check", "out", cwd=home)
    assert (run.code, "out/a/dynamographdeployment-demo.yaml" in run.stderr, "DG470" in run.stderr) == (1, True, True)


@pytest.mark.parametrize("tree", sorted((ROOT / "out").iterdir()), ids=lambda path: path.name)
def test_the_trees_of_the_examples_are_fine(dynagen, tree: Path) -> None:  # type: ignore[no-untyped-def]
    assert dynagen("check", str(tree), "--strict") == (0, "", "")


SILENCED = """\
apiVersion: dynagen.dev/v1alpha1
kind: Profile
metadata: {name: demo}
backend: vllm
model: Qwen/Qwen3-0.6B
gpu: nvidia-l4
agg: {replicas: 2, gpus: 1}
overlays: [gke]
# dynagen: allow DG646: the VPN ends before it
gke: {gateway: {class: gke-l7-global-external-managed}}
"""


def test_what_a_profile_silences_its_tree_does_not_tell_again(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    (home / "c.yaml").write_text(SILENCED)
    assert dynagen("build", "c.yaml", "-o", "out", cwd=home).code == 0
    run = dynagen("check", "out", "--strict", cwd=home)
    assert (run.code, "1 silenced" in run.stderr) == (0, True), run.stderr
    gateway, record = home / "out/gateway-demo-gateway.yaml", home / "out" / FILE
    whole = gateway.read_text()
    gateway.write_text(whole + "# by hand\n")  # then nobody knows what the profile says of it
    run = dynagen("check", "out", "--strict", cwd=home)
    assert (run.code, "error[DG646]" in run.stderr) == (1, True)
    gateway.write_text(whole)
    text = record.read_text()
    for code in ("DG204", "DG408", "DG999", "../x", ""):  # a record can be written by anybody
        record.write_text(text.replace("code: DG646", f"code: '{code}'"))
        assert "error[DG646]" in dynagen("check", "out", "--strict", cwd=home).stderr
    for broken in ("silenced: 5", "silenced: [5, {code: DG646}, {code: [], message: {}, reason: 1}]"):
        record.write_text(re.sub(r"silenced:\n(- .*\n|  .*\n)+(?=files:)", f"{broken}\n", text))
        assert broken in record.read_text()
        assert "error[DG646]" in dynagen("check", "out", "--strict", cwd=home).stderr
