"""Where what ships lies, and what a path leads to.

Data is inside the installed package, or beside it in a checkout. The system may also say no to a path: a name of 300
characters, a link to itself, a byte that is none.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = PACKAGE / "data"
ROOT = _INSTALLED if _INSTALLED.is_dir() else PACKAGE.parent

# What there is to say about each code.
RULES = PACKAGE / "rules"

BASE = ROOT / "base"
OVERLAYS = ROOT / "overlays"
SCHEMAS = ROOT / "schemas"


def is_file(path: Path) -> bool:
    """Whether there is a regular file. `Path.is_file` raises for some of the names that users can think of."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: Path) -> bool:
    """Whether there is anything of this name, also a symbolic link that leads nowhere."""
    return os.path.lexists(path)


def lies_in(path: Path, folder: Path) -> bool:
    """Whether `path` is below `folder` once the symbolic links of both are followed. A link to itself stays where it is."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        return False


def leads_away(path: Path) -> bool:
    """Whether a path that lies in the current folder, as it is written, lies elsewhere: a link in a checkout is anybody's."""
    try:
        here, real = os.getcwd(), os.path.realpath(path)  # noqa: PTH109
        written = Path(os.path.abspath(path))  # noqa: PTH100
        return written.is_relative_to(here) and not Path(real).is_relative_to(os.path.realpath(here))
    except (OSError, ValueError):
        return False
