"""Frontends that route by KV cache, and workers that do not tell them what they have, or in blocks of another size.

Source: docs.nvidia.com/dynamo, "Using the Dynamo Frontend"; deploy/inference-gateway/ext-proc/examples/onramp/agg.yaml (sizes of blocks)
and issue 11473 of ai-dynamo/dynamo; kv_router_args.py and frontend_args.py in the wheels
ai-dynamo 1.0.0 to 1.6.1 (flags and variables of the frontend).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dynagen.cluster.graphs import MAIN, Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import KeyPath
from dynagen.engine.arguments import has
from dynagen.engine.events import asks_for_events, how_to_ask, silences
from dynagen.engine.words import Word, values_of
from dynagen.text.versions import Version
from dynagen.verify.dynamo.commands import line_in
from dynagen.verify.dynamo.images import runtime_version

_BACKENDS = {"dynamo.vllm": "vllm", "dynamo.sglang": "sglang", "dynamo.trtllm": "trtllm"}
# Where a frontend is told not to listen, and what else may tell it: a file, or load without caches.
_DEAF = ("--no-router-kv-events", "--no-kv-events", "--router-policy-config", "--load-aware", "--router-load-aware")
_DEAF_VARIABLES = ("DYN_ROUTER_USE_KV_EVENTS", "DYN_USE_KV_EVENTS")
_OTHER_VARIABLES = ("DYN_ROUTER_POLICY_CONFIG", "DYN_ROUTER_LOAD_AWARE")
_YES = ("1", "true", "yes", "on")
_DECODE = ("--disaggregation-mode", "--is-decode-worker", "decode")
# What else may ask for events.
_FILES = ("--config", "--disagg-config", "--trtllm.publish_kv_events")
_BLOCKS = {"vllm": ("--block-size",), "sglang": ("--page-size",), "trtllm": ("--kv-block-size",)}


class _Said(NamedTuple):
    """A value with the path to it in its component."""

    text: str
    path: KeyPath


class _Worker(NamedTuple):
    """A worker whose engine is known, with the words of its command; `path` leads to the command."""

    component: Component
    backend: str
    words: Sequence[Word]
    path: KeyPath
    version: Version

    @property
    def is_decode(self) -> bool:
        mode = [word.text for word in values_of(self.words, _DECODE[0])]
        said = mode[-1] if mode else self.component.env().get(f"DYN_{self.backend.upper()}_DISAGGREGATION_MODE")
        flagged = has([word.text for word in self.words], _DECODE[1])
        return flagged or (said == _DECODE[2] if said else self.component.role == _DECODE[2])


def check_routing(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    """Reports DG643 for workers that publish no events, DG685 for blocks of two sizes."""
    frontends = [(each, said) for each in graph.components if (said := _routes_by_cache(each)) is not None]
    pickers = [each for each in graph.components if each.type == "epp"]
    if not frontends and not pickers:
        return
    workers = [worker for each in graph.components if (worker := _worker(each, cluster)) is not None]
    decoding = [worker for worker in workers if worker.is_decode]
    if len(decoding) < sum(each.is_worker for each in graph.components):  # others prefill: caches of prompts are theirs
        workers = [worker for worker in workers if worker not in decoding]
    for frontend, said in frontends:
        for worker in workers if _listens(frontend) else ():
            _check_events(frontend, said, worker, findings)
    for router in (*(each for each, _ in frontends), *pickers):
        _check_blocks(router, workers, findings)


def _routes_by_cache(component: Component) -> _Said | None:
    """Where a frontend says that it routes by KV cache."""
    if component.type != "frontend":
        return None
    path, _ = component.container(MAIN)
    words = line_in(component).words
    given = list(values_of(words, "--router-mode"))
    if given or has([word.text for word in words], "--router-mode"):
        return _Said("kv", (*path, *given[-1].path)) if given and given[-1].text == "kv" else None
    return _Said("kv", (*path, "env")) if component.env().get("DYN_ROUTER_MODE") == "kv" else None


def _listens(frontend: Component) -> bool:
    words, env = line_in(frontend).words, frontend.env()
    off = any((env[name] or "").lower() not in _YES for name in _DEAF_VARIABLES if name in env)
    other = any(name in env for name in _OTHER_VARIABLES)
    return not (off or other or has([word.text for word in words], *_DEAF) or any(word.open for word in words))


def _worker(component: Component, cluster: Cluster) -> _Worker | None:
    """None for one that is no engine of ours, or may be given more arguments."""
    if not component.is_worker:
        return None
    commands = [each for each in line_in(component).commands if each.program in _BACKENDS]
    if len(commands) != 1 or any(word.open for word in commands[0].words):
        return None
    path, _ = component.container(MAIN)
    version = runtime_version(component, cluster.release) or cluster.release
    backend = _BACKENDS[commands[0].program]
    return _Worker(component, backend, commands[0].words, (*path, *commands[0].path), version)


def _check_events(frontend: Component, said: _Said, worker: _Worker, findings: Findings) -> None:
    texts, component = [word.text for word in worker.words], worker.component
    found = silences(worker.backend, texts)
    path, _ = component.container(MAIN)
    if found:
        index, why = found[0]
        place: KeyPath = (*path, *worker.words[index].path)
        is_config = texts[index].startswith("--kv-events-config") or texts[index - 1] == "--kv-events-config"
        hint = f"use {how_to_ask(worker.backend, worker.version)}" if is_config else "leave it out"
    elif asks_for_events(worker.backend, texts, worker.version) or _may_ask(worker, texts):
        return
    else:
        why, place = "nothing asks for their events", worker.path
        hint = f"add {how_to_ask(worker.backend, worker.version)}"
    message = f"the frontend routes by what workers have cached, and {why}: it never learns of anything"
    where = f"component '{component.name}': " if component.name else ""
    also = [("it is asked for here", frontend.graph.subject, (*frontend.path, *said.path))]
    hint += "; or add --no-router-kv-events to the frontend, and it guesses"
    findings.add(
        "DG643", component.graph.subject, (*component.path, *place), where + message, hint, "warning", also=also
    )


def _may_ask(worker: _Worker, texts: Sequence[str]) -> bool:
    """Whether a file or a variable may ask for events."""
    variables = worker.component.env()
    return has(texts, *_FILES) or any("PUBLISH" in name and "EVENTS" in name for name in variables)


def _check_blocks(router: Component, workers: Sequence[_Worker], findings: Findings) -> None:
    words = line_in(router).words
    given = [word.text for word in values_of(words, "--kv-cache-block-size")]
    said = given[-1] if given else router.env().get("DYN_KV_CACHE_BLOCK_SIZE")
    if not said or not said.isdecimal():
        return
    for worker in workers:
        own = list(values_of(worker.words, *_BLOCKS[worker.backend]))
        if own and own[-1].text.isdecimal() and int(own[-1].text) != int(said):
            message = f"its blocks have {own[-1].text} tokens, and '{router.name}' routes by blocks of {said}"
            path, _ = worker.component.container(MAIN)
            place = (*path, *own[-1].path)
            worker.component.report(findings, "DG685", place, message, "say the same to both", "warning")
