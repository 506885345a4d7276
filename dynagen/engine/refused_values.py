"""Values of an engine's arguments that it refuses when it starts, or with which it cannot run.

Source: vllm/config/kv_transfer.py, vllm/config/cache.py (gpu_memory_utilization: gt=0, le=1) and
vllm/distributed/kv_transfer/kv_connector/factory.py of vllm-project/vllm; the pool for KV cache in
python/sglang/srt/model_executor of sgl-project/sglang (a share of it is set apart, the rest is for activations).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.diagnostics import Finding, KeyPath, Report, closest, shortened
from dynagen.engine.words import Word, values_of
from dynagen.profile import Profile

_ROLES = ("kv_producer", "kv_consumer", "kv_both")
# Those of any vLLM from 0.12 to 0.31, and Dynamo's own.
_CONNECTORS = (
    "DecodeBenchConnector", "DynamoConnector", "ExampleConnector", "ExampleHiddenStatesConnector", "FlexKVConnectorV1",
    "HF3FSKVConnector", "LMCacheConnectorV1", "LMCacheMPConnector", "MoRIIOConnector", "MooncakeConnector",
    "MooncakeStoreConnector", "MultiConnector", "NixlConnector", "NixlPullConnector", "NixlPushConnector",
    "OffloadingConnector", "P2pNcclConnector", "PdConnector", "SharedStorageConnector", "SimpleCPUOffloadConnector",
)  # fmt: skip
_TRANSFER = "--kv-transfer-config"
_SHARES = {"vllm": "--gpu-memory-utilization", "sglang": "--mem-fraction-static"}


def check_values(profile: Profile, path: KeyPath, report: Report) -> None:
    """Reports DG452 for arguments of a profile, of which nobody has made a command line yet. What is only a warning is
    left to the check of that."""
    words = [Word(str(text), (*path, index)) for index, text in enumerate(profile.value(path))]
    for at, message, hint, severity in value_findings(profile.data["backend"], words):
        if severity == "error":
            report.add("DG452", message, profile.at(at), hint)


def value_findings(backend: str, words: Sequence[Word]) -> Iterator[Finding]:
    """What is wrong with a share of memory, and with vLLM's KV transfer."""
    yield from _share_findings(backend, words)
    if backend == "vllm":
        yield from _transfer_findings(words)


def _share_findings(backend: str, words: Sequence[Word]) -> Iterator[Finding]:
    flag = _SHARES.get(backend)
    for word in values_of(words, flag) if flag else ():
        try:
            share = float(word.text)
        except ValueError:
            continue
        likely = share / 10 if share < 10 else share / 100
        hint = f"did you mean {likely:g}?" if 1 < share <= 100 else "a share of the GPU's memory, such as 0.85"
        if not 0 < share <= 1:
            message = f"'{flag}' is {shortened(word.text, 20)}, and it has to be more than 0 and at most 1"
            yield Finding(word.path, message, hint)
        elif share == 1 and backend == "sglang":
            message = f"'{flag}' is {word.text}, which leaves nothing for activations"
            yield Finding(word.path, message, "less than 1, such as 0.85", "warning")


def _transfer_findings(words: Sequence[Word]) -> Iterator[Finding]:
    import json

    for word in values_of(words, _TRANSFER):
        if word.text in ("", "None"):
            continue
        try:
            config = json.loads(word.text)
        except (ValueError, RecursionError):
            hint = (
                "quotes around it are for a shell" if word.text[0] in "'\"" else "keys and texts stand in double quotes"
            )
            yield Finding(word.path, f"'{_TRANSFER}' is no JSON: {shortened(word.text, 60)}", hint)
            continue
        if not isinstance(config, dict):
            hint = """for example {"kv_connector":"NixlConnector","kv_role":"kv_both"}"""
            yield Finding(word.path, f"'{_TRANSFER}' is no object: {shortened(word.text, 60)}", hint)
            continue
        # Keys may come one by one as well: --kv-transfer-config.kv_role kv_both.
        alone = not any(each.text.replace("_", "-").startswith(f"{_TRANSFER}.") for each in words)
        extra = config.get("kv_connector_extra_config")
        nested = extra.get("connectors") if isinstance(extra, dict) else None
        for part in (config, *(nested if isinstance(nested, list) else ())):
            if isinstance(part, dict):
                yield from (Finding(word.path, *said) for said in _connector_problems(part, alone))


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
