"""`python -m tests.fuzz [TARGET|all [SECONDS [SEED]]]` tries inputs and prints how many, and where it keeps what it found.

With atheris (`make fuzz` installs it) inputs that reach new code are tried further; without, all are mutants of the
project's own files. Exit code 1 when something was found.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.fuzz.runs import fuzz
from tests.fuzz.targets import TARGETS

FINDS = ROOT / "build" / "fuzz"


def main(arguments: list[str]) -> int:
    name, seconds, seed = [*arguments, *["all", "300", "1"][len(arguments) :]]
    if name != "all" and name not in TARGETS:
        print(f"targets: all {' '.join(TARGETS)}", file=sys.stderr)
        return 2
    names = list(TARGETS) if name == "all" else [name]
    guided = importlib.util.find_spec("atheris") is not None
    print("guided by coverage" if guided else "not guided by coverage: atheris is not installed", flush=True)
    found: list[Path] = []
    total = 0
    for each in names:
        outcome = fuzz(each, float(seconds) / len(names), int(seed), FINDS / each, guided)
        total += outcome.inputs
        found += outcome.finds
        print(f"{each:12}{outcome.inputs:10} inputs{len(outcome.finds):6} finds", flush=True)
    print(f"{total} inputs, seed {seed}")
    for file in found:
        why = file.with_suffix(".why")
        print(f"\n{file}\n{why.read_text('utf-8', 'replace') if why.exists() else ''}")
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
