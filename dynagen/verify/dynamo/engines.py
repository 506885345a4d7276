"""Commands of engines that somebody wrote by hand: arguments that the engine refuses when it starts.

Source: dynamo/vllm/args.py and backend_args.py of the wheels ai-dynamo 1.0.2 to 1.6.1, dynamo/common/configuration there;
vllm/config/parallel.py of vllm-project/vllm and python/sglang/srt/server_args.py of sgl-project/sglang (sizes).
"""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.graphs import MAIN, Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import KeyPath
from dynagen.engine.arguments import flag_of, has
from dynagen.engine.arguments import values_of as all_values
from dynagen.engine.words import Word, values_of
from dynagen.text.versions import Version
from dynagen.verify.dynamo.commands import line_in
from dynagen.verify.dynamo.images import runtime_version

_MODES = {"--is-prefill-worker": "prefill", "--is-decode-worker": "decode"}
_TENSOR = ("--tensor-parallel-size", "-tp", "--tp-size", "--tp")
_PIPELINE = ("--pipeline-parallel-size", "-pp", "--pp-size", "--pp")
# What may hold the argument that is missed.
_TRANSFER = ("--kv-transfer-config", "--connector", "--config")


def check_engines(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    """Reports DG452 for vLLM's role flags that are gone, prefill without a connector, more GPUs than the container has."""
    for component in graph.components:
        commands = [each for each in line_in(component).commands if each.program in ("dynamo.vllm", "dynamo.sglang")]
        version = runtime_version(component, cluster.release)
        if len(commands) == 1 and component.is_worker:
            if commands[0].program == "dynamo.vllm" and version is not None:
                _check_role(component, commands[0].words, version, findings)
            _check_sizes(component, commands[0].words, findings)


def _check_role(component: Component, words: Sequence[Word], version: Version, findings: Findings) -> None:
    prefill = "prefill" in (word.text for word in values_of(words, "--disaggregation-mode"))
    old = next((word for word in words if word.text in _MODES), None)
    if old is not None and version >= (1, 4, 0):
        message, hint = f"'{old.text}' is gone since 1.4", f"write '--disaggregation-mode {_MODES[old.text]}'"
        component.report(findings, "DG452", _place(component, old), message, hint)
        return
    prefill = prefill or (old is not None and _MODES[old.text] == "prefill")
    if (
        not prefill
        or version < (1, 0, 0)
        or has([word.text for word in words], *_TRANSFER)
        or any(map(_is_open, words))
    ):
        return
    variables = {variable.get("name") for variable in (component.main or {}).get("env") or ()}
    if "DYN_CONNECTOR" not in variables:
        message = "vLLM for prefill does not start without '--kv-transfer-config'"
        hint = """add --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both"}', to decode as well"""
        place = next(
            word for word in words if word.text in ("prefill", "--is-prefill-worker") or word.text.endswith("=prefill")
        )
        component.report(findings, "DG452", _place(component, place), message, hint)


def _is_open(word: Word) -> bool:
    """It may be any argument."""
    return word.open


def _check_sizes(component: Component, words: Sequence[Word], findings: Findings) -> None:
    resources = (component.main or {}).get("resources") or {}
    given = str((resources.get("limits") or {}).get("nvidia.com/gpu", ""))
    texts = [word.text for word in words]
    tensor, pipeline = ([value or "" for value in all_values(texts, *flags)] for flags in (_TENSOR, _PIPELINE))
    if not given.isdecimal() or len(tensor) != 1 or len(pipeline) > 1 or not all(map(str.isdecimal, tensor + pipeline)):
        return
    needed, there = int(tensor[0]) * int((pipeline or ["1"])[0]), int(given) * component.nodes
    if needed > there > 0:
        sizes = f"tensor parallel {tensor[0]}" + (f" times pipeline parallel {pipeline[0]}" if pipeline else "")
        nodes = f"{component.nodes} nodes of {given} GPUs have {there}" if component.nodes > 1 else f"there are {given}"
        message = f"{sizes} needs {needed} GPUs, and {nodes}"
        hint = "a limit of 'nvidia.com/gpu' that fits, or a smaller size"
        place = next(word for word in words if flag_of(word.text) in _TENSOR)
        component.report(findings, "DG452", _place(component, place), message, hint)


def _place(component: Component, word: Word) -> KeyPath:
    return (*component.container(MAIN)[0], *word.path)
