"""What rules look at in, what of a value has to be given to them out: most of an object is of no interest to its rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# What of a value is of interest: all of it, or by their names, `*` for each, some of what is in it. With nothing in it
# only its being there counts.
Wanted = dict[Any, Any] | bool


def wanted_below(wanted: Wanted, name: str) -> Wanted | None:
    if wanted is True:
        return True
    assert isinstance(wanted, dict)
    found: Wanted | None = wanted.get(name)
    return wanted.get("*") if found is None else found


def want(wanted: Wanted, path: Sequence[Any]) -> Wanted:
    """The same and what is at `path`, as `touches` says it."""
    if wanted is True or not path:
        return True
    assert isinstance(wanted, dict)
    if path[0] == "?":
        return wanted
    wanted[path[0]] = want(wanted.get(path[0], {}), path[1:])
    # Names beside a `*`, and numbers: rare, and not worth telling apart.
    return True if (len(wanted) > 1 and "*" in wanted) or isinstance(path[0], int) else wanted


def want_both(wanted: Wanted, other: Wanted, path: Sequence[Any]) -> Wanted:
    """The same and `other` at `path`."""
    if other is True:
        return want(wanted, path)
    wanted = want(wanted, (*path, "?"))
    assert isinstance(other, dict)
    for key, below in other.items():
        wanted = want_both(wanted, below, (*path, key))
    return wanted
