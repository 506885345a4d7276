"""Durations as Go writes them: a text in, nanoseconds out, or what is wrong with it."""

from __future__ import annotations

import re

_DURATION = r"([+-]?)((?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|[\u00b5\u03bc]s|ms|s|m|h))+|0)"
_PART = "([0-9.]+)([a-z\u00b5\u03bc]+)"
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "\u00b5s": 10**3,
    "\u03bcs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


def seconds_said(value: object) -> float:
    """The number of seconds that a variable's text says; 0 for what is none."""
    try:
        return float(value) if isinstance(value, str) else 0
    except ValueError:
        return 0


def nanoseconds(text: str) -> int | None:
    """A duration as Go writes it, `1h30m`; None for what is none."""
    if text.endswith("s") and text[:-1].isdecimal() and text.isascii() and len(text) < 9:
        return int(text[:-1]) * 10**9
    found = re.fullmatch(_DURATION, text)
    if not found:
        return None
    total = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, found[2]))
    return None if total > 2**63 else round(-total if found[1] == "-" else total)


def duration_problem(text: str) -> str | None:
    value = nanoseconds(text)
    if value is None:
        return f"'{text}' is no duration"
    if value < 10**6:
        return f"{text} is shorter than a millisecond"
    return f"{text} is finer than milliseconds" if value % 10**6 else None
