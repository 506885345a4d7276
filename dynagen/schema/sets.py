"""Kind and version in, its JSON Schema out: what conforms, what a problem is, and by which key a list merges.

A *set* is a folder that `dynagen schemas import` writes: `<group>/<kind>_<version>.json`. `v1` stands for the core
group, as it does in kubeconform. Files are read when they are needed, once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynagen.diagnostics import misspelt
from dynagen.memory import Memory
from dynagen.schema.conformance import Json, Source, conforms, read_source
from dynagen.text.paths import SCHEMAS, is_file

if TYPE_CHECKING:
    from dynagen.diagnostics import KeyPath
    from dynagen.schema.defined import Definition
    from dynagen.schema.explanation import Violation

__all__ = ["Node", "Schema", "Schemas", "conforms", "open_schemas", "problems"]

SCOPE = "x-dynagen-scope"
# Kinds and versions are DNS labels, groups are DNS subdomains.
# source: ValidateCustomResourceDefinitionSpec in kubernetes/apiextensions-apiserver, pkg/apis/apiextensions/validation
MAX_LABEL, MAX_SUBDOMAIN = 63, 253


def open_schemas(folders: Sequence[Path], memory: Memory) -> Schemas:
    """The schemas on a search path; of shipped sets alone they are kept, for the next profile."""
    if all(folder.parent == SCHEMAS for folder in folders):
        return memory.once(Schemas, tuple(folders))
    return Schemas(folders)


class Schemas:
    """A search path of sets."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = self._folders = tuple(folders)
        self._sources: dict[Path, Source] = {}
        self._found: dict[tuple[str, str], Schema | None] = {}

    def find(self, api_version: str, kind: str) -> Schema | None:
        """The schema from the first folder that has one."""
        key = (api_version, kind)
        if key not in self._found:
            self._found[key] = self._find(api_version, kind)
        return self._found[key]

    def _find(self, api_version: str, kind: str) -> Schema | None:
        group, _, version = api_version.rpartition("/")
        # What a manifest calls itself must not lead out of the folder, nor be too long for the name of a file.
        if not (
            kind.isascii() and kind.isalnum() and _is_name(version) and (_is_name(group) or "/" not in api_version)
        ):
            return None
        if len(kind) > MAX_LABEL or len(version) > MAX_LABEL or len(group) > MAX_SUBDOMAIN:
            return None
        for folder in self._folders:
            file = folder / (group or version) / f"{kind.lower()}_{version}.json"
            if is_file(file):
                return Schema(api_version, kind, file, self.open(file))
        return None

    def definition(self, api_version: str, kind: str) -> Definition | None:
        """What defines a kind, where that is no set but an object beside the objects."""
        return None

    @cached_property
    def shipped(self) -> Schemas:
        """The same without sets of users."""
        return Schemas([folder for folder in self._folders if folder.parent == SCHEMAS])

    def near(self, api_version: str, kind: str) -> tuple[Sequence[str], str | None]:
        """Of a kind that is not found: the API versions that have it, the likeliest first, and else a kind spelt alike."""
        files = [file for folder in self._folders for file in sorted(folder.glob("*/*_*.json"))]
        same = [file for file in files if file.stem.rpartition("_")[0] == kind.lower()]
        if same:
            group = api_version.rpartition("/")[0]
            own = [file for file in same if file.parent.name == group]
            found = {_api_version(file): file for file in own or same}
            return sorted(found, key=lambda each: _maturity(each.rpartition("/")[2])), None
        beside = {file.stem.rpartition("_")[0]: file for file in files if _api_version(file) == api_version}
        word = misspelt(kind, beside)
        return [], _kind(self.open(beside[word])) if word else None

    def open(self, file: Path) -> Source:
        """A file of one of the sets, read once. Raises LookupError for one outside, and what `read_source` raises."""
        if ".." in file.parts and file.is_relative_to(SCHEMAS):
            file = Path(os.path.normpath(file))  # what sets share is read once
        source = self._sources.get(file)
        if source is None:
            source = self._sources[file] = self._read(file)
        return source

    def _read(self, file: Path) -> Source:
        file = Path(os.path.normpath(file))
        if file.is_relative_to(SCHEMAS):
            return read_source(file, self.open)
        # Sets share parts, in a folder beside them; `broken_schemas` lets nobody else's set lead there.
        stores = [folder.parent / "kubernetes" for folder in self._folders]
        homes = (folder for folder in (*self._folders, *stores) if file.is_relative_to(os.path.normpath(folder)))
        home = next(homes, None)
        if home is None:
            raise LookupError(f"'{file}' lies outside of its set")
        return read_source(file, self.open, home)


def _api_version(file: Path) -> str:
    version = file.stem.rpartition("_")[2]
    return version if file.parent.name == version else f"{file.parent.name}/{version}"


def _maturity(version: str) -> tuple[bool, bool, int]:
    """v2 before v1 before v1beta1 before v1alpha1."""
    number = re.match(r"v(\d+)", version)
    return "alpha" in version, "beta" in version, -int(number[1]) if number else 0


def _kind(source: Source) -> str | None:
    """The kind that a schema is for, in its own spelling."""
    words = source.schema.get("properties", {}).get("kind", {}).get("enum", [])
    return words[0] if words else None


def _is_name(text: str) -> bool:
    return text.isascii() and text.replace("-", "").replace(".", "").isalnum()  # so neither `..` nor a slash


class Schema:
    """The schema of one kind in one version. `file` is None for one that is in no set."""

    def __init__(self, api_version: str, kind: str, file: Path | None, source: Source) -> None:
        self.api_version, self.kind, self.file = api_version, kind, file
        self.namespaced: bool = source.schema.get(SCOPE) != "Cluster"
        self.is_shipped = file is not None and file.is_relative_to(SCHEMAS)
        self.root = Node(source.schema, source)
        self.source = source

    def conforms(self, manifest: Any) -> bool:
        return conforms(manifest, self.source.schema, self.source)

    def problems(self, manifest: Any) -> list[Violation]:
        """Why not, sorted by path; empty exactly when the manifest conforms. What is in a Secret is never quoted."""
        from dynagen.schema.explanation import find_problems

        return find_problems(manifest, self.source.schema, self.source, secret=self.kind == "Secret")

    def repeated(self, manifest: Any) -> Iterator[tuple[KeyPath, tuple[Any, ...]]]:
        """The items of lists that have the keys of an earlier one, with those keys: an API server refuses them.

        JSON Schema cannot say this, so neither `conforms` nor kubeconform knows. Defaults of keys are filled in.
        """
        lists: list[tuple[KeyPath, list[Any]]] = []
        _find_lists(manifest, (), lists)
        for path, items in lists:
            node = self.root.at(path)
            keys = node.get("x-kubernetes-list-map-keys") if node else None
            if node and keys:
                yield from _repeated(items, keys, node.child(0), path)


def is_custom(schema: Schema) -> bool:
    """Whether the kind is that of a CRD, and not one that API servers have built in."""
    folders = schema.file.parents[:3] if schema.file is not None else ()
    return not any(folder.name.startswith("kubernetes") for folder in folders)


def _find_lists(value: Any, path: KeyPath, found: list[tuple[KeyPath, list[Any]]]) -> None:
    """The lists in a value in which something could be twice."""
    if isinstance(value, list) and len(value) > 1 and isinstance(value[0], dict):
        found.append((path, value))
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if inner and isinstance(inner, (dict, list)):
            _find_lists(inner, (*path, key), found)


def _repeated(
    items: list[Any], keys: Sequence[str], node: Node | None, path: KeyPath
) -> Iterator[tuple[KeyPath, tuple[Any, ...]]]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if isinstance(item, dict):
            identity = tuple(item.get(name, _default(node, name) if node else None) for name in keys)
            if repr(identity) in seen:
                yield (*path, index), identity
            seen.add(repr(identity))


def _default(node: Node, name: str) -> Any:
    child = node.child(name)
    return child.default if child else None


def problems(value: Any, schema: Json) -> list[Violation]:
    """The same for any value and a schema that stands alone."""
    from dynagen.schema.explanation import find_problems

    return find_problems(value, schema, Source(schema))


_MOST_KEPT = 200


class Node:
    """One place in a schema. Its own keywords win over those behind its `$ref`. Places below are made once."""

    __slots__ = ("_below", "_schema", "_source")

    def __init__(self, schema: Any, source: Source) -> None:
        self._schema, self._source = schema, source
        self._below: dict[str | int, Node | None] = {}

    def child(self, key: str | int) -> Node | None:
        """The place of a property, or of the items of a list for a number. None if the schema says nothing about it."""
        step = 0 if isinstance(key, int) else key
        if step in self._below:
            return self._below[step]
        found = self._child(step)
        if len(self._below) < _MOST_KEPT:  # keys of maps can be many
            self._below[step] = found
        return found

    def _child(self, key: str | int) -> Node | None:
        schema, source = self._schema, self._source
        while isinstance(schema, dict):
            inner = schema.get("items") if isinstance(key, int) else schema.get("properties", {}).get(key)
            if inner is not None:
                return Node(inner, source)
            if "$ref" in schema:
                schema, source = source.resolve(schema["$ref"])
                continue
            inner = schema.get("additionalProperties")
            return Node(inner, source) if isinstance(inner, dict) and isinstance(key, str) else None
        return None

    def at(self, path: Iterable[str | int]) -> Node | None:
        """The place at the end of a path."""
        node: Node | None = self
        for key in path:
            node = node.child(key) if node else None
        return node

    def get(self, keyword: str) -> Any:
        """The value of a keyword here, or None."""
        schema, source = self._schema, self._source
        while isinstance(schema, dict):
            if keyword in schema:
                return schema[keyword]
            if "$ref" not in schema:
                break
            schema, source = source.resolve(schema["$ref"])
        return None

    @property
    def merge_keys(self) -> tuple[str, ...]:
        """The properties that tell the items of this list apart; () when the list is replaced as a whole."""
        keys = self.get("x-kubernetes-list-map-keys")
        if keys:
            return tuple(keys)
        # `status.conditions` of a Job names a key and has no strategy: such a list is replaced.
        key = self.get("x-kubernetes-patch-merge-key")
        return (key,) if key and "merge" in (self.get("x-kubernetes-patch-strategy") or "") else ()

    @property
    def default(self) -> Any:
        return self.get("default")
