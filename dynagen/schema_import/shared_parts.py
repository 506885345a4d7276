"""A schema in, the same with every repeated part stored once out: under `$defs`, or in a file that several schemas share."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from zlib import crc32

Schema = dict[str, Any]

# A reference costs about 30 bytes and a name; below this a part is easier to read where it stands.
MIN_BYTES = 100


# Between files only what is large: each file that has to be read takes time. Pod templates are some 30,000.
MIN_CHARACTERS = 20_000


def text(value: Any) -> str:
    """The one text of a JSON value in `schemas/`: sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def hoisted(schema: Schema, root_name: str, first: dict[str, Schema]) -> dict[str, Schema]:
    """Definitions by name, `root_name` holding the whole. `first` are there already and stay as they are.

    A part is named after the property it was first seen under, with a number where two differ: the same input gives the
    same names.
    """
    counts: Counter[str] = Counter()
    seen_under: dict[str, str] = {}
    _count(schema, root_name, counts, seen_under)
    names: dict[str, str] = {}
    taken = {*first, root_name}
    for part, name in seen_under.items():
        if counts[part] > 1 and len(part) >= MIN_BYTES:
            names[part] = _free(name, taken)
            taken.add(names[part])
    definitions = {text(definition): name for name, definition in first.items()}

    def reference(part: Schema) -> Schema:
        key = text(part)
        name = definitions.get(key) or names.get(key)
        return {"$ref": f"#/$defs/{name}"} if name else mapped(part, reference)

    found = dict(first)
    for part, name in names.items():
        if part not in definitions:
            found[name] = mapped(json.loads(part), reference)
    found[root_name] = mapped(schema, reference)
    return found


def _count(schema: Schema, name: str, counts: Counter[str], seen_under: dict[str, str]) -> None:
    key = text(schema)
    counts[key] += 1
    if counts[key] > 1:
        return  # what is inside is stored once anyway
    seen_under[key] = name
    for inner_name, inner in _parts(schema, name):
        _count(inner, inner_name, counts, seen_under)


def _parts(schema: Schema, name: str) -> Iterator[tuple[str, Schema]]:
    for key, value in sorted(schema.items()):
        if key in ("properties", "patternProperties"):
            for inner_name, inner in sorted(value.items()):
                if isinstance(inner, dict):
                    yield inner_name, inner
        elif key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            yield name + {"items": "Item", "additionalProperties": "Value", "not": "Not"}[key], value
        elif key in ("allOf", "anyOf", "oneOf"):
            for inner in value:
                if isinstance(inner, dict):
                    yield name + key[:1].upper() + key[1:], inner


def mapped(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """A copy in which `change` has replaced the schemas right below."""
    result: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties"):
            value = {name: change(inner) if isinstance(inner, dict) else inner for name, inner in value.items()}
        elif key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            value = change(value)
        elif key in ("allOf", "anyOf", "oneOf"):
            value = [change(inner) if isinstance(inner, dict) else inner for inner in value]
        result[key] = value
    return result


def _free(name: str, taken: set[str]) -> str:
    # A property may have any name; a pointer to it must not need escapes.
    name = "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "-_")) or "part"
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


def large_parts(schemas: Iterable[Schema]) -> dict[str, str]:
    """What several of these have below their roots, as texts, with a name for each; of parts within parts the outer ones.

    A name says under which property a part was first seen, and what is in it: other parts do not change it.
    """
    known = {text(schema): schema for schema in schemas}
    counts: Counter[str] = Counter()
    for schema in known.values():
        counts.update({key for key, _ in _large(schema, "", lambda key: False)})
    found: dict[str, str] = {}
    for schema in known.values():
        for key, name in _large(schema, "", lambda key: counts[key] > 1):
            if counts[key] > 1:
                found.setdefault(key, named(name, key))
    return found


def named(name: str, key: str) -> str:
    """A name for something with this text, which stays when other things come."""
    return f"{_free(name, set())}-{crc32(key.encode()):08x}"


def _large(schema: Schema, name: str, ends: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """The texts of the large parts below a schema, with the property of each; nothing below those at which it `ends`."""
    for inner_name, inner in _parts(schema, name):
        key = text(inner)
        if len(key) >= MIN_CHARACTERS:
            yield key, inner_name
            if not ends(key):
                yield from _large(inner, inner_name, ends)


def outsourced(schema: Schema, references: Mapping[str, str]) -> Schema:
    """The schema with references in the place of some of its parts, which stand under their texts."""

    def change(part: Schema) -> Schema:
        key = text(part)
        if len(key) < MIN_CHARACTERS:
            return part
        return {"$ref": references[key]} if key in references else mapped(part, change)

    return mapped(schema, change) if references else schema
