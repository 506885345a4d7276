"""A set of schemas that somebody else wrote in, the files of it that cannot be used out, each with a reason.

What passes is known to be of the right shape wherever a reference in it leads, and leads nowhere out of the set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dynagen.schema.conformance import Source, is_endless
from dynagen.schema.sets import Schemas
from dynagen.text.opening import reason
from dynagen.text.paths import lies_in
from dynagen.text.patterns import compiled

_MOST_FILES = 10_000


def broken_schemas(
    folder: Path, home: Path, rules_problem: Callable[[Source], str] = lambda source: ""
) -> Iterator[tuple[Path, str]]:
    """The files of a set that cannot be used. The set itself lies below `home`; nothing outside of it is read.

    `rules_problem` says what is wrong with the rules of a kind whose schema is in order.
    """
    if not lies_in(folder, home):
        yield folder, "it leads out of the layer's folder"
        return
    files, links = _files(folder)
    yield from ((link, "a folder that is a link is not followed") for link in links)
    if len(files) > _MOST_FILES:
        yield folder, f"it has more than {_MOST_FILES} files"
        return
    check = _Check(folder)
    problems = [(file, message) for file in files if (message := check.problem_of(file))]
    yield from problems
    # Rules are looked for wherever references lead, so all of the set has to be in order.
    for file in files if not problems else ():
        if isinstance(check.schemas.open(file).schema, dict) and (message := rules_problem(check.schemas.open(file))):
            yield file, message


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files of schemas, and the links that could lead to more."""
    files: list[Path] = []
    links: list[Path] = []
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        links += [here / name for name in folders if (here / name).is_symlink()]
        files += [here / name for name in names if name.endswith(".json")]
        if max(len(files), len(links)) > _MOST_FILES:
            break
    return sorted(files), sorted(links)


_TYPES = frozenset(("object", "array", "string", "boolean", "null", "integer", "number"))
# Keywords of JSON Schema, old and new, that say something of a value, or where a reference leads, and that nobody here
# understands: a CRD cannot have them. All others are remarks.
_NOT_SUPPORTED = frozenset(
    (
        "if", "then", "else", "dependentSchemas", "dependentRequired", "dependencies", "contains", "minContains",
        "maxContains", "prefixItems", "additionalItems", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef",
        "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor", "$anchor", "$vocabulary", "id", "extends", "disallow",
        "divisibleBy",
    )
)  # fmt: skip
# What one schema is, and what stands for the whole file.
_AT_THE_TOP = frozenset(("$id", "$schema"))
_INSIDE: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions"), dict),
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), list),
    **dict.fromkeys(("items", "not", "additionalProperties", "propertyNames"), (dict, bool)),
}  # fmt: skip


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 and value == value // 1


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _are_types(value: Any) -> bool:
    words = value if isinstance(value, list) else [value]
    return bool(words) and all(isinstance(each, str) and each in _TYPES for each in words)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_SHAPES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("required", "x-kubernetes-list-map-keys"), _are_texts),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _is_count
    ),
    **dict.fromkeys(
        ("pattern", "$ref", "$id", "$schema", "patternErrorMessage", "x-kubernetes-patch-merge-key",
         "x-kubernetes-patch-strategy"), _is_text,
    ),
    "multipleOf": lambda value: _is_number(value) and 0 < value < float("inf"),
    "type": _are_types,
    "uniqueItems": lambda value: isinstance(value, bool),
    "x-kubernetes-validations": lambda value: isinstance(value, list),
}  # fmt: skip


class _Check:
    """One look at a set. A schema is looked at once, whatever leads to it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.schemas = folder, Schemas([folder])
        self._seen: set[int] = set()
        self._questions: dict[int, float] = {}

    def problem_of(self, file: Path) -> str:
        """The first thing that is wrong with a file, or nothing."""
        try:
            source = self.schemas.open(file)
        except (OSError, LookupError) as error:
            leaves = not lies_in(file, self._folder)
            return "it leads out of the layer's folder" if leaves else f"it cannot be read: {reason(error)}"
        except RecursionError:
            return "it is nested too deep"
        except ValueError as error:
            return f"not JSON: {error}"
        if not isinstance(source.schema, dict):
            return "expected an object"
        try:
            return next(self._malformed(source.schema, source, is_top=True), "") or self._endless(source.schema, source)
        except RecursionError:
            return "it is nested too deep"

    def _malformed(self, schema: Any, source: Source, is_top: bool = False) -> Iterator[str]:
        if isinstance(schema, bool) or id(schema) in self._seen:
            return
        if not isinstance(schema, dict):
            yield "expected an object"
            return
        self._seen.add(id(schema))
        for key, value in schema.items():
            if key in _NOT_SUPPORTED or (key in _AT_THE_TOP and not is_top):
                yield f"'{key}' is not supported" + (" here" if key in _AT_THE_TOP else "")
            elif (key in _SHAPES and not _SHAPES[key](value)) or not isinstance(value, _INSIDE.get(key, object)):
                yield f"'{key}' is of the wrong type"
            else:
                yield from self._word(key, value, source)

    def _word(self, key: str, value: Any, source: Source) -> Iterator[str]:
        for pattern in [value] if key == "pattern" else value if key == "patternProperties" else ():
            try:
                compiled(pattern)
            except ValueError as error:
                yield f"'{pattern}' is no regular expression: {error}"
        if key == "$ref":
            yield from self._reference(value, source)
        elif key in _INSIDE:
            inner = value.values() if _INSIDE[key] is dict else value if isinstance(value, list) else [value]
            for each in inner:
                yield from self._malformed(each, source)

    def _reference(self, reference: str, source: Source) -> Iterator[str]:
        assert source.file is not None
        name = reference.partition("#")[0]
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name):
            yield f"'{reference}' is an address, and nothing is fetched: put the file into the set"
            return
        target = Path(os.path.normpath(source.file.parent / name)) if name else source.file
        # What has another ending is no file of the set, and is not looked at.
        if not target.is_relative_to(os.path.normpath(self._folder)) or target.suffix != ".json":
            yield f"'{reference}' leads out of the set"
            return
        try:
            schema, home = source.resolve(reference)
        except OSError:
            yield f"no file '{name}' in the set"
        except (LookupError, TypeError, ValueError):
            yield f"nothing at '{reference}'"
        else:
            yield from self._malformed(schema, home, is_top=schema is home.schema)

    def _endless(self, schema: Any, source: Source) -> str:
        try:
            if isinstance(schema, dict) and is_endless(schema, source, self._questions):
                return "a '$ref' in it leads back to itself"
        except (LookupError, TypeError, ValueError, OSError):
            return ""  # a reference in another file, which is reported there
        inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
        return next(filter(None, (self._endless(each, source) for each in inner)), "")
