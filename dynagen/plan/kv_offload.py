"""KV cache that is kept in the memory of pods: whether the engine does that, and whether there is room for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from dynagen.diagnostics import Report
from dynagen.plan import backends
from dynagen.plan.engine_arguments import arguments_of, refuse_repeated
from dynagen.plan.fit.question import Part, Question, memory_of
from dynagen.plan.fit.shape import Shape
from dynagen.plan.routing import needs_events
from dynagen.plan.values import Worker
from dynagen.plan.worker_resources import amount
from dynagen.profile import Profile
from dynagen.text.versions import Version

_GIB = 1024**3
# What the engine itself needs at least beside it: CUDA's own, Python, what is on its way to a GPU.
_ENGINE = 8 * _GIB
_AT = ("kvOffload", "memory")


def offloaded(data: Mapping[str, Any]) -> int:
    """Bytes of each pod; 0 for none."""
    given = data.get("kvOffload")
    return int(amount(str(given["memory"]))) if given else 0


def offload_env(data: Mapping[str, Any]) -> dict[str, str]:
    """vLLM's workers must give the same numbers to the same blocks for their events to be understood ("Native KV Offloading" in docs/
    of ai-dynamo/dynamo)."""
    is_told = data["backend"] == "vllm" and "kvOffload" in data and needs_events(data)
    return {"PYTHONHASHSEED": "0"} if is_told else {}


def check_offload(
    profile: Profile, parts: Sequence[Part], workers: Sequence[Worker], shape: Shape | None, gpu: Mapping[str, Any],
    release: Version, report: Report,
) -> None:  # fmt: skip
    """Reports DG747 for a pod without the memory, DG748 for an engine that does not do it, or not with so little, DG404 for arguments
    that say it again."""
    size, backend = offloaded(profile.data), backends.load(profile.data["backend"])
    if not size:
        return
    for part, worker in zip(parts, workers, strict=True):
        problem = backend.offload_problem(part.role, release)
        if problem:
            report.add("DG748", problem[0], profile.at(("kvOffload",)), hint=problem[1])
            break
        if part.role == "decode":  # it keeps nothing for later requests
            continue
        _check_memory(profile, part, worker, size, report)
        if size * part.nodes / part.layout.gpus < 1e9:
            report.add(
                "DG748", f"worker '{part.name}': less than 1 GB of memory for each GPU keeps next to nothing", profile.at(_AT),
                hint=f"use 'kvOffload: {{memory: {worker.gpus_per_node * 8}Gi}}' or more",
            )  # fmt: skip
        elif shape is not None and profile.data["backend"] == "sglang" and release < (1, 4, 0):
            _check_pools(profile, part, size, shape, gpu, release, report)
    refuse_repeated(profile, [part.path for part in parts], backend.OFFLOAD_FLAGS, "kvOffload", report)


def _check_memory(profile: Profile, part: Part, worker: Worker, size: int, report: Report) -> None:
    if worker.memory is None:
        return
    other = amount(worker.shared_memory) + _ENGINE
    if size + other <= amount(worker.memory):
        return
    room = int((amount(worker.memory) - other) / _GIB)
    ways = [f"'kvOffload: {{memory: {room}Gi}}'"] if room > 0 else []
    if "memory" in profile.value(part.path):  # else it is all that a machine has for the worker
        ways.append(f"'memory: {ceil((size + other) / _GIB)}Gi' for the worker")
    report.add(
        "DG747", f"worker '{worker.name}' has {worker.memory} of memory, and {profile.value(_AT)} of it for KV cache, {worker.shared_memory} "
        f"for /dev/shm: the engine needs {_ENGINE // _GIB}Gi and more beside them", profile.at(_AT),
        hint="use " + " or ".join(ways) if ways else "leave it out: this machine has no room for it",
    )  # fmt: skip


def _check_pools(
    profile: Profile, part: Part, size: int, shape: Shape, gpu: Mapping[str, Any], release: Version, report: Report
) -> None:
    """Before 0.5.16 SGLang ends when a GPU has more KV cache than there is in memory for it."""
    own = arguments_of(profile, part.path)
    question = Question(shape, "sglang", release, own, profile.data.get("concurrency"), {})
    _, memory = memory_of(question, part.layout, part.role, gpu)
    share = size * part.nodes / part.layout.gpus
    if share < memory.room * 0.9:
        least = ceil(memory.room * 1.1 * part.layout.gpus / part.nodes / _GIB)
        report.add(
            "DG748", f"worker '{part.name}': {share / _GIB:.0f} GiB of memory for each GPU, which has {memory.room / _GIB:.0f} GiB of KV cache: "
            "SGLang wants more of it in memory before release 1.4.0", profile.at(_AT),
            hint=f"use 'kvOffload: {{memory: {least}Gi}}', or release 1.4.0 or later",
        )  # fmt: skip
