"""A text of JSON Web Keys (RFC 7517), or where they are, in, what is wrong with it out. Nothing of the keys is ever quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

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


def uri_problem(uri: str) -> str | None:
    """Source: ParseJwksURI in pkg/config/security/security.go of istio/istio."""
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        return f"'{uri}' is no address of the web: {error}"
    if parts.scheme not in ("http", "https"):
        return f"'{uri}' begins neither with https:// nor with http://"
    if not re.fullmatch("[0-9]{0,18}", _port(uri)):
        return f"'{uri}' is no address of the web: '{_port(uri)}' is no port"
    return f"'{uri}' has a blank or a control character" if re.search(r"[\x00-\x20\x7f]", parts.netloc) else None


def _port(uri: str) -> str:
    """What stands for the port in an address, "" for none."""
    found = re.match(r"[a-zA-Z]+://[^/?#]*:([^/?#:\]@]*)(?=[/?#]|\Z)", uri)
    return found[1] if found else ""


def high_port(uri: str) -> str | None:
    """Istio takes any number."""
    port = _port(uri)
    return port if port.isdecimal() and int(port) > 65535 else None
