"""Names and values of HTTP headers that a VirtualService matches, sets, adds or removes.

Source: pkg/config/validation/validation.go and header_value_validator.go of istio/istio.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import (
    items,
)
from dynagen.verify.istio.hosts import is_jwt_claim

_NAME = r"[!#$%&'*+\-.^_`|~A-Za-z0-9]+"
_PSEUDO = (":method", ":scheme", ":authority", ":path", ":status")
_CONTROL = "[\x00-\x08\x0a-\x1f\x7f]"
_STRING = r"(?:[^\\)\"]|\\.)*"
# %VAR%, %VAR(argument)%, %VAR(["one", "two"])%.
_VARIABLE = rf'%[^%(]*(?:\((?: *\[ *"{_STRING}"(?: *, *"{_STRING}")* *\] *| *[^\[ ](?:[^\\)\"]|\\.)*)\) *)?%'


def header_name_findings(name: str, path: KeyPath) -> Iterator[Finding]:
    if name != "*" and not re.fullmatch(_NAME, name):
        yield Finding(path, f"'{name}' is no name of a header")


def header_match_findings(name: str, path: KeyPath) -> Iterator[Finding]:
    if not is_jwt_claim(name) and name not in _PSEUDO and not re.fullmatch(_NAME, name):
        yield Finding(path, f"'{name}' is no name of a header")


def is_authority(name: str) -> bool:
    return name.lower() in (":authority", "host")


def headers_findings(headers: dict[str, Any] | None, path: KeyPath) -> Iterator[Finding]:
    for side in ("request", "response"):
        change = (headers or {}).get(side) or {}
        for word in ("add", "set", "remove"):
            for at, given in items(change, word, (*path, side)):
                name = given if word == "remove" else str(at[-1])
                if not name:
                    yield Finding(at, "an empty name of a header")
                elif (name.startswith(":") or name.lower() == "host") and not (
                    side == "request" and word != "remove" and is_authority(name)
                ):
                    yield Finding(at, f"'{name}' cannot be changed here", "the authority can be set in requests")
                if word != "remove":
                    yield from _value_findings(given, at)


def _value_findings(value: str, path: KeyPath) -> Iterator[Finding]:
    if re.search(_CONTROL, value):
        yield Finding(path, "the value of a header has no control characters")
    elif "%" in value and "%" in re.sub(_VARIABLE, "", value.replace("%%", ""), flags=re.DOTALL):
        yield Finding(path, f"'{value}': a '%' that begins no variable of Envoy", "write '%%' for a percent sign")
