"""Unpacked wheels of Dynamo in, `base/facts/flags/variables.yaml` out: what its own options are called as environment variables."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

HEAD = """\
# Environment variables of Dynamo's own options, and what they can be.
# `since`, `until` and `words` as in frontend.yaml; kinds: switch (true and false), int, port, float, text. `names` are others, of which
# is known that somebody reads them.
# checked: {today}
# A version that is not listed counts as the one before it. Written by `make flags`; do not edit.
# source: calls with `env_var` in dynamo/{{common,frontend,vllm,sglang,trtllm}}, and names in all Python files, of the wheels
#   ai-dynamo {versions}; names in the wheels
#   ai-dynamo-runtime 1.0.0 to 1.6.1 and in recipes/, examples/ and docs/ of ai-dynamo/dynamo
"""
_PARTS = ("common", "frontend", "vllm", "sglang", "trtllm")
_NAME = re.compile(r"DYN_[A-Z][A-Z0-9_]*[A-Z0-9]")
_KINDS = {
    "int": "int", "float": "float", "nullable_int": "int", "_nullable_int": "int", "nullable_float": "float",
    "_nullable_float": "float",
}  # fmt: skip


def variables_in(folder: Path) -> dict[str, tuple[str, Any]]:
    """By name: the kind of the value, and what it can be."""
    found: dict[str, tuple[str, Any]] = {}
    for part in _PARTS:
        for file in sorted((folder / "dynamo" / part).rglob("*.py")):
            if "tests" not in file.parts:
                found |= dict(_declared(ast.parse(file.read_text("utf-8"))))
    return found


def _declared(tree: ast.Module) -> Iterator[tuple[str, tuple[str, Any]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = {each.arg: each.value for each in node.keywords}
            called = ast.unparse(node.func).rpartition(".")[2]
            name = given.get("env_var")
            if isinstance(name, ast.Constant) and str(name.value).startswith("DYN_"):
                yield str(name.value), (_kind(called, given, str(name.value)), _words(given))


def _kind(called: str, given: Mapping[str | None, ast.expr], name: str) -> str:
    if called == "add_negatable_bool_argument":
        return "switch"
    default = given.get("default")
    typed = ast.unparse(given["arg_type"]) if "arg_type" in given else ""
    if not typed and isinstance(default, ast.Constant) and type(default.value) in (int, float):
        typed = type(default.value).__name__
    kind = _KINDS.get(typed, "text")
    return "port" if kind == "int" and name.endswith("_PORT") else kind


def _words(given: Mapping[str | None, ast.expr]) -> Any:
    try:
        words = ast.literal_eval(given["choices"])
    except (KeyError, ValueError):
        return None
    return [str(each) for each in words]


def names_in(folders: Sequence[Path]) -> set[str]:
    files = (file for folder in folders for file in folder.rglob("*.py"))
    return {name for file in files for name in _NAME.findall(file.read_text("utf-8"))}


def write(folders: Mapping[str, Path], target: Path, more: Sequence[str], lines: Any) -> None:
    """`folders` by version; `more` are names that are known otherwise; `lines` writes a section."""
    found: dict[str, dict[str, tuple[str, Any]]] = {}
    for version, folder in folders.items():
        for name, entry in variables_in(folder).items():
            found.setdefault(name, {})[version] = entry
    versions = list(folders)
    names = sorted((names_in(list(folders.values())) | set(more)) - set(found))
    text = [HEAD.format(today=date.today(), versions=", ".join(versions)) + "dynamo:"]
    text += [f" versions: {json.dumps(versions)}", " flags:"]
    text += [*lines(versions, found, "variables"), "names:", *(f"  - {name}" for name in names)]
    target.write_text("\n".join(text) + "\n", "utf-8")
