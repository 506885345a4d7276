"""Finished objects in, what would fail in the cluster out. No package in here imports another.

Classes in here are plain ones: to make a NamedTuple takes 0.2 ms of every run, as much as to import a module.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object, declared, undescribed

__all__ = ["Cluster", "Findings", "Object", "declared", "undescribed", "verify"]

_CHECKS = (
    "workloads.claims_and_budgets", "workloads.cron_jobs", "dynamo.check", "istio.check", "metadata",
    "pods.check", "references.check", "spot", "tokens", "dynamo.check_updates",
)  # fmt: skip


def verify(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Runs every check over objects that conform to their schemas. Each says in its docstring what it reports."""
    for check in _checks():
        check(objects, cluster, findings)


@cache
def _checks() -> list[Any]:
    return [import_module(f"dynagen.verify.{name}").check for name in _CHECKS]
