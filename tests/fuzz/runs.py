"""A target, a time and a seed in, how many inputs were tried and what was found out. Each run has processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT
from tests.fuzz.child import fingerprint


class Outcome(NamedTuple):
    """`finds` are files: the input, with the reason in a file ending in `.why` beside it."""

    inputs: int
    finds: list[Path]


def fuzz(target: str, seconds: float, seed: int, folder: Path, guided: bool = False) -> Outcome:
    """Begins anew with another seed when an input kills the process."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "count").unlink(missing_ok=True)
    end, number = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0 or number == 0:
        words = [target, str(max(left, 1.0)), str(seed + number), str(folder), *(["guided"] if guided else [])]
        with (folder / "log").open("ab") as log:
            run = subprocess.run(
                [sys.executable, "-m", "tests.fuzz.child", *words],
                cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        if run.returncode:
            _save_death(folder, run.returncode, seed + number)
        elif guided:
            break
        number += 1
    count = folder / "count"
    return Outcome(int(count.read_text() or 0) if count.exists() else 0, finds(folder))


def finds(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.glob("*") if path.name.startswith(("crash-", "hang-")) and path.suffix != ".why"
    )


def _save_death(folder: Path, code: int, seed: int) -> None:
    raw = (folder / "current").read_bytes() if (folder / "current").exists() else b""
    kind = (
        "hang"
        if -code in (signal.SIGALRM, signal.SIGPROF)
        else f"crash-signal{-code}"
        if code < 0
        else f"crash-exit{code}"
    )
    log = (folder / "log").read_text("utf-8", "replace")[-3000:]
    file = folder / f"{kind}-{fingerprint(raw)}"
    file.write_bytes(raw)
    file.with_suffix(".why").write_text(f"seed {seed}, exit code {code}\n{log}", "utf-8")
