"""A layer and what expressions see in, the layer's objects and patches out, with origins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dynagen.diagnostics import Condition, Given, KeyPath, Report
from dynagen.language.budget import OverBudget, size_of
from dynagen.language.cel import ExpressionError
from dynagen.language.scope import Scope
from dynagen.language.template import Template, names_in, template_of
from dynagen.layers.finding import Layer, documents, files
from dynagen.layers.loops import key_of
from dynagen.layers.templates import fill
from dynagen.text.document import Document
from dynagen.trees.fragment import Fragment

_HEADER_KEYS = {"when", "forEach"}


class Skipped(NamedTuple):
    """A document that does not count, and why: its `when` is false, or it is for an item that is not there."""

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
        size = 0
        for inner, given in _scopes(header, scope, report, idle):
            if given is not None and given.number and header is not None:
                size = size or sum(size_of(document.data) for document in found)
                if not _may_be_repeated(len(found), size, header, scope, report):
                    break
            for document in found:
                if _is_mapping(document, report) and (fragment := fill(document, given, inner, report)):
                    fragments.append(fragment)
        if skipped is not None:
            skipped += [Skipped(document, given) for given in idle or () for document in found]
    return fragments


def _may_be_repeated(documents: int, size: int, header: Document, scope: Scope, report: Report) -> bool:
    """Whether a file may count once more. Reports DG622 when that would make too much."""
    try:
        scope.budget.spend(size)
        for _ in range(documents):
            scope.budget.spend_document()
    except OverBudget as error:
        if error.is_news:
            report.add(error.code, error.message, header.at(("forEach",)), error.hint)
        return False
    return not scope.budget.is_spent


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
        asks_each_time = isinstance(condition, str) and variable in scope.memory.once(names_in, condition, scope.memory)
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
        reads = tuple((name,) for name in scope.memory.once(names_in, text, scope.memory))
        any_item = Condition(text, header.at(("forEach", str(variable))), reads)
        idle.append(given._replace(loop=any_item, variable=str(variable)))


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
        if not (isinstance(error, OverBudget) and not error.is_news):
            report.add(error.code, error.message, at, error.hint)
        return
    if items is None:
        report.add("DG312", f"forEach: '{text}' is not a list", at)
        return
    template = template_of(text, scope.memory)
    condition = Condition(text, at, scope.evaluate(template)[1] if isinstance(template, Template) else ())
    for number, (inner, item) in enumerate(items):
        yield inner, Given(given.when, condition, variable, key_of(item), number)


def _asked(
    header: Document, condition: Any, scope: Scope, given: Given, report: Report, noted: bool
) -> tuple[bool, Given]:
    """Whether a `when` holds, and what it depends on: of one that does not hold, if it is to be noted."""
    wanted: Any = condition
    reads: tuple[KeyPath, ...] = ()
    try:
        template = template_of(condition, scope.memory) if isinstance(condition, str) else condition
        wanted, reads = scope.evaluate(template) if isinstance(template, Template) else (template, ())
        if not isinstance(wanted, bool):
            report.add("DG312", f"when: '{condition}' is not a boolean", header.at(("when",)))
    except ExpressionError as error:
        if not (isinstance(error, OverBudget) and not error.is_news):
            report.add(error.code, error.message, header.at(("when",)), error.hint)
        wanted = None
    if wanted is not True and not noted:
        return False, given
    when = Condition(str(condition), header.at(("when",)), reads)
    return wanted is True, Given(when, given.loop, given.variable, given.item, given.number)


def _is_mapping(document: Document, report: Report) -> bool:
    if not isinstance(document.data, dict):
        hint = (
            "a patch is written as the object comes out: its kind, and what changes"
            if _is_json_patch(document.data)
            else ""
        )
        report.add("DG313", "expected an object with apiVersion and kind", document.at(), hint)
        return False
    for key in _HEADER_KEYS & document.data.keys():
        report.add(
            "DG312", f"'{key}' belongs into a document of its own at the top of the file", document.at((key,)),
            hint="put '---' between it and the object",
        )  # fmt: skip
    return True


def _is_json_patch(data: Any) -> bool:
    """source: RFC 6902"""
    return isinstance(data, list) and all(isinstance(item, dict) and "op" in item for item in data)
