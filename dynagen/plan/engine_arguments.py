"""The arguments that a profile gives its engines: where each is said, and which of them a worker gets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.arguments import flag_of
from dynagen.profile import Profile

_KEY = "engineArgs"


def argument_lists(workers: Sequence[KeyPath]) -> list[KeyPath]:
    """Where a profile says arguments: for all workers, and for each kind of them."""
    return [(_KEY,), *((*worker, _KEY) for worker in workers)]


def arguments_said(profile: Profile, workers: Sequence[KeyPath]) -> Iterator[tuple[KeyPath, str]]:
    """Each argument, with the path to it."""
    for path in argument_lists(workers):
        for index, argument in enumerate(profile.value(path)):
            yield (*path, index), argument


def arguments_of(profile: Profile, worker: KeyPath) -> list[str]:
    """Those that one kind of worker gets: of all workers first."""
    return [argument for _, argument in arguments_said(profile, [worker])]


def refuse_repeated(
    profile: Profile, workers: Sequence[KeyPath], flags: Collection[str], key: str, report: Report
) -> None:
    """Reports DG404 for arguments with one of these flags, which say again what `key` says."""
    for path, argument in arguments_said(profile, workers):
        flag = flag_of(argument)
        if flag.partition(".")[0] in flags:
            report.add(
                "DG404", f"'{flag}' is set by dynagen, for '{key}'", profile.at(path),
                hint=f"leave it out; or say all of it with arguments, and leave '{key}' out",
            )  # fmt: skip
