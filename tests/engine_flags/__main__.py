"""Unpacked wheels in, `base/facts/flags` out: `python -m tests.engine_flags FOLDER PYTHON`, or `make flags`.

FOLDER holds one folder per wheel, named `vllm-0.31.0`, `sglang-0.5.21`, `ai-dynamo-1.6.1`, with the Python files of the wheel;
of `ai-dynamo-runtime-1.6.1` the compiled module, `dynamo/_core.abi3.so`, which knows the parsers of answers.
PYTHON is an interpreter with pydantic, regex, pyyaml and packaging, in which the engines' code is asked (ask.py).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tests.engine_flags import variables

ROOT = Path(__file__).parents[2]
FLAGS = ROOT / "base" / "facts" / "flags"
# What Dynamo itself adds to an engine's choices. source: dynamo/sglang/args.py of the wheels since 1.0.0
ADDED = {("sglang", "--load-format"): "gms"}
PROGRAMS = {"ai-dynamo": "dynamo", "vllm": "vllm", "sglang": "sglang"}

# Plugins register more of these. source: register_quantization_config in vllm/model_executor/layers/quantization/__init__.py
OPEN = {("vllm", "--quantization"), ("vllm", "-q")}
# What dynamo/sglang/_compat.py adds to the options of SGLang itself (add_sglang_cli_compat), from 1.6.0 on.
COMPATIBLE = {"--disable-piecewise-cuda-graph": {"names": ["--disable-piecewise-cuda-graph"], "kind": "none"}}


# The compiled module is asked for these. source: common/configuration/groups/runtime_args.py in the wheel ai-dynamo 1.6.1
PARSERS = {"--dyn-tool-call-parser": "get_tool_parser_names", "--dyn-reasoning-parser": "get_reasoning_parser_names"}


def version_of(folder: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", folder.rpartition("-")[2]))


def dynamo_version(wheel: Path) -> str:
    return ".".join(map(str, version_of(wheel.name)[:3]))


def ask(python: str, folder: Path) -> dict[str, Any]:
    package = folder.name.rpartition("-")[0]
    command = [python, str(Path(__file__).parent / "ask.py"), PROGRAMS[package], str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{folder.name}: {done.stderr[-1500:]}")
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def parsers(python: str, folder: Path) -> dict[str, list[str]]:
    """The names of parsers, by the option that takes them."""
    code = "import dynamo._core as core, json; print(json.dumps([{}]))"
    called = ", ".join(f"sorted(core.{function}())" for function in PARSERS.values())
    done = subprocess.run(
        [python, "-c", code.format(called)], capture_output=True, text=True, check=True, cwd=folder
    )  # fmt: skip
    return dict(zip(PARSERS, json.loads(done.stdout), strict=True))


def names(option: Mapping[str, Any], program: str, name: str) -> tuple[str, Any]:
    """The kind of an option's value, and what it can be."""
    kind = option["kind"] + {"+": "...", "*": "...", "?": "?"}.get(option.get("many", ""), "")
    if kind == "none" and any(each.startswith("--no-") for each in option["names"]) and len(option["names"]) > 1:
        kind = "switch"
    choices = option.get("choices")
    extra = ADDED.get((program, name))
    return kind, [*choices, *([extra] if extra else [])] if choices else None


def collected(asked: Mapping[str, Mapping[str, Any]], program: str) -> dict[str, dict[str, tuple[str, Any]]]:
    """By name of an option, by version."""
    found: dict[str, dict[str, tuple[str, Any]]] = {}
    for version, options in sorted(asked.items(), key=lambda each: version_of(each[0])):
        for option in options.values():
            for name in option["names"]:
                found.setdefault(name, {})[version] = names(option, program, option["names"][0])
    for name, positive in ((each, each.replace("--no-", "--", 1)) for each in list(found) if each.startswith("--no-")):
        if positive in found and all(found[positive].get(version, "")[:1] == ("switch",) for version in found[name]):
            del found[name]
    return found


def span(versions: list[str], given: list[str]) -> str:
    """` since X until Y`: the first version that has it, and the first one that has it no more."""
    text = "" if given[0] == versions[0] else f" since {given[0]}"
    last = versions.index(given[-1])
    return text + ("" if last == len(versions) - 1 else f" until {versions[last + 1]}")


def runs(versions: list[str], given: Mapping[str, Any]) -> Iterator[tuple[list[str], Any]]:
    """Versions one after the other with the same value."""
    run: list[str] = []
    for version in versions:
        if run and (version not in given or given[version] != given[run[-1]]):
            yield run, given[run[-1]]
            run = []
        if version in given:
            run.append(version)
    if run:
        yield run, given[run[-1]]


def entry(versions: list[str], given: Mapping[str, tuple[str, Any]], is_open: bool) -> Any:
    kinds = [kind + span(versions, run) for run, kind in runs(versions, {v: kind for v, (kind, _) in given.items()})]
    limited = {version: choices for version, (_, choices) in given.items() if choices}
    if not limited:
        return " | ".join(kinds)
    words: dict[str, list[str]] = {}
    for version, choices in limited.items():
        for word in choices:
            words.setdefault(word, []).append(version)
    own, found = [v for v in versions if v in limited], []
    for word, having in words.items():
        # What is open in between says nothing: a word counts from its first version to its last one.
        found.append(word + span(own, having))
    entry: dict[str, Any] = {"kind": " | ".join(kinds), "words": sorted(found)}
    if is_open:
        entry["open"] = True
    if len(limited) < len(given):
        entry["limited"] = span([v for v in versions if v in given], own).strip()
    return entry


def lines(versions: list[str], found: Mapping[str, Mapping[str, tuple[str, Any]]], program: str) -> Iterator[str]:
    """One for each name of an option."""
    for name in sorted(found):
        yield f"  {name}: {text_of(entry(versions, found[name], (program, name) in OPEN))}"


def text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    limited = f", limited: {value['limited']}" if "limited" in value else ""
    opened = ", open: true" if value.get("open") else ""
    return f"{{kind: {value['kind']}, words: {json.dumps(value['words'])}{limited}{opened}}}"


def section(title: str, asked: dict[str, Any], program: str) -> list[str]:
    versions = sorted((version for version in asked if asked[version]), key=version_of)
    listed = ", ".join(json.dumps(each) for each in versions)
    return [f"{title}:", f" versions: [{listed}]", " flags:", *lines(versions, collected(asked, program), program)]


HEAD = """\
# Arguments of {what}.
# `since` and `until`: the first version of those listed that has it, and the first one that has it no more. Kinds of values: none,
# switch (there is --no-... as well), text, int, float, size (8k, 8K), json, braces (JSON, if in braces); `...` takes several, `?` one
# or none; `words` are all that it can be, unless `open`.
# checked: {today}
# A version that is not listed counts as the one before it. Written by `make flags`; do not edit.
# source: the argument parsers in the wheels
{wheels},
#   asked for their options
"""


def own_versions(asked: dict[str, Any]) -> str:
    return ", ".join(sorted(asked, key=version_of))


def without(asked: dict[str, dict[str, Any]], known: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        version: {name: option for name, option in options.items() if name not in known[version]}
        for version, options in asked.items()
    }


def main() -> None:
    folder, python = Path(sys.argv[1]), sys.argv[2]
    asked: dict[str, dict[str, dict[str, Any]]] = {}
    known: dict[str, dict[str, list[str]]] = {}
    for wheel in sorted((each for each in folder.iterdir() if each.is_dir()), key=lambda each: version_of(each.name)):
        package, _, version = wheel.name.rpartition("-")
        if package == "ai-dynamo-runtime":
            known[dynamo_version(wheel)] = parsers(python, wheel)
        if package not in PROGRAMS:
            continue
        for program, options in ask(python, wheel).items():
            if package == "ai-dynamo":
                program = f"dynamo.{program}"
                version = dynamo_version(wheel)
            asked.setdefault(program, {})[version] = options
    for version, options in asked.pop("dynamo.worker-router", {}).items():
        for worker in ("vllm", "sglang", "trtllm"):
            asked[f"dynamo.{worker}"][version] = {**options, **asked[f"dynamo.{worker}"][version]}
    for version, options in asked["dynamo.sglang"].items():
        if version_of(version) >= (1, 6):
            asked["dynamo.sglang"][version] = {**COMPATIBLE, **options}
    for worker in ("vllm", "sglang", "trtllm"):
        for version, options in asked[f"dynamo.{worker}"].items():
            for flag, choices in known.get(version, {}).items():
                options[flag]["choices"] = choices
    for name in ("vllm", "sglang", "trtllm", "frontend", "mocker"):
        own = asked[f"dynamo.{name}"]
        wheels = f"#   ai-dynamo {own_versions(own)} (dynamo/{name})"
        if name in ("vllm", "sglang", "trtllm"):
            wheels += ",\n#   ai-dynamo-runtime of the same versions (dynamo/_core, the names of parsers)"
        body = section("dynamo", own, f"dynamo.{name}")
        if name in asked:
            wheels += f"\n#   and {name} {own_versions(asked[name])}"
            body += section("engine", asked[name], name)
        if name == "vllm":
            body += section("serve", without(asked["serve"], asked["vllm"]), name)
        text = (
            HEAD.format(today=date.today(), what=f"`python3 -m dynamo.{name}`", wheels=wheels) + "\n".join(body) + "\n"
        )
        (FLAGS / f"{name}.yaml").write_text(text, "utf-8")
    write_variables(folder)


def write_variables(folder: Path) -> None:
    """Names that no Python file has are kept: they are in the compiled part of Dynamo, or in what is published with it."""
    target = FLAGS / "variables.yaml"
    known = re.findall(r"(?m)^  - (DYN_\w+)$", target.read_text("utf-8")) if target.exists() else []
    wheels = sorted(
        (each for each in folder.glob("ai-dynamo-*") if each.is_dir()), key=lambda each: version_of(each.name)
    )
    variables.write({".".join(map(str, version_of(each.name)[:3])): each for each in wheels}, target, known, lines)


if __name__ == "__main__":
    main()
