"""Volumes of workers beside the model cache: what engines compile, and claims of the profile's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan import backends
from dynagen.plan.storage import Load, check_minimum, usual_class
from dynagen.plan.values import CompilationCache, Volume
from dynagen.profile import Profile


def plan_compilation_cache(data: Mapping[str, Any], facts: Mapping[str, Any]) -> CompilationCache | None:
    given = data.get("compilationCache")
    if given is None:
        return None
    size = str(given["size"]) if "size" in given else None
    # Workers on several nodes write it; it is small, so any class is fast enough.
    usual = usual_class("ReadWriteMany", size or "1Gi", Load(0, 1), data["kubernetes"], facts.get("storage", {}))
    return CompilationCache(
        claim=given.get("claimName", f"{data['metadata']['name']}-compilation-cache"),
        create="claimName" not in given,
        size=size,
        storage_class_name=usual,
        mount_path=given["mountPath"],
    )


def compilation_env(data: Mapping[str, Any]) -> dict[str, str]:
    """Where an engine looks for what it compiled, as far as the operator does not say it."""
    given = data.get("compilationCache")
    if given is None:
        return {}
    known: Mapping[str, str] = backends.load(data["backend"]).CACHES
    return {name: f"{given['mountPath'].rstrip('/')}{folder}" for name, folder in known.items()}


def plan_volumes(data: Mapping[str, Any]) -> list[Volume]:
    return [
        Volume(f"volume-{number}", each["claimName"], each["mountPath"], each["readOnly"])
        for number, each in enumerate(data["volumes"], 1)
    ]


def check_volumes(profile: Profile, cache: CompilationCache | None, facts: Mapping[str, Any], report: Report) -> None:
    """Reports DG746 for two volumes at one place, DG414 for a size that becomes another."""
    data = profile.data
    paths: list[KeyPath] = [(key, "mountPath") for key in ("modelCache", "compilationCache") if data.get(key)]
    paths += [("volumes", index, "mountPath") for index in range(len(data["volumes"]))]
    taken: dict[str, KeyPath] = {}
    for path in paths:
        place = str(profile.value(path)).rstrip("/")
        first = taken.setdefault(place, path)
        if first is not path:
            what = f"'{first[0]}'" if len(first) == 2 else f"the claim '{profile.value((*first[:2], 'claimName'))}'"
            report.add(
                "DG746", f"'{place}' is where {what} is mounted already", profile.written(path) or profile.at(first),
                hint="give it another 'mountPath'",
            )  # fmt: skip
    if cache is not None and cache.size is not None:
        at = profile.at(("compilationCache", "size"))
        check_minimum(cache.storage_class_name, cache.size, facts.get("storage", {}), data["kubernetes"], at, report)
