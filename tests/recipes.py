"""What others publish for Dynamo against what our profiles make of it: `python -m tests.recipes` prints one line for each.

examples/recipes/published.yaml says what each published graph deploys, and which profile beside it says the same.
"""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.conftest import ROOT

FOLDER = ROOT / "examples/recipes"
LINES = 18

# How engines spell what the table says of a worker.
FLAGS = {
    "vllm": {
        "tensor": "--tensor-parallel-size",
        "pipeline": "--pipeline-parallel-size",
        "data": "--data-parallel-size",
        "expert": "--enable-expert-parallel",
    },
    "sglang": {"tensor": "--tp", "pipeline": "--pp-size", "data": "--dp-size", "expert": "--ep-size"},
    "trtllm": {
        "tensor": "--tensor-parallel-size",
        "pipeline": "--pipeline-parallel-size",
        "expert": "--expert-parallel-size",
    },
}
MODEL = {"vllm": "--model", "sglang": "--model-path", "trtllm": "--model"}
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
    made = [each.to_data() for each in compilation.manifests]
    graphs = [each for each in made if each["kind"] == "DynamoGraphDeployment"]
    return Built(codes, facts_of(graphs[0], _files(made)) if graphs else {})


def _files(made: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The engine's own files, by the names of their ConfigMaps."""
    texts = {
        each["metadata"]["name"]: each["data"]["config.yaml"]
        for each in made if each["kind"] == "ConfigMap" and "config.yaml" in each["data"]
    }  # fmt: skip
    return {name: parse(text, name, Report())[0].data for name, text in texts.items()}


def facts_of(graph: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The model, the engine, the GPU, and what each worker is."""
    spec = graph["spec"]
    workers = {each["name"]: each for each in spec["components"] if each["name"] in ROLES.values()}
    found: dict[str, Any] = {"engine": spec["backendFramework"]}
    for role, name in ROLES.items():
        if name in workers:
            arguments = _arguments(workers[name])
            found["model"] = arguments[MODEL[spec["backendFramework"]]]
            found["gpu"] = _gpu(workers[name])
            found[role] = _worker(workers[name], spec["backendFramework"], arguments)
            if files.get(f"{graph['metadata']['name']}-{name}-engine", {}).get("enable_attention_dp"):
                found[role]["data"] = found[role]["tensor"]
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


def verdict(entry: Mapping[str, Any]) -> tuple[str, str]:
    """`said` or `not said`, and what there is to say of it."""
    if "profile" not in entry:
        return "not said", entry.get("missing", "")
    return "said", "fit not checked" if "unchecked" in entry else ""


def lines() -> Iterator[str]:
    totals: Counter[str] = Counter()
    for entry in published():
        word, why = verdict(entry)
        said = f"{entry['from']}: {word}"
        totals.update([said, f"{said}, {why}"] if "unchecked" in entry else [said])
        yield f"{word:8} {entry['source']}{' - ' * bool(why)}{why}"
    yield ""
    yield from (f"{count:4} {name}" for name, count in sorted(totals.items()))
    yield f"{len(profiles()):4} profiles"


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()) + "\n")
