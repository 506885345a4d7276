"""Whether a model fits on GPUs of a kind when they share it in some way: by sizes, experts, precision and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.plan import backends
from dynagen.plan.fit.gpu_memory import Fit, Layout, Setting, draft_weights, fit, least_bytes
from dynagen.plan.fit.parallel import Target, indivisible, uneven
from dynagen.plan.fit.precision import unsupported, widened
from dynagen.plan.fit.shape import Shape
from dynagen.profile import Profile
from dynagen.text.versions import Version

# The driver keeps this of what nvidia-smi shows: an H100 of 81559 MiB has 79.1 GiB for CUDA, an L4 of 23034 has 22.0.
_DRIVER_MIB = 640


class Part(NamedTuple):
    """A kind of worker: its place in the profile, its role for the engine, how its GPUs share the model, and its nodes."""

    path: KeyPath
    name: str
    role: str
    layout: Layout
    nodes: int = 1


class Question(NamedTuple):
    """Whether `shape` fits on GPUs of a kind. `arguments` and `config` are the profile's own, for this worker.

    `draft` is what guesses its tokens beside it, if that is known; `guesses_itself`: layers of its own do.
    """

    shape: Shape
    backend: str
    release: Version
    arguments: Sequence[str]
    concurrency: int | None
    config: Mapping[str, Any]
    draft: Shape | None = None
    guesses_itself: bool = False

    def on(self, gpu: Mapping[str, Any]) -> Target:
        return Target(self.backend, self.release, float(gpu["computeCapability"]), self.arguments)


class Search:
    """Where ways are looked for. `questions` has one for each of `parts`, `context` is what all of them shall have, and
    `over_nodes` says whether a worker may have several nodes."""

    __slots__ = ("context", "facts", "gpu", "over_nodes", "parts", "profile", "questions")

    def __init__(
        self, profile: Profile, parts: Sequence[Part], questions: Sequence[Question], gpu: Mapping[str, Any],
        facts: Mapping[str, Any], context: int, over_nodes: bool,
    ) -> None:  # fmt: skip
        self.profile, self.parts, self.questions = profile, parts, questions
        self.gpu, self.facts, self.context, self.over_nodes = gpu, facts, context, over_nodes

    def for_context(self, context: int) -> Search:
        return Search(self.profile, self.parts, self.questions, self.gpu, self.facts, context, self.over_nodes)

    def with_nodes(self) -> Search:
        return Search(self.profile, self.parts, self.questions, self.gpu, self.facts, self.context, True)


def memory_of(question: Question, layout: Layout, role: str, gpu: Mapping[str, Any]) -> tuple[Setting, Fit]:
    """What the engine does with the memory of a GPU, and what is left of it."""
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
        config=question.config,
    )
    setting: Setting = backends.load(question.backend).setting(demand)
    whole = widened(shape, question.backend, gpu)
    memory = fit(whole, layout, setting)
    if question.draft is not None or question.guesses_itself:
        memory = memory._replace(weights=memory.weights + draft_weights(whole, question.draft, layout, setting))
    return setting, memory


def has_room(question: Question, layout: Layout, role: str, gpu: Mapping[str, Any], context: int) -> bool:
    """Whether one sequence of `context` tokens fits beside the weights."""
    setting, memory = memory_of(question, layout, role, gpu)
    return least_bytes(widened(question.shape, question.backend, gpu), layout, setting, context) <= memory.room


def divides(question: Question, layout: Layout, gpu: Mapping[str, Any]) -> bool:
    """Whether heads, widths, layers and experts go with the layout."""
    wrong = indivisible(question.shape, layout, question.on(gpu))
    return not any(wrong) and not any(uneven(question.shape, layout, question.backend))


def runs(
    question: Question, layout: Layout, role: str, gpu: Mapping[str, Any], context: int, known: Mapping[str, Any]
) -> bool:
    """Whether nothing that is judged here speaks against it. `known` is `facts.precision`."""
    return (
        divides(question, layout, gpu)
        and not unsupported(question.shape, question.arguments, question.backend, gpu, known)
        and has_room(question, layout, role, gpu, context)
    )
