"""Versions of Dynamo: `X.Y.Z` compared as numbers, and the version in an image tag."""

from __future__ import annotations

import re

Version = tuple[int, int, int]


def parse_version(text: str) -> Version:
    """`1.6.1` as (1, 6, 1). Raises ValueError for anything else."""
    found = re.fullmatch(r"([0-9]+)\.([0-9]+)\.([0-9]+)", text)
    if not found:
        raise ValueError(f"not a version: {text!r}")
    return int(found[1]), int(found[2]), int(found[3])


def version_in_tag(image: str) -> Version | None:
    """The version that Dynamo's webhook can read in an image's tag: `...:1.6.1`, `...:v1.3.0-cuda13`; None without one.

    Source: deploy/operator/internal/webhook/validation/shared_helpers.go of ai-dynamo/dynamo.
    """
    name = image.split("@", 1)[0]
    last = name.rsplit("/", 1)[-1]
    if ":" not in last:
        return None
    found = re.match(r"v?([0-9]+)\.([0-9]+)\.([0-9]+)(?![0-9])", last.split(":", 1)[1])
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
