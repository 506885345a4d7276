"""A command line and what goes into the program in, the JSON that it prints out. The only place that starts programs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

# One manifest takes them some milliseconds.
SECONDS = 300


class NoVerdict(Exception):
    """A program did not run, or did not say what it should have."""


def find_program(name: str) -> str | None:
    """The program of this name or path, None when there is none."""
    return shutil.which(name)


def answer(command: Sequence[str], given: str) -> tuple[Any, str]:
    """What it says on its standard output, read as JSON, and on its standard error. Raises NoVerdict."""
    try:
        done = subprocess.run(command, input=given.encode(), capture_output=True, timeout=SECONDS)
    except OSError as error:
        raise NoVerdict((error.strerror or str(error)).lower()) from error
    except subprocess.TimeoutExpired as error:
        raise NoVerdict(f"no answer within {SECONDS} seconds") from error
    aside = done.stderr.decode(errors="replace").strip()
    try:
        return json.loads(done.stdout), aside
    except (ValueError, RecursionError) as error:
        raise NoVerdict(aside.splitlines()[-1] if aside else "it printed no JSON") from error
