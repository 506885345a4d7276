"""Lists and texts for CEL rules: what Kubernetes adds to CEL's own functions.

Source: k8s.io/apiserver, pkg/cel/library/lists.go and regex.go.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from dynagen.text.patterns import matches


def same(left: Any, right: Any) -> bool:
    """As CEL counts: 1 and 1.0 are the same, 1 and true are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def is_sorted(values: list[Any]) -> bool:
    return all(not later < earlier for earlier, later in pairwise(values))


def total(values: list[Any]) -> Any:
    """A duration comes as the text of one: CEL takes none from Python."""
    if not values:
        return 0
    found = values[0]
    for value in values[1:]:
        found = found + value
    return f"{found.total_seconds():.6f}s" if isinstance(found, timedelta) else found


def best(name: str, values: list[Any]) -> int:
    """Where the least or the greatest value is, the first of equal ones."""
    if not values:
        raise ValueError(f"{name} called on an empty list")
    found = 0
    for index, value in enumerate(values):
        if value < values[found] if name == "min" else value > values[found]:
            found = index
    return found


def too_long(_: int) -> None:
    """What is said of a list that nobody should make: the words with which CEL itself gives up."""
    raise ValueError("Iteration budget exceeded")


def index_of(values: Any, wanted: Any, start: int = 0) -> int:
    """Of an item in a list, or of a text in a text from `start` on; -1 if it is not there."""
    if not isinstance(values, str):
        return next((index for index, value in enumerate(values) if same(value, wanted)), -1)
    if start < 0:
        raise ValueError(f"index out of range: {start}")
    return values.find(wanted, min(start, len(values)))


def last_index_of(values: Any, wanted: Any, start: int | None = None) -> int:
    """The last one; that of a text begins at `start` or before it."""
    if not isinstance(values, str):
        found = index_of(values[::-1], wanted)
        return found if found < 0 else len(values) - 1 - found
    if start is None:
        return values.rfind(wanted)
    if start < 0:
        raise ValueError(f"index out of range: {start}")
    if wanted and start >= len(values):
        return -1
    return values.rfind(wanted, 0, start + len(wanted))


def substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"index out of range: {start}, {end}")
    return text[start:end]


def includes(where: Any, wanted: Any) -> bool:
    return index_of(where, wanted) >= 0 if isinstance(where, list) else same(where, wanted)


def inserted(into: dict[Any, Any], *entry: Any) -> dict[Any, Any]:
    """What CEL's own macros for maps build with: a key and a value, or entries of another map."""
    added = {entry[0]: entry[1]} if len(entry) == 2 else entry[0]
    if twice := [key for key in added if key in into]:
        raise ValueError(f"the key '{twice[0]}' is there twice")
    return {**into, **added}


def find(text: str, pattern: str) -> str:
    return next((text[start:end] for start, end in matches(pattern, text)), "")


def find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    found: list[str] = []
    last = -1
    for start, end in matches(pattern, text):
        # Go counts no empty match right behind another one.
        if start == end == last:
            continue
        last = end
        if 0 <= most <= len(found):
            break
        found.append(text[start:end])
    return found
