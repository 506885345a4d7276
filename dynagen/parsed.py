"""The shipped layers, parsed and compiled once when the package is built, because that costs more than all the rest.

A parsed file counts only while its text is the one that was parsed, so a checkout never shows yesterday's layer.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

from dynagen.cel import Program, known_programs
from dynagen.data import BASE, OVERLAYS, ROOT, SCHEMAS
from dynagen.diagnostics import Report
from dynagen.expressions import compile_expressions
from dynagen.source import Document, parse

_FOLDER = ROOT / "parsed"
_stores: dict[str, dict[str, Any]] = {}


def look_up(layer: str, name: str, text: str) -> list[Document] | None:
    """The documents of a shipped layer's file; None when they are not known for this text."""
    store = _store_of(layer, name)
    if store not in _stores:
        _stores[store] = _open(store)
    entry = _stores[store].get(name)
    if entry is None or entry["text"] != _fingerprint(text):
        return None
    return [Document(f"{layer}/{name}", data, marks) for data, marks in entry["documents"]]


def _store_of(layer: str, name: str) -> str:
    """One for a layer, and one more for each file that a profile looks up: `base`, `base/facts/models/Qwen`."""
    return f"{layer}/{name.rsplit('.', 1)[0]}" if name.startswith(("facts/models/", "facts/flags/")) else layer


def _open(layer: str) -> dict[str, Any]:
    try:
        store = json.loads(_file_of(layer).read_bytes())
        programs = {
            text: Program(a2b_base64(program), tuple(map(tuple, reads)))
            for text, (program, reads) in store["expressions"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a checkout whose layers nobody has parsed yet
    known_programs.update(programs)
    files: dict[str, Any] = store["files"]
    return files


def _file_of(store: str) -> Path:
    return _FOLDER / f"{store.replace('/', '-')}.json"


def _fingerprint(text: str) -> list[int]:
    """Tells an edited file from the parsed one; nobody forges a layer against himself."""
    raw = text.encode()
    return [len(raw), crc32(raw)]


def write_all() -> Path:
    """Parses all shipped layers. Returns the folder with one JSON file per layer."""
    _FOLDER.mkdir(exist_ok=True)
    for layer in [BASE, *sorted(folder for folder in OVERLAYS.iterdir() if folder.is_dir())]:
        shown = layer.relative_to(ROOT).as_posix()
        stores: dict[str, dict[str, Any]] = {shown: {}}
        programs: dict[str, Program] = {}
        for path in sorted(layer.rglob("*.yaml")):
            name, report = path.relative_to(layer).as_posix(), Report()
            text = path.read_text("utf-8")
            documents = parse(text, f"{shown}/{name}", report)
            if report.diagnostics:
                continue  # it is parsed, and reported, when somebody uses it
            entry = {"text": _fingerprint(text), "documents": [[each.data, each.marks] for each in documents]}
            stores.setdefault(_store_of(shown, name), {})[name] = entry
            for scalar in _scalars([each.data for each in documents]):
                programs |= compile_expressions(scalar)
        for schema in [layer / "schema.json", *([SCHEMAS / "profile.json"] if layer == BASE else [])]:
            if schema.is_file():
                for rule in _rules(json.loads(schema.read_bytes())):
                    programs |= compile_expressions(f"${{{rule}}}")
        expressions = {
            text: [b2a_base64(program.serialized, newline=False).decode(), program.reads]
            for text, program in programs.items()
        }
        for store, files in stores.items():
            target = _file_of(store)
            partial = target.with_suffix(".partial")
            content = {"files": files, "expressions": expressions if store == shown else {}}
            partial.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), "utf-8")
            partial.replace(target)
    return _FOLDER


def _rules(schema: Any) -> Iterator[str]:
    """The CEL rules of a schema, from everywhere in it."""
    if isinstance(schema, dict):
        for rule in schema.get("x-kubernetes-validations", ()):
            yield rule["rule"]
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _rules(inner)


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _scalars(inner)
