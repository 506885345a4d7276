"""The spec of a graph in one API version in, the same in the other out, row by row of the table alpha.yaml."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from dynagen.compiled.reading import table
from dynagen.diagnostics import Origin, Report
from dynagen.manifests.alpha_forms import FORMS, Form, Refused
from dynagen.text.versions import parse_version
from dynagen.trees.nodes import Leaf, List, Map, Tree, scalar

TABLE = "manifests/alpha.yaml"
_BETA = "1.2.0"  # the first release with v1beta1


class Step(NamedTuple):
    """A key and, where its value is a list, which item: the one whose `by` is `value`."""

    key: str
    by: str = ""
    value: Any = None


Path = tuple[Step, ...]


class Row(NamedTuple):
    """A row of the table, with the paths of the version that is read, and of the one that is made: none if it lacks it."""

    source: tuple[Path, ...]
    target: tuple[Path, ...]
    since: str
    form: Form
    field: str


class Taken(NamedTuple):
    """A value, what is left of the tree that it is taken from, and the origin of what held it."""

    value: Tree
    rest: Tree | None
    origin: Origin


def spec_to_alpha(spec: Map, release: str, report: Report) -> Map:
    """The spec of a graph in v1alpha1. Reports DG408 for what that of the release cannot say."""
    converted = _to_alpha(spec, "graph", release, report)
    components = converted.get("services")
    if isinstance(components, List):
        services = Map({}, components.origin)
        for component in components:
            if isinstance(component, Map):
                rest = Map({key: value for key, value in component.items() if key != "name"}, component.origin)
                services[str(scalar(component, "name"))] = _to_alpha(rest, "component", release, report)
        converted["services"] = services
    return converted


def spec_to_beta(spec: Map) -> Map:
    """The spec of a graph in v1beta1."""
    converted = _to_beta(spec, "graph")
    services = converted.get("components")
    if isinstance(services, Map):
        components = List([], services.origin)
        for name, service in services.items():
            component = component_to_beta(service if isinstance(service, Map) else Map({}, services.origin))
            component["name"] = Leaf(name, component.origin)
            components.append(component)
        converted["components"] = components
    return converted


def component_to_beta(service: Map) -> Map:
    """A service of a graph, or the spec of a DynamoComponentDeployment, in v1beta1: without its name."""
    return _to_beta(service, "component")


def _to_alpha(source: Map, section: str, release: str, report: Report) -> Map:
    rows, own = rows_of(section, "down"), parse_version(release)
    rest: Tree | None = source
    for row in sorted(rows, key=_width):  # the widest field that is missing is the one to report
        if row.target and parse_version(row.since) <= own:
            continue
        taken = _take(rest, row.source[0])
        if taken is not None:
            rest = taken.rest
            _report_missing(row.field, taken.value.origin, release, row.since, report)
    converted: Tree = Map({}, source.origin)
    found, rest = _take_all(rest, rows)
    for row, taken, others in found:
        value = row.form.down(taken.value, *others)
        if isinstance(value, Refused):
            hint = f"{value.hint}, or use release {_BETA} or later"
            report.add("DG408", f"{value.message} (release {release})", taken.value.origin.written, hint)
        else:
            converted = _put_all(converted, row, value, taken.origin)
    for key, value in rest.items() if isinstance(rest, Map) else ():
        if not isinstance(value, Map) or value:
            _report_missing(key, value.origin, release, _BETA, report)
    assert isinstance(converted, Map)
    return converted


def _report_missing(field: str, origin: Origin, release: str, since: str, report: Report) -> None:
    report.add(
        "DG408", f"'{field}' does not exist in nvidia.com/v1alpha1 of release {release}", origin.written,
        hint=f"leave it out, or use release {since} or later",
    )  # fmt: skip


def _to_beta(source: Map, section: str) -> Map:
    converted: Tree = Map({}, source.origin)
    found, _ = _take_all(source, rows_of(section, "up"))
    # The widest comes first: it is what is written, and the others stand beside it.
    for row, taken, others in sorted(found, key=lambda each: max(map(len, each[0].target), default=0)):
        if row.target:
            converted = _put_all(converted, row, row.form.up(taken.value, *others), source.origin)
    assert isinstance(converted, Map)
    return converted


@cache
def rows_of(section: str, way: str) -> tuple[Row, ...]:
    """The rows of a section that count on the way `down` to v1alpha1, or `up`."""
    rows = []
    for entry in table(TABLE)[section]:
        beta, alpha = _paths(entry.get("beta")), _paths(entry.get("alpha"))
        source, target = (beta, alpha) if way == "down" else (alpha, beta)
        if source and entry.get("way", way) == way:
            field = ".".join(step.key for step in source[0])
            rows.append(Row(source, target, entry["since"], FORMS[entry.get("form", "")], field))
    return tuple(rows)


def _paths(given: Any) -> tuple[Path, ...]:
    texts = [] if given is None else [given] if isinstance(given, str) else given
    return tuple(tuple(_step(*found) for found in _STEP.findall(text)) for text in texts)


_STEP = re.compile(r"([^.\[\]]+)(?:\[([^=]+)=([^\]]+)\])?")


def _step(key: str, by: str, value: str) -> Step:
    return Step(key, by, True if value == "true" else value)


def _width(row: Row) -> int:
    return max(map(len, row.source))


def _take_all(rest: Tree | None, rows: Sequence[Row]) -> tuple[list[tuple[Row, Taken, list[Tree | None]]], Tree | None]:
    """What each row takes, in their order: the value at its first path, and those at the others. And what is left."""
    found = []
    for number, row in sorted(enumerate(rows), key=lambda each: -_width(each[1])):
        taken = _take(rest, row.source[0])
        if taken is None:
            continue
        rest, others = taken.rest, list[Tree | None]()
        for path in row.source[1:]:
            other = _take(rest, path)
            rest = other.rest if other else rest
            others.append(other.value if other else None)
        found.append((number, taken, others))
    found.sort(key=lambda each: each[0])
    return [(rows[number], taken, others) for number, taken, others in found], rest


def _take(tree: Tree | None, path: Path) -> Taken | None:
    """None when there is nothing. What is empty without the value goes with it."""
    step, inner = path[0], path[1:]
    if not isinstance(tree, Map) or step.key not in tree:
        return None
    within = tree[step.key]
    taken: Taken | None = Taken(within, None, tree.origin)
    if step.by:
        taken = _take_item(within, step, inner)
    elif inner:
        taken = _take(within, inner)
    if taken is None:
        return None
    left = Map(tree, tree.origin, tree.replaced)
    if taken.rest is None:
        del left[step.key]
    else:
        left[step.key] = taken.rest
    return taken._replace(rest=left or None)


def _take_item(items: Tree, step: Step, inner: Path) -> Taken | None:
    if not isinstance(items, List):
        return None
    for index, item in enumerate(items):
        if scalar(item, step.by) != step.value:
            continue
        own = Map(item, item.origin, item.replaced)
        key = own.pop(step.by)
        taken = _take(own, inner) if inner else Taken(own, None, items.origin)
        if taken is None:
            return None
        kept = [Map({step.by: key, **taken.rest}, item.origin, item.replaced)] if isinstance(taken.rest, Map) else []
        left = List([*items[:index], *kept, *items[index + 1 :]], items.origin, items.replaced)
        return taken._replace(rest=left or None)
    return None


def _put_all(tree: Tree, row: Row, made: Any, origin: Origin) -> Tree:
    """The tree with what a row makes, at the row's places."""
    values = made if isinstance(made, tuple) else (made,)
    for path, value in zip(row.target, values, strict=False):
        if value is not None:
            tree = _put(tree, path, value, origin, row.form)
    return tree


def _put(tree: Tree | None, path: Path, value: Tree, origin: Origin, form: Form) -> Tree:
    """The tree with a value at a path; what leads there has `origin` when it is made. Trees that are given stay as they are."""
    if not path:
        return value if tree is None else form.join(tree, value)
    step, inner = path[0], path[1:]
    holder = Map({}, origin) if tree is None else tree
    if not isinstance(holder, Map):
        return holder
    within = holder.get(step.key)
    new = _put_item(within, path, value, origin, form) if step.by else _put(within, inner, value, origin, form)
    return Map({**holder, step.key: new}, holder.origin, holder.replaced)


def _put_item(items: Tree | None, path: Path, value: Tree, origin: Origin, form: Form) -> Tree:
    """What is new in a list comes first."""
    step, inner = path[0], path[1:]
    if items is not None and not isinstance(items, List):
        return items
    there = [] if items is None else list(items)
    index = next((index for index, item in enumerate(there) if scalar(item, step.by) == step.value), None)
    if index is None:
        made = origin if inner else value.origin
        there.insert(0, Map({step.by: Leaf(step.value, made)}, made))
    there[index or 0] = _put(there[index or 0], inner, value, origin, form)
    return List(there, origin if items is None else items.origin)
