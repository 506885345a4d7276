"""Facts of several files in, one tree of plain data out. The door to deepmerge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def merged_facts(parts: Iterable[tuple[Sequence[str], Any]]) -> dict[str, Any]:
    """Data and its place, later data over earlier: maps merge, all else is replaced. Nothing is changed."""
    from copy import deepcopy

    from deepmerge import Merger

    merger = Merger([(dict, "merge")], ["override"], ["override"])
    merged: dict[str, Any] = {}
    for keys, data in parts:
        whole = deepcopy(data)  # deepmerge works in place and shares subtrees
        for key in reversed(keys):
            whole = {key: whole}
        merger.merge(merged, whole)
    return merged
