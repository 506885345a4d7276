"""Words of a profile that become arguments, held against what the parsers of a release take."""

from __future__ import annotations

from dynagen.diagnostics import KeyPath, Report, closest, path_text
from dynagen.engine.options import Parser
from dynagen.profile import Profile

_MOST = 12


def is_certain(profile: Profile) -> bool:
    """Whether the workers' image is the release's own."""
    return "image" not in profile.data and "runtimeVersionOverride" not in profile.data


def check_word(profile: Profile, path: KeyPath, flag: str, parser: Parser, certain: bool, report: Report) -> None:
    """Reports DG740 if `flag` cannot be what the profile says at `path`. `certain`: it is known which version runs."""
    text, section = profile.value(path), parser.sections[0]
    option = section.option(flag)
    if option is None or not option.words or text in option.words:
        return
    near, later = closest(text, option.words), section.since(flag, text)
    listed = ", ".join(option.words[:_MOST]) + (", ..." if len(option.words) > _MOST else "")
    hint = f"did you mean '{near}'?" if near else f"one of {listed}"
    if later:
        hint = f"use release {later} or later" + (f", or '{near}'" if near else f", or one of {listed}")
    report.add(
        "DG740", f"'{path_text(path)}' cannot be '{text}' in release {parser.version}", profile.at(path), hint,
        severity="error" if certain else "warning",
    )  # fmt: skip
