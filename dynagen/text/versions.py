"""Versions of Dynamo: `X.Y.Z` compared as numbers, and the version in an image tag."""

from __future__ import annotations

import re
from collections.abc import Iterable

Version = tuple[int, int, int]

_VERSION = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)")

_NUMBER = r"(0|[1-9][0-9]*)"
_PART = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_TAG = re.compile(
    rf"[vV]?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PART}(?:\.{_PART})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def parse_version(text: str) -> Version:
    """`1.6.1` as (1, 6, 1). Raises ValueError for anything else."""
    found = _VERSION.fullmatch(text)
    if not found:
        raise ValueError(f"not a version: {text!r}")
    return int(found[1]), int(found[2]), int(found[3])


def numbered(text: str) -> list[str | int]:
    """What sorts `dynamo-1.10` after `dynamo-1.9`."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", text)]


def nearest_version(text: str, known: Iterable[str]) -> str | None:
    """The one of `known` whose facts count for a version: itself, else the newest of its minor, else, when it is newer than
    all, the newest. None for a version that is older, and for what is no version."""
    versions = {name: parse_version(name) for name in known if _VERSION.fullmatch(name)}
    if text in versions:
        return text
    if not _VERSION.fullmatch(text):
        return None
    version = parse_version(text)
    same = [name for name, each in versions.items() if each[:2] == version[:2]]
    newest = max(versions, key=lambda name: versions[name], default=None)
    if same:
        return max(same, key=lambda name: versions[name])
    return newest if newest is not None and version > versions[newest] else None


def version_text(version: Version) -> str:
    """(1, 6, 1) as `1.6.1`."""
    return ".".join(map(str, version))


def version_in_tag(image: str) -> Version | None:
    """The version that Dynamo's webhook can read in an image's tag: `...:1.6.1`, `...:v1.3.0-cuda13`; None without one.

    Source: imageTagPattern in deploy/operator/internal/runtimeversion/runtimeversion.go of ai-dynamo/dynamo.
    """
    name = image.strip().split("@", 1)[0]
    last = name.rsplit("/", 1)[-1]
    found = _TAG.fullmatch(last.partition(":")[2].strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
