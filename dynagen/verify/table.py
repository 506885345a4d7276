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
    refused: true       it is not there
    need: key           the map has that key given, or one of a list of keys; {a: key}: what `a` holds, where it is, has it
    exclusive: [keys]   the map has at most one of them given; the second is pointed at
    in, not: words      it is one of the words, or none of them
    within: [least, most]    for numbers; null is no end
    unique: true        no other item of the list around here has the same; a list of keys: the same of all of these
    size: [least, most]      for lists and texts; [0, 0] for what may not be given
    form: name          a test of predicates.FORMS or of the package; `hints` of the table has hints of forms
    keys: name          the same for the keys of a map

Beside another predicate, `required` says that what is missing is judged as well.

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
from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.predicates import FORMS, PREDICATES, Form, Words, lookup

Found = tuple[str, Finding]
Version = tuple[int, ...]
Steps = Sequence[str]


class Rules:
    """The table of a package of `verify`, prepared as far as it was used. `forms` are tests that only this package has."""

    def __init__(self, package: str, forms: Mapping[str, Form] = MappingProxyType({})) -> None:
        self._package, self.forms = package, {**FORMS, **forms}
        self._scopes: dict[tuple[str, Version], _Section] = {}

    def judge(self, scope: str, value: Words, path: KeyPath, version: Version, **words: Any) -> list[Found]:
        """The findings in a map that is at `path`, with their codes. `words` are those with a dollar."""
        if scope not in self.data:
            return []
        section = self._scopes.get((scope, version))
        if section is None:
            rows = [(code, row) for code, rows in self.data[scope].items() for row in rows]
            section = self._scopes[scope, version] = _Section(self, version, rows)
        found: list[Found] = []
        section.judge(_Here(value, path, words, set(), found))
        return found

    @cached_property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = table(f"verify/{self._package}/rules.yaml")
        return found


class _Here:
    """A map that rows speak of. `seen` is what `unique` saw in the list around it."""

    __slots__ = ("data", "found", "path", "seen", "words")

    def __init__(self, data: Any, path: KeyPath, words: Words, seen: set[Any], found: list[Found]) -> None:
        self.data, self.path, self.words, self.seen, self.found = data, path, words, seen, found

    def word(self, name: str, steps: Steps) -> Any:
        if name[0] != "$":
            return lookup(self.data, steps)
        return self.path[-1] if name == "$here" else self.words.get(name[1:])


class _Section:
    """Rows by the key that they look below, prepared when it comes; `always` are those that miss something, or look at all keys."""

    __slots__ = ("_by_key", "_raw", "always", "rules", "version")

    def __init__(self, rules: Rules, version: Version, rows: Iterable[tuple[str, Words]]) -> None:
        self.rules, self.version = rules, version
        self.always: list[_Row] = []
        self._by_key: dict[str, list[_Row]] = {}
        self._raw: dict[str, list[tuple[str, Words, Steps]]] = {}
        for code, row in rows:
            if ("since" not in row and "until" not in row) or _counts(row, version):
                self._add(code, row, split(row.get("at", "")))

    def _add(self, code: str, row: Words, steps: Steps) -> None:
        if isinstance(row.get("need"), dict):
            for key, needed in row["need"].items():
                self._add(code, {**row, "need": needed}, (key,))
        elif not steps or "required" in row or steps[0] in ("*", "[]"):
            self.always.append(_Row(self, code, row, steps))
        else:
            for key in steps[0].split("|"):
                self._raw.setdefault(key, []).append((code, row, steps[1:]))

    def judge(self, here: _Here) -> None:
        for row in self.always:
            row.judge(here, here.data, here.path)
        for key, value in here.data.items():
            if key in self._raw and value is not None:
                rows = self._by_key.get(key)
                if rows is None:
                    rows = self._by_key[key] = [_Row(self, *raw) for raw in self._raw[key]]
                path = (*here.path, key)
                for row in rows:
                    row.judge(here, value, path)


class _Row:
    """A row of a section. `rest` are the steps below the value that it is given."""

    __slots__ = (
        "_argument",
        "_below",
        "_code",
        "_conditions",
        "_first",
        "_missing",
        "_predicate",
        "_rest",
        "_row",
        "_section",
    )

    def __init__(self, section: _Section, code: str, row: Words, rest: Steps) -> None:
        self._section, self._code, self._row, self._rest = section, code, row, rest
        self._missing: bool = row.get("required", False)
        self._conditions = _conditions(row) if "when" in row or "unless" in row else ()
        self._below: _Section | None = None
        self._first = [_Section(section.rules, section.version, [(code, each)]) for each in row.get("first", ())]
        word = ""
        for each in row:
            if each in PREDICATES and word in ("", "required"):
                word = each
        self._predicate: Callable[..., Words | None] | None = PREDICATES.get(word)
        argument: Any = row.get(word)
        self._argument: Any = argument if isinstance(argument, (list, bool)) else [argument]
        if word in ("form", "keys"):
            self._argument = section.rules.forms[argument]
            self._rest = (*rest, "*") if word == "keys" else rest
            if hint := section.rules.data.get("hints", {}).get(argument):
                self._row = {"hint": hint, **row}

    def judge(self, here: _Here, value: Any, path: KeyPath) -> None:
        for wanted, name, steps, words in self._conditions:
            given = here.word(name, steps)
            if given == "" or given == []:
                given = None
            if (given is not None if "*" in words else given in words) != wanted:
                return
        if self._rest:
            self._visit(value, self._rest, path, here, here.seen)
        else:
            self._look(value, path, here, here.seen)

    def _visit(self, value: Any, steps: Steps, path: KeyPath, here: _Here, seen: set[Any]) -> None:
        if not steps:
            self._look(value, path, here, seen)
            return
        step, rest = steps[0], steps[1:]
        if step == "[]":
            around: set[Any] = set()
            for index, item in enumerate(value or ()):
                self._visit(item, rest, (*path, index), here, around)
        elif isinstance(value, dict) or self._missing:
            inner = value or {}
            for key in inner if step == "*" else step.split("|"):
                if self._missing or inner.get(key) is not None:
                    self._visit(inner.get(key), rest, (*path, key), here, seen)

    def _look(self, value: Any, path: KeyPath, here: _Here, seen: set[Any]) -> None:
        if self._predicate is not None:
            wrong = self._predicate(self._argument, value, path, seen)
            if wrong is not None:
                self._report(value, path, here, wrong)
        elif self._first:
            before = len(here.found)
            for each in self._first:
                if len(here.found) == before:
                    each.judge(here)
        elif isinstance(value, dict):
            if self._below is None:
                rules, row = self._section.rules, self._row
                rows = row["rows"] if "rows" in row else rules.data["sections"][row["use"]]
                self._below = _Section(rules, self._section.version, [(self._code, each) for each in rows])
            self._below.judge(_Here(value, path, here.words, seen, here.found))

    def _report(self, value: Any, path: KeyPath, here: _Here, wrong: Words) -> None:
        row, special = self._row, {"$value": value, "$key": path[-1] if path else "", **wrong}
        if "place" in row:
            path = (*here.path, *split(row["place"]))
        elif "$second" in wrong:
            path = (*path, wrong["$second"])
        message, hint = (_filled(row.get(key, ""), here, special) for key in ("say", "hint"))
        here.found.append((self._code, Finding(path, message, hint, row.get("severity", "error"))))


def split(at: str | list[str]) -> Steps:
    """`a.b[].c` as steps: a, b, [], c."""
    return at if isinstance(at, list) else at.replace("[]", ".[]").split(".") if at else ()


def _conditions(row: Words) -> Sequence[tuple[bool, str, Steps, list[Any]]]:
    """Whether each has to hold, its path, and its words."""
    return [
        (key == "when", path, path.split("."), words if isinstance(words, list) else [words])
        for key in ("when", "unless")
        for path, words in row.get(key, {}).items()
    ]


def _counts(row: Words, version: Version) -> bool:
    since, until = (tuple(map(int, row[key].split("."))) if key in row else None for key in ("since", "until"))
    return (since is None or version >= since) and (until is None or version < until)


def _filled(text: str, here: _Here, special: Words) -> str:
    if "{" not in text:
        return text
    import re

    def value(found: re.Match[str]) -> str:
        name = found[1]
        given = special[name] if name in special else here.word(name, name.split("."))
        return "" if given is None else str(given)

    return re.sub(r"\{([$\w][\w.-]*)\}", value, text)
