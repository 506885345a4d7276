"""A folder in, the sources of the checkout in it: what a wheel is built from, and what pre-commit clones."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import ROOT

# By their place, not by their name alone: `compiled` is what an editable install has made, `dynagen/compiled` a package.
LEFT_OUT = {ROOT / name for name in (".venv", ".git", "compiled", "tests", "out")}


def copy_sources(target: Path) -> None:
    shutil.copytree(ROOT, target, ignore=_ignored, symlinks=True)


def _ignored(folder: str, names: list[str]) -> list[str]:
    return [
        name for name in names if name == "__pycache__" or name.endswith("_cache") or Path(folder, name) in LEFT_OUT
    ]
