"""Kubernetes' quantities: `100m`, `64Gi`, 8 -> a number that can be compared.

Source: pkg/api/resource/quantity.go and suffix.go of k8s.io/apimachinery v0.37.2.
"""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException
from typing import Any

_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([A-Za-z]{0,2}|[eE][+-]?[0-9]+)")
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def amount(quantity: Any) -> Decimal | None:
    """None for what is no quantity (its schema says so), and for what is too large to matter."""
    found = _FORM.fullmatch(str(quantity))
    if not found or isinstance(quantity, bool):
        return None
    number, suffix = found[1], found[2]
    try:
        if suffix in BINARY:
            return Decimal(number) * Decimal(2 ** BINARY[suffix])
        if suffix in DECIMAL:
            return Decimal(number).scaleb(DECIMAL[suffix])
        return Decimal(number + suffix)
    except DecimalException:
        return None
