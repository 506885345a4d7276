"""What ships, as it was compiled when the package was built: documents, programs of expressions and rules, our tables.

A compiled file counts only while its text is the one that was compiled, so a checkout never shows yesterday's layer.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

from dynagen.crd_rules.functions import COMPILER
from dynagen.crd_rules.programs import know_program
from dynagen.crd_rules.rule_program import Program as RuleProgram
from dynagen.diagnostics import Report
from dynagen.language.cel import Program, compile_program
from dynagen.memory import Memory
from dynagen.text.document import Document
from dynagen.text.paths import PACKAGE, ROOT
from dynagen.text.source import parse

FOLDER = ROOT / "compiled"
# Folders of facts of which a profile needs one file at most: that one is read when it is asked for.
LOOKED_UP = ("facts/models/", "facts/flags/")


def look_up(layer: str, name: str, text: str, memory: Memory) -> list[Document] | None:
    """The documents of a shipped layer's file; None when they are not known for this text."""
    entry = memory.once(open_store, store_of(layer, name), memory).get(name)
    if entry is None or entry["text"] != fingerprint(text.encode()):
        return None
    return [Document(f"{layer}/{name}", data, marks, is_shared=True) for data, marks in entry["documents"]]


def table(name: str) -> Any:
    """The data of a YAML file of the package itself, such as `verify/references/table.yaml`."""
    raw = (PACKAGE / name).read_bytes()
    try:
        entry = json.loads((FOLDER / file_of_table(name)).read_bytes())
        if entry["text"] == fingerprint(raw):
            return entry["data"]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # a checkout whose tables nobody has parsed yet
    report = Report()
    documents = parse(raw.decode(), name, report)
    assert documents and not report.diagnostics, report.diagnostics
    return documents[0].data


def facts_of(texts: Sequence[tuple[str, bytes]]) -> dict[str, Any] | None:
    """What all these files of facts come to, by their names; None when it is not known for these texts."""
    layers = dict.fromkeys(name.partition("/facts/")[0] for name, _ in texts)
    try:
        found = json.loads((FOLDER / facts_file(layers)).read_bytes())
        facts: dict[str, Any] = found["facts"]
        return facts if found["text"] == fingerprint_of(texts) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a checkout whose facts nobody has merged yet, or layers in an order of their own


def facts_file(layers: Iterable[str]) -> str:
    return file_of("facts+" + "+".join(layers))


def fingerprint_of(texts: Sequence[tuple[str, bytes]]) -> list[Any]:
    """Tells edited, new and missing files from those that were merged."""
    return [[name for name, _ in texts], crc32(b"\0".join(text for _, text in texts))]


def store_of(layer: str, name: str) -> str:
    """One for a layer, one for its facts, and one more for each file that a profile looks up: `base/facts/models/Qwen`."""
    if name.startswith(LOOKED_UP):
        return f"{layer}/{name.rsplit('.', 1)[0]}"
    return f"{layer}/facts" if name.startswith("facts/") else layer


def open_store(store: str, memory: Memory) -> dict[str, Any]:
    """The compiled files of a layer, or one that is looked up by itself. What its expressions mean is known from now on."""
    try:
        found = json.loads((FOLDER / file_of(store)).read_bytes())
        for text, (program, reads, tree) in found["expressions"].items():
            memory.know(Program(a2b_base64(program), tuple(map(tuple, reads)), tree), compile_program, text)
        files: dict[str, Any] = found["files"]
        return files
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a checkout whose layers nobody has compiled yet


def know_rules(name: str, memory: Memory) -> None:
    """What the rules of a shipped set mean is known from now on, as far as they were compiled with what compiles rules now."""
    try:
        store = json.loads((FOLDER / f"rules-{name}.json").read_bytes())
        if store["compiler"] != COMPILER:
            return
        for text, optional, program, touches, *rest in store["rules"]:
            known = RuleProgram(a2b_base64(program), tuple(map(tuple, touches)), *rest)
            know_program(known, text, optional, memory)
    except (OSError, ValueError, KeyError, TypeError):
        return  # a checkout whose rules nobody has compiled yet


def file_of(store: str) -> str:
    return f"{store.replace('/', '-')}.json"


def file_of_table(name: str) -> str:
    return f"table-{name.removesuffix('.yaml').replace('/', '-')}.json"


def fingerprint(raw: bytes) -> list[int]:
    """Tells an edited file from the parsed one; nobody forges a layer against himself."""
    return [len(raw), crc32(raw)]
