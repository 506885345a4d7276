"""A text of JSON Web Keys (RFC 7517) in, what is wrong with it out. Nothing of the keys is ever quoted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# Source: RFC 7518, section 6, and RFC 8037, section 2: what a key of each type must have.
_PARTS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "oct": ("k",)}


def keys_problem(text: str) -> str | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "jwks is not JSON"
    if not isinstance(value, dict):
        return "jwks is not an object with keys"
    for key in _keys(value):
        kind = key.get("kty") if isinstance(key, dict) else None
        if not isinstance(kind, str) or kind not in _PARTS:
            return "a key in jwks is of no type that Istio knows (kty)"
        missing = [part for part in _PARTS[kind] if not isinstance(key.get(part), str)]
        if missing:
            return f"a key of type {kind} in jwks lacks {missing[0]}"
    return None


def private_keys(text: str) -> Iterator[int]:
    """The positions of keys with which tokens could be made."""
    if keys_problem(text) is None:
        for index, key in enumerate(_keys(json.loads(text))):
            if "d" in key or key.get("kty") == "oct":
                yield index


def _keys(value: dict[str, Any]) -> list[Any]:
    keys = value.get("keys", [value])
    return keys if isinstance(keys, list) else [None]
