"""The size of a block of the KV cache: one for all workers and the frontend, which counts in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.options import Parser
from dynagen.plan import backends
from dynagen.plan.engine_arguments import arguments_of
from dynagen.profile import Profile
from dynagen.profile.facts import LookUp

_SIZES = tuple(2**power for power in range(13))


def check_block_size(
    profile: Profile, workers: Sequence[KeyPath], engines: Mapping[str, str], look_up: LookUp, report: Report
) -> None:
    """Reports DG741 for a size that the engine does not take. `engines` are the versions of the engines in the release."""
    size: int | None = profile.data.get("blockSize")
    if size is None:
        return
    data = profile.data
    name = data["backend"]
    parser = Parser(backends.load(name).MODULE, look_up, data["release"], engines.get(name, ""))
    for worker in workers:
        own = arguments_of(profile, worker)
        problem = _problem(parser, size, own)
        if problem:
            fine = [each for each in _SIZES if not _problem(parser, each, own)]
            nearest = min(fine, key=lambda each: abs(each - size), default=None)
            report.add(
                "DG741", f"a block of {size} tokens: {problem}", profile.at(("blockSize",)),
                hint=f"use 'blockSize: {nearest}'" if nearest else "leave it out: the engine chooses one",
            )  # fmt: skip
            return


def _problem(parser: Parser, size: int, own: Sequence[str]) -> str:
    """Why an engine does not take a size; empty if it does."""
    backend = backends.load(parser.name)
    words = next((found.words for part in parser.sections if (found := part.option(backend.BLOCK_SIZE))), ())
    if words and str(size) not in words:
        return f"{parser.title} {parser.engine} takes only {', '.join(sorted(words, key=int))}"
    return str(backend.block_size_problem(size, own))
