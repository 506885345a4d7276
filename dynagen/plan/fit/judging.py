"""A profile's workers and its model's shape in, the context they can have out; what does not fit is reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.arguments import has
from dynagen.plan import backends
from dynagen.plan.fit.gpu_memory import GIB, Fit, Layout, Setting, fit, longest_context, sequence_bytes, token_bytes
from dynagen.plan.fit.machines import check_transfer
from dynagen.plan.fit.parallel import at_tensor, check_parallel
from dynagen.plan.fit.precision import check_precision, widened
from dynagen.plan.fit.shape import Shape
from dynagen.plan.placement import is_offered
from dynagen.profile import Profile
from dynagen.text.versions import Version

# The driver keeps this of what nvidia-smi shows: an H100 of 81559 MiB has 79.1 GiB for CUDA, an L4 of 23034 has 22.0.
_DRIVER_MIB = 640
# No context below this is worth a deployment; smaller ones are offered to nobody.
_SHORTEST = 2048
# What is asked for in place of a profile that says nothing, when even less does not fit.
_USEFUL = 8192


class Part(NamedTuple):
    """A kind of worker: its place in the profile, its role for the engine, and how its GPUs share the model."""

    path: KeyPath
    name: str
    role: str
    layout: Layout


class Question(NamedTuple):
    """Whether `shape` fits on GPUs of a kind. `arguments` are the profile's own, for this worker."""

    shape: Shape
    backend: str
    release: Version
    arguments: Sequence[str]
    concurrency: int | None


def judge(
    profile: Profile, parts: Sequence[Part], shape: Shape | None, gpu: Mapping[str, Any], facts: Mapping[str, Any],
    release: Version, report: Report,
) -> int | None:  # fmt: skip
    """The context for the engines' command lines; None leaves it to the model. Reports DG418 to DG426, DG428, DG429
    and DG437."""
    data = profile.data
    check_precision(profile, shape, gpu, facts.get("precision", {}), report)
    asked: int | None = data.get("context")
    if shape is None:
        check_transfer(profile, gpu, None, report)
        return asked
    most = max((machine["gpus"] for machine in gpu.get("machines", ())), default=gpu["maxPerNode"])
    if any(part.layout.gpus > most for part in parts):
        return asked  # DG403 speaks of it
    for part in parts:
        question = Question(shape, data["backend"], release, data["engineArgs"], None)
        context = asked or min(_USEFUL, shape.context)
        fits = partial(_fits, question, part, gpu=gpu, context=context)
        check_parallel(profile, part.path, part.name, shape, part.layout, most, release, fits, report)
    if asked is not None and asked > shape.context and not _is_stretched(data):
        report.add(
            "DG426", f"model '{data['model']}' has a context of {shape.context} tokens, and {asked} are asked for",
            profile.at(("context",)), hint=f"use up to {shape.context}; the engines refuse more",
        )  # fmt: skip
    if report.failed:
        return asked
    setting = _fit(Question(shape, data["backend"], release, data["engineArgs"], None), Layout(), "agg", gpu)[0]
    check_transfer(profile, gpu, token_bytes(shape, Layout(), setting), report)
    found = [_memory(profile, part, shape, gpu, facts, release, asked, report) for part in parts]
    limit = min(found)
    if report.failed or asked is not None or limit >= shape.context:
        return asked
    report.add(
        "DG425",
        f"of the {shape.context} tokens of context that model '{data['model']}' has, {limit} fit into {gpu['name']}: the workers get that",
        profile.at(("model",)), hint=f"say it with 'context: {limit}', or give each worker more GPUs", severity="note",
    )  # fmt: skip
    return limit


def _is_stretched(data: Mapping[str, Any]) -> bool:
    """Whether the profile says itself how positions are stretched, or tells the engine not to look."""
    flags = ("--hf-overrides", "--rope-scaling", "--json-model-override-args")
    names = {"VLLM_ALLOW_LONG_MAX_MODEL_LEN", "SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN"}
    return has(data["engineArgs"], *flags) or not names.isdisjoint(data["env"])


def _memory(
    profile: Profile, part: Part, shape: Shape, gpu: Mapping[str, Any], facts: Mapping[str, Any], release: Version,
    asked: int | None, report: Report,
) -> int:  # fmt: skip
    """The longest context of a worker, at most what is asked for. Reports DG423 and DG424."""
    data = profile.data
    own = [*data["engineArgs"], *profile.value((*part.path, "engineArgs"))]
    question = Question(shape, data["backend"], release, own, data.get("concurrency"))
    setting, memory = _fit(question, part.layout, part.role, gpu)
    shape = widened(shape, question.backend, gpu)
    context = asked or shape.context
    need = sequence_bytes(shape, part.layout, setting, context)
    sensible = context if need <= memory.room else _sensible(shape, part.layout, setting, memory)
    if sensible < min(asked or _SHORTEST, shape.context):
        context = asked or min(_USEFUL, shape.context)
        need = sequence_bytes(shape, part.layout, setting, context)
        parts = f"weights {_gib(memory.weights)}, KV cache of one sequence of {context} tokens {_gib(need)}, engine {_gib(memory.overhead)}"
        total, usable = memory.weights + need + memory.overhead, memory.usable
        ways = list(_ways(question, part, gpu, facts, context, sensible, data))
        report.add(
            "DG423",
            f"worker '{part.name}': model '{data['model']}' needs {_gib(total)} GiB of each GPU ({parts}), and {data['backend']} "
            f"has {_gib(usable)} of {gpu['name']}: {_gib(total - usable)} GiB are missing",
            at_tensor(profile, part.path), hint="use " + ", or ".join(ways) if ways else "use a smaller model, or one with fewer bits",
        )  # fmt: skip
    elif question.concurrency and part.role != "prefill":
        each = sequence_bytes(shape, part.layout, setting, sensible)
        most = int(memory.room / each) * part.layout.data if each else question.concurrency
        if most < question.concurrency:
            report.add(
                "DG424",
                f"worker '{part.name}': {question.concurrency} sequences of {sensible} tokens need "
                f"{_gib(each * question.concurrency / part.layout.data)} GiB of each GPU for their KV cache, and "
                f"{_gib(memory.room)} are left: {most} fit",
                profile.at(("concurrency",)), severity="warning",
                hint="the others wait, or are computed anew: lower 'context' or 'concurrency', or give each worker more GPUs",
            )  # fmt: skip
    return sensible


def _fit(question: Question, layout: Layout, role: str, gpu: Mapping[str, Any]) -> tuple[Setting, Fit]:
    shape = question.shape
    mib = gpu.get("memoryMiB") or gpu["memoryGiB"] * 1024 * 0.98
    demand = backends.Demand(
        release=question.release,
        role=role,
        layout=layout,
        arguments=question.arguments,
        memory=(mib - _DRIVER_MIB) * 1024**2,
        gpu=gpu["name"],
        concurrency=question.concurrency,
        is_latent=any(block.kind == "latent" for block, _ in shape.blocks),
        has_experts=shape.experts > 0,
    )
    setting: Setting = backends.load(question.backend).setting(demand)
    return setting, fit(widened(shape, question.backend, gpu), layout, setting)


def _sensible(shape: Shape, layout: Layout, setting: Setting, memory: Fit) -> int:
    """The longest round context that fits with something to spare: 2^n or 3 * 2^n; 0 if none is worth it."""
    longest = longest_context(shape, layout, setting, memory.room * 0.95)
    rounds = [size for power in range(9, 31) for size in (2**power, 3 * 2 ** (power - 1))]
    return max((size for size in rounds if _SHORTEST <= size <= longest), default=0)


def _ways(
    question: Question, part: Part, gpu: Mapping[str, Any], facts: Mapping[str, Any], context: int, sensible: int,
    data: Mapping[str, Any],
) -> Iterator[str]:  # fmt: skip
    """What would fit and can be had: more GPUs, other GPUs, a shorter context."""
    gpus = part.layout.gpus
    sizes = sorted(
        {machine["gpus"] for machine in gpu.get("machines", ())} | {2**n for n in range(5) if 2**n <= gpu["maxPerNode"]}
    )
    more = next(
        (
            size
            for size in sizes
            if size > gpus and is_offered(data, gpu, size) and _fits(question, part, size, gpu, context)
        ),
        None,
    )
    if more:
        yield f"{more} GPUs"
    others = sorted(
        ({"name": name, **other} for name, other in facts["gpus"].items() if name != gpu["name"]),
        key=lambda other: float(other["memoryGiB"]),
    )
    for size in sorted({gpus, *sizes} - set(range(gpus))):
        fitting = next(
            (
                other["name"]
                for other in others
                if other["memoryGiB"] > gpu["memoryGiB"]
                and size <= other["maxPerNode"]
                and is_offered(data, other, size)
                and _fits(question, part, size, other, context)
            ),
            None,
        )
        if fitting:
            yield f"{size} of type {fitting}"
            break
    if sensible:
        yield f"'context: {sensible}'"


def _fits(question: Question, part: Part, gpus: int, gpu: Mapping[str, Any], context: int) -> bool:
    tensor, rest = divmod(gpus, part.layout.pipeline * part.layout.data)
    shape = question.shape
    if rest or shape.heads % tensor:
        return False
    layout = part.layout._replace(tensor=tensor)
    setting, memory = _fit(question, layout, part.role, gpu)
    return sequence_bytes(widened(shape, question.backend, gpu), layout, setting, context) <= memory.room


def _gib(size: float) -> str:
    return f"{size / GIB:.1f}"
