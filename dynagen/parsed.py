"""The shipped layers, parsed once when the package is built, because reading YAML costs more than all the rest.

A parsed file counts only while its text is the one that was parsed, so a checkout never shows yesterday's layer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zlib import crc32

from dynagen.data import BASE, OVERLAYS, ROOT
from dynagen.diagnostics import Report
from dynagen.source import Document, parse

_FOLDER = ROOT / "parsed"
_stores: dict[str, dict[str, Any]] = {}


def look_up(layer: str, name: str, text: str) -> list[Document] | None:
    """The documents of a shipped layer's file; None when they are not known for this text."""
    if layer not in _stores:
        try:
            _stores[layer] = json.loads((_FOLDER / f"{layer.replace('/', '-')}.json").read_bytes())
        except (OSError, ValueError):
            _stores[layer] = {}
    entry = _stores[layer].get(name)
    if entry is None or entry["text"] != _fingerprint(text):
        return None
    return [Document(f"{layer}/{name}", data, marks) for data, marks in entry["documents"]]


def _fingerprint(text: str) -> list[int]:
    """Tells an edited file from the parsed one; nobody forges a layer against himself."""
    raw = text.encode()
    return [len(raw), crc32(raw)]


def write_all() -> Path:
    """Parses all shipped layers. Returns the folder with one JSON file per layer."""
    _FOLDER.mkdir(exist_ok=True)
    for layer in [BASE, *sorted(folder for folder in OVERLAYS.iterdir() if folder.is_dir())]:
        shown = layer.relative_to(ROOT).as_posix()
        store = {}
        for path in sorted(layer.rglob("*.yaml")):
            name, report = path.relative_to(layer).as_posix(), Report()
            text = path.read_text("utf-8")
            documents = parse(text, f"{shown}/{name}", report)
            if report.diagnostics:
                continue  # it is parsed, and reported, when somebody uses it
            store[name] = {"text": _fingerprint(text), "documents": [[each.data, each.marks] for each in documents]}
        target = _FOLDER / f"{shown.replace('/', '-')}.json"
        partial = target.with_suffix(".partial")
        partial.write_text(json.dumps(store, ensure_ascii=False, separators=(",", ":")), "utf-8")
        partial.replace(target)
    return _FOLDER
