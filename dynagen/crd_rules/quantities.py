"""Kubernetes' quantities ('500m', '1.5Gi') for CEL rules.

Source: k8s.io/apimachinery, pkg/api/resource/quantity.go; k8s.io/apiserver, pkg/cel/library/quantity.go.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from dynagen.text.quantities import BINARY, DECIMAL

KIND = "@quantity"

_QUANTITY = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)?|[eE]([+-]?\d+))", re.ASCII)
_NANO = 10**9
_MOST = 2**63 - 1
_MAX_EXPONENT = 1000  # what is larger says nothing that a computer could compare in time


def parse(text: str) -> Fraction:
    """Raises ValueError. Rounds up to a billionth, as Kubernetes does."""
    match = _QUANTITY.fullmatch(text)
    if match is None or not text:  # a sign or a suffix alone is a zero
        raise ValueError(f"'{text}' is no quantity")
    sign, whole, decimals, suffix, exponent = match.groups(default="")
    value = Fraction(int((whole + decimals) or "0"), 10 ** len(decimals))
    if suffix in BINARY:
        value = min(_up(value * 2 ** BINARY[suffix]), Fraction(_MOST))
    else:
        power = int(exponent) if exponent else DECIMAL[suffix]
        if abs(power) > _MAX_EXPONENT:
            raise ValueError(f"'{text}' is out of range")
        value = _up(value * Fraction(10) ** power)
    return -value if sign == "-" else value


def _up(value: Fraction) -> Fraction:
    return Fraction(-((-value.numerator * _NANO) // value.denominator), _NANO)


def quantity(text: str) -> dict[str, str]:
    return _made(parse(text))


def is_quantity(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _made(value: Fraction) -> dict[str, str]:
    return {KIND: str(value)}


def number(value: Any) -> Fraction:
    return Fraction(value[KIND])


def sign(value: Any) -> int:
    return compare(value, _made(Fraction(0)))


def compare(left: Any, right: Any) -> int:
    return (number(left) > number(right)) - (number(left) < number(right))


def is_greater(left: Any, right: Any) -> bool:
    return compare(left, right) > 0


def is_less(left: Any, right: Any) -> bool:
    return compare(left, right) < 0


def add(left: Any, right: Any) -> dict[str, str]:
    return _made(number(left) + (right if isinstance(right, int) else number(right)))


def sub(left: Any, right: Any) -> dict[str, str]:
    return _made(number(left) - (right if isinstance(right, int) else number(right)))


def is_integer(value: Any) -> bool:
    return number(value).denominator == 1 and -_MOST - 1 <= number(value) <= _MOST


def as_integer(value: Any) -> int:
    if not is_integer(value):
        raise ValueError("the quantity is no integer")
    return int(number(value))


def as_float(value: Any) -> float:
    try:
        return float(number(value))
    except OverflowError:
        return float("inf") if number(value) > 0 else float("-inf")
