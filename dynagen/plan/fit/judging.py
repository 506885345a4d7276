"""A profile's workers and its model's shape in, the context they can have out; what does not fit is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from dynagen.diagnostics import Report
from dynagen.engine.arguments import has
from dynagen.plan.engine_arguments import arguments_of
from dynagen.plan.engine_config import profile_config
from dynagen.plan.fit.gpu_memory import (
    GIB,
    Fit,
    Layout,
    Setting,
    least_bytes,
    longest_context,
    sequence_bytes,
    token_bytes,
)
from dynagen.plan.fit.machines import check_transfer
from dynagen.plan.fit.parallel import NO_WAY, at_tensor, check_parallel, check_product, use
from dynagen.plan.fit.precision import check_precision, widened
from dynagen.plan.fit.question import Part, Question, Search, divides, memory_of
from dynagen.plan.fit.shape import Shape
from dynagen.plan.nodes import check_nodes
from dynagen.plan.placement import joins_nodes, largest_node
from dynagen.profile import Profile
from dynagen.text.versions import Version

# No context below this is worth a deployment; smaller ones are offered to nobody.
_SHORTEST = 2048
# What is asked for in place of a profile that says nothing, when even less does not fit.
_USEFUL = 8192


class _Room:
    """What a worker has room for: a context at most that is asked for, and the memory that this was computed from."""

    __slots__ = ("context", "memory", "setting")

    def __init__(self, context: int, setting: Setting, memory: Fit) -> None:
        self.context, self.setting, self.memory = context, setting, memory


def judge(
    profile: Profile, parts: Sequence[Part], shape: Shape | None, gpu: Mapping[str, Any], facts: Mapping[str, Any],
    release: Version, draft: Shape | None, report: Report,
) -> int | None:  # fmt: skip
    """The context for the engines' command lines; None leaves it to the model. `draft` is a model that guesses. Reports DG403, DG417
    to DG426, DG428, DG429 and DG437."""
    asked: int | None = profile.data.get("context")
    if shape is None:
        _judge_unknown(profile, parts, gpu, facts, report)
        return asked
    questions = [_question(profile, part, shape, draft, release) for part in parts]
    context = min(asked or _USEFUL, shape.context)
    search = Search(profile, parts, questions, gpu, facts, context, joins_nodes(profile.data["platform"]))
    check_precision(profile, shape, gpu, facts.get("precision", {}), partial(_other_precision, search), report)
    is_supported = not report.failed
    have_nodes = [_has_nodes(search, part, report) for part in parts]
    if not all(have_nodes):
        return asked
    for part, question in zip(parts, questions, strict=True):
        offered = partial(_ways, search, part)
        check_parallel(profile, part.path, part.name, shape, part.layout, question.on(gpu), offered, report)
    rooms = [
        _room(question, part, gpu, min(asked or shape.context, shape.context))
        for part, question in zip(parts, questions, strict=True)
    ]
    longest = min(room.context for room in rooms)
    can_run = [
        part.layout.gpus == profile.value(part.path)["gpus"] and divides(question, part.layout, gpu)
        for part, question in zip(parts, questions, strict=True)
    ]
    if asked is not None and asked > shape.context and not all(_is_stretched(profile, part) for part in parts):
        _say_too_long(profile, asked, longest or shape.context, shape.context, report)
        asked = shape.context
        if longest:
            return asked
    if not is_supported:
        return asked
    plain = Question(shape, profile.data["backend"], release, profile.data["engineArgs"], None, {})
    each = token_bytes(shape, Layout(), memory_of(plain, Layout(), "agg", gpu)[0])
    check_transfer(profile, parts, gpu, each, report)
    if asked is not None and asked > shape.context:  # stretched
        rooms = [_room(question, part, gpu, asked) for part, question in zip(parts, questions, strict=True)]
    for part, room, fine in zip(parts, rooms, can_run, strict=True):
        if fine:
            _check_memory(search, part, room, asked, report)
    if report.failed or asked is not None or longest >= shape.context:
        return asked
    _say_cut(search, longest, shape.context, report)
    return longest


def _judge_unknown(
    profile: Profile, parts: Sequence[Part], gpu: Mapping[str, Any], facts: Mapping[str, Any], report: Report
) -> None:
    """What can be said without the model's shape."""
    check_precision(profile, None, gpu, facts.get("precision", {}), _no_shape, report)
    for part in parts:
        if not check_nodes(
            profile, part, gpu, lambda: [f"'gpus: {largest_node(gpu)}' or less, and more replicas"], report
        ):
            continue
        number = part.layout.gpus
        known = [f"'gpus: {number}'"] if number <= part.nodes * largest_node(gpu) else []
        otherwise = f"make the product of the three {profile.value(part.path)['gpus']}"
        check_product(profile, part.path, part.name, part.layout, known.copy, otherwise, report)
    check_transfer(profile, parts, gpu, None, report)


def _has_nodes(search: Search, part: Part, report: Report) -> bool:
    """Whether there are nodes for a worker. What is offered in place of more GPUs than a node has begins with as many as it has."""
    profile, given = search.profile, search.profile.value(part.path).get("parallel", {})
    pipeline, data = given.get("pipeline", 1), given.get("data", 1)

    def offered() -> list[str]:
        tensor = max(1, largest_node(search.gpu) // (pipeline * data))
        whole = part._replace(layout=Layout(tensor, pipeline, data, given.get("expert", False)), nodes=1)
        parts = [whole if each is part else each for each in search.parts]
        other = Search(profile, parts, search.questions, search.gpu, search.facts, search.context, search.over_nodes)
        return [each for each in _ways(other, whole) if "platform" not in each]

    return check_nodes(profile, part, search.gpu, offered, report)


def _ways(search: Search, part: Part) -> list[str]:
    from dynagen.plan.fit.ways import ways  # most profiles need none

    return ways(search, part)


def _other_precision(search: Search, flag: str, advice: str) -> str:
    from dynagen.plan.fit.ways import other_precision

    return other_precision(search, flag, advice)


def _no_shape(flag: str, advice: str) -> str:
    return advice


def _question(profile: Profile, part: Part, shape: Shape, draft: Shape | None, release: Version) -> Question:
    data = profile.data
    own = arguments_of(profile, part.path)
    wish, config = data.get("speculative", {}), profile_config(data, profile.value(part.path))
    itself = wish.get("method") == "mtp" and "model" not in wish
    return Question(shape, data["backend"], release, own, data.get("concurrency"), config, draft, itself)


def _is_stretched(profile: Profile, part: Part) -> bool:
    """Whether the profile says itself how positions are stretched, or tells the engine not to look."""
    data, own = profile.data, profile.value(part.path)
    flags = ("--hf-overrides", "--rope-scaling", "--json-model-override-args")
    names = {"VLLM_ALLOW_LONG_MAX_MODEL_LEN", "SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN"}
    given = [argument.partition(".")[0] for argument in (*data["engineArgs"], *own["engineArgs"])]
    return has(given, *flags) or not names.isdisjoint({**data["env"], **own["env"]})


def _say_too_long(profile: Profile, asked: int, possible: int, whole: int, report: Report) -> None:
    """Reports DG426."""
    report.add(
        "DG426", f"model '{profile.data['model']}' has a context of {whole} tokens, and {asked} are asked for",
        profile.at(("context",)), hint=f"use 'context: {possible}'; the engines refuse more than {whole}",
    )  # fmt: skip


def _say_cut(search: Search, longest: int, whole: int, report: Report) -> None:
    """DG425: a note, and a warning when less than a quarter is left of what people choose the model for."""
    more = _ways(search.for_context(whole), search.parts[0]) if len(search.parts) == 1 else []
    report.add(
        "DG425",
        f"of the {whole} tokens of context that model '{search.profile.data['model']}' has, {longest} fit into "
        f"{search.gpu['name']}: the workers get that",
        search.profile.at(("model",)),
        hint=f"say it with 'context: {longest}'" + (f"; for all of it {use(more, '')}" if more else ""),
        severity="warning" if longest * 4 < whole else "note",
    )  # fmt: skip


def _room(question: Question, part: Part, gpu: Mapping[str, Any], wanted: int) -> _Room:
    setting, memory = memory_of(question, part.layout, part.role, gpu)
    shape = widened(question.shape, question.backend, gpu)
    if least_bytes(shape, part.layout, setting, wanted) <= memory.room:
        return _Room(wanted, setting, memory)
    return _Room(_sensible(shape, part.layout, setting, memory), setting, memory)


def _check_memory(search: Search, part: Part, room: _Room, asked: int | None, report: Report) -> None:
    """Reports DG423 and DG424."""
    question = search.questions[search.parts.index(part)]
    shape = widened(question.shape, question.backend, search.gpu)
    if room.context < min(asked or _SHORTEST, asked or shape.context):
        _refuse(search, part, room, asked or search.context, shape, report)
        return
    if not question.concurrency or part.role == "prefill":
        return
    each = sequence_bytes(shape, part.layout, room.setting, room.context)
    kept = least_bytes(shape, part.layout, room.setting, room.context) - each
    most = int((room.memory.room - kept) / each) * part.layout.data if each else question.concurrency
    if most < question.concurrency:
        # Sequences are as long as the context now and then only; when not even usual ones fit, they wait every day.
        usual = sequence_bytes(shape, part.layout, room.setting, min(room.context, _USEFUL))
        crowded = usual * question.concurrency > room.memory.room * part.layout.data
        report.add(
            "DG424",
            f"worker '{part.name}': {question.concurrency} sequences of {room.context} tokens need "
            f"{_gib(each * question.concurrency / part.layout.data)} GiB of each GPU for their KV cache, and "
            f"{_gib(room.memory.room)} are left: {most} fit",
            search.profile.at(("concurrency",)), severity="warning" if crowded else "note",
            hint=f"the others wait, or are computed anew: use 'concurrency: {most}', a shorter context, or more GPUs for each worker",
        )  # fmt: skip


def _refuse(search: Search, part: Part, room: _Room, context: int, shape: Shape, report: Report) -> None:
    profile, memory = search.profile, room.memory
    need = least_bytes(shape, part.layout, room.setting, context)
    parts = f"weights {_gib(memory.weights)}, KV cache of one sequence of {context} tokens {_gib(need)}, engine {_gib(memory.overhead)}"
    total, usable = memory.weights + need / memory.kv_share + memory.overhead, memory.usable
    offered = _ways(search.for_context(context), part)
    if room.context:
        offered.append(f"'context: {room.context}'")
    report.add(
        "DG423",
        f"worker '{part.name}': model '{profile.data['model']}' needs {_gib(total)} GiB of each GPU ({parts}), and "
        f"{profile.data['backend']} has {_gib(usable)} of {search.gpu['name']}: {_gib(total - usable)} GiB are missing",
        at_tensor(profile, part.path), hint=use(offered, NO_WAY),
    )  # fmt: skip


def _sensible(shape: Shape, layout: Layout, setting: Setting, memory: Fit) -> int:
    """The longest round context that fits with something to spare: 2^n or 3 * 2^n; 0 if none is worth it."""
    longest = longest_context(shape, layout, setting, memory.room * 0.95)
    rounds = [size for power in range(9, 31) for size in (2**power, 3 * 2 ** (power - 1))]
    return max((size for size in rounds if _SHORTEST <= size <= longest), default=0)


def _gib(size: float) -> str:
    return f"{size / GIB:.1f}"
