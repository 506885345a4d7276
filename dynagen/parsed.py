"""The shipped layers, parsed and compiled once when the package is built, because that costs more than all the rest.

A parsed file counts only while its text is the one that was parsed, so a checkout never shows yesterday's layer.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from dynagen.crd_rules.compiling import COMPILER, compile_rule
from dynagen.crd_rules.compiling import Program as RuleProgram
from dynagen.crd_rules.evaluating import known_rules
from dynagen.data import BASE, OVERLAYS, PACKAGE, ROOT, SCHEMAS
from dynagen.diagnostics import Report
from dynagen.language.cel import Program, known_programs
from dynagen.language.scope import compile_expressions
from dynagen.text.source import Document, parse

_FOLDER = ROOT / "parsed"
_TABLES = ("verify/references/table.yaml",)
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


def table(name: str) -> Any:
    """The data of a YAML file of the package itself, such as `verify/references/table.yaml`."""
    text = (PACKAGE / name).read_text("utf-8")
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


def _store_of(layer: str, name: str) -> str:
    """One for a layer, and one more for each file that a profile looks up: `base`, `base/facts/models/Qwen`."""
    return f"{layer}/{name.rsplit('.', 1)[0]}" if name.startswith(("facts/models/", "facts/flags/")) else layer


def _open(layer: str) -> dict[str, Any]:
    try:
        store = json.loads((_FOLDER / _file_of(layer)).read_bytes())
        programs = {
            text: Program(a2b_base64(program), tuple(map(tuple, reads)))
            for text, (program, reads) in store["expressions"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a checkout whose layers nobody has parsed yet
    known_programs.update(programs)
    files: dict[str, Any] = store["files"]
    return files


@cache
def load_rules(name: str) -> None:
    """Makes the rules of a shipped set known, as far as they were compiled with what compiles rules now. Once for each set."""
    try:
        store = json.loads((_FOLDER / f"rules-{name}.json").read_bytes())
        if store["compiler"] != COMPILER:
            return
        for text, optional, program, touches, *rest in store["rules"]:
            known_rules[text, optional] = RuleProgram(a2b_base64(program), tuple(map(tuple, touches)), *rest)
    except (OSError, ValueError, KeyError, TypeError):
        return  # a checkout whose rules nobody has compiled yet


def _write_rules() -> None:
    for folder in sorted(folder for folder in SCHEMAS.iterdir() if folder.is_dir()):
        if folder.name.startswith("kubernetes"):
            continue  # no rules, and much to read
        found: dict[tuple[str, bool], RuleProgram] = {}
        for file in sorted(folder.rglob("*.json")):
            for rule in _rules(json.loads(file.read_bytes())):
                for text, optional in (
                    (rule["rule"], rule.get("optionalOldSelf", False)),
                    (rule.get("messageExpression"), False),
                ):
                    if text:
                        found[text, optional] = compile_rule(text, optional)
        rules = [
            [*key, b2a_base64(program.serialized, newline=False).decode(), *program[1:]]
            for key, program in found.items()
        ]
        if rules:
            _write(f"rules-{folder.name}.json", {"compiler": COMPILER, "rules": rules})


def _write(name: str, store: Any) -> None:
    target = _FOLDER / name
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps(store, ensure_ascii=False, separators=(",", ":")), "utf-8")
    partial.replace(target)


def _file_of(store: str) -> str:
    return f"{store.replace('/', '-')}.json"


def _fingerprint(text: str) -> list[int]:
    """Tells an edited file from the parsed one; nobody forges a layer against himself."""
    raw = text.encode()
    return [len(raw), crc32(raw)]


def write_all() -> Path:
    """Parses all shipped layers, compiles the rules of all shipped sets. Returns the folder with one JSON file for each."""
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
                    programs |= compile_expressions(f"${{{rule['rule']}}}")
        expressions = {
            text: [b2a_base64(program.serialized, newline=False).decode(), program.reads]
            for text, program in programs.items()
        }
        for store, files in stores.items():
            _write(_file_of(store), {"files": files, "expressions": expressions if store == shown else {}})
    texts = {name: (PACKAGE / name).read_text("utf-8") for name in _TABLES}
    _write("tables.json", {name: {"text": _fingerprint(text), "data": table(name)} for name, text in texts.items()})
    _write_rules()
    return _FOLDER


def _rules(schema: Any) -> Iterator[dict[str, Any]]:
    """The CEL rules of a schema, from everywhere in it."""
    if isinstance(schema, dict) and isinstance(found := schema.get("x-kubernetes-validations"), list):
        yield from found
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _rules(inner)


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _scalars(inner)
