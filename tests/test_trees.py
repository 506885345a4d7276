"""Trees in the shapes of real repositories and what `dynagen check` says of each: half of them are sound.

A tree is a file in `tests/trees`, in the txtar format: a line on what it shows, then each file under a line
`-- path --`. A file whose text is `-> target` is a symbolic link. Lines that begin with `$` are the words of `dynagen`, run
one after the other; without one it is `check .`. The part `expected.txt` holds what the last one says. `good-` trees are
fine (exit code 0), `bad-` ones are refused (1). `pytest --update` rewrites the expected part.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

TREES = sorted((ROOT / "tests/trees").glob("*.txtar"))
EXPECTED = "-- expected.txt --\n"


def unpack(text: str, folder: Path) -> list[list[str]]:
    """Makes the files; the command lines come back."""
    head, *parts = re.split(r"(?m)^-- (.+) --\n", text)
    for name, content in zip(parts[::2], parts[1::2], strict=True):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            file.symlink_to(content[3:].strip())
        else:
            file.write_text(content, "utf-8")
    return [line[2:].split() for line in head.splitlines() if line.startswith("$ ")] or [["check", "."]]


@pytest.mark.parametrize("tree", TREES, ids=lambda path: path.stem)
def test_a_tree_gets_its_verdict(tree: Path, dynagen, update: bool, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files, _, expected = tree.read_text("utf-8").partition(EXPECTED)
    runs = [dynagen(*words, cwd=tmp_path) for words in unpack(files, tmp_path)]
    assert [run.code for run in runs[:-1]] == [0] * (len(runs) - 1), runs
    if update:
        tree.write_text(files + EXPECTED + runs[-1].stderr, "utf-8")
        expected = runs[-1].stderr
    assert runs[-1].stderr == expected
    assert runs[-1].code == (0 if tree.name.startswith("good-") else 1)
    assert tree.name.startswith("good-") or re.search(r"(?m)^\S+:[0-9]+:[0-9]+: error\[DG", expected)


def test_there_are_as_many_sound_trees_as_others() -> None:
    good = [tree for tree in TREES if tree.name.startswith("good-")]
    assert len(TREES) >= 40 and len(good) == len(TREES) / 2


def test_small_trees_do_not_cost_much(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A hundred kustomizations that each include a folder of hundreds of files, and one that includes itself."""
    import dynagen.checking.clusters as clusters

    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{0}}}\n"
    files = {f"base/{n}.yaml": config.format(n) for n in range(20)}
    files["base/kustomization.yaml"] = f"resources: [{', '.join(f'{n}.yaml' for n in range(20))}, ../base, ../a0]\n"
    files |= {f"a{n}/kustomization.yaml": "resources: [../base, own.yaml]\n" for n in range(20)}
    files |= {f"a{n}/own.yaml": config.format(f"x{n}") for n in range(20)}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert dynagen("check", ".", cwd=tmp_path) == (0, "", "")
    judged: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters, "_MOST", 100)
        made = clusters.Stream.__init__

        def counted(self, files, *more) -> None:  # type: ignore[no-untyped-def]
            judged.append(len(files))
            made(self, files, *more)

        patch.setattr(clusters.Stream, "__init__", counted)
        assert dynagen("check", ".", cwd=tmp_path) == (0, "", "")
    assert sum(judged) < 150
