"""A tree is written all or nothing, and what is not ours stays."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynagen.diagnostics import Report
from dynagen.manifests.files import write_tree
from tests.conftest import ROOT

HEADER = "# ours\n"


def files_in(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write(target: Path, **files: str) -> tuple[list[str], list[str]]:
    report = Report()
    contents = {f"{name}.yaml": HEADER + text for name, text in files.items()}
    left = write_tree(contents, target, HEADER, str(target), report)
    return left, [diagnostic.code for diagnostic in report.diagnostics]


def test_a_new_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    assert write(tmp_path / "a/b", x="1") == ([], [])
    assert files_in(tmp_path) == {"a/b/x.yaml": HEADER + "1"}


def test_files_of_an_earlier_build_go_away_and_foreign_ones_stay(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, old="1", kept="1")
    (target / "notes").mkdir()
    (target / "notes/a.txt").write_text("mine")
    (target / "README.md").write_text("mine")
    (target / "link").symlink_to("README.md")
    left, codes = write(target, kept="2", new="2")
    assert (left, codes) == (["README.md", "link", "notes"], [])
    assert files_in(target) == {
        "kept.yaml": HEADER + "2", "new.yaml": HEADER + "2", "README.md": "mine", "link": "mine", "notes/a.txt": "mine",
    }  # fmt: skip
    assert (target / "link").is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_foreign_file_in_the_way_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "x.yaml").write_text("mine")
    assert write(target, x="1", y="1") == ([], ["DG503"])
    assert files_in(target) == {"x.yaml": "mine"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert write(tmp_path / "out", x="1") == ([], ["DG501"])
    assert (tmp_path / "out").read_text() == "mine"


def test_the_current_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write(Path(), x="1")[1] == ["DG504"]
    assert write(Path(".."), x="1")[1] == ["DG504"]


def test_a_symbolic_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    assert write(tmp_path / "out", x="1") == ([], [])
    assert (tmp_path / "out").is_symlink()
    assert files_in(tmp_path / "real") == {"x.yaml": HEADER + "1"}


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    # /proc refuses every user, root included.
    assert write(Path("/proc/dynagen-test/out"), x="1")[1] == ["DG502"]


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    finished = subprocess.Popen(["true"])
    finished.wait()
    leftover = tmp_path / f".out.dynagen-{finished.pid}"
    leftover.mkdir()
    running = tmp_path / f".out.dynagen-{os.getppid()}"
    running.mkdir()
    write(tmp_path / "out", x="1")
    assert not leftover.exists()
    assert running.exists()


# For each line that it is sent, a process that writes without end: it says which, then that it is gone.
_WRITERS = """
import sys, itertools, os
from pathlib import Path
from dynagen.diagnostics import Report
from dynagen.manifests.files import write_tree
for _ in sys.stdin:
    if writer := os.fork():
        print(writer, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]), flush=True)
        continue
    for number in itertools.count():
        files = {f"{name}.yaml": f"# ours\\n{number % 2}" * 200 for name in ("abc", "abd")[number % 2] + "xyz"}
        report = Report()
        write_tree(files, Path(sys.argv[1]), "# ours\\n", "out", report)
        assert not report.diagnostics, report.diagnostics
"""


def test_a_kill_at_any_moment_leaves_the_old_tree_or_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, a="first")
    (target / "foreign.txt").write_text("mine")
    trees = [
        {f"{name}.yaml" for name in "abcxyz"} | {"foreign.txt"},
        {f"{name}.yaml" for name in "abdxyz"} | {"foreign.txt"},
    ]
    chance = random.Random(1)
    command = [sys.executable, "-c", _WRITERS, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as writers:
        assert writers.stdin is not None and writers.stdout is not None
        for _ in range(60):
            print(file=writers.stdin, flush=True)
            writer = int(writers.stdout.readline())
            time.sleep(chance.uniform(0, 0.02))
            os.kill(writer, signal.SIGKILL)
            assert int(writers.stdout.readline()) == -signal.SIGKILL
            found = files_in(target)
            if found.keys() == {"a.yaml", "foreign.txt"}:
                continue  # killed before the first write
            assert found.keys() in trees
            numbers = {text[len(HEADER)] for name, text in found.items() if name != "foreign.txt"}
            assert numbers == {"0" if "c.yaml" in found else "1"}
            assert found["foreign.txt"] == "mine"
