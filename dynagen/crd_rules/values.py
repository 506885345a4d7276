"""A value and its schema in, the value as CEL sees it out: with defaults, fields' names escaped, types as the schema says.

What an API server does before it evaluates rules: k8s.io/apiextensions-apiserver, pkg/apiserver/schema/defaulting, and
k8s.io/apiserver, pkg/cel/common/valuesunstructured.go.
"""

from __future__ import annotations

import math
import re
from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dynagen.crd_rules.rule_nodes import Part, escaped, resolved
from dynagen.crd_rules.wanted import Wanted, wanted_below
from dynagen.diagnostics import KeyPath
from dynagen.language.python_programs import OPAQUE

_DURATION = r"([0-9]+)([a-z]+)"
_DAYS = {"d": 24, "w": 7 * 24}


class Literal(NamedTuple):
    """A time or a duration: CEL takes none from Python, so it is written into the rule."""

    function: str
    text: str

    @property
    def written(self) -> bytes:
        from dynagen.language.syntax_tree import Call, constant, encoded

        return encoded(Call(self.function, None, (constant(self.text),)))


class Values:
    """Values of one kind."""

    def __init__(self) -> None:
        self._has_literals = False

    def to_cel(self, value: Any, part: Part, wanted: Wanted) -> tuple[Any, dict[KeyPath, Literal]]:
        """The value, and by their places the times and durations in it, of which it has the text."""
        self._has_literals = False
        converted = self.convert(value, part, wanted)
        found: dict[KeyPath, Literal] = {}
        return (taken_out(converted, (), found) if self._has_literals else converted), found

    def convert(self, value: Any, part: Part, wanted: Wanted = True) -> Any:
        """Fields that the schema does not know stay, under names that no rule can say unless it counts them."""
        if not wanted:
            return True
        schema, source = part
        if isinstance(value, dict):
            properties = schema.get("properties")
            if properties is not None:
                return self._object(value, properties, part, wanted)
            inner = schema.get("additionalProperties")
            if not isinstance(inner, dict):
                return _plain(value)
            known = resolved(inner, source)
            return {
                key: self.convert(each, known, below)
                for key, each in value.items()
                if (below := wanted_below(wanted, key)) is not None
            }
        if isinstance(value, list):
            inner = schema.get("items")
            if not isinstance(inner, dict):
                return _plain(value)
            known = resolved(inner, source)
            every = wanted.get("*", True) if isinstance(wanted, dict) and len(wanted) == 1 else True
            return [self.convert(each, known, every) for each in value]
        if isinstance(value, str):
            return self._text(value, schema["format"]) if "format" in schema else value
        if isinstance(value, bool) or value is None:
            return value
        return _float(value) if _is_number(schema) else _plain(value)

    def _object(self, value: dict[str, Any], properties: dict[str, Any], part: Part, wanted: Wanted) -> dict[str, Any]:
        _, source = part
        result = {}
        for key, inner in value.items():
            name = escaped(key) or key
            below = wanted_below(wanted, name)
            if below is None or inner is None:  # null is as good as absent
                continue
            known = properties.get(key)
            result[name if known else key] = (
                self.convert(inner, resolved(known, source), below) if known else _plain(inner)
            )
        for key in properties:
            if value.get(key) is None and (default := default_of(key, part)) is not None:
                name = escaped(key) or key
                known = resolved(properties[key], source)
                below = wanted_below(wanted, name)
                if below is not None and not (key in value and _is_nullable(known)):
                    result[name] = self.convert(default, known, below)
        return result

    def _text(self, value: str, format_: str) -> Any:
        if format_ == "byte":
            return a2b_base64(value)
        if format_ in ("date", "date-time"):
            self._has_literals = True
            return Literal("timestamp", value.upper() if format_ == "date-time" else value + "T00:00:00Z")
        if format_ == "duration":
            self._has_literals = True
            return Literal("duration", _duration(value))
        return value


def default_of(key: str, part: Part) -> Any:
    """The value that a property gets when it has none, or None."""
    schema, source = part
    inner = schema.get("properties", {}).get(key)
    if not isinstance(inner, dict):
        return None
    return (resolved(inner, source)[0] if "$ref" in inner else inner).get("default")


def _is_number(part: Any) -> bool:
    kinds = part.get("type")
    return kinds == "number" or (isinstance(kinds, list) and "number" in kinds)


def _is_nullable(part: Part) -> bool:
    return "null" in (part[0].get("type") or ())


def _plain(value: Any) -> Any:
    """As Go reads JSON: whole numbers are integers while they fit."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return _float(value)
    return value


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _duration(text: str) -> str:
    """As CEL reads it: days and weeks in hours. k8s.io/kube-openapi, pkg/validation/strfmt/duration.go."""
    if "d" not in text and "w" not in text:
        return text if text.lstrip("+-") != "0" else "0s"
    return "".join(
        f"{int(number) * _DAYS[unit]}h" if unit in _DAYS else number + unit
        for number, unit in re.findall(_DURATION, text, re.ASCII)
    )


def taken_out(value: Any, path: KeyPath, found: dict[KeyPath, Literal]) -> Any:
    """The value with plain text in the place of times and durations, which are added to `found`."""
    if isinstance(value, Literal):
        found[path] = value
        return value.text
    if isinstance(value, dict):
        return {key: taken_out(inner, (*path, key), found) for key, inner in value.items()}
    if isinstance(value, list):
        return [taken_out(inner, (*path, index), found) for index, inner in enumerate(value)]
    return value


def touched(path: KeyPath, found: Mapping[KeyPath, Literal]) -> Iterator[KeyPath]:
    """The places of times and durations that are at `path`, below it or above it; `*` is any key."""
    for place in found:
        if all(key in ("*", other) for key, other in zip(path, place, strict=False)):
            yield place


def with_opaque(value: Any, found: Mapping[KeyPath, Literal], path: KeyPath = ()) -> Any:
    """The value, of whose times and durations Python knows that they are there, and no more."""
    if path in found:
        return OPAQUE
    if isinstance(value, dict):
        return {key: with_opaque(inner, found, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_opaque(inner, found, (*path, index)) for index, inner in enumerate(value)]
    return value


def written_out(value: Any, found: Mapping[KeyPath, Literal], path: KeyPath = ()) -> bytes:
    """The expression that is this value."""
    from dynagen.language.syntax_tree import constant, mapping, sequence

    if (literal := found.get(path)) is not None:
        return literal.written
    if isinstance(value, dict):
        return mapping({key: written_out(inner, found, (*path, key)) for key, inner in value.items()})
    if isinstance(value, list):
        return sequence(written_out(inner, found, (*path, index)) for index, inner in enumerate(value))
    return constant(value)
