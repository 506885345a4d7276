"""Files with published types in, sets of schemas on disk out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from dynagen.schema_import import openapi
from dynagen.schema_import.errors import ImportRefused
from dynagen.schema_import.kinds import (
    Kind,
    check_names,
    from_definition,
    from_schema,
    guessed_names,
    is_definition,
)
from dynagen.schema_import.placing import put_in_place
from dynagen.schema_import.read import documents
from dynagen.schema_import.set_files import (
    SOURCES,
    catalogue_of,
    catalogue_text,
    entry_name,
    entry_text,
    grouped,
    kind_facts,
    kind_files,
    read_catalogue,
    sets_files,
    store_text,
)
from dynagen.text.paths import SCHEMAS

SOURCE_FACTS = ("repository", "path", "commit", "date", "version")


class Told(NamedTuple):
    """What a bare JSON Schema does not say about itself."""

    group: str
    version: str
    kind: str
    scope: str = "Namespaced"


class _Set:
    """The files of one set and its entry in `SOURCES.yaml`, under construction."""

    def __init__(self, known: list[dict[str, Any]], open_store: Callable[[], openapi.Store]) -> None:
        """`known` are the kinds that `SOURCES.yaml` lists; the store is opened when built-in kinds turn up."""
        self.files: dict[str, str] = {}
        self.found: list[Kind] = []
        self.kinds: list[dict[str, Any]] = []
        self.builtin: dict[str, list[str]] = {}
        self._known, self._open_store = known, open_store

    def take(self, file: Path, told: Told | None) -> None:
        """Adds what `file` holds. Raises ImportRefused."""
        shown = str(file)
        found = 0
        for document in documents(file):
            found += 1
            if is_definition(document):
                self._add(from_definition(document, shown), shown)
            elif openapi.is_openapi(document):
                self._add_builtin(document, shown)
            elif "properties" in document and "apiVersion" not in document:
                self._add(self._bare(document, file, told), shown)
            elif set(document) & {"apiVersion", "kind"}:
                continue  # a Namespace or a Deployment among the CRDs of an installation file
            else:
                raise ImportRefused(
                    shown, "neither a CustomResourceDefinition nor a JSON Schema nor an OpenAPI document"
                )
        if not found or not self.files:
            raise ImportRefused(shown, "holds no CustomResourceDefinition and no schema")

    def _add(self, kind: Kind, shown: str) -> None:
        files = kind_files(kind)
        if taken := sorted(files.keys() & self.files.keys()):
            raise ImportRefused(shown, f"'{taken[0]}' is there already, from another file")
        self.files.update(files)
        self.found.append(kind)
        self.kinds.append(kind_facts(kind))

    def _bare(self, document: dict[str, Any], file: Path, told: Told | None) -> Kind:
        shown = str(file)
        if told:
            return from_schema(document, shown, told.group, told.version, guessed_names(told.kind), told.scope)
        for known in self._known:
            for version in known["versions"]:
                if file.stem == f"{known['names']['kind'].lower()}_{version['name']}":
                    return from_schema(document, shown, known["group"], version["name"], known["names"], known["scope"])
        raise ImportRefused(shown, "a JSON Schema does not say what it is the schema of: add --kind GROUP/VERSION/KIND")

    def _add_builtin(self, document: dict[str, Any], shown: str) -> None:
        cluster = next(documents(SCHEMAS / "cluster-scoped.yaml"))
        kinds = openapi.add_bundle(document, shown, self._open_store())
        for (group, version, kind), reference in kinds.items():
            scope = "Cluster" if kind in cluster.get(group, ()) else "Namespaced"
            place = f"../../{openapi.STORE}/{reference}"
            self.files[entry_name(group, version, kind)] = entry_text(group, version, kind, scope, place, {})
        self.builtin = grouped(kinds)

    def entry(self, sources: list[dict[str, Any]]) -> dict[str, Any]:
        kinds = sorted(self.kinds, key=lambda kind: (kind["group"], kind["names"]["kind"]))
        return {"sources": sources, "kinds": self.builtin or kinds}


def import_files(files: Sequence[Path], folder: Path, told: Told | None, facts: dict[str, str]) -> list[str]:
    """Makes or extends the set in `folder`. Returns the kinds' files, relative to it. Raises ImportRefused, OSError."""
    at, name = catalogue_of(folder)
    catalogue = read_catalogue(at)
    entry = catalogue["sets"].get(name, {})
    known = _known_kinds(at, name, entry)
    store = folder.resolve().parent / openapi.STORE
    open_store = cache(lambda: read_store(store))
    fresh = _Set(known, open_store)
    for file in files:
        fresh.take(file, told if len(files) == 1 else None)
    kept = {path.relative_to(folder).as_posix(): path for path in folder.glob("*/*.json")} if folder.is_dir() else {}
    _refuse_foreign(folder, kept)
    again = {_place(kind) for kind in fresh.kinds}
    content = {name: path.read_text("utf-8") for name, path in kept.items() if name.rpartition("_")[0] not in again}
    content |= fresh.files
    fresh.kinds += [kind for kind in known if _place(kind) not in again]
    catalogue["sets"][name] = fresh.entry(_sources(entry, files, facts))
    folders = {folder.resolve(): content}
    if fresh.builtin:
        folders[store] = _store_files(open_store())
    if name == ".":
        content[SOURCES] = catalogue_text(catalogue)
        put_in_place(folders, {})
    else:
        put_in_place(folders, {at: catalogue_text(catalogue)})
    return sorted(fresh.files)


def _place(kind: dict[str, Any]) -> str:
    """The part of the files' names that all versions of a kind share."""
    return f"{kind['group']}/{kind['names']['kind'].lower()}"


def _known_kinds(catalogue: Path, name: str, entry: Any) -> list[dict[str, Any]]:
    """The custom resources that an entry lists; built-in ones are listed in another shape."""
    kinds = entry.get("kinds") if isinstance(entry, dict) else None
    if not isinstance(kinds, list):
        return []
    try:
        for kind in kinds:
            names = [version["name"] for version in kind["versions"]]
            check_names(str(catalogue), kind["group"], kind["names"]["kind"], *names)
    except (KeyError, TypeError) as error:
        raise ImportRefused(str(catalogue), f"set '{name}': 'kinds' is not what an import writes") from error
    return kinds


def _refuse_foreign(folder: Path, kept: dict[str, Path]) -> None:
    """The folder is replaced as a whole, so nothing of the user's may be in it."""
    ours = {*(path.resolve() for path in kept.values()), (folder / SOURCES).resolve()}
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file() and path.resolve() not in ours:
            raise ImportRefused(
                str(folder), f"holds '{path.relative_to(folder)}', which is no schema: give -o a folder of its own"
            )


def _sources(entry: dict[str, Any], files: Sequence[Path], facts: dict[str, str]) -> list[dict[str, Any]]:
    """The entry's sources, the one with these files brought up to date."""
    names = sorted(file.name for file in files)
    sources: list[dict[str, Any]] = [dict(source) for source in entry.get("sources", [])]
    for source in sources:
        if set(names) & set(source.get("files", ())):
            source.update(facts, files=sorted({*source["files"], *names}))
            return sources
    return [*sources, {**facts, "files": names}]


def import_all(shared: Sequence[Path], root: Path) -> dict[str, int]:
    """Makes every set of `root/SOURCES.yaml` anew from the files below `shared`; the store holds nothing else then.

    The first of these folders that has a file counts. Returns how many files each set has. A set whose files are not in `from` of
    its entry is refused.
    """
    catalogue = read_catalogue(root / SOURCES)
    store = openapi.Store()
    folders: dict[Path, dict[str, str]] = {}
    custom: dict[str, list[Kind]] = {}
    for name in sorted(catalogue["sets"]):
        entry = catalogue["sets"][name]
        fresh = _Set(_known_kinds(root / SOURCES, name, entry), lambda: store)
        for file in _named_files(root / SOURCES, name, entry):
            fresh.take(next((folder / file for folder in shared if (folder / file).is_file()), shared[-1] / file), None)
        folders[root / name] = fresh.files
        custom[name] = fresh.found
        catalogue["sets"][name] = fresh.entry(entry["sources"])
    for name, files in sets_files(custom, store).items():
        folders[root / name] = {**folders[root / name], **files}
    folders[root / openapi.STORE] = _store_files(store)
    put_in_place(folders, {root / SOURCES: catalogue_text(catalogue)})
    return {folder.name: len(files) for folder, files in folders.items()}


def _named_files(catalogue: Path, name: Any, entry: Any) -> list[str]:
    """The files of a set, below the folder that holds all of them."""
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][-a-z0-9.]*", name) or name == openapi.STORE:
        raise ImportRefused(str(catalogue), f"'{name}' is no name of a set")
    try:
        return [f"{source['from']}/{file}" for source in entry["sources"] for file in source["files"]]
    except (KeyError, TypeError) as error:
        raise ImportRefused(str(catalogue), f"set '{name}': each of 'sources' needs 'from' and 'files'") from error


def read_store(folder: Path) -> openapi.Store:
    """The shared definitions in `folder`, none if it is not there. Raises ImportRefused if it holds anything else."""
    found = {}
    if folder.is_dir() and (others := sorted(path.name for path in folder.iterdir() if path.suffix != ".json")):
        raise ImportRefused(str(folder), f"holds '{others[0]}', which is no schema")
    for file in sorted(folder.glob("*.json")):
        try:
            found[file.name] = json.loads(file.read_bytes())["$defs"]
        except (ValueError, KeyError, TypeError) as error:
            raise ImportRefused(str(file), "is not what `dynagen schemas import` writes") from error
    return openapi.Store(found)


def _store_files(store: openapi.Store) -> dict[str, str]:
    return {name: store_text(definitions) for name, definitions in store.files.items()}
