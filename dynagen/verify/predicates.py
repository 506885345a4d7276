"""A table of rules and a value in, what is wrong with the value out.

A table is YAML beside its package: `scope: {code: [row, ...]}`, and `sections: {name: [row, ...]}`. A row speaks of the map
that it stands for ("here": what the caller gave, or what `at` of the row around it leads to):

    at            what is judged, below here: `a.b`, `[]` each item of a list, `*` each value of a map, `a|b` both; a list
                  where keys hold dots. Nothing for here itself
    rows, use     further rows, or a section of them, for the maps at `at`
    first         rows of which the first that finds something counts
    when          {path: words}: only where the value is one of the words; `*` is any, null none. All have to hold
    unless        the same: not where one of them holds
    since, until  from this version on, and before it: Kubernetes in tables of pods and workloads, Dynamo in that of graphs

and one of these, where "given" is what is there, and neither null nor "" nor []:

    required: true      it is given
    refused: true       it is not given
    need: key           the map has that key given, or one of a list of keys; {a: key}: what `a` holds, where it is, has it
    exclusive: [keys]   the map has at most one of them given; the second is pointed at
    in, not: words      it is one of the words, or none of them
    within: [least, most]    for numbers; null is no end
    unique: true        no other item of the list around here has the same; a list of keys: the same of all of these
    size: [least, most]      for lists
    form: name          a test of FORMS or of the package; a table's `hints` has hints of forms
    keys: name          the same for the keys of a map

Beside another predicate, `required` says that it judges what is missing as well.

`say`, `hint` and `severity` are those of the finding, `place` what is pointed at instead (from here). In texts, `{a.b}` is a
value below here, `{$value}` what is judged, `{$key}` its key, `{$here}` that of here, `{$missing}` what `need` misses, `{$given}`
all that `exclusive` found, `{$problem}` what a form says, `{$closest}` the most similar word, or all of them; other words with
a dollar, in conditions too, are given by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from dynagen.compiled.reading import table
from dynagen.diagnostics import KeyPath, closest
from dynagen.text import names
from dynagen.text.quantities import amount
from dynagen.verify.finding import Finding

# What is wrong with a value, as text or as True; nothing if it is right.
Form = Callable[[Any], Any]
Words = dict[str, Any]
Version = tuple[int, ...]

FORMS: dict[str, Form] = {
    "config-key": names.config_key_problem,
    "dns-label": names.label_problem,
    "label-key": names.key_problem,
    "label-value": names.value_problem,
    "port-name": lambda text: not names.is_port_name(text),
    "subdomain": names.subdomain_problem,
    "not-negative": lambda quantity: (number := amount(quantity)) is not None and number < 0,
    "without-nul": lambda text: "\0" in text,
}


class Rules:
    """The table of a package of `verify`, prepared as far as it was used. `forms` are tests that only this package has."""

    def __init__(self, package: str, forms: Mapping[str, Form] = MappingProxyType({})) -> None:
        self._package, self.forms = package, {**FORMS, **forms}
        self._scopes: dict[tuple[str, Version], _Section] = {}

    def judge(
        self, scope: str, value: Words, path: KeyPath, version: Version, **words: Any
    ) -> list[tuple[str, Finding]]:
        """The findings in a map that is at `path`, with their codes. `words` are those with a dollar."""
        found: list[tuple[str, Finding]] = []
        if (scope, version) not in self._scopes:
            self._scopes[scope, version] = _Section(self, version, self.data.get(scope, {}))
        self._scopes[scope, version].judge(_Here(value, path, words, set(), found))
        return found

    @cached_property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = table(f"verify/{self._package}/rules.yaml")
        return found


class _Here:
    """A map that rows speak of. `seen` is what `unique` saw in the list around it."""

    __slots__ = ("data", "found", "path", "seen", "words")

    def __init__(self, data: Any, path: KeyPath, words: Words, seen: set[Any], found: list[Any]) -> None:
        self.data, self.path, self.words, self.seen, self.found = data, path, words, seen, found

    def word(self, name: str) -> Any:
        if name == "$here":
            return self.path[-1]
        return self.words.get(name[1:]) if name[:1] == "$" else _lookup(self.data, name.split("."))


class _Section:
    """Rows, by the key that they look below and prepared when it comes; `always` are those that miss something, or look at all."""

    __slots__ = ("always", "by_key", "raw", "rules", "version")

    def __init__(self, rules: Rules, version: Version, codes: Mapping[str, Sequence[Words]]) -> None:
        self.rules, self.version = rules, version
        self.always: list[_Row] = []
        self.by_key: dict[str, list[_Row]] = {}
        self.raw: dict[str, list[tuple[str, Words]]] = {}
        for code, rows in codes.items():
            for row in rows:
                if _counts(row, version):
                    self._add(code, row)

    def _add(self, code: str, row: Words) -> None:
        if isinstance(row.get("need"), dict):
            for key, needed in row["need"].items():
                self._add(code, row | {"at": key, "need": needed})
            return
        steps = _split(row.get("at", ""))
        if not steps or "required" in row or steps[0] in ("*", "[]"):
            self.always.append(_Row(self.rules, self.version, row, code, steps))
        else:
            for key in steps[0].split("|"):
                self.raw.setdefault(key, []).append((code, row))

    def judge(self, here: _Here) -> None:
        for row in self.always:
            row.judge(here)
        for key in [key for key in here.data if key in self.raw]:
            if key not in self.by_key:
                self.by_key[key] = [
                    _Row(self.rules, self.version, row, code, (key, *_split(row["at"])[1:]))
                    for code, row in self.raw[key]
                ]
            for row in self.by_key[key]:
                row.judge(here)


class _Row:
    __slots__ = (
        "argument", "code", "first", "inner", "missing", "predicate", "row", "rules", "steps", "unless", "version", "when",
    )  # fmt: skip

    def __init__(self, rules: Rules, version: Version, row: Words, code: str, steps: Sequence[str]) -> None:
        self.rules, self.version, self.row, self.code = rules, version, row, code
        self.when, self.unless = _conditions(row.get("when")), _conditions(row.get("unless"))
        self.missing: bool = row.get("required", False)
        self.inner: _Section | None = None
        self.first = [_Section(rules, version, {code: [each]}) for each in row.get("first", ())]
        words = [word for word in row if word in _PREDICATES]
        word = next((word for word in words if word != "required"), words[0] if words else "")
        self.predicate, argument = _PREDICATES.get(word), row.get(word)
        self.argument: Any = argument if isinstance(argument, (list, bool)) else [argument]
        if word in ("form", "keys"):
            self.argument = rules.forms[str(argument)]
            self.row = {"hint": rules.data.get("hints", {}).get(argument, ""), **row}
        self.steps = (*steps, "*") if word == "keys" else tuple(steps)

    def judge(self, here: _Here) -> None:
        for path, words in self.when:
            if not _holds(here, path, words):
                return
        for path, words in self.unless:
            if _holds(here, path, words):
                return
        self._visit(here.data, self.steps, here.path, here, here.seen)

    def _visit(self, value: Any, steps: Sequence[str], path: KeyPath, here: _Here, seen: set[Any]) -> None:
        if not steps:
            self._look(value, path, here, seen)
            return
        step, rest = steps[0], steps[1:]
        if step == "[]":
            around: set[Any] = set()
            for index, item in enumerate(value or ()):
                self._visit(item, rest, (*path, index), here, around)
        elif step == "*":
            for key, item in (value or {}).items():
                self._visit(item, rest, (*path, key), here, seen)
        else:
            for key in step.split("|"):
                inner = value.get(key) if isinstance(value, dict) else None
                if inner is not None or self.missing:
                    self._visit(inner, rest, (*path, key), here, seen)

    def _look(self, value: Any, path: KeyPath, here: _Here, seen: set[Any]) -> None:
        if self.first:
            before = len(here.found)
            for each in self.first:
                if len(here.found) == before:
                    each.judge(here)
        elif self.predicate is None:
            if isinstance(value, dict):
                if self.inner is None:
                    rows = self.row["rows"] if "rows" in self.row else self.rules.data["sections"][self.row["use"]]
                    self.inner = _Section(self.rules, self.version, {self.code: rows})
                self.inner.judge(_Here(value, path, here.words, seen, here.found))
        elif (wrong := self.predicate(self.argument, value, path, seen)) is not None:
            self._report(value, path, here, wrong)

    def _report(self, value: Any, path: KeyPath, here: _Here, wrong: Words) -> None:
        special = {"$value": value, "$key": path[-1] if path else "", **wrong}
        row = self.row
        if "place" in row:
            path = (*here.path, *_split(row["place"]))
        elif "$second" in wrong:
            path = (*path, wrong["$second"])
        finding = Finding(
            path, _filled(row["say"], here, special), _filled(row.get("hint", ""), here, special), row.get("severity", "error")
        )  # fmt: skip
        here.found.append((self.code, finding))


# Each says None of what is right, and of what is wrong the words that texts may have of it.
Wrong = Words | None


def _required(_: bool, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return None if _is_given(value) else {}


def _refused(_: bool, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return {} if _is_given(value) else None


def _need(keys: list[str], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return None if any(_is_given(_lookup(value, key.split("."))) for key in keys) else {"$missing": keys[0]}


def _exclusive(keys: list[str], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    given = [key for key in keys if _is_given(value.get(key))]
    return {"$given": ", ".join(given), "$second": given[1]} if len(given) > 1 else None


def _in(words: list[Any], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    if value in words:
        return None
    near = closest(str(value), words)
    return {"$closest": f"did you mean '{near}'?" if near else "one of " + ", ".join(words)}


def _not(words: list[Any], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return {} if value in words else None


def _within(ends: list[Any], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    least, most = ends
    if isinstance(value, str) or ((least is None or value >= least) and (most is None or value <= most)):
        return None
    return {}


def _size(ends: list[int], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return None if ends[0] <= len(value or ()) <= ends[1] else {}


def _unique(keys: Any, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    mark = (*(step for step in path if isinstance(step, str)), value if keys is True else tuple(map(value.get, keys)))
    if mark in seen:
        return {}
    seen.add(mark)
    return None


def _form(form: Form, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    problem = form("" if value is None else value)
    return {"$problem": problem} if problem else None


def _keys(form: Form, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return _form(form, path[-1], path, seen)


_PREDICATES: dict[str, Callable[..., Wrong]] = {
    "refused": _refused, "need": _need, "exclusive": _exclusive, "in": _in, "not": _not, "within": _within, "size": _size,
    "unique": _unique, "form": _form, "keys": _keys, "required": _required,
}  # fmt: skip


def _is_given(value: Any) -> bool:
    return value is not None and value != "" and value != []


def _holds(here: _Here, path: str, words: list[Any]) -> bool:
    value = here.word(path)
    return _is_given(value) if "*" in words else (value if _is_given(value) else None) in words


def _lookup(value: Any, steps: Iterable[str]) -> Any:
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _split(at: str | list[str]) -> tuple[str, ...]:
    """`a.b[].c` as steps: a, b, [], c."""
    return tuple(at) if isinstance(at, list) else tuple(at.replace("[]", ".[]").split(".")) if at else ()


def _counts(row: Words, version: Version) -> bool:
    since, until = (tuple(map(int, row[key].split("."))) if key in row else None for key in ("since", "until"))
    return (since is None or version >= since) and (until is None or version < until)


def _conditions(given: Words | None) -> list[tuple[str, list[Any]]]:
    return [(path, words if isinstance(words, list) else [words]) for path, words in (given or {}).items()]


def _filled(text: str, here: _Here, special: Words) -> str:
    if "{" not in text:
        return text
    import re

    def value(found: re.Match[str]) -> str:
        given = special[found[1]] if found[1] in special else here.word(found[1])
        return "" if given is None else str(given)

    return re.sub(r"\{([$\w][\w.-]*)\}", value, text)
