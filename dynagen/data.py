"""Where the data that dynagen ships lies: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "data"
ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent

BASE = ROOT / "base"
OVERLAYS = ROOT / "overlays"
SCHEMAS = ROOT / "schemas"
