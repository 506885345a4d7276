"""What somebody most likely meant by a key that profiles do not have. Says nothing that would be wrong when followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unicodedata import category

from dynagen.compiled.reading import table
from dynagen.diagnostics import KeyPath, closest, misspelt, path_text
from dynagen.layers.finding import shipped_overlays
from dynagen.profile.schema import Schema, dereferenced
from dynagen.schema.conformance import Source
from dynagen.schema.sets import conforms
from dynagen.trees.nodes import value_at


class UnknownKeys:
    """The unknown keys of one profile. `data` is what it says, `source` its composed schema."""

    def __init__(self, data: Any, source: Source) -> None:
        self._data, self._source = data, source
        self._words: dict[str, Any] = table("profile/words.yaml")

    def hint(self, path: KeyPath, key: str, known: tuple[str, ...]) -> str:
        """What to do about `key`, which is unknown below `path`, where `known` are the keys that there are."""
        value = value_at(self._data, (*path, key))
        if odd := [character for character in key if character != " " and category(character) in ("Zs", "Cf")]:
            return f"it holds the invisible character U+{ord(odd[0]):04X}: type the key again"
        if not path and key in shipped_overlays():
            return f"add '{key}' to 'overlays'"
        near = closest(key, known)
        if near and misspelt(key, [near]) and near in (value_at(self._data, path) or ()):
            return f"'{near}' is there already"
        near = self._sibling(path, key, known, value)
        if near and misspelt(key, [near]):
            return f"did you mean '{near}'?"
        word = key.lower().replace("-", "").replace("_", "")
        if target := self.target(path, key):
            return self._instead(target, value)
        if sentence := self._words["sentences"].get(word):
            return str(sentence)
        if word in self._words["of_a_layer"]:
            return str(self._words["layer"])
        if near:
            return f"did you mean '{near}'?"
        elsewhere = [path_text(found) for found in self._elsewhere(key, value)]
        if elsewhere:
            return f"'{key}' is a key of {' and '.join(sorted(elsewhere)[:3])}"
        return "known keys: " + ", ".join(sorted(known))

    def target(self, path: KeyPath, key: str) -> KeyPath | None:
        """The key that says what a word from elsewhere means."""
        said = self._words["keys"].get(key.lower().replace("-", "").replace("_", ""))
        if said is None:
            return None
        first, *rest = said.split(".")
        worker = (
            path
            if path[:1] in (("agg",), ("disagg",))
            else ("disagg", "prefill")
            if "disagg" in self._data
            else ("agg",)
        )
        found = (*worker, *rest) if first == "WORKER" else (first, *rest)
        return None if found == (*path, key) else found

    def may_mean(self, path: KeyPath, key: str, missing: KeyPath) -> bool:
        """Whether `key` below `path` seems to be what is missing."""
        beside = path == missing[:-1] and closest(key, [str(missing[-1])]) is not None
        return beside or self.target(path, key) == missing

    def _instead(self, target: KeyPath, value: Any) -> str:
        text = path_text(target)
        if target[0] in shipped_overlays() and not self._knows(target[:1]):
            return f"say '{text}', with '{target[0]}' in 'overlays'"
        if value_at(self._data, target) is not None:
            return f"'{text}' is there already"
        if self._conforms(target, value):
            return f"did you mean '{text}'?"
        return f"say '{text}'"

    def _sibling(self, path: KeyPath, key: str, known: tuple[str, ...], value: Any) -> str | None:
        """The key beside it that is nearest, if that is not there yet and takes the value."""
        there = value_at(self._data, path) or ()
        near = closest(key, [each for each in known if each not in there])
        return near if near and self._conforms((*path, near), value) else None

    def _knows(self, path: KeyPath) -> bool:
        return self._node(path) is not None

    def _node(self, path: KeyPath) -> Any:
        schema = self._source.schema
        node = dereferenced(schema, schema)
        for key in path:
            node = node.get("properties", {}).get(key)
            if node is None:
                return None
            node = dereferenced(node, schema)
        return node

    def _conforms(self, path: KeyPath, value: Any) -> bool:
        node = self._node(path)
        return node is not None and conforms(value, node, self._source)

    def _elsewhere(self, key: str, value: Any) -> Iterator[KeyPath]:
        """The sections that have such a key and take its value."""
        schema: Schema = self._source.schema
        below: list[tuple[KeyPath, Any]] = [((), dereferenced(schema, schema))]
        for path, node in below:
            for name, inner in node.get("properties", {}).items():
                if name == key and path and self._conforms((*path, name), value):
                    yield path
                below.append(((*path, name), dereferenced(inner, schema)))
