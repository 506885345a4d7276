"""Folders of files put in place whole: each is made beside its place and moved there when all of them are complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def put_in_place(folders: Mapping[Path, Mapping[str, str]], files: Mapping[Path, str]) -> None:
    """Makes each folder hold exactly its files, and writes `files` beside them.

    Raises OSError. Then nothing has changed, unless moving failed half way: what was moved is whole.
    """
    fresh: dict[Path, Path] = {}
    mark = f".new-{os.getpid()}"
    try:
        for target, content in folders.items():
            fresh[target] = target.with_name(f".{target.name}{mark}")
            shutil.rmtree(fresh[target], ignore_errors=True)
            for name, text in content.items():
                _write(fresh[target] / name, text)
        for target, text in files.items():
            fresh[target] = target.with_name(f".{target.name}{mark}")
            _write(fresh[target], text)
        for target, made in fresh.items():
            _move(made, target)
    finally:
        for made in fresh.values():
            shutil.rmtree(made, ignore_errors=True)
            made.unlink(missing_ok=True)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())


def _move(made: Path, target: Path) -> None:
    if not target.is_dir():
        made.replace(target)
        return
    aside = made.with_name(made.name + "-old")
    target.rename(aside)
    made.rename(target)
    shutil.rmtree(aside)
