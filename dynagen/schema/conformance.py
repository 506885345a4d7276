"""A value and its JSON Schema in, yes or no out: what every call asks, so it is small and imports next to nothing.

Knows the keywords of JSON Schema 2020-12 that `schemas/` and the schemas of profiles use. `problems` explains a no.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from dynagen.text.opening import read_bytes
from dynagen.text.patterns import Pattern, compiled

Json = Mapping[str, Any] | bool


class Source:
    """A schema file, or a schema in memory (`file` None). Follows references: inside it and to files relative to it."""

    __slots__ = ("_open", "_patterns", "_resolved", "conforming", "file", "schema", "validators")

    def __init__(
        self, schema: Any, file: Path | None = None, open_file: Callable[[Path], Source] | None = None
    ) -> None:
        self.schema, self.file = schema, file
        self._open = open_file
        self._resolved: dict[str, tuple[Any, Source]] = {}
        # What is known to satisfy what a reference names: many profiles say the same.
        self.conforming: set[tuple[str, bytes]] = set()
        self._patterns: dict[str, Pattern] = {}
        self.validators: Any = None  # what `explanation` makes of it, when there is something to explain

    def resolve(self, reference: str) -> tuple[Any, Source]:
        """The schema that a `$ref` names and the source it stands in. Raises LookupError if there is none."""
        found = self._resolved.get(reference)
        if found is None:
            found = self._resolved[reference] = self._find(reference)
        return found

    def matches(self, pattern: str, text: str) -> bool:
        found = self._patterns.get(pattern)
        if found is None:
            found = self._patterns[pattern] = compiled(pattern)
        return found.search(text)

    def _find(self, reference: str) -> tuple[Any, Source]:
        name, _, pointer = reference.partition("#")
        source = self
        if name:
            if self.file is None or self._open is None:
                raise LookupError(reference)
            source = self._open(self.file.parent / name)
        if pointer and not pointer.startswith("/"):
            raise LookupError(reference)  # the name of an anchor, which no set has
        schema = source.schema
        for part in pointer.split("/")[1:]:
            schema = schema[part.replace("~1", "/").replace("~0", "~")]
        return schema, source


# Of one file of a set; the largest that ships has some 160 KiB, those of published CRDs some MiB.
MAX_BYTES = 8 * 1024 * 1024


def read_source(file: Path, open_file: Callable[[Path], Source] | None = None, home: Path | None = None) -> Source:
    """A file of a set, which lies below `home`. Raises OSError, ValueError, RecursionError."""
    return Source(json.loads(read_bytes(file, MAX_BYTES, home), parse_constant=_refuse), file, open_file)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def conforms(value: Any, schema: Json, source: Source | None = None) -> bool:
    """Whether a JSON-like value satisfies `schema`, which stands in `source` (itself by default)."""
    return _conforms(value, schema, source or Source(schema))


# So many questions about one value: no schema that people write asks a hundred.
MAX_QUESTIONS = 1_000


def is_endless(schema: Any, source: Source, known: dict[int, float] | None = None) -> bool:
    """Whether asking about a value leads back to the same question, or to far too many. Raises LookupError.

    `known` is what has been counted before of schemas that are still there.
    """
    return _questions(schema, source, set(), {} if known is None else known) > MAX_QUESTIONS


def _questions(schema: Any, source: Source, asked: set[int], known: dict[int, float]) -> float:
    """How many schemas are asked about one value, itself included; infinity when they ask each other."""
    if not isinstance(schema, dict):
        return 1
    if id(schema) in asked:
        return float("inf")
    if id(schema) not in known:
        asked.add(id(schema))
        steps = [(each, source) for word in ("allOf", "anyOf", "oneOf") for each in schema.get(word, ())]
        steps += [(schema["not"], source)] if "not" in schema else []
        steps += [source.resolve(schema["$ref"])] if "$ref" in schema else []
        known[id(schema)] = 1 + sum(_questions(*step, asked, known) for step in steps)
        asked.remove(id(schema))
    return known[id(schema)]


def is_type(value: Any, name: str) -> bool:
    """As JSON Schema counts: a boolean is no number, and 1.0 is an integer."""
    kind = _TYPES.get(name)
    if kind is not None:
        return isinstance(value, kind)
    if isinstance(value, float):
        return name == "number" or value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


# Beside "integer" and "number".
_TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def canonical(value: Any) -> Any:
    """A hashable stand-in: equal for two values exactly when JSON Schema calls them equal."""
    if isinstance(value, bool) or value is None:
        return (value,)
    if isinstance(value, dict):
        return frozenset((key, canonical(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return ("list", *map(canonical, value))
    return value


def is_multiple(value: float, of: float) -> bool:
    """Exact, as for the decimal numbers that were written: 0.3 is a multiple of 0.1."""
    from fractions import Fraction

    try:
        return (Fraction(str(value)) / Fraction(str(of))).denominator == 1
    except ValueError:  # an infinity: a number like 1e999 in the text
        return False


# Keywords that say more of a value than its type. Most places of a schema have none of them.
_FURTHER = frozenset(
    (
        "$ref", "enum", "const", "required", "properties", "patternProperties", "additionalProperties", "propertyNames",
        "minProperties", "maxProperties", "items", "uniqueItems", "minItems", "maxItems", "pattern", "minLength",
        "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "allOf", "anyOf",
        "oneOf", "not",
    )
)  # fmt: skip


def _conforms(value: Any, schema: Any, source: Source) -> bool:
    if isinstance(schema, bool):
        return schema
    kinds = schema.get("type")
    if kinds is not None and not (
        is_type(value, kinds) if isinstance(kinds, str) else any(is_type(value, kind) for kind in kinds)
    ):
        return False
    if _FURTHER.isdisjoint(schema):
        return True
    if "$ref" in schema and not _conforms_to(value, schema["$ref"], source):
        return False
    if "enum" in schema:
        wanted = canonical(value)
        if not any(wanted == canonical(each) for each in schema["enum"]):
            return False
    if "const" in schema and canonical(value) != canonical(schema["const"]):
        return False
    if isinstance(value, dict):
        if not _map_conforms(value, schema, source):
            return False
    elif isinstance(value, list):
        if not _list_conforms(value, schema, source):
            return False
    elif isinstance(value, str):
        if not _text_conforms(value, schema, source):
            return False
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and not _number_conforms(value, schema):
        return False
    return _combination_conforms(value, schema, source)


# Values that a source remembers, and bytes of one.
_MOST_KEPT, _MOST_BYTES = 300, 4000


def _conforms_to(value: Any, reference: str, source: Source) -> bool:
    target, home = source.resolve(reference)
    if not isinstance(value, (dict, list)):
        return _conforms(value, target, home)
    try:
        key = reference, marshal.dumps(value, 0)
    except ValueError:  # a value that JSON does not have either
        return _conforms(value, target, home)
    if key in source.conforming:
        return True
    if not _conforms(value, target, home):
        return False
    if len(source.conforming) < _MOST_KEPT and len(key[1]) < _MOST_BYTES:
        source.conforming.add(key)
    return True


def _map_conforms(value: dict[str, Any], schema: Mapping[str, Any], source: Source) -> bool:
    for key in schema.get("required", ()):
        if key not in value:
            return False
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties")
    extra = schema.get("additionalProperties", True)
    for key, inner in value.items():
        known = properties.get(key)
        if known is not None and not _conforms(inner, known, source):
            return False
        matched = known is not None
        if patterns:
            for pattern, wanted in patterns.items():
                if source.matches(pattern, key):
                    matched = True
                    if not _conforms(inner, wanted, source):
                        return False
        if not matched and extra is not True and (extra is False or not _conforms(inner, extra, source)):
            return False
    if "propertyNames" in schema and not all(_conforms(key, schema["propertyNames"], source) for key in value):
        return False
    return bool(schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)))


def _list_conforms(value: list[Any], schema: Mapping[str, Any], source: Source) -> bool:
    items = schema.get("items")
    if items is not None and not all(_conforms(item, items, source) for item in value):
        return False
    if schema.get("uniqueItems") and len({canonical(item) for item in value}) < len(value):
        return False
    return bool(schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)))


def _text_conforms(value: str, schema: Mapping[str, Any], source: Source) -> bool:
    if "pattern" in schema and not source.matches(schema["pattern"], value):
        return False
    return bool(schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)))


def _number_conforms(value: float, schema: Mapping[str, Any]) -> bool:
    return not (
        ("minimum" in schema and value < schema["minimum"])
        or ("maximum" in schema and value > schema["maximum"])
        or ("exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"])
        or ("exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"])
        or ("multipleOf" in schema and not is_multiple(value, schema["multipleOf"]))
    )


def _combination_conforms(value: Any, schema: Mapping[str, Any], source: Source) -> bool:
    if "allOf" in schema and not all(_conforms(value, each, source) for each in schema["allOf"]):
        return False
    if "anyOf" in schema and not any(_conforms(value, each, source) for each in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(_conforms(value, each, source) for each in schema["oneOf"]) != 1:
        return False
    return "not" not in schema or not _conforms(value, schema["not"], source)
