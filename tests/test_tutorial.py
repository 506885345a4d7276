"""docs/layers.md, done as a reader does it: its files are written, its commands run, and what they print is what it shows.

A line that is a file's name in bold code names what the next block holds. A block of kind `console` holds commands behind `$ ` and
below each what it prints; nothing else may stand there. `--update` writes what they print now.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGE = ROOT / "docs/layers.md"
BLOCK = re.compile(
    r"(?:^\*\*`(?P<file>[^`\n]+)`\*\*\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)


@pytest.fixture
def run(dynagen, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Runs a line in the folder `home`: what is more than one dynagen by a shell that has this checkout's command."""
    bin_, home = tmp_path / "bin", tmp_path / "home"
    bin_.mkdir()
    home.mkdir()
    (bin_ / "dynagen").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m dynagen "$@"\n')
    (bin_ / "dynagen").chmod(0o755)
    environment = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "LC_ALL": "C"}

    def run(line: str) -> str:
        program, *arguments = shlex.split(line)
        if program == "dynagen" and "|" not in arguments:
            done = dynagen(*arguments, cwd=home)
            assert done.code == (1 if ": error[" in done.stderr else 0)
            return done.stdout + done.stderr
        shell = subprocess.run(["/bin/sh", "-c", line], cwd=home, env=environment, capture_output=True, text=True)
        return shell.stdout + shell.stderr

    return run


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(run, tmp_path: Path, update: bool) -> None:  # type: ignore[no-untyped-def]
    page = PAGE.read_text("utf-8")
    followed, end = "", 0
    for block in BLOCK.finditer(page):
        followed += page[end : block.start("text")]
        end = block.end("text")
        if block["kind"] == "console":
            for line in re.findall(r"^\$ (.*)\n", block["text"], re.MULTILINE):
                followed += f"$ {line}\n{run(line)}"
            continue
        assert block["file"], f"what is the name of this file?\n{block['text']}"
        file = tmp_path / "home" / block["file"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block["text"], "utf-8")
        followed += block["text"]
    followed += page[end:]
    if update:
        PAGE.write_text(followed, "utf-8")
    assert followed == PAGE.read_text("utf-8"), "run `make update`"
