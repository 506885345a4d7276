"""Finished objects in, what would fail in the cluster out. One file per check in `checks/`; nobody lists them.

Classes in here are plain ones: to make a NamedTuple takes 0.2 ms of every run, as much as to import a module.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object, declared, undescribed

__all__ = ["Cluster", "Findings", "Object", "declared", "undescribed", "verify"]


def verify(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Runs every check over objects that conform to their schemas. Each says in its docstring what it reports."""
    for check in _checks():
        check(objects, cluster, findings)


@cache
def _checks() -> list[Any]:
    names = sorted(path.stem for path in (Path(__file__).parent / "checks").glob("*.py") if path.stem != "__init__")
    return [import_module(f"dynagen.verify.checks.{name}").check for name in names]
