"""A document of a layer and a scope in, the document with the values of its expressions out.

What is no expression is the same for all profiles: it is prepared once, and kept in their memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import Given, Origin, Position, Report
from dynagen.language.budget import OverBudget
from dynagen.language.cel import ExpressionError
from dynagen.language.scope import Scope
from dynagen.language.template import Template, parse_template
from dynagen.text.document import Document
from dynagen.trees.directives import is_plain
from dynagen.trees.fragment import Fragment
from dynagen.trees.nodes import Leaf, List, Map, Tree, to_tree

# Items of a loop for which a document keeps what it has of them.
_MOST_KEPT = 50


class _Open:
    """A mapping or a list in which expressions stand. In `whole` they are as they were written; `parts` are where they are."""

    __slots__ = ("parts", "whole")

    def __init__(self, whole: Map | List, parts: list[tuple[Any, _Open | Leaf]]) -> None:
        self.whole, self.parts = whole, parts


def fill(document: Document, given: Given | None, scope: Scope, report: Report) -> Fragment | None:
    """A document that is a mapping. Reports DG306 to DG308 and gives None when an expression in it fails."""
    filler = _Filler(scope, report, _is_secret(document, scope))
    # What is seldom the same, or many, is not worth keeping.
    is_shared = document.is_shared and (given is None or (given.number or 0) < _MOST_KEPT)
    top, plain = scope.memory.once(_prepared, document, given) if is_shared else _prepared(document, given)
    tree = filler.fill(top)
    assert isinstance(tree, Map)
    return None if filler.failed else Fragment(tree, document.at(), plain and filler.plain)


def _is_secret(document: Document, scope: Scope) -> bool:
    """Whether a document is one of a Secret, or may be: of such, nothing is quoted."""
    kind = document.data.get("kind")
    if not isinstance(kind, str) or "${" not in kind:
        return kind in ("Secret", "SecretList")
    try:
        template = parse_template(kind)
        return not isinstance(template, Template) or scope.evaluate(template)[0] == "Secret"
    except ExpressionError:
        return True


def _prepared(document: Document, given: Given | None) -> tuple[_Open | Tree, bool]:
    """A whole document, for one reason that it counts, and whether it is plain."""
    return (_open(document.data, document.walk(), given), is_plain(document.data))


def _open(value: Any, positions: Iterator[Position], given: Given | None) -> _Open | Tree:
    """A Leaf whose origin has an expression holds a template for its value, or what is wrong with it; all else is as it will be."""
    at = next(positions)
    whole: Any
    if isinstance(value, dict):
        whole = Map({key: _open(inner, positions, given) for key, inner in value.items()}, Origin(at, given=given))
        parts = [(key, inner) for key, inner in whole.items() if _waits(inner)]
    elif isinstance(value, list):
        whole = List([_open(inner, positions, given) for inner in value], Origin(at, given=given))
        parts = [(index, inner) for index, inner in enumerate(whole) if _waits(inner)]
    else:
        has_expressions = isinstance(value, str) and "${" in value
        return Leaf(
            _parsed(value) if has_expressions else value, Origin(at, value if has_expressions else "", given=given)
        )
    return _Open(whole, parts) if parts else whole


def _parsed(text: str) -> Template | str | ExpressionError:
    try:
        return parse_template(text)
    except ExpressionError as error:
        return error


def _waits(part: _Open | Tree) -> bool:
    return isinstance(part, _Open) or (isinstance(part, Leaf) and bool(part.origin.expression))


class _Filler:
    """Puts the values of expressions where they belong. `plain` as far as values go; `failed` when there was none."""

    def __init__(self, scope: Scope, report: Report, is_secret: bool) -> None:
        self._scope, self._report, self._is_secret = scope, report, is_secret
        self.plain, self.failed = True, False

    def fill(self, part: _Open | Tree) -> Tree:
        if isinstance(part, _Open):
            whole = part.whole
            filled = Map(whole, whole.origin) if isinstance(whole, Map) else List(whole, whole.origin)
            for key, inner in part.parts:
                filled[key] = self.fill(inner)
            return filled
        return self._value(part) if isinstance(part, Leaf) and part.origin.expression else part

    def _value(self, leaf: Leaf) -> Tree:
        at, text, _, given = leaf.origin
        try:
            if isinstance(leaf.value, ExpressionError):
                raise leaf.value
            if isinstance(leaf.value, str):
                return Leaf(leaf.value, Origin(at, given=given))
            value, reads = self._scope.evaluate(leaf.value)
        except ExpressionError as error:
            self.failed = True
            if isinstance(error, OverBudget) and not error.is_news:
                pass
            elif self._is_secret:
                hint = "it is not quoted here; `dynagen plan` prints what expressions can name"
                self._report.add(error.code, "an expression in a Secret has no value", at, hint)
            else:
                self._report.add(error.code, error.message, at, error.hint)
            return leaf
        if value is None or isinstance(value, (dict, list)):
            self.plain = self.plain and is_plain(value)
        return to_tree(value, Origin(at, text, reads, given))
