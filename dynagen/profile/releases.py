"""Releases of Dynamo that a profile names: which facts count for one, and what to write instead of what is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dynagen.diagnostics import Position, Report
from dynagen.text.versions import nearest_version, parse_version


def facts_of_release(facts: Mapping[str, Any], release: str) -> Mapping[str, Any]:
    """What is known of a release, or of the one that it is taken for."""
    known: Mapping[str, Any] = facts["releases"]
    found: Mapping[str, Any] = known[nearest_version(release, known) or newest(known)]
    return found


def newest(known: Iterable[str]) -> str:
    return max(known, key=parse_version)


def check_release(release: str, known: Mapping[str, Any], at: Position, report: Report) -> None:
    """Reports DG680 for a release that nobody knows anything of, DG681 for one that is newer than all known ones.

    A patch release changes no flags and no CRDs, so an unknown one of a known minor is not worth a word.
    """
    near = nearest_version(release, known)
    if near is None:
        oldest = min(known, key=parse_version, default="")
        hint = f"known: {oldest} to {newest(known)} (`dynagen releases` lists them)" if known else ""
        report.add("DG680", f"release '{release}' is not known", at, hint)
    elif near != release and parse_version(release) > parse_version(newest(known)) and not _same_minor(near, release):
        report.add(
            "DG681", f"release {release} is newer than all that are known: it gets the facts of {near}: {_said(known[near])}", at,
            hint=f"compare with its release notes; facts/releases.yaml in a layer of yours can say '{release}: {{...}}'",
            severity="warning",
        )  # fmt: skip


def _same_minor(one: str, other: str) -> bool:
    return parse_version(one)[:2] == parse_version(other)[:2]


def _said(facts: Mapping[str, Any]) -> str:
    engines = [f"{name} {version}" for name, version in facts.get("engines", {}).items()]
    driver = [f"driver {facts['driver']}"] if "driver" in facts else []
    return ", ".join([*engines, *driver, f"CRDs {facts['crds']}", facts["apiVersion"]])


def patches_of(text: str, known: Iterable[str]) -> str:
    """A hint for a release that is written as `1.6`, or as the number 1.6; empty for anything else."""
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal()):
        return ""
    same = sorted((name for name in known if name.startswith(f"{text}.")), key=parse_version)
    listed = ", ".join(f'"{name}"' for name in same)
    return f"release {text} has {listed}" if same else ""
