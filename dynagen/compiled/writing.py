"""What ships in, parsed and compiled once when the package is built: one JSON file for each layer, for all rules of a set, for each table of ours."""

from __future__ import annotations

import json
from binascii import b2a_base64
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from dynagen.compiled.reading import (
    FOLDER,
    LOOKED_UP,
    facts_file,
    file_of,
    file_of_table,
    fingerprint,
    fingerprint_of,
    store_of,
    table,
)
from dynagen.crd_rules.compiling import compile_rule
from dynagen.crd_rules.functions import COMPILER
from dynagen.crd_rules.rule_program import Program as RuleProgram
from dynagen.crd_rules.rule_steps import translated_rule
from dynagen.diagnostics import Report
from dynagen.language.cel import Program
from dynagen.language.scope import compile_expressions
from dynagen.language.syntax_tree import expression
from dynagen.language.translation import translated
from dynagen.memory import Memory
from dynagen.text.paths import BASE, OVERLAYS, PACKAGE, ROOT, SCHEMAS
from dynagen.text.source import parse
from dynagen.trees.nodes import nested
from dynagen.trees.plain_merge import merge_data


def _write_rules() -> None:
    memory = Memory()
    for folder in sorted(folder for folder in SCHEMAS.iterdir() if folder.is_dir()):
        if folder.name.startswith("kubernetes"):
            continue  # no rules, and much to read
        found: dict[tuple[str, bool], RuleProgram] = {}
        for file in sorted(folder.rglob("*.json")):
            for rule in _rules_of(file):
                for text, optional in (
                    (rule["rule"], rule.get("optionalOldSelf", False)),
                    (rule.get("messageExpression"), False),
                ):
                    if text:
                        program = compile_rule(text, optional, memory)
                        found[text, optional] = program._replace(tree=translated_rule(text, optional, memory))
        rules = [
            [*key, b2a_base64(program.serialized, newline=False).decode(), *program[1:]]
            for key, program in found.items()
        ]
        if rules:
            _write(f"rules-{folder.name}.json", {"compiler": COMPILER, "rules": rules})


def _write(name: str, store: Any) -> None:
    target = FOLDER / name
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps(store, ensure_ascii=False, separators=(",", ":")), "utf-8")
    partial.replace(target)


class _Facts(NamedTuple):
    name: str
    text: bytes
    data: list[Any]


def _write_facts(facts: dict[str, list[_Facts]]) -> None:
    """One file for each set of shipped layers that have facts, in the order of their names."""
    first, *others = facts
    for count in range(len(others) + 1):
        for layers in ((first, *rest) for rest in combinations(others, count)):
            files = [each for layer in layers for each in facts[layer]]
            parts = [
                nested(each.name.partition("/facts/")[2].removesuffix(".yaml").split("/"), data)
                for each in files
                for data in each.data
            ]
            text = fingerprint_of([each[:2] for each in files])
            _write(facts_file(layers), {"text": text, "facts": merge_data(parts)})


def write_all() -> Path:
    """Parses all shipped layers, compiles the rules of all shipped sets. Returns the folder with one JSON file for each."""
    FOLDER.mkdir(exist_ok=True)
    facts: dict[str, list[_Facts]] = {}
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
            entry = {"text": fingerprint(text.encode()), "documents": [[each.data, each.marks] for each in documents]}
            stores.setdefault(store_of(shown, name), {})[name] = entry
            if name.startswith("facts/") and not name.startswith(LOOKED_UP):
                data = [each.data for each in documents]
                facts.setdefault(shown, []).append(_Facts(f"{shown}/{name}", path.read_bytes(), data))
            for scalar in _scalars([each.data for each in documents]):
                programs |= compile_expressions(scalar)
        for schema in [layer / "schema.json", *([SCHEMAS / "profile.json"] if layer == BASE else [])]:
            if schema.is_file():
                for rule in _rules(json.loads(schema.read_bytes())):
                    programs |= compile_expressions(f"${{{rule['rule']}}}")
        expressions = {
            text: [
                b2a_base64(program.serialized, newline=False).decode(),
                program.reads,
                translated(expression(program.serialized)),
            ]
            for text, program in programs.items()
        }
        for store, files in stores.items():
            _write(file_of(store), {"files": files, "expressions": expressions if store == shown else {}})
    for path in sorted(file for room in ("manifests", "verify") for file in (PACKAGE / room).rglob("*.yaml")):
        name = path.relative_to(PACKAGE).as_posix()
        _write(file_of_table(name), {"text": fingerprint(path.read_bytes()), "data": table(name)})
    _write_facts(facts)
    _write_rules()
    return FOLDER


def _rules_of(file: Path) -> Iterator[dict[str, Any]]:
    """The CEL rules of a file of a set, and of those that it refers to."""
    open_, read = [file], set[Path]()
    while open_:
        here = open_.pop().resolve()
        if here not in read:
            read.add(here)
            schema = json.loads(here.read_bytes())
            yield from _rules(schema)
            open_ += [here.parent / name for name in sorted(_files_named_by(schema))]


def _files_named_by(schema: Any) -> set[str]:
    found = set[str]()
    if isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
        found |= {reference.partition("#")[0]} - {""}
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        found |= _files_named_by(inner)
    return found


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
