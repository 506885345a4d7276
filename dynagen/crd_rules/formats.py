"""Kubernetes' named formats for CEL rules: what is wrong with a text, in a list that is empty when nothing is.

Source: k8s.io/apiserver, pkg/cel/library/format.go; k8s.io/apimachinery, pkg/util/validation; k8s.io/kube-openapi,
pkg/validation/strfmt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from dynagen.crd_rules import urls

KIND = "@format"

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_UUID = r"(?i:[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})"
_BASE64 = r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})"


def _matching(pattern: str, most: int = 0, prefix: bool = False) -> Callable[[str], list[str]]:
    expression = re.compile(pattern, re.ASCII)

    def validate(text: str) -> list[str]:
        if prefix and len(text) > 1 and text.endswith("-"):
            text = text[:-2] + "a"  # a name that is made longer may end so
        found = [f"must be no more than {most} bytes"] if most and len(text.encode()) > most else []
        return found if expression.fullmatch(text) else [*found, f"must match '{pattern}'"]

    return validate


_SUBDOMAIN = _matching(rf"{_LABEL}(\.{_LABEL})*", 253)


def _qualified_name(text: str) -> list[str]:
    parts = text.split("/")
    if len(parts) > 2:
        return ["must have at most one slash"]
    found = _matching(_NAME, 63)(parts[-1])
    if len(parts) == 2:
        found += _SUBDOMAIN(parts[0]) if parts[0] else ["the part before the slash must not be empty"]
    return found


def _date(text: str) -> list[str]:
    try:
        if not re.fullmatch(_DATE, text, re.ASCII):
            raise ValueError(text)
        # Go knows the year 0, Python does not; both years have a 29 February.
        date.fromisoformat("0004" + text[4:] if text.startswith("0000") else text)
    except ValueError:
        return ["is no date"]
    return []


def _datetime(text: str) -> list[str]:
    day, _, time = text.lower().partition("t")
    return ["is no date and time"] if _date(day) or not re.fullmatch(_TIME, time.split("t")[0], re.ASCII) else []


_FORMATS: dict[str, Callable[[str], list[str]]] = {
    "dns1123Label": _matching(_LABEL, 63),
    "dns1123Subdomain": _SUBDOMAIN,
    "dns1035Label": _matching(_LABEL_1035, 63),
    "qualifiedName": _qualified_name,
    "dns1123LabelPrefix": _matching(_LABEL, 63, prefix=True),
    "dns1123SubdomainPrefix": _matching(rf"{_LABEL}(\.{_LABEL})*", 253, prefix=True),
    "dns1035LabelPrefix": _matching(_LABEL_1035, 63, prefix=True),
    "labelValue": _matching(rf"({_NAME})?", 63),
    "uri": lambda text: [] if urls.is_url(text) else ["is no absolute URL or path"],
    "uuid": lambda text: [] if re.fullmatch(_UUID, text, re.ASCII) else ["is no UUID"],
    "byte": lambda text: [] if re.fullmatch(_BASE64, text, re.ASCII) else ["is no base64"],
    "date": _date,
    "datetime": _datetime,
}


def named(name: str) -> dict[str, str]:
    """Empty if there is no such format."""
    return {KIND: name} if name in _FORMATS else {}


def validate(value: Any, text: str) -> list[str]:
    return _FORMATS[value[KIND]](text)
