"""The table of references, and an object in: the fields of it that name other objects out, found in one walk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.compiled.reading import table
from dynagen.diagnostics import KeyPath

Pattern = tuple[str, ...]


class Row:
    """A field that names an object; `to` is group/Kind, or `any`. table.yaml describes the rest."""

    __slots__ = (
        "form", "grant", "group", "keys", "kind", "name", "namespace", "only", "port", "port_default", "severity", "to",
    )  # fmt: skip

    def __init__(self, row: dict[str, Any]) -> None:
        self.to: str = row["to"]
        self.kind: str = row.get("kind", "")
        self.group: str = row.get("group", "")
        self.name: str = row.get("name", "name")
        self.keys: Pattern = split(row.get("keys", ""))
        self.port: str = row.get("port", "")
        self.port_default: int = row.get("portDefault", 0)
        self.form: str = row.get("form", "")
        self.namespace: str = row.get("namespace", "own")
        self.grant: bool = row.get("grant", False)
        self.only: str = row.get("only", "")
        self.severity: str = row.get("severity", "error")


class Found:
    """A field that is there: its row, its path and its value."""

    __slots__ = ("path", "row", "value")

    def __init__(self, row: Row, path: KeyPath, value: Any) -> None:
        self.row, self.path, self.value = row, path, value


class _Node:
    """One step of all patterns of a kind: what is named here, and what to look at below."""

    __slots__ = ("children", "rows")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.children: list[tuple[str, _Node]] = []


def split(text: str | Sequence[str]) -> Pattern:
    """`a.b[].c` as steps: a, b, [], c."""
    if not isinstance(text, str):
        return tuple(text)
    return tuple(text.replace("[]", ".[]").split(".")) if text else ()


def at(value: Any, pattern: Pattern, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """The values at a pattern, with their paths."""
    if not pattern:
        yield path, value
        return
    step, rest = pattern[0], pattern[1:]
    if step == "[]":
        for index, item in enumerate(value) if isinstance(value, list) else ():
            yield from at(item, rest, (*path, index))
    elif isinstance(value, dict) and step == "*":
        for key, item in value.items():
            yield from at(item, rest, (*path, key))
    elif isinstance(value, dict) and step in value:
        yield from at(value[step], rest, (*path, step))


class Table:
    """The table, prepared as far as it was used. `data` is as it is written; table.yaml says what its keys mean."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = table("verify/references/table.yaml")
        self._kinds: dict[str, _Node] = {}
        self._sections: dict[str, _Node] = {}

    def references(self, key: str, value: Any) -> list[Found]:
        """All fields of an object of kind `key` (group/Kind) that name others."""
        found: list[Found] = []
        if rows := self.data["kinds"].get(key):
            if key not in self._kinds:
                self._kinds[key] = self._prepared(rows)
            _walk(self._kinds[key], value, (), found)
        return found

    def references_of_pod(self, spec: Any, path: KeyPath) -> list[Found]:
        """The same for the spec of a pod, which is at `path`."""
        found: list[Found] = []
        _walk(self._section("podSpec"), spec, path, found)
        return found

    def _section(self, name: str) -> _Node:
        if name not in self._sections:
            self._sections[name] = self._prepared(self.data["sections"][name])
        return self._sections[name]

    def _prepared(self, rows: Sequence[dict[str, Any]]) -> _Node:
        top = _Node()
        own: dict[Pattern, _Node] = {(): top}  # nodes of a section are shared: nothing is added to them
        for row in rows:
            node, pattern = top, split(row["at"])
            for length, step in enumerate(pattern, 1):
                if pattern[:length] not in own:
                    own[pattern[:length]] = _Node()
                    node.children.append((step, own[pattern[:length]]))
                node = own[pattern[:length]]
            if "use" in row:
                used = self._section(row["use"])
                node.rows += used.rows
                node.children += used.children
            else:
                node.rows.append(Row(row))
        return top


def _walk(node: _Node, value: Any, path: KeyPath, found: list[Found]) -> None:
    for row in node.rows:
        found.append(Found(row, path, value))
    if isinstance(value, dict):
        for step, child in node.children:
            if step in value:
                _walk(child, value[step], (*path, step), found)
            elif step == "*":
                for key, item in value.items():
                    _walk(child, item, (*path, key), found)
    elif isinstance(value, list):
        for step, child in node.children:
            if step == "[]":
                for index, item in enumerate(value):
                    _walk(child, item, (*path, index), found)
