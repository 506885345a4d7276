"""A value and its schema in, the value as CEL sees it out: with defaults, fields' names escaped, types as the schema says.

What an API server does before it evaluates rules: k8s.io/apiextensions-apiserver, pkg/apiserver/schema/defaulting, and
k8s.io/apiserver, pkg/cel/common/valuesunstructured.go.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dynagen.cel_tree import Call, constant, encoded, mapping, sequence
from dynagen.crd_rules.places import Part, child, escaped, resolved
from dynagen.diagnostics import KeyPath

_DURATION = re.compile(r"([0-9]+)([a-z]+)", re.ASCII)
_DAYS = {"d": 24, "w": 7 * 24}


class Literal(NamedTuple):
    """A time or a duration: CEL takes none from Python, so it is written into the rule."""

    function: str
    text: str


class Values:
    """Values of one kind. `has_literals` says whether a Literal was among those that were made."""

    def __init__(self) -> None:
        self.has_literals = False
        self._defaults: dict[int, list[tuple[str, Any]]] = {}

    def convert(self, value: Any, part: Part) -> Any:
        """Fields that the schema does not know stay, under names that no rule can say unless it counts them."""
        schema, source = part
        if isinstance(value, dict):
            properties = schema.get("properties")
            if properties is not None:
                return self._object(value, properties, part)
            inner = schema.get("additionalProperties")
            if isinstance(inner, dict):
                known = resolved(inner, source)
                return {key: self.convert(each, known) for key, each in value.items()}
            return _plain(value)
        if isinstance(value, list):
            inner = schema.get("items")
            if not isinstance(inner, dict):
                return _plain(value)
            known = resolved(inner, source)
            return [self.convert(each, known) for each in value]
        if isinstance(value, str):
            return self._text(value, schema["format"]) if "format" in schema else value
        if isinstance(value, bool) or value is None:
            return value
        return float(value) if _is_number(schema) else _plain(value)

    def _object(self, value: dict[str, Any], properties: dict[str, Any], part: Part) -> dict[str, Any]:
        _, source = part
        result = {}
        for key, inner in value.items():
            known = properties.get(key)
            if known is None:
                result[key] = _plain(inner)
            elif inner is not None:  # null is as good as absent
                result[escaped(key) or key] = self.convert(inner, resolved(known, source))
        for key, default in self.defaults(part):
            if value.get(key) is None and not (key in value and _is_nullable(resolved(properties[key], source))):
                result[escaped(key) or key] = self.convert(default, resolved(properties[key], source))
        return result

    def defaults(self, part: Part) -> list[tuple[str, Any]]:
        """The properties that get a value when they have none."""
        schema, source = part
        found = self._defaults.get(id(schema))
        if found is None:
            found = self._defaults[id(schema)] = []
            for key, inner in schema.get("properties", {}).items():
                default = resolved(inner, source)[0].get("default") if isinstance(inner, dict) else None
                if default is not None:
                    found.append((key, default))
        return found

    def _text(self, value: str, format_: str) -> Any:
        if format_ == "byte":
            return a2b_base64(value)
        if format_ in ("date", "date-time"):
            self.has_literals = True
            return Literal("timestamp", value.upper() if format_ == "date-time" else value + "T00:00:00Z")
        if format_ == "duration":
            self.has_literals = True
            return Literal("duration", _duration(value))
        return value


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
        return float(value)
    return value


def _duration(text: str) -> str:
    """As CEL reads it: days and weeks in hours. k8s.io/kube-openapi, pkg/validation/strfmt/duration.go."""
    if "d" not in text and "w" not in text:
        return text if text.lstrip("+-") != "0" else "0s"
    return "".join(
        f"{int(number) * _DAYS[unit]}h" if unit in _DAYS else number + unit for number, unit in _DURATION.findall(text)
    )


def written_out(value: Any) -> bytes:
    """The expression that is this value."""
    if isinstance(value, Literal):
        return encoded(Call(value.function, None, (constant(value.text),)))
    if isinstance(value, dict):
        return mapping({key: written_out(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return sequence(map(written_out, value))
    return constant(value)


def without_literals(value: Any) -> Any:
    """The value with plain text in the place of times and durations; the same if there are none."""
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, dict):
        return {key: without_literals(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_literals(inner) for inner in value]
    return value


def literals(value: Any, path: KeyPath) -> Iterator[Literal]:
    """The times and durations at `path` or below it."""
    if isinstance(value, Literal):
        yield value
        return
    if not path or not isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for each in inner:
            yield from literals(each, ())
        return
    key, rest = path[0], path[1:]
    if key == "*":
        for each in value.values() if isinstance(value, dict) else value:
            yield from literals(each, rest)
    elif isinstance(value, dict):
        yield from literals(value.get(key), rest)
    elif isinstance(key, int) and 0 <= key < len(value):
        yield from literals(value[key], rest)


def value_at(value: Any, path: KeyPath) -> Any:
    """What is at the very end of a path, None if there is nothing."""
    for key in path:
        if not (isinstance(value, dict) and key in value):
            return None
        value = value[key]
    return value


def aligned(earlier: Any, value: Any, part: Part) -> Any:
    """The earlier value with its lists in the order of the new one, where order means nothing.

    So `self == oldSelf` is true for lists that merge by key, or are sets, when only their order differs.
    """
    schema, source = part
    if isinstance(earlier, dict) and isinstance(value, dict):
        return {
            key: aligned(inner, value[key], below)
            if key in value and (below := child(part, key) or child(part, None))
            else inner
            for key, inner in earlier.items()
        }
    items = schema.get("items")
    if not (isinstance(earlier, list) and isinstance(value, list) and isinstance(items, dict)):
        return earlier
    below = resolved(items, source)
    if schema.get("x-kubernetes-list-type") == "set":
        return [each for each in value if each in earlier] + [each for each in earlier if each not in value]
    keys = schema.get("x-kubernetes-list-map-keys")
    if not keys:
        return earlier
    wanted = [identity(each, keys) for each in value]
    found = [identity(each, keys) for each in earlier]
    order = [found.index(each) for each in wanted if each is not None and each in found]
    order += [index for index in range(len(earlier)) if index not in order]
    return [
        aligned(earlier[index], value[wanted.index(found[index])], below)
        if found[index] is not None and found[index] in wanted
        else earlier[index]
        for index in order
    ]


def identity(item: Any, keys: Sequence[str]) -> tuple[Any, ...] | None:
    """What tells an item of a list from the others; None if it lacks one of the keys."""
    if not isinstance(item, dict) or not all(key in item for key in keys):
        return None
    return tuple((type(item[key]), item[key]) for key in keys)
