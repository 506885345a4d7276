"""A worker that cannot run in, what of its profile to change so that it can out. What is offered has been judged first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.engine.arguments import has, without
from dynagen.plan import backends
from dynagen.plan.fit.gpu_memory import Layout
from dynagen.plan.fit.question import Part, Question, Search, divides, runs
from dynagen.plan.nodes import unspreadable
from dynagen.plan.placement import is_offered, largest_node
from dynagen.profile import Profile

# How many nodes are offered to a worker that does not fit on one.
_NODES = (2, 4, 8)


def ways(search: Search, part: Part) -> list[str]:
    """What would run and can be had, as settings of the profile: nearest first."""
    number = _other_number(search, part)
    found = [_as_many(search, part), _share(search, part), _other_layout(search, part), number]
    if not any(found) or _divides(search, part):
        found.append(_other_gpu(search, part))
    if not number and not search.over_nodes:
        more = _other_number(search.with_nodes(), part)
        found.append(more and f"{more} with 'platform: {{grove: true}}', if the cluster has Grove")
    return list(dict.fromkeys(way for way in found if way))


def _as_many(search: Search, part: Part) -> str:
    """As many GPUs as `parallel` speaks of."""
    question, given = _question(search, part), search.profile.value(part.path)
    if part.layout.gpus == given["gpus"] or not given.get("parallel"):
        return ""
    return _said(search.profile, part, part.layout) if _runs(search, question, part, part.layout, search.gpu) else ""


def _divides(search: Search, part: Part) -> bool:
    """Whether the layout is right as it is: then memory is what is missing."""
    question = _question(search, part)
    return part.layout.gpus == search.profile.value(part.path)["gpus"] and divides(question, part.layout, search.gpu)


def other_precision(search: Search, flag: str, advice: str) -> str:
    """What to do about a precision that a GPU does not have, as far as all workers run then: what `advice` says about the
    flag that asks for it, or another type of GPU. Empty if nothing of it helps."""
    found = []
    if advice:
        more = ["--dtype", "half"] if advice.endswith("half") else []
        changed = [each._replace(arguments=[*without(each.arguments, flag), *more]) for each in search.questions]
        if all(_runs(search, *each) for each in _as_they_are(search, changed, search.gpu)):
            found.append(advice)
    gpu = _other_type(search)
    return ", or ".join([*found, *([f"use {gpu}"] if gpu else [])])


def _as_they_are(
    search: Search, questions: Sequence[Question], gpu: Mapping[str, Any]
) -> list[tuple[Question, Part, Layout, Mapping[str, Any]]]:
    pairs = zip(questions, search.parts, strict=True)
    return [(question, part, part.layout, gpu) for question, part in pairs]


def _other_type(search: Search) -> str:
    """A type of GPU on which all workers run as they are; empty if there is none."""
    return next(
        (
            f"'gpu: {other['name']}'"
            for other in _others(search)
            if all(_runs(search, *each) for each in _as_they_are(search, search.questions, other))
        ),
        "",
    )


def _runs(search: Search, question: Question, part: Part, layout: Layout, gpu: Mapping[str, Any]) -> bool:
    most = largest_node(gpu)
    if layout.gpus > most:
        wrong = unspreadable(question.backend, question.release, layout, most)
        if not search.over_nodes or layout.gpus % most or any(wrong):
            return False
    return is_offered(search.profile.data, gpu, min(layout.gpus, most)) and runs(
        question, layout, part.role, gpu, search.context, search.facts.get("precision", {})
    )


def _question(search: Search, part: Part) -> Question:
    return search.questions[search.parts.index(part)]


def _share(search: Search, part: Part) -> str:
    """The engine may use more of each GPU than it does by itself."""
    question = _question(search, part)
    flag, shares = backends.memory_share(question.backend)
    if has(question.arguments, flag) or part.layout.gpus != search.profile.value(part.path)["gpus"]:
        return ""
    for share in shares:
        wider = question._replace(arguments=[*question.arguments, f"{flag}={share}"])
        if _runs(search, wider, part, part.layout, search.gpu):
            return f"'engineArgs: [{flag}={share}]'"
    return ""


def _other_layout(search: Search, part: Part) -> str:
    """The same GPUs share the model in another way."""
    question, old = _question(search, part), part.layout
    for number in dict.fromkeys((search.profile.value(part.path)["gpus"], old.gpus)):
        for layout in (*([old] if old.gpus == number else []), *_layouts(question, number)):
            if _runs(search, question, part, layout, search.gpu):
                return _said(search.profile, part, layout)
    return ""


def _layouts(question: Question, gpus: int) -> Iterator[Layout]:
    experts = (False, True) if question.shape.experts else (False,)
    for pipeline in (1, 2, 4, 8):
        tensor, rest = divmod(gpus, pipeline)
        for expert in experts if not rest else ():
            yield Layout(tensor, pipeline, 1, expert)
    if question.shape.experts:
        yield from (Layout(gpus // data, 1, data, True) for data in (2, 4, 8) if gpus % data == 0)


def _other_number(search: Search, part: Part) -> str:
    """More GPUs, or fewer when that is enough, which share the model as the profile says; in any way if that does not do."""
    question, old = _question(search, part), part.layout
    numbers = _numbers(search.gpu, search.over_nodes)
    larger = [number for number in numbers if number > old.gpus]
    ordered = [*larger, *(number for number in reversed(numbers) if number < old.gpus)]
    kept = [old._replace(tensor=number // (old.pipeline * old.data)) for number in ordered]
    same = [layout for number, layout in zip(ordered, kept, strict=True) if layout.gpus == number]
    others = (layout for number in ordered for layout in _layouts(question, number))
    for layout in (*same, *others):
        if _runs(search, question, part, layout, search.gpu):
            return _said(search.profile, part, layout)
    return ""


def _other_gpu(search: Search, part: Part) -> str:
    """Another type of GPU, on which the other workers run as well."""
    question, old = _question(search, part), part.layout
    rest = [
        (each, asked) for each, asked in zip(search.parts, search.questions, strict=True) if each is not part
    ]  # as they are
    if any(each.layout.gpus != search.profile.value(each.path)["gpus"] for each, _ in rest):
        return ""
    for number in sorted({old.gpus, *_numbers(search.gpu, False), 8}):
        layout = old._replace(tensor=number // (old.pipeline * old.data))
        if number < old.gpus or layout.gpus != number:
            continue
        for other in _others(search):
            if other["memoryGiB"] <= search.gpu["memoryGiB"]:
                continue
            if _runs(search, question, part, layout, other) and all(
                _runs(search, asked, each, each.layout, other) for each, asked in rest
            ):
                more = _said(search.profile, part, layout)
                return f"'gpu: {other['name']}'" + (f" with {more}" if more else "")
    return ""


def _others(search: Search) -> list[dict[str, Any]]:
    """The other types, those with less memory first."""
    known = search.facts["gpus"].items()
    others = [{"name": name, **other} for name, other in known if name != search.gpu["name"]]
    return sorted(others, key=lambda other: float(other["memoryGiB"]))


def _numbers(gpu: Mapping[str, Any], over_nodes: bool) -> list[int]:
    """Numbers of GPUs that a worker may have, the usual ones."""
    most = largest_node(gpu)
    whole = {machine["gpus"] for machine in gpu.get("machines", ())}
    several = {most * nodes for nodes in _NODES} if over_nodes else set()
    return sorted(whole | {2**power for power in range(5) if 2**power <= most} | several)


def _said(profile: Profile, part: Part, layout: Layout | None) -> str:
    """A layout as the settings of a worker that differ from what the profile says."""
    if layout is None:
        return ""
    given = profile.value(part.path)
    parallel = given.get("parallel", {})
    plain = {"pipeline": 1, "data": 1, "expert": False}
    wanted = {"tensor": layout.tensor} if "tensor" in parallel else {}
    wanted |= {key: getattr(layout, key) for key in plain if getattr(layout, key) != plain[key]}
    said = []
    if layout.gpus != given["gpus"]:
        said.append(f"'gpus: {layout.gpus}'")
    if wanted != {key: value for key, value in parallel.items() if value != plain.get(key)}:
        inner = ", ".join(f"{key}: {str(value).lower()}" for key, value in wanted.items())
        said.append(f"'parallel: {{{inner}}}'")
    return " and ".join(said)
