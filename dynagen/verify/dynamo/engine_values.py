"""Values of an engine's arguments that it refuses when it starts, or with which it cannot run.

Source: vllm/config/kv_transfer.py, vllm/config/cache.py (gpu_memory_utilization: gt=0, le=1) and
vllm/distributed/kv_transfer/kv_connector/factory.py of vllm-project/vllm; the pool for KV cache in
python/sglang/srt/model_executor of sgl-project/sglang; backend_args.py of dynamo/{vllm,trtllm} and args.py of
dynamo/sglang in the wheels ai-dynamo up to 1.6.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dynagen.diagnostics import closest, shortened
from dynagen.verify.dynamo.commands import backends_in
from dynagen.verify.dynamo.graphs import MAIN, Component, Graph
from dynagen.verify.dynamo.scripts import Word, values_of, words_of
from dynagen.verify.objects import Findings

_ROLES = ("kv_producer", "kv_consumer", "kv_both")
# Those of any vLLM from 0.12 to 0.31, and Dynamo's own.
_CONNECTORS = (
    "DecodeBenchConnector", "DynamoConnector", "ExampleConnector", "ExampleHiddenStatesConnector", "FlexKVConnectorV1",
    "HF3FSKVConnector", "LMCacheConnectorV1", "LMCacheMPConnector", "MoRIIOConnector", "MooncakeConnector",
    "MooncakeStoreConnector", "MultiConnector", "NixlConnector", "NixlPullConnector", "NixlPushConnector",
    "OffloadingConnector", "P2pNcclConnector", "PdConnector", "SharedStorageConnector", "SimpleCPUOffloadConnector",
)  # fmt: skip
# Of any release and any backend: `null` is SGLang's word, `prefill_and_decode` that of older TensorRT-LLM.
_MODES = ("agg", "pd", "prefill", "decode", "encode", "null", "prefill_and_decode")
_TRANSFER, _MODE = "--kv-transfer-config", "--disaggregation-mode"
_SHARES = {"vllm": "--gpu-memory-utilization", "sglang": "--mem-fraction-static"}


class _Problem(NamedTuple):
    word: Word
    message: str
    hint: str = ""
    severity: str = "error"


def check_engine_values(graph: Graph, findings: Findings) -> None:
    """Reports DG452 for a KV transfer, a role or a share of memory that cannot be."""
    for component in graph.components:
        backends = backends_in(component) if component.is_worker and component.main else []
        if len(backends) != 1:
            continue
        path, main = component.container(MAIN)
        words = words_of(main or {})
        problems = [*_role_problems(component, words), *_share_problems(backends[0], words)]
        if backends[0] == "vllm":
            problems += _transfer_problems(words)
        where = f"component '{component.name}': " if component.name else ""
        for word, message, hint, severity in problems:
            at = (*component.path, *path, *word.path)
            findings.add("DG452", graph.subject, at, where + message, hint, severity)


def _role_problems(component: Component, words: list[Word]) -> Iterator[_Problem]:
    given = list(values_of(words, _MODE))
    for word in given:
        if word.text not in _MODES:
            near = closest(word.text, _MODES[:5])
            hint = f"did you mean '{near}'?" if near else "one of " + ", ".join(_MODES[:5])
            yield _Problem(word, f"'{_MODE}' cannot be '{shortened(word.text, 40)}'", hint)
    flags = {"--is-prefill-worker": "prefill", "--is-decode-worker": "decode"}
    given += [Word(flags[word.text], word.path) for word in words if word.text in flags]
    roles = {word.text for word in given}
    other = {"prefill": "decode", "decode": "prefill"}.get(component.type)
    if other and roles == {other}:
        message = f"it is of type '{component.type}', and its engine is started for {other}"
        hint = "one of the two is wrong: by the type it is found, labelled and scaled"
        yield _Problem(given[0], message, hint, "warning")


def _share_problems(backend: str, words: list[Word]) -> Iterator[_Problem]:
    flag = _SHARES.get(backend)
    for word in values_of(words, flag) if flag else ():
        try:
            share = float(word.text)
        except ValueError:
            continue
        hint = f"did you mean {share / 100:g}?" if 1 < share <= 100 else "a share of the GPU's memory, such as 0.85"
        if not 0 < share <= 1:
            yield _Problem(word, f"'{flag}' is {shortened(word.text, 20)}: it is more than 0 and at most 1", hint)
        elif share == 1 and backend == "sglang":
            message = f"'{flag}' is {word.text}, which leaves nothing for activations"
            yield _Problem(word, message, "less than 1, such as 0.85", "warning")


def _transfer_problems(words: list[Word]) -> Iterator[_Problem]:
    import json

    for word in values_of(words, _TRANSFER):
        if word.text in ("", "None"):
            continue
        try:
            config = json.loads(word.text)
        except (ValueError, RecursionError):
            is_quoted = word.text[0] in "'\"" and word.path[0] == "args"
            hint = "quotes around it are for a shell" if is_quoted else "keys and texts stand in double quotes"
            yield _Problem(word, f"'{_TRANSFER}' is no JSON: {shortened(word.text, 60)}", hint)
            continue
        if not isinstance(config, dict):
            hint = """for example {"kv_connector":"NixlConnector","kv_role":"kv_both"}"""
            yield _Problem(word, f"'{_TRANSFER}' is no object: {shortened(word.text, 60)}", hint)
            continue
        # Keys may come one by one as well: --kv-transfer-config.kv_role kv_both.
        alone = not any(each.text.replace("_", "-").startswith(f"{_TRANSFER}.") for each in words)
        extra = config.get("kv_connector_extra_config")
        nested = extra.get("connectors") if isinstance(extra, dict) else None
        for part in (config, *(nested if isinstance(nested, list) else ())):
            if isinstance(part, dict):
                yield from (_Problem(word, *problem) for problem in _connector_problems(part, alone))


def _connector_problems(config: dict[str, Any], alone: bool) -> Iterator[tuple[str, str, str]]:
    """Message, hint and severity."""
    connector, role = config.get("kv_connector"), config.get("kv_role")
    if role is not None and role not in _ROLES:
        near = closest(str(role), _ROLES)
        hint = f"did you mean '{near}'?" if near else "one of " + ", ".join(_ROLES)
        yield f"'kv_role' cannot be '{shortened(str(role), 40)}'", hint, "error"
    elif role is None and connector is not None and alone:
        yield f"'{_TRANSFER}' names a connector and no 'kv_role'", "one of " + ", ".join(_ROLES), "error"
    if not isinstance(connector, str) or connector in _CONNECTORS or config.get("kv_connector_module_path"):
        return
    import difflib

    # Others register connectors too, often under the name of a known one with a version: those are not meant.
    known = [each for each in _CONNECTORS if each not in connector]
    near_ones = difflib.get_close_matches(connector.lower(), [each.lower() for each in known], 1, 0.88)
    if near_ones and len(known) == len(_CONNECTORS):
        near = next(each for each in known if each.lower() == near_ones[0])
        yield (
            f"vLLM has no connector '{shortened(connector, 60)}', as far as we know",
            f"did you mean '{near}'?",
            "warning",
        )
