"""Build hook: the shipped layers travel in the package compiled as well."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledLayers(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, self.root)
        try:
            from dynagen.compiled.writing import write_all

            folder = write_all()
        finally:
            sys.path.remove(self.root)
        if version != "editable":
            build_data["force_include"][str(folder)] = str(Path("dynagen/data/compiled"))
