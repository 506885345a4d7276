"""What others publish for Dynamo against what our profiles make of it: `python -m tests.recipes` prints one line for each.

examples/recipes/published.yaml says what each published graph deploys, and which profile beside it says the same.
"""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.conftest import ROOT

FOLDER = ROOT / "examples/recipes"
LINES = 15

# What a profile may still be warned of: keys that it needs are not there yet.
WAITING = {"fabric": {"DG437", "DG712"}, "computeDomain": {"DG712"}, "trtllm": set[str]()}

# How engines spell what the table says of a worker.
FLAGS = {
    "vllm": {
        "tensor": "--tensor-parallel-size",
        "pipeline": "--pipeline-parallel-size",
        "data": "--data-parallel-size",
        "expert": "--enable-expert-parallel",
    },
    "sglang": {"tensor": "--tp", "pipeline": "--pp-size", "data": "--dp-size", "expert": "--ep-size"},
}
ROLES = {"agg": "worker", "prefill": "prefill", "decode": "decode", "encode": "encode"}
ABSENT = {"pipeline": 1, "data": 1, "expert": False}


class Built(NamedTuple):
    """What a profile becomes: the codes of its errors and warnings, and what its graph deploys, in the words of the table."""

    codes: frozenset[str]
    facts: dict[str, Any]


@cache
def published() -> list[dict[str, Any]]:
    path = FOLDER / "published.yaml"
    (document,) = parse(path.read_text("utf-8"), "published.yaml", Report())
    return [{"from": part["from"], **entry} for part in document.data["published"] for entry in part["graphs"]]


def profiles() -> list[str]:
    return sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/**/*.yaml"))


@cache
def built(profile: str) -> Built:
    report = Report()
    documents = parse((FOLDER / profile).read_text("utf-8"), profile, report)
    compilation = compile_profile(Request(documents, [], Path(), Path()), report)
    codes = frozenset(each.code for each in report.diagnostics if each.severity != "note")
    graphs = [each.to_data() for each in compilation.manifests if each.kind == "DynamoGraphDeployment"]
    return Built(codes, facts_of(graphs[0]) if graphs else {})


def facts_of(graph: Mapping[str, Any]) -> dict[str, Any]:
    """The model, the engine, the GPU, and what each worker is."""
    spec = graph["spec"]
    workers = {each["name"]: each for each in spec["components"] if each["name"] in ROLES.values()}
    found: dict[str, Any] = {"engine": spec["backendFramework"]}
    for role, name in ROLES.items():
        if name in workers:
            arguments = _arguments(workers[name])
            found["model"] = arguments["--model" if spec["backendFramework"] == "vllm" else "--model-path"]
            found["gpu"] = _gpu(workers[name])
            found[role] = _worker(workers[name], spec["backendFramework"], arguments)
    return found


def _worker(component: Mapping[str, Any], engine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    (main,) = (each for each in component["podTemplate"]["spec"]["containers"] if each["name"] == "main")
    nodes = component.get("multinode", {}).get("nodeCount", 1)
    gpus = int(main["resources"]["limits"]["nvidia.com/gpu"]) * nodes
    found = {word: arguments[flag] for word, flag in FLAGS[engine].items() if flag in arguments}
    return {"replicas": component["replicas"], "gpus": gpus, "nodes": nodes, **ABSENT, **found}


def _gpu(component: Mapping[str, Any]) -> str:
    """H200, of the label nvidia-h200-141gb."""
    label: str = component["podTemplate"]["spec"]["nodeSelector"]["cloud.google.com/gke-accelerator"]
    return label.split("-")[1].upper()


def _arguments(component: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the engine's command line; a flag without a value is True, numbers are numbers."""
    (main,) = (each for each in component["podTemplate"]["spec"]["containers"] if each["name"] == "main")
    words = shlex.split(" ".join(main["args"]).replace("\\\n", " "))
    found: dict[str, Any] = {}
    for word, following in zip(words, [*words[1:], "-"], strict=True):
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            said: Any = value if equals else True if following.startswith("-") else following
            found[flag] = int(said) if isinstance(said, str) and said.isdigit() else said
    return found


def wanted(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the graph of an entry's profile has to be: what is published, but for what `ours` says, and `differs` why."""
    roles = {role: {**ABSENT, **entry[role], **entry.get("ours", {}).get(role, {})} for role in ROLES if role in entry}
    return {**{word: entry[word] for word in ("model", "engine", "gpu")}, **roles}


def allowed(entry: Mapping[str, Any]) -> set[str]:
    """The warnings that are due to what is not built yet."""
    return set().union(*(WAITING[word] for word in entry.get("waits", ())))


def verdict(entry: Mapping[str, Any]) -> tuple[str, str]:
    """`said` or `not said`, and what there is to say of it."""
    waits = "waits: " + " | ".join(entry["waits"]) if "waits" in entry else ""
    if "profile" not in entry:
        return "not said", entry.get("missing") or waits
    return "said", ", ".join(filter(None, (waits, "fit not checked" if "unchecked" in entry else "")))


def lines() -> Iterator[str]:
    totals: Counter[str] = Counter()
    for entry in published():
        word, why = verdict(entry)
        parts = [f"waits: {key}" for key in entry.get("waits", ())] + ["fit not checked"] * ("unchecked" in entry)
        totals.update(f"{entry['from']}: {each}" for each in (word, *(f"{word}, {part}" for part in parts)))
        yield f"{word:8} {entry['source']}{' - ' * bool(why)}{why}"
    yield ""
    yield from (f"{count:4} {name}" for name, count in sorted(totals.items()))
    yield f"{len(profiles()):4} profiles"


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()) + "\n")
