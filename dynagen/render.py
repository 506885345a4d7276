"""A layer and the values that expressions see in, the layer's objects and patches out, with origins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dynagen.cel import ExpressionError
from dynagen.diagnostics import Condition, Given, KeyPath, Origin, Position, Report
from dynagen.expressions import Scope, Template, names_in, parse_template
from dynagen.layers import Layer, documents, files
from dynagen.merge import Leaf, List, Map, Tree, to_tree
from dynagen.source import Document

_HEADER_KEYS = {"when", "forEach"}


class Fragment(NamedTuple):
    """A rendered resource or patch: a tree with origins, and the file it was written in."""

    tree: Map
    at: Position


class Skipped(NamedTuple):
    """A document that does not count, and why: its `when` is false. With `given.loop`, for any item that is not there."""

    document: Document
    given: Given


def render(
    layer: Layer, folder: str, values: Mapping[str, Any], report: Report, skipped: list[Skipped] | None = None
) -> list[Fragment]:
    """The objects in `resources/` or `patches/` of a layer, expressions evaluated. Reports DG305 to DG308, DG312, DG313.

    What does not count is added to `skipped` when there is such a list.
    """
    scope = Scope(values)
    fragments: list[Fragment] = []
    for name in files(layer, folder):
        found = documents(layer, name, report)
        header: Document | None = None
        if found and isinstance(found[0].data, dict) and found[0].data and found[0].data.keys() <= _HEADER_KEYS:
            header, found = found[0], found[1:]
            if not found:
                report.add("DG305", "nothing follows 'when' or 'forEach'", header.at(), hint="add '---' and an object")
        found = [document for document in found if document.data is not None]
        idle: list[Given] = []
        for inner, given in _scopes(header, scope, report, idle):
            for document in found:
                renderer = _Renderer(document, inner, given, report)
                tree = renderer.mapping()
                if tree is not None and not renderer.failed:
                    fragments.append(Fragment(tree, document.at()))
        if skipped is not None:
            skipped += [Skipped(document, given) for given in idle for document in found]
    return fragments


def _scopes(
    header: Document | None, scope: Scope, report: Report, idle: list[Given]
) -> Iterator[tuple[Scope, Given | None]]:
    """One scope for each time that a file counts: none when its `when` is false, several with `forEach`.

    `idle` gets what it does not count for.
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
        wanted, given = _asked(header, condition, scope, given, report)
        if not wanted:
            idle.append(given)
            return
    if "forEach" not in header.data:
        yield scope, given
        return
    for inner, each in _loop_scopes(header, scope, given, report):
        wanted, each = _asked(header, condition, inner, each, report) if asks_each_time else (True, each)
        if wanted:
            yield inner, each
        else:
            idle.append(each)
    if isinstance(loop, dict) and not report.failed:
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
    items, reads = _header_value(header, ("forEach", variable), text, scope, report)
    if items is _FAILED:
        return
    if not isinstance(items, list):
        report.add("DG312", f"forEach: '{text}' is not a list", at)
        return
    condition, paths = Condition(text, at, reads), scope.paths_of(items, reads)
    for number, (item, path) in enumerate(zip(items, paths, strict=True)):
        inner = Scope({variable: item}, scope, {variable: path})
        yield inner, given._replace(loop=condition, variable=variable, item=item, number=number)


def _asked(header: Document, condition: Any, scope: Scope, given: Given, report: Report) -> tuple[bool, Given]:
    """Whether a `when` holds, and what it depends on."""
    wanted, reads = _header_value(header, ("when",), condition, scope, report)
    if wanted is not _FAILED and not isinstance(wanted, bool):
        report.add("DG312", f"when: '{condition}' is not a boolean", header.at(("when",)))
    return wanted is True, given._replace(when=Condition(str(condition), header.at(("when",)), reads))


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


class _Renderer:
    """One document against one scope."""

    def __init__(self, document: Document, scope: Scope, given: Given | None, report: Report) -> None:
        self.document, self.scope, self.given, self.report = document, scope, given, report
        self.failed = False

    def mapping(self) -> Map | None:
        if not isinstance(self.document.data, dict):
            self.report.add("DG313", "expected an object with apiVersion and kind", self.document.at())
            return None
        for key in _HEADER_KEYS & self.document.data.keys():
            self.report.add(
                "DG312", f"'{key}' belongs into a document of its own at the top of the file", self.document.at((key,)),
                hint="put '---' between it and the object",
            )  # fmt: skip
        tree = self._tree(self.document.data, self.document.walk())
        assert isinstance(tree, Map)
        return tree

    def _tree(self, value: Any, positions: Iterator[Position]) -> Tree:
        at = next(positions)
        if isinstance(value, dict):
            return Map(
                {key: self._tree(inner, positions) for key, inner in value.items()}, Origin(at, given=self.given)
            )
        if isinstance(value, list):
            return List([self._tree(inner, positions) for inner in value], Origin(at, given=self.given))
        if isinstance(value, str) and "${" in value:
            return self._expression(value, at)
        return Leaf(value, Origin(at, given=self.given))

    def _expression(self, text: str, at: Position) -> Tree:
        try:
            template = parse_template(text)
            if isinstance(template, Template):
                value, reads = self.scope.evaluate(template)
                return to_tree(value, Origin(at, text, reads, self.given))
            return Leaf(template, Origin(at, given=self.given))
        except ExpressionError as error:
            self.failed = True
            self.report.add(error.code, error.message, at, error.hint)
            return Leaf(None, Origin(at, given=self.given))
