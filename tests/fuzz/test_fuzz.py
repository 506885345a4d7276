"""A minute of fuzzing in all, without guidance, so that a seed gives the same inputs; and that a find would be seen."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import child, runs
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.slow

SECONDS, SEED = 7.0, 3


@pytest.mark.parametrize("name", TARGETS)
def test_every_input_ends_in_a_report(name: str, tmp_path: Path) -> None:
    outcome = runs.fuzz(name, SECONDS, SEED, tmp_path)
    assert outcome.inputs > 20
    stories = [
        file.with_suffix(".why").read_text("utf-8", "replace") + file.read_text("utf-8", "replace")
        for file in outcome.finds
    ]
    assert not stories, "\n".join(stories)


@pytest.mark.parametrize("name", TARGETS)
def test_a_seed_gives_the_same_inputs(name: str) -> None:
    target = TARGETS[name]
    seeds = target.seeds()
    assert seeds
    made = [
        [target.mutate(seeds[number % len(seeds)], random) for number in range(10)] for random in (Random(1), Random(1))
    ]
    assert made[0] == made[1]
    assert set(made[0]) - set(seeds)


def test_what_goes_wrong_is_kept(tmp_path: Path) -> None:
    def run(text: str) -> None:
        if "bad" in text:
            raise KeyError(text)

    trial = child.Trial(run, tmp_path, seed=5)
    for text in ("good", "bad and long", "bad"):
        trial(text)
    (find,) = runs.finds(tmp_path)
    assert find.read_text() == "bad"
    assert "seed 5, input 3" in find.with_suffix(".why").read_text()
    assert trial.count == 3


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("while True: pass", "hang-"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", f"crash-signal{int(signal.SIGSEGV)}-"),
    ],
)
def test_what_ends_the_process_is_kept(body: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real child, with a target that does just that."""
    script = f"""
import sys
sys.argv = ["child", *sys.argv[3:]]
from tests.fuzz import child, targets
targets.TARGETS["reader"] = targets.Target(lambda text: exec({body!r}), lambda: ["a"], lambda text, random: text)
child.SECONDS_EACH = 0.2
child.main(sys.argv[1:])
"""
    real = runs.subprocess.run
    monkeypatch.setattr(
        runs.subprocess, "run", lambda command, **options: real([command[0], "-c", script, *command[1:]], **options)
    )
    outcome = runs.fuzz("reader", 0.1, 1, tmp_path)
    assert sys.executable
    assert [find.name.startswith(kind) for find in outcome.finds] == [True]
    assert outcome.finds[0].read_text() == "a"
