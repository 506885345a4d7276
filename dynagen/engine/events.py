"""Arguments of an engine in, whether it publishes what is in its KV cache out.

Source: create_kv_events_config in vllm/args.py, use_kv_events in sglang/args.py, args.py and backend_args.py of trtllm in the
wheels ai-dynamo 0.8.0 to 1.6.1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from dynagen.engine.arguments import flag_of, has, places_of
from dynagen.text.versions import Version

_CONFIG = "--kv-events-config"
# With 1.1 vLLM's events became something that is asked for, as SGLang's and TensorRT-LLM's are.
_ASKED_FOR = (1, 1, 0)
_PUBLISH = ("--publish-kv-events", "--publish-events-and-metrics")
_EXAMPLES = {
    "vllm": '{"publisher":"zmq","topic":"kv-events","endpoint":"tcp://*:20080","enable_kv_cache_events":true}',
    "sglang": '{"publisher":"zmq","topic":"kv-events","endpoint":"tcp://*:20080"}',
}


def silences(backend: str, args: Sequence[str]) -> list[tuple[int, str]]:
    """Arguments of an engine with which it publishes nothing, by their index."""
    found = [
        (index, f"'{argument}' takes their caches away")
        for index, argument in enumerate(args)
        if argument in ("--no-enable-prefix-caching", "--disable-radix-cache")
    ]
    for value, index in places_of(args, _CONFIG):
        try:
            config = json.loads(value or "")
        except (ValueError, RecursionError):
            continue  # the engine says so itself
        if not isinstance(config, dict):
            continue
        if config.get("publisher", "null" if backend == "sglang" else "zmq") == "null":
            found.append((index, "their publisher is 'null'"))
        elif backend == "vllm" and config.get("enable_kv_cache_events") is not True:
            found.append((index, "'enable_kv_cache_events' is not true"))
    return found


def asks_for_events(backend: str, args: Sequence[str], version: Version) -> bool:
    """Whether events are asked for, or need not be."""
    if backend == "vllm" and version < _ASKED_FOR:
        return True
    if backend == "trtllm":
        return has(args, *_PUBLISH)
    return any(flag_of(each).startswith(_CONFIG) for each in args)  # vLLM takes keys after a dot


def how_to_ask(backend: str, version: Version) -> str:
    """The argument that asks for events."""
    if backend == "trtllm":
        return _PUBLISH[0] if version >= (1, 3, 0) else _PUBLISH[1]
    return f"{_CONFIG} '{_EXAMPLES[backend]}'"
