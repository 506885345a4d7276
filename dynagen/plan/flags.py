"""Whether the engine and the frontend of a release know the arguments that a profile gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.arguments import flag_of, has
from dynagen.engine.refused_values import check_values
from dynagen.plan.fit.models import LookUp
from dynagen.profile import Profile
from dynagen.text.versions import Version, parse_version


def check_flags(
    profile: Profile, workers: Sequence[KeyPath], release: Version, look_up: LookUp, report: Report
) -> None:
    """Reports DG434 to DG436, DG452 for a value that an engine refuses."""
    data = profile.data
    paths = [
        path for path in (("engineArgs",), *((*worker, "engineArgs") for worker in workers)) if profile.value(path)
    ]
    for path in paths:
        check_values(profile, path, report)
    if release < (1, 0, 0):
        return  # the list of flags begins there
    known = look_up("flags", data["backend"]) if paths else {}
    for path in paths:
        for at, flag in _flags(profile, path):
            _check_engine(flag, at, profile, known, release, report)
    if data["frontend"]["args"]:
        _check_frontend(profile, look_up("flags", "frontend"), release, report)


def _flags(profile: Profile, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for index, argument in enumerate(profile.value(path)):
        flag = flag_of(argument).split(".", 1)[0]  # vLLM takes a key of a JSON argument after a dot
        if flag.startswith("--"):
            yield (*path, index), flag


def _check_engine(
    flag: str, at: KeyPath, profile: Profile, known: Mapping[str, Any], release: Version, report: Report
) -> None:
    span = next((span for span in known.get("spans", ()) if flag in span["flags"]), None)
    if span is not None:
        _check_span(flag, at, span, profile, release, report)
        return
    words = known.get("engine", ())
    plain = "--" + flag.removeprefix("--no-").removeprefix("--")
    if not words or plain in words or any(word.startswith(flag) for word in words):
        return
    near = _near(flag, [*words, *_known(known, release)])
    if near:
        report.add(
            "DG436", f"{profile.data['backend']} does not know '{flag}', as far as we know", profile.at(at),
            hint=f"did you mean '{near}'?", severity="warning",
        )  # fmt: skip


def _check_frontend(profile: Profile, known: Mapping[str, Any], release: Version, report: Report) -> None:
    """The frontend exits when it meets an argument that it does not know (frontend/main.py in the wheel ai-dynamo)."""
    if not known or has(profile.data["frontend"]["args"], "--dyn-chat-processor"):
        return  # what other processors do not know goes to the engine's own parser
    spans = known.get("spans", ())
    for at, flag in _flags(profile, ("frontend", "args")):
        span = next((span for span in spans if flag in span["flags"]), None)
        if span is not None:
            _check_span(flag, at, span, profile, release, report)
        elif not any(word.startswith(flag) for span in spans for word in span["flags"]):  # a beginning is enough
            near = _near(flag, _known(known, release))
            report.add(
                "DG434", f"the frontend of release {profile.data['release']} does not know '{flag}', and would not start", profile.at(at),
                hint=f"did you mean '{near}'?" if near else "leave it out; `python3 -m dynamo.frontend --help` has the list",
            )  # fmt: skip


def _known(known: Mapping[str, Any], release: Version) -> list[str]:
    """The flags of Dynamo's own that a release has."""
    return [
        flag
        for span in known.get("spans", ())
        if ("since" not in span or release >= parse_version(span["since"]))
        and ("until" not in span or release < parse_version(span["until"]))
        for flag in span["flags"]
    ]


def _check_span(
    flag: str, at: KeyPath, span: Mapping[str, Any], profile: Profile, release: Version, report: Report
) -> None:
    since, until = span.get("since"), span.get("until")
    if since and release < parse_version(since):
        report.add(
            "DG435", f"'{flag}' is there since release {since}, and this is {profile.data['release']}", profile.at(at),
            hint=f"leave it out, or use release {since} or later",
        )  # fmt: skip
    elif until and release >= parse_version(until):
        report.add(
            "DG435", f"'{flag}' is gone since release {until}, and this is {profile.data['release']}", profile.at(at),
            hint=span.get("instead", "leave it out"),
        )  # fmt: skip


def _near(flag: str, words: Sequence[str]) -> str | None:
    """The flag that this one is most likely a misspelling of. Much closer than other words: engines have many flags."""
    import difflib

    found = difflib.get_close_matches(flag, words, n=1, cutoff=0.88)
    return found[0] if found else None
