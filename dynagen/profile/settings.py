"""`--set KEY=VALUE` in, a tree out. Keys and values are written as Helm's are.

source: https://helm.sh/docs/intro/using_helm/#the-format-and-limitations-of---set
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import Origin, Position, Report
from dynagen.profile.schema import Schema, dereferenced
from dynagen.text.scalars import Ambiguous, parse_plain
from dynagen.trees.nodes import Map, nested, to_tree

_SECRETS = ("TOKEN", "KEY", "SECRET", "PASSWORD")


class Unreadable(ValueError):
    """A value that is written in no known way; says what is wrong with it, and what would be right."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


class Setting(NamedTuple):
    """`a.b=1`: the path of the key, and the value as written."""

    path: tuple[str, ...]
    text: str

    @property
    def at(self) -> Position:
        """Where messages say that it is: as written, without what may be secret."""
        key = ".".join(part.replace(".", "\\.") for part in self.path)
        return Position(f"--set {key}={'...' if key.upper().endswith(_SECRETS) else self.text}")


def setting_problem(written: str) -> str | None:
    """What is wrong with the form of a setting, whatever the keys are."""
    path, equals, _ = _split(written)
    if not equals or not all(path):
        return f"--set takes KEY=VALUE, not '{written}'."
    if any(re.search(r"\[\d*\]$", part) for part in path):
        return f"--set sets no items of lists ('{written}'): give the whole list, as in 'overlays=gke,istio'."
    return None


def read_setting(written: str) -> Setting:
    """`\\.` in a key stands for a dot that is part of it."""
    path, _, text = _split(written)
    return Setting(path, text)


def setting_trees(settings: Sequence[str], schema: Schema, report: Report) -> list[Map]:
    """Settings as parts of a profile. Reports DG611 for each that cannot be read."""
    trees = [_tree(read_setting(written), schema, report) for written in settings]
    return [tree for tree in trees if tree is not None]


def _tree(setting: Setting, schema: Schema, report: Report) -> Map | None:
    """A setting as a tree.

    The schema says whether a value is a text, a list or a mapping; all else is read as a plain scalar. `null` takes a value
    back, whatever its type, as it does in a later file.
    """
    node: Any = schema
    for part in setting.path:
        node = dereferenced(node, schema)
        node = node.get("properties", {}).get(part) or node.get("additionalProperties")
    node = dereferenced(node, schema)
    try:
        value = _value(setting.text, node, schema["properties"])
    except Unreadable as problem:
        report.add("DG611", problem.what, setting.at, problem.hint)
        return None
    tree = to_tree(nested(setting.path, value), Origin(setting.at))
    assert isinstance(tree, Map)
    return tree


def overlays_said(settings: Sequence[str]) -> list[tuple[str, Position]] | None:
    """The overlays of the last setting that is about them; none when it cannot be read, which is reported with the others."""
    for setting in map(read_setting, reversed(settings)):
        if setting.path == ("overlays",):
            try:
                found = _list(setting.text)
            except Unreadable:
                return []
            return [(entry, setting.at) for entry in found or () if isinstance(entry, str) and entry]
    return None


def _list(text: str) -> list[Any] | None:
    """`a,b`, `{a,b}`, JSON, or nothing at all; None for null. `\\,` is a comma that is part of an item."""
    if text == "null":
        return None
    if text.startswith("["):
        return _json(text, list)  # type: ignore[no-any-return]
    if text.startswith("{") and text.endswith("}") and not _mapping(text):
        text = text[1:-1]
    items = [item.replace("\\,", ",") for item in re.split(r"(?<!\\),", text)] if text else []
    for item in items:
        if any(item.count(opens) != item.count(closes) for opens, closes in ("{}", "[]")):
            raise Unreadable(
                f"'{item}' was cut at a comma", "write the list as JSON, or a comma that is meant as `\\,`"
            )
    return items


def _split(written: str) -> tuple[tuple[str, ...], str, str]:
    key, equals, text = written.partition("=")
    return tuple(part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", key)), equals, text


def _value(text: str, node: Schema, keys: Schema) -> Any:
    kinds = node.get("type", "string" if "enum" in node else "")
    if text == "null":
        return None
    if "array" in kinds:
        return _list(text)
    if "object" in kinds and text and ("string" not in kinds or _is_one_of(text, node)):
        return _json(text, dict)
    for comma in re.finditer(r"(?<!\\),([A-Za-z]+)[.A-Za-z]*=", text):
        if comma[1] in keys:
            raise Unreadable(
                "one --set holds one setting",
                f"say --set {comma[0][1:]}... once more; write a comma that is meant as `\\,`",
            )
    text = text.replace("\\,", ",")
    if "string" in kinds:
        return text
    if not kinds and text[:1] in ("[", "{"):
        return _json(text, object)
    try:
        return parse_plain(text)
    except Ambiguous:
        return text


def _is_one_of(text: str, node: Schema) -> bool:
    """Whether a text is a mapping with the keys of a schema; any other mapping may well be meant as a text."""
    found = _mapping(text)
    return found is not None and found.keys() <= node.get("properties", {}).keys()


def _mapping(text: str) -> dict[str, Any] | None:
    """What JSON for a mapping says; None for any other text."""
    try:
        found = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _json(text: str, kind: type) -> Any:
    what = "a list" if kind is list else "a mapping" if kind is dict else "JSON"
    hint = 'as JSON: \'{"key": "value"}\'' if kind is dict else 'as JSON: \'["one", "two"]\', or one,two'
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        raise Unreadable(f"not {what}: {problem}", hint) from None
    if not isinstance(value, kind):
        raise Unreadable(f"not {what}", hint)
    return value


def _no_number(word: str) -> Any:
    raise ValueError(f"'{word}' is no number")
