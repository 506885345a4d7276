"""A profile's data and its schema in, other data that the schema allows out: what a value could have been instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath
from dynagen.profile import Schema
from dynagen.profile.schema import dereferenced
from dynagen.schema.conformance import Source, conforms

_ABSENT = object()
_MODES = (("agg",), ("disagg",))

# Numbers on both sides of what people count in machines: 1, 2, 4, 8, 16 GPUs or pods.
_NUMBERS = (0, 1, 2, 3, 4, 5, 8, 16)
_TEXTS = (
    "x",
    "x-2",
    "x/y",
    "7",
    "1000Gi",
    "3Gi",
    "9s",
    "/x",
    "/x/y",
    "x.example.com",
    "example.com/x:1.6.1",
    "ReadWriteMany",
)


def alternatives(data: Mapping[str, Any], schema: Schema) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """Paths and whole profiles in which the value at the path is another one, not there, or there for the first time.

    `data` has all defaults. The schema allows each profile; its rules across fields, and the plan, may not.
    """
    source = Source(schema)  # one for all: it remembers patterns, and what conforms
    for path, value in _places(data, schema, schema, ()):
        for other in value:
            changed = with_value(data, path, other)
            if changed != data and conforms(changed, schema, source):
                yield path, changed
    yield from _the_other_mode(data, schema)


def _the_other_mode(data: Mapping[str, Any], schema: Schema) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """`agg` and `disagg` take each other's place: the schema's rule wants exactly one."""
    for one, other in (("agg", "disagg"), ("disagg", "agg")):
        if one in data and other in schema["properties"]:
            workers = {"prefill": data[one], "decode": data[one]} if one == "agg" else data[one]["decode"]
            rest = {key: value for key, value in data.items() if key != one}
            yield (one,), {**rest, other: workers}


def _places(value: Any, node: Any, schema: Schema, path: KeyPath) -> Iterator[tuple[KeyPath, Sequence[Any]]]:
    """Each place in a profile, also of keys that are not there, with what could be there instead."""
    node = dereferenced(node, schema)
    if isinstance(value, dict):
        known = node.get("properties", {})
        for key in [*value, *(key for key in known if key not in value)]:
            inner = known.get(key, node.get("additionalProperties", {}))
            here = (*path, key)
            if here == ("overlays",) or (here in _MODES and key not in value):
                continue  # which layers there are is not a value of theirs; modes take each other's place below
            if key in value and isinstance(value[key], (dict, list)) and value[key]:
                yield from _places(value[key], inner, schema, here)
                if isinstance(value[key], dict):  # its values have been changed one by one
                    if "default" not in dereferenced(inner, schema):
                        yield here, [_ABSENT]
                    continue
            yield here, [*_others(value.get(key, _ABSENT), inner, schema), _ABSENT]
        if isinstance(node.get("additionalProperties"), dict) and "x" not in value:
            yield (*path, "x"), list(_others(_ABSENT, node["additionalProperties"], schema))
        elif not known and node.get("additionalProperties") is not False and "x" not in value:
            yield (*path, "x"), ["x", 1]
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from _places(item, node.get("items", {}), schema, (*path, index))
            else:
                yield (*path, index), [*_others(item, node.get("items", {}), schema), _ABSENT]


def _others(value: Any, node: Any, schema: Schema) -> Iterator[Any]:
    """What could stand in place of a value; not all of it need be allowed."""
    node = dereferenced(node, schema)
    for branch in [*node.get("anyOf", ()), *node.get("oneOf", ())]:
        yield from _others(value, branch, schema)
    yield from (word for word in node.get("enum", ()) if word != value)
    yield from node.get("examples", ())
    if "default" in node:
        yield node["default"]
    kinds = node.get("type", "string" if isinstance(value, str) or "enum" in node else "")
    if "boolean" in kinds:
        yield from (True, False)
    if ("integer" in kinds or "number" in kinds) and not isinstance(value, str):
        yield from _NUMBERS
        if isinstance(value, (int, float)):
            yield from (value + 1, value * 2)
    if "string" in kinds and "enum" not in node:
        yield from _TEXTS
        if isinstance(value, str):
            yield from (f"{value}-x", f"x{value}")
    if "array" in kinds:
        items = list(value) if isinstance(value, list) else []
        yield from ([*items, other] for other in _others(_ABSENT, node.get("items", {}), schema))
    if "object" in kinds and value is _ABSENT:
        yield {}


def with_value(data: Any, path: KeyPath, value: Any) -> Any:
    """A copy with another value at `path`; what differs is copied, the rest is shared."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(data, list):
        assert isinstance(key, int)
        inner = [] if value is _ABSENT and not rest else [with_value(data[key], rest, value)]
        return [*data[:key], *inner, *data[key + 1 :]]
    if not rest and value is _ABSENT:
        return {name: inner for name, inner in data.items() if name != key}
    return {**data, key: with_value(data[key], rest, value) if rest else value}  # a key may be new
