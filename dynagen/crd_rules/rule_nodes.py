"""A schema in, the places in it that have rules out (`x-kubernetes-validations`).

A path to a place is a list: the name of a property, 0 for the items of a list, null for the values of a map. A schema of a
set says its paths under `x-dynagen-rules`, because looking for them takes longer than checking an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.schema.conformance import Source

RULES = "x-dynagen-rules"
VALIDATIONS = "x-kubernetes-validations"

Step = str | int | None
# A schema, and the source in which its references are to be read.
Part = tuple[dict[str, Any], Source]

# https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
_RESERVED = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}


def escaped(name: str) -> str | None:
    """A field's name as CEL knows it; None for a name that no rule can say.

    https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#escaping
    """
    if name in _RESERVED:
        return f"__{name}__"
    if name.isascii() and name.isidentifier() and "__" not in name:
        return name
    if not re.fullmatch(r"[A-Za-z_./-][A-Za-z0-9_./-]*", name, re.ASCII):
        return None
    return re.sub(r"__|[./-]", lambda match: _ESCAPES[match.group()], name)


class Rule(NamedTuple):
    """One entry of `x-kubernetes-validations`. `field` leads from the place of the rule to the one it speaks of."""

    text: str
    message: str = ""
    message_expression: str = ""
    field: KeyPath = ()
    optional: bool = False


class RuleNode:
    """A place with rules, or one that leads to such. What is below it is looked up when it is asked for.

    `part` is its schema; `names` are the properties that lead on.
    """

    __slots__ = ("_below", "_every", "_found", "names", "part", "rules")

    def __init__(self, parts: Sequence[Part], paths: Iterable[Sequence[Step]]) -> None:
        """`parts` say something about the same place: its schema first, then members of `allOf` above it."""
        self.part = parts[0]
        self.rules: list[Rule] = []
        self._every = list(_with_all_of(parts))
        self._below: dict[Step, list[Sequence[Step]]] = {}
        self._found: dict[Step, RuleNode | None] = {}
        for path in paths:
            if path:
                self._below.setdefault(path[0], []).append(path[1:])
            else:
                self.rules = [_rule(entry) for schema, _ in self._every for entry in schema.get(VALIDATIONS, ())]
        self.names = [step for step in self._below if isinstance(step, str)]

    @property
    def steps(self) -> Iterable[Step]:
        """The ways that lead on."""
        return self._below

    def step(self, step: Step) -> RuleNode | None:
        """The place below, or None if there are no rules."""
        if step not in self._below:
            return None
        if step not in self._found:
            # An API server looks at what the schema itself has, and not only `allOf`.
            known = child(self.part, step) is not None
            parts = [each for part in self._every if (each := child(part, step)) is not None]
            self._found[step] = RuleNode(parts, self._below[step]) if known else None
        return self._found[step]


def rule_node_of(schema: dict[str, Any], source: Source) -> RuleNode | None:
    """The root of the places of a kind, or None if it says that it has no rules."""
    paths = schema.get(RULES)
    return RuleNode([resolved(schema, source)], paths) if paths else None


def resolved(schema: Any, source: Source) -> Part:
    while "$ref" in schema:
        schema, source = source.resolve(schema["$ref"])
    return schema, source


def _with_all_of(parts: Iterable[Part]) -> Iterator[Part]:
    for schema, source in parts:
        yield schema, source
        yield from _with_all_of(resolved(each, source) for each in schema.get("allOf", ()) if isinstance(each, dict))


def child(part: Part, step: Step) -> Part | None:
    schema, source = part
    if isinstance(step, str):
        inner = schema.get("properties", {}).get(step)
    else:
        inner = schema.get("items" if step == 0 else "additionalProperties")
    return resolved(inner, source) if isinstance(inner, dict) else None


def _rule(entry: dict[str, Any]) -> Rule:
    return Rule(
        entry["rule"],
        entry.get("message", "").strip(),
        entry.get("messageExpression", ""),
        _field(entry["fieldPath"]) if "fieldPath" in entry else (),
        entry.get("optionalOldSelf", False),
    )


def _field(path: str) -> KeyPath:
    """`.spec['a.b'].c` as keys."""
    found = re.findall(r"""\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]""", path)
    return tuple(name or re.sub(r"\\(.)", r"\1", quoted) for name, quoted in found)


def parts_at(schema: dict[str, Any], source: Source, path: Sequence[Step]) -> list[Part]:
    """All that is said about a place: by its schema, and by members of `allOf`."""
    every = list(_with_all_of([resolved(schema, source)]))
    for step in path:
        every = list(_with_all_of(inner for part in every if (inner := child(part, step)) is not None))
    return every


def find_rule_paths(schema: Any, source: Source) -> Iterator[list[Step]]:
    """The paths of a schema's rules, sorted as the schema is.

    An API server does not look at rules of `allOf` when there are no others, so neither do we. Raises TooManyPlaces.
    """
    found = list(_find([resolved(schema, source)], [], (), [_MOST_PLACES]))
    if any(outside for _, outside in found):
        yield from (path for path, _ in found)


# All places of one kind. The largest published kinds have some ten thousand.
_MOST_PLACES = 200_000


class TooManyPlaces(Exception):
    """References that lead to each other make more places than anybody looks at."""


def _find(
    parts: Sequence[Part], path: list[Step], open_: tuple[int, ...], left: list[int]
) -> Iterator[tuple[list[Step], bool]]:
    """Paths, each with whether there are rules outside of `allOf`. Raises TooManyPlaces."""
    left[0] -= 1
    if left[0] < 0:
        raise TooManyPlaces
    if id(parts[0][0]) in open_:
        return  # a schema that holds itself has no end, and no CRD can have one
    inside = (*open_, id(parts[0][0]))
    every = list(_with_all_of(parts))
    if any(schema.get(VALIDATIONS) for schema, _ in every):
        yield path, bool(parts[0][0].get(VALIDATIONS))
    steps: list[Step] = [*parts[0][0].get("properties", ()), 0, None]
    for step in steps:
        found = [each for part in every if (each := child(part, step)) is not None]
        if found and child(parts[0], step) is not None:
            yield from _find(found, [*path, step], inside, left)
