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
_PACKAGE = Path(__file__).resolve().parent
_TABLES = ("verify/references/table.yaml",)
_stores: dict[str, dict[str, Any]] = {}


def look_up(layer: str, name: str, text: str) -> list[Document] | None:
    """The documents of a shipped layer's file; None when they are not known for this text."""
    if layer not in _stores:
        _stores[layer] = _open(layer)
    entry = _stores[layer].get(name)
    if entry is None or entry["text"] != _fingerprint(text):
        return None
    return [Document(f"{layer}/{name}", data, marks) for data, marks in entry["documents"]]


def table(name: str) -> Any:
    """The data of a YAML file of the package itself, such as `verify/references/table.yaml`."""
    text = (_PACKAGE / name).read_text("utf-8")
    try:
        entry = json.loads((_FOLDER / "tables.json").read_bytes())[name]
        if entry["text"] == _fingerprint(text):
            return entry["data"]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # a checkout whose tables nobody has parsed yet
    report = Report()
    documents = parse(text, name, report)
    assert documents and not report.diagnostics, report.diagnostics
    return documents[0].data


def _open(layer: str) -> dict[str, Any]:
    try:
        store = json.loads((_FOLDER / f"{layer.replace('/', '-')}.json").read_bytes())
        programs = {
            text: Program(a2b_base64(program), tuple(map(tuple, reads)))
            for text, (program, reads) in store["expressions"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a checkout whose layers nobody has parsed yet
    known_programs.update(programs)
    files: dict[str, Any] = store["files"]
    return files


def _fingerprint(text: str) -> list[int]:
    """Tells an edited file from the parsed one; nobody forges a layer against himself."""
    raw = text.encode()
    return [len(raw), crc32(raw)]


def write_all() -> Path:
    """Parses all shipped layers. Returns the folder with one JSON file per layer."""
    _FOLDER.mkdir(exist_ok=True)
    for layer in [BASE, *sorted(folder for folder in OVERLAYS.iterdir() if folder.is_dir())]:
        shown = layer.relative_to(ROOT).as_posix()
        files: dict[str, Any] = {}
        programs: dict[str, Program] = {}
        for path in sorted(layer.rglob("*.yaml")):
            name, report = path.relative_to(layer).as_posix(), Report()
            text = path.read_text("utf-8")
            documents = parse(text, f"{shown}/{name}", report)
            if report.diagnostics:
                continue  # it is parsed, and reported, when somebody uses it
            files[name] = {"text": _fingerprint(text), "documents": [[each.data, each.marks] for each in documents]}
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
        _write(f"{shown.replace('/', '-')}.json", {"files": files, "expressions": expressions})
    texts = {name: (_PACKAGE / name).read_text("utf-8") for name in _TABLES}
    _write("tables.json", {name: {"text": _fingerprint(text), "data": table(name)} for name, text in texts.items()})
    return _FOLDER


def _write(name: str, store: Any) -> None:
    target = _FOLDER / name
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps(store, ensure_ascii=False, separators=(",", ":")), "utf-8")
    partial.replace(target)


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
