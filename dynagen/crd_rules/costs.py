"""What the rules of all objects of one check may cost together: an object with few rules is cheap, thousands of them are not.

One unit is about a step of a rule. A million rules of one step come to some seconds, and so do 100 that take all steps.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

MOST_COSTS = 1_000_000
# What CEL costs beside its steps, and where it gives up a rule.
_CALL, _MOST_STEPS = 20, 10_000
_MACRO = re.compile(r"\.(?:all|exists|exists_one|existsOne|map|filter|transformList|transformMap|sortBy)\s*\(")


class TooCostly(Exception):
    """All that rules may cost is used up."""


class Costs:
    """What is left for the rules of one check."""

    def __init__(self) -> None:
        self._left = MOST_COSTS

    def charge(self, text: str, largest: int, by_cel: bool) -> None:
        """For a rule that looks at lists of at most `largest` items. Raises TooCostly."""
        steps = min(_MOST_STEPS, max(largest, 1) ** min(_depth(text), 4)) if _depth(text) else 0
        self._left -= _CALL + steps if by_cel else 1 + steps // 4
        if self._left < 0:
            raise TooCostly


@cache
def _depth(text: str) -> int:
    """How many loops may be in each other."""
    return len(_MACRO.findall(text))


def largest(value: Any) -> int:
    """The length of the longest list or map in a value."""
    found, most = [value], 0
    for each in found:  # grows as it goes
        if isinstance(each, (dict, list)):
            most = max(most, len(each))
            found += each.values() if isinstance(each, dict) else each
    return most
