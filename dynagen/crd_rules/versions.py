"""Semantic versions for CEL rules (https://semver.org).

Source: k8s.io/apiserver, pkg/cel/library/semverlib.go.
"""

from __future__ import annotations

import re
from typing import Any

KIND = "@semver"

_NUMBER = r"0|[1-9][0-9]*"
_PART = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_PART}(?:\.{_PART})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)


def semver(text: str, normalize: bool = False) -> dict[str, Any]:
    """Raises ValueError. With `normalize`, a leading v, leading zeros and missing numbers are put right before."""
    match = _VERSION.fullmatch(_normalized(text) if normalize else text)
    if match is None or any(int(number) > 2**64 - 1 for number in match.groups()[:3]):
        raise ValueError(f"'{text}' is no semantic version")
    return {KIND: [int(match[1]), int(match[2]), int(match[3])], "pre": match[4] or ""}


def _normalized(text: str) -> str:
    parts = text.removeprefix("v").split(".", 2)
    for index, part in enumerate(parts):
        if len(part) > 1:
            short = part.lstrip("0")
            parts[index] = short if short and short[0] in "0123456789" else "0" + short
    if len(parts) < 3:
        if any(sign in parts[-1] for sign in "+-"):
            raise ValueError(f"'{text}' is a short version with an addition")
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)


def is_semver(text: str, normalize: bool = False) -> bool:
    try:
        semver(text, normalize)
    except ValueError:
        return False
    return True


def part(value: Any, index: int) -> int:
    found: int = value[KIND][index]
    return found


def compare(left: Any, right: Any) -> int:
    ours, theirs = _key(left), _key(right)
    return (ours > theirs) - (ours < theirs)


def _key(value: Any) -> tuple[Any, ...]:
    """A version before a release is older than it; numbers sort before words."""
    parts = [(0, int(each), "") if each.isdigit() else (1, 0, each) for each in value["pre"].split(".") if each]
    return (list(value[KIND]), not parts, parts)
