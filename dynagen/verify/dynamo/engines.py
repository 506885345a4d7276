"""Commands of engines that somebody wrote by hand: arguments that the engine refuses when it starts.

Source: dynamo/vllm/args.py and backend_args.py of the wheels ai-dynamo 1.0.2 to 1.6.1, dynamo/common/configuration there;
vllm/config/parallel.py of vllm-project/vllm and python/sglang/srt/server_args.py of sgl-project/sglang (sizes).
"""

from __future__ import annotations

import re

from dynagen.cluster.graphs import MAIN, Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import KeyPath
from dynagen.engine.arguments import has, values_of
from dynagen.text.versions import Version
from dynagen.verify.dynamo.commands import backends_in
from dynagen.verify.dynamo.images import runtime_version

_MODES = {"--is-prefill-worker": "prefill", "--is-decode-worker": "decode"}
_TENSOR = ("--tensor-parallel-size", "-tp", "--tp-size", "--tp")
_PIPELINE = ("--pipeline-parallel-size", "-pp", "--pp-size", "--pp")
# What may hold the argument that is missed.
_TRANSFER = ("--kv-transfer-config", "--connector", "--config")


def check_engines(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    """Reports DG452 for vLLM's role flags that are gone, prefill without a connector, more GPUs than the container has."""
    for component in graph.components:
        backends = backends_in(component)
        version = runtime_version(component, cluster.release)
        if len(backends) == 1 and component.is_worker:
            if backends[0] == "vllm" and version is not None:
                _check_role(component, version, findings)
            if backends[0] != "trtllm":  # it has its sizes in a file
                _check_sizes(component, findings)


def _check_role(component: Component, version: Version, findings: Findings) -> None:
    words = _words(component)
    for flag, mode in _MODES.items():
        if flag in words and version >= (1, 4, 0):
            message, hint = f"'{flag}' is gone since 1.4", f"write '--disaggregation-mode {mode}'"
            component.report(findings, "DG452", _place(component, flag), message, hint)
            return
    prefill = "prefill" in values_of(words, "--disaggregation-mode") or "--is-prefill-worker" in words
    if not prefill or version < (1, 0, 0) or has(words, *_TRANSFER):
        return
    variables = {variable.get("name") for variable in (component.main or {}).get("env") or ()}
    if "DYN_CONNECTOR" not in variables:
        message = "vLLM for prefill does not start without '--kv-transfer-config'"
        hint = """add --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both"}', to decode as well"""
        component.report(findings, "DG452", _place(component, "prefill"), message, hint)


def _check_sizes(component: Component, findings: Findings) -> None:
    resources = (component.main or {}).get("resources") or {}
    given = str((resources.get("limits") or {}).get("nvidia.com/gpu", ""))
    words = _words(component)
    tensor, pipeline = ([value or "" for value in values_of(words, *flags)] for flags in (_TENSOR, _PIPELINE))
    if not given.isdecimal() or len(tensor) != 1 or len(pipeline) > 1 or not all(map(str.isdecimal, tensor + pipeline)):
        return
    needed, there = int(tensor[0]) * int((pipeline or ["1"])[0]), int(given) * component.nodes
    if needed > there > 0:
        sizes = f"tensor parallel {tensor[0]}" + (f" times pipeline parallel {pipeline[0]}" if pipeline else "")
        nodes = f"{component.nodes} nodes of {given} GPUs have {there}" if component.nodes > 1 else f"there are {given}"
        message = f"{sizes} needs {needed} GPUs, and {nodes}"
        hint = "a limit of 'nvidia.com/gpu' that fits, or a smaller size"
        flag = next(flag for flag in _TENSOR if has(words, flag))
        component.report(findings, "DG452", _place(component, flag), message, hint)


def _words(component: Component) -> list[str]:
    """The words of command and arguments, those of a shell script as well."""
    main = component.main or {}
    return [word for part in (*(main.get("command") or ()), *(main.get("args") or ())) for word in _split(str(part))]


def _split(part: str) -> list[str]:
    # Comments of a script are no arguments; quotes stay, so that JSON is one odd word or several.
    if "\n" not in part and " " not in part:
        return [part]
    return (re.sub(r"(?m)(^|\s)#.*$", " ", part) if "#" in part else part).split()


def _place(component: Component, word: str) -> KeyPath:
    """The path of the first argument with this word."""
    path, main = component.container(MAIN)
    for field in ("args", "command"):
        for index, part in enumerate((main or {}).get(field) or ()):
            if word in re.split(r"[\s=]+", str(part)):
                return (*path, field, index)
    return path
