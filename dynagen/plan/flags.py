"""Whether the engine and the frontend of a release take the arguments that a profile gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.options import Parser
from dynagen.engine.words import Word
from dynagen.plan import backends, parsers, routing
from dynagen.plan.engine_arguments import argument_lists
from dynagen.plan.known_values import is_certain
from dynagen.profile import Profile
from dynagen.profile.facts import LookUp


def check_flags(
    profile: Profile, workers: Sequence[KeyPath], engines: Mapping[str, str], look_up: LookUp, report: Report
) -> None:
    """Reports DG434 to DG436 and DG630 to DG632, DG452 for a value that an engine refuses.

    `engines` are the versions of the engines in the release.
    """
    data = profile.data
    paths = [path for path in argument_lists(workers) if profile.value(path)]
    if paths:
        _check_engine(profile, paths, workers, engines, look_up, report)
    if data["frontend"]["args"]:
        parser = Parser("dynamo.frontend", look_up, data["release"], "")
        certain = "image" not in data["frontend"] and "runtimeVersionOverride" not in data
        _judge(profile, list(_words(profile, ("frontend", "args"))), certain, routing.OWN_FLAGS, parser, report)


def _check_engine(
    profile: Profile, paths: Sequence[KeyPath], workers: Sequence[KeyPath], engines: Mapping[str, str], look_up: LookUp,
    report: Report,
) -> None:  # fmt: skip
    from dynagen.engine.refused_values import check_values

    for path in paths:
        check_values(profile, path, report)
    data, own = profile.data, backends.load(profile.data["backend"])
    parser = Parser(own.MODULE, look_up, data["release"], engines.get(data["backend"], ""))
    certain = is_certain(profile) and bool(parser.engine)
    for worker in workers:
        words = [word for path in argument_lists([worker]) for word in _words(profile, path)]
        _judge(profile, words, certain, {**own.OWN_FLAGS, **parsers.OWN_FLAGS}, parser, report)


def _words(profile: Profile, path: KeyPath) -> Iterator[Word]:
    return (Word(str(text), (*path, index)) for index, text in enumerate(profile.value(path)))


def _judge(
    profile: Profile, words: Sequence[Word], certain: bool, own: Mapping[str, str], parser: Parser, report: Report
) -> None:
    """Arguments of all workers are judged with those of each: what is said of them is said once. `own` are dynagen's."""
    from dynagen.engine.judging import judge_arguments
    from dynagen.engine.unknown_options import counterpart

    for code, (path, message, hint, severity) in judge_arguments(parser, words, certain, own):
        flag = str(profile.value(path)).partition("=")[0]
        for name in own and ("vllm", "sglang", "trtllm"):
            said = own.get(counterpart(parser, name, flag), "") if name != parser.name else ""
            if said and code == "DG436":
                hint = f"{hint.partition(';')[0]}; the profile says it with {said}"
        if not any(each.at == profile.at(path) and each.code == code for each in report.diagnostics):
            report.add(code, message, profile.at(path), hint, severity=severity)
