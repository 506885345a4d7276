"""A layer and what expressions see in, the layer's objects and patches out, with origins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dynagen.cel import ExpressionError
from dynagen.diagnostics import Condition, Given, KeyPath, Origin, Position, Report
from dynagen.expressions import Scope, Template, names_in, parse_template
from dynagen.layers import Layer, documents, files
from dynagen.merge import Leaf, List, Map, Tree, is_plain, to_tree
from dynagen.source import Document

_HEADER_KEYS = {"when", "forEach"}


class Fragment(NamedTuple):
    """A rendered resource or patch: a tree with origins, and the file it was written in.

    `plain` when it holds neither null nor `$patch`: then it says what is there, and takes nothing away.
    """

    tree: Map
    at: Position
    plain: bool = False


class Skipped(NamedTuple):
    """A document that does not count, and why: its `when` is false. With `given.loop`, for any item that is not there."""

    document: Document
    given: Given


def render(
    layer: Layer, folder: str, scope: Scope, report: Report, skipped: list[Skipped] | None = None
) -> list[Fragment]:
    """The objects in `resources/` or `patches/` of a layer, expressions evaluated. Reports DG305 to DG308, DG312, DG313.

    What does not count is added to `skipped` when there is such a list.
    """
    fragments: list[Fragment] = []
    for name in files(layer, folder):
        found = documents(layer, name, report)
        header: Document | None = None
        if found and isinstance(found[0].data, dict) and found[0].data and found[0].data.keys() <= _HEADER_KEYS:
            header, found = found[0], found[1:]
            if not found:
                report.add("DG305", "nothing follows 'when' or 'forEach'", header.at(), hint="add '---' and an object")
        found = [document for document in found if document.data is not None]
        idle: list[Given] | None = None if skipped is None else []
        for inner, given in _scopes(header, scope, report, idle):
            for document in found:
                if _is_mapping(document, report):
                    fragment = _filled(document, inner, given, report)
                    fragments += [fragment] if fragment is not None else []
        if skipped is not None:
            skipped += [Skipped(document, given) for given in idle or () for document in found]
    return fragments


def _scopes(
    header: Document | None, scope: Scope, report: Report, idle: list[Given] | None
) -> Iterator[tuple[Scope, Given | None]]:
    """One scope for each time that a file counts: none when its `when` is false, several with `forEach`.

    `idle`, if there is such a list, gets what it does not count for.
    """
    if header is None:
        yield scope, None
        return
    loop, condition = header.data.get("forEach"), header.data.get("when", True)
    variable = next(iter(loop), None) if isinstance(loop, dict) else None
    try:
        asks_each_time = isinstance(condition, str) and variable in names_in(condition)
    except ExpressionError as error:
        report.add(error.code, error.message, header.at(("when",)), error.hint)
        return
    given = Given()
    # A condition that is the same for all comes first: what it guards may not make sense otherwise.
    if not asks_each_time and "when" in header.data:
        wanted, given = _asked(header, condition, scope, given, report, idle is not None)
        if not wanted:
            if idle is not None:
                idle.append(given)
            return
    if "forEach" not in header.data:
        yield scope, given
        return
    for inner, each in _loop_scopes(header, scope, given, report):
        wanted = True
        if asks_each_time:
            wanted, each = _asked(header, condition, inner, each, report, idle is not None)
        if wanted:
            yield inner, each
        elif idle is not None:
            idle.append(each)
    if idle is not None and isinstance(loop, dict) and not report.failed:
        text = loop[variable]
        reads = tuple((name,) for name in names_in(text))
        # Without a variable: any item that is not in the list. Its name is kept where the item will be.
        idle.append(given._replace(loop=Condition(text, header.at(("forEach", str(variable))), reads), item=variable))


def _loop_scopes(header: Document, scope: Scope, given: Given, report: Report) -> Iterator[tuple[Scope, Given]]:
    loop, at = header.data["forEach"], header.at(("forEach",))
    if not isinstance(loop, dict) or len(loop) != 1 or not isinstance(next(iter(loop.values())), str):
        report.add("DG312", "forEach takes one name and a list", at, hint='for example: {worker: "${workers}"}')
        return
    variable, text = next(iter(loop.items()))
    at = header.at(("forEach", variable))
    if variable in scope.values:
        report.add("DG312", f"forEach: '{variable}' is taken", at, hint="use another name")
        return
    try:
        items = scope.each(variable, text)
    except ExpressionError as error:
        report.add(error.code, error.message, at, error.hint)
        return
    if items is None:
        report.add("DG312", f"forEach: '{text}' is not a list", at)
        return
    template = parse_template(text)
    condition = Condition(text, at, scope.evaluate(template)[1] if isinstance(template, Template) else ())
    for number, (inner, item) in enumerate(items):
        # Its name is enough to find it again, and the same for many profiles.
        known = {"name": item["name"]} if isinstance(item, dict) and "name" in item else item
        yield inner, Given(given.when, condition, variable, known, number)


def _asked(
    header: Document, condition: Any, scope: Scope, given: Given, report: Report, noted: bool
) -> tuple[bool, Given]:
    """Whether a `when` holds, and what it depends on: of one that does not hold, if it is to be noted."""
    wanted, reads = _header_value(header, ("when",), condition, scope, report)
    if wanted is not _FAILED and not isinstance(wanted, bool):
        report.add("DG312", f"when: '{condition}' is not a boolean", header.at(("when",)))
    if wanted is not True and not noted:
        return False, given
    when = Condition(str(condition), header.at(("when",)), reads)
    return wanted is True, Given(when, given.loop, given.variable, given.item, given.number)


_FAILED = object()


def _header_value(header: Document, path: KeyPath, value: Any, scope: Scope, report: Report) -> tuple[Any, Any]:
    if not isinstance(value, str):
        return value, ()
    try:
        template = parse_template(value)
        return (template, ()) if isinstance(template, str) else scope.evaluate(template)
    except ExpressionError as error:
        report.add(error.code, error.message, header.at(path), error.hint)
        return _FAILED, ()


def _is_mapping(document: Document, report: Report) -> bool:
    if not isinstance(document.data, dict):
        report.add("DG313", "expected an object with apiVersion and kind", document.at())
        return False
    for key in _HEADER_KEYS & document.data.keys():
        report.add(
            "DG312", f"'{key}' belongs into a document of its own at the top of the file", document.at((key,)),
            hint="put '---' between it and the object",
        )  # fmt: skip
    return True


class _Open(NamedTuple):
    """A mapping or a list in which expressions stand: `shape` is all of it with null in the place of the `parts`."""

    shape: Map | List
    parts: list[tuple[Any, _Open | Leaf]]


class _Stencil(NamedTuple):
    """A document with its expressions as they were written: what all profiles share of it is made once."""

    given: Given | None
    top: _Open | Tree
    plain: bool


def _filled(document: Document, scope: Scope, given: Given | None, report: Report) -> Fragment | None:
    """One document against one scope; None when an expression in it fails."""
    key = (given.variable, given.number) if given else None
    stencil: _Stencil | None = document.kept.get(key)
    if stencil is None or stencil.given != given:
        stencil = document.kept[key] = _Stencil(
            given, _open(document.data, document.walk(), given), is_plain(document.data)
        )
    filler = _Filler(scope, stencil.plain, report)
    tree = filler.fill(stencil.top)
    assert isinstance(tree, Map)
    return None if filler.failed else Fragment(tree, document.at(), filler.plain)


def _open(value: Any, positions: Iterator[Position], given: Given | None) -> _Open | Tree:
    """What is no expression as it will be. A Leaf whose origin has an expression waits for its value."""
    at = next(positions)
    if isinstance(value, (dict, list)):
        shape: Any = Map({}, Origin(at, given=given)) if isinstance(value, dict) else List([], Origin(at, given=given))
        parts: list[tuple[Any, _Open | Leaf]] = []
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            part = _open(inner, positions, given)
            if isinstance(part, _Open) or (isinstance(part, Leaf) and part.origin.expression):
                parts.append((key, part))
            if isinstance(value, dict):
                shape[key] = part
            else:
                shape.append(part)
        return _Open(shape, parts) if parts else shape
    text = value if isinstance(value, str) and "${" in value else ""
    return Leaf(value, Origin(at, text, given=given))


class _Filler:
    """Puts the values of expressions into stencils."""

    def __init__(self, scope: Scope, plain: bool, report: Report) -> None:
        self._scope, self._report = scope, report
        self.plain, self.failed = plain, False

    def fill(self, part: _Open | Tree) -> Tree:
        if isinstance(part, _Open):
            shape, parts = part
            whole = Map(shape, shape.origin) if isinstance(shape, Map) else List(shape, shape.origin)
            for key, inner in parts:
                whole[key] = self.fill(inner)
            return whole
        return self._value(part) if isinstance(part, Leaf) and part.origin.expression else part

    def _value(self, leaf: Leaf) -> Tree:
        at, text, _, given = leaf.origin
        try:
            template = parse_template(text)
            if isinstance(template, str):
                return Leaf(template, Origin(at, given=given))
            value, reads = self._scope.evaluate(template)
        except ExpressionError as error:
            self.failed = True
            self._report.add(error.code, error.message, at, error.hint)
            return leaf
        if value is None or isinstance(value, (dict, list)):
            self.plain = self.plain and is_plain(value)
            return to_tree(value, Origin(at, text, reads, given))
        return Leaf(value, Origin(at, text, reads, given))
