"""Finds layers, and reads what is in them.

A layer is a folder; the folder is its name. `layer.yaml` may hold defaults for the profile, `schema.json` the schema of
its section of the profile, `facts/` data, `resources/` objects it adds, `patches/` changes to objects that are there,
`overrides/` changes after those of all layers, `common/` what every object has, `external/` objects that the cluster has already, `schemas/` a set of
schemas for kinds of its own. Nothing lists layers; the library looks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dynagen.compiled.reading import LOOKED_UP, look_up
from dynagen.diagnostics import Origin, Position, Report, closest
from dynagen.memory import Memory
from dynagen.text.document import Document
from dynagen.text.opening import MAX_BYTES, read_bytes
from dynagen.text.paths import BASE, OVERLAYS, ROOT, is_file, is_there, lies_in
from dynagen.text.source import parse, read
from dynagen.trees.nodes import Leaf, List, Map, Tree

_PARTS = ("layer.yaml", "schema.json", "resources", "patches", "overrides", "common", "external", "facts", "schemas")
_RENDERED = ("resources", "patches", "overrides", "common", "external")


class Layer(NamedTuple):
    """A layer on disk. `shown` is its folder as messages name it; shipped layers are trusted and parsed beforehand.

    `memory` holds what has been read of it.
    """

    name: str
    folder: Path
    shown: str
    memory: Memory
    is_shipped: bool = False

    @property
    def schema_file(self) -> Path:
        return self.folder / "schema.json"

    @property
    def schemas_folder(self) -> Path:
        return self.folder / "schemas"


def shipped_overlays() -> list[str]:
    return sorted(entry.name for entry in OVERLAYS.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def base_layer(memory: Memory) -> Layer:
    return _shipped_layer("base", BASE, memory)


def gke_layer(memory: Memory) -> Layer:
    """The layer that knows what clusters of GKE have built in."""
    return _shipped_layer("gke", OVERLAYS / "gke", memory)


def _shipped_layer(name: str, folder: Path, memory: Memory) -> Layer:
    return Layer(name, folder, folder.relative_to(ROOT).as_posix(), memory, is_shipped=True)


def find_overlay(entry: str, at: Position, home: Path, root: Path, report: Report, memory: Memory) -> Layer | None:
    """The layer an entry of `overlays` names: a shipped one, or a folder relative to `home`, the profile's folder.

    A folder must lie below `root`, also after its symbolic links are followed. Reports DG301 to DG303.
    """
    if not (entry.startswith("./") or "/" in entry or entry in (".", "..")):
        if entry in memory.once(shipped_overlays):
            return _shipped_layer(entry, OVERLAYS / entry, memory)
        near = closest(entry, shipped_overlays())
        hint = f"shipped: {', '.join(shipped_overlays())}; a folder of your own begins with './'"
        report.add("DG301", f"no overlay '{entry}'", at, f"did you mean '{near}'?" if near else hint)
        return None
    folder = home / entry
    try:
        resolved = folder.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        report.add(
            "DG301", f"no overlay folder '{entry}'", at, hint=f"it is looked for beside the profile, in '{home}'"
        )
        return None
    if not lies_in(resolved, root):
        report.add(
            "DG303", f"overlay '{entry}' lies outside of '{root}'", at,
            hint="move it below the profile's folder, or allow a wider folder with --root",
        )  # fmt: skip
        return None
    if not resolved.is_dir():
        report.add("DG302", f"overlay '{entry}' is not a folder", at)
        return None
    layer = Layer(resolved.name, resolved, Path(os.path.normpath(folder)).as_posix(), memory)
    if not any(is_there(resolved / name) for name in _PARTS):
        report.add("DG302", f"overlay '{entry}' holds no layer", at, hint="expected one of: " + ", ".join(_PARTS))
        return None
    for name in sorted(part.name for part in resolved.iterdir()):
        near = closest(name, _PARTS)
        if near and name not in _PARTS and (abs(len(near) - len(name)) < 2 or near.startswith(name)):
            report.add(
                "DG305", f"'{layer.shown}/{name}' is no part of a layer, so nobody reads it", at,
                hint=f"did you mean '{near}'?", severity="warning",
            )  # fmt: skip
    return layer


def looks_like_layer(folder: Path) -> bool:
    """Whether a folder is most likely a layer, though no profile names it: it has a layer.yaml, or expressions."""
    if is_file(folder / "layer.yaml"):
        return True
    for name in _RENDERED if any(is_there(folder / name) for name in _RENDERED) else ():
        for file in yaml_files(folder, name):
            try:
                if b"${" in read_bytes(folder / file, MAX_BYTES):
                    return True
            except (OSError, ValueError):
                continue
    return False


def documents(layer: Layer, name: str, report: Report) -> list[Document]:
    """The documents of one file of a layer. A symbolic link that leaves the layer is refused (DG303)."""
    if layer.is_shipped and (known := layer.memory.once(_shipped_documents, layer, name)) is not None:
        return known
    shown = f"{layer.shown}/{name}"
    text = text_of(layer, name, report)
    if text is None:
        return []
    # What a comment in the text silences has to be noted each time.
    known = None if "dynagen:" in text else layer.memory.once(_parsed, text, shown)
    return known or parse(text, shown, report)


def text_of(layer: Layer, name: str, report: Report) -> str | None:
    """The text of one file of a layer: every one of them is opened here. Reports DG303 for a link that leaves the layer."""
    path, shown = layer.folder / name, f"{layer.shown}/{name}"
    if not layer.is_shipped and not lies_in(path, layer.folder):
        report.add("DG303", f"'{shown}' leads out of its layer's folder", Position(shown), hint="copy the file")
        return None
    return read(path, shown, report, only_regular=True)


def _shipped_documents(layer: Layer, name: str) -> list[Document] | None:
    """Those of a file that was parsed when the package was built. Nobody changes it while we run."""
    text = read(layer.folder / name, name, Report(), only_regular=True)
    return None if text is None else look_up(layer.shown, name, text, layer.memory)


def _parsed(text: str, shown: str) -> list[Document] | None:
    """The documents of a text in which nothing is wrong. Many profiles share a layer."""
    report = Report()
    found = parse(text, shown, report)
    if report.diagnostics:
        return None
    for document in found:
        document.is_shared = True
    return found


def files(layer: Layer, folder: str) -> list[str]:
    """The YAML files of a layer's folder and below, as sorted relative names."""
    if layer.is_shipped:
        return layer.memory.once(yaml_files, layer.folder, folder)
    return yaml_files(layer.folder, folder)


def yaml_files(top_folder: Path, folder: str) -> list[str]:
    found: list[str] = []
    top = str(top_folder)
    for parent, folders, names in os.walk(os.path.join(top, folder)):  # noqa: PTH118  # pathlib is slow, and this is every call
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = parent[len(top) + 1 :].replace(os.sep, "/")
        found += [f"{here}/{name}" for name in names if name.endswith((".yaml", ".yml")) and not name.startswith(".")]
    return sorted(found)


def defaults(layer: Layer, report: Report) -> Document | None:
    """What `layer.yaml` says about the profile: a document with the content of its key `defaults`."""
    if not is_there(layer.folder / "layer.yaml"):
        return None
    found = documents(layer, "layer.yaml", report)
    if not found:
        return None
    document = found[0]
    if document.data is None:
        return None
    known = {"description": str, "defaults": dict}
    if not isinstance(document.data, dict):
        report.add("DG305", "layer.yaml must be a mapping", document.at(), hint="known keys: " + ", ".join(known))
        return None
    for key, value in document.data.items():
        if key not in known:
            near = closest(key, known)
            hint = f"did you mean '{near}'?" if near else "known keys: " + ", ".join(known)
            report.add("DG305", f"unknown key '{key}' in layer.yaml", document.at((key,)), hint)
        elif not isinstance(value, known[key]):
            report.add("DG305", f"'{key}' must be a {'mapping' if known[key] is dict else 'text'}", document.at((key,)))
    content = document.data.get("defaults")
    if not isinstance(content, dict):
        return None
    return _part(document, "defaults")


def _part(document: Document, key: str) -> Document:
    """The document under a key at the top, with its marks."""
    positions = document.walk()
    next(positions)
    for name, value in document.data.items():
        marks = [mark for _, at in zip(range(_size(value)), positions, strict=False) for mark in at[1:]]
        if name == key:
            return Document(document.file, value, marks)
    raise KeyError(key)


def _size(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_size(item) for item in inner)


def facts_file(layer: Layer, only: str) -> str:
    """The file of facts with this name, or with `.yml` for its `.yaml`; empty when there is none."""
    names = (only, f"{only.removesuffix('.yaml')}.yml") if only else ()
    return next((name for name in names if is_file(layer.folder / name)), "")


def fact_files(layer: Layer) -> list[str]:
    """The files of facts without what is looked up."""
    return [name for name in files(layer, "facts") if not name.startswith(LOOKED_UP)]


def facts(layer: Layer, report: Report, only: str = "") -> Iterator[Map]:
    """The facts of a layer, one tree a file, as `fact_documents` finds them."""
    for keys, document in fact_documents(layer, report, only):
        tree: Tree = plain_tree(document.data, document.walk())
        for key in reversed(keys):
            tree = Map({key: tree}, tree.origin)
        assert isinstance(tree, Map)
        yield tree


def fact_documents(layer: Layer, report: Report, only: str = "") -> Iterator[tuple[tuple[str, ...], Document]]:
    """The files of facts, with their place: `facts/gpus/nvidia-l4.yaml` holds what is at `facts.gpus['nvidia-l4']`.

    Without what is looked up; `only` is the name of such a file, for example `facts/models/Qwen.yaml`.
    """
    for name in [facts_file(layer, only)] if only else fact_files(layer):
        if not name:
            continue
        for document in documents(layer, name, report):
            if isinstance(document.data, dict):
                yield Path(name).with_suffix("").parts[1:], document
            else:
                report.add("DG305", "a file of facts must be a mapping", document.at())


def plain_tree(value: Any, positions: Iterator[Position]) -> Tree:
    origin = Origin(next(positions))
    if isinstance(value, dict):
        return Map({key: plain_tree(inner, positions) for key, inner in value.items()}, origin)
    if isinstance(value, list):
        return List([plain_tree(inner, positions) for inner in value], origin)
    return Leaf(value, origin)


def document_tree(document: Document) -> Map:
    """A document that is a mapping, as a tree whose leaves know where they were written."""
    tree = plain_tree(document.data, document.walk())
    assert isinstance(tree, Map)
    return tree
