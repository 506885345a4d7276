"""How each engine is started. One file per backend; the file's name is what the profile says.

A backend's file offers `MODULE`, the Python module that Dynamo starts, `IMAGE`, the name of its runtime image,
`OWN_FLAGS`, the flags that dynagen sets itself and where the profile says them instead, and `arguments(launch)`.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from dynagen.plan.versions import Version


class Launch(NamedTuple):
    """What a worker's command line follows from. `role` is `agg`, `prefill` or `decode`."""

    model: str
    served_model_name: str
    release: Version
    role: str
    tensor_parallel: int


def names() -> list[str]:
    """The backends there are."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def load(name: str) -> ModuleType:
    from importlib import import_module

    return import_module(f"dynagen.plan.backends.{name}")
