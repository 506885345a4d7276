"""Where the data that dynagen ships lies: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_INSTALLED = PACKAGE / "data"
ROOT = _INSTALLED if _INSTALLED.is_dir() else PACKAGE.parent

# What there is to say about each code.
RULES = PACKAGE / "rules"

BASE = ROOT / "base"
OVERLAYS = ROOT / "overlays"
SCHEMAS = ROOT / "schemas"
