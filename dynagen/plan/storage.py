"""Storage that is large and fast enough: which class a model cache gets, and whether its workers start in time."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple

from dynagen.diagnostics import Position, Report
from dynagen.plan.values import ModelCache
from dynagen.plan.worker_resources import amount
from dynagen.profile import Profile
from dynagen.text.versions import parse_version

_GIB = 1024**3
# What the startup probe of a worker allows (base/patches/10-workers.yaml).
STARTUP_SECONDS = 7200
# Longer than this, and a faster class is chosen, or the time is said.
_LONG_SECONDS = 600
# What a download takes beside the weights: files that are under way, tokenizers, other formats.
_SPARE = 1.2
# Kernels and graphs that engines compile, logs.
_COMPILED_GIB = 10
# Weights that every pod had better not download for itself, in bytes.
_MUCH = 50e9


class Load(NamedTuple):
    """What is read when a graph starts: each of `pods` reads `weights` bytes; None when nobody knows the model."""

    weights: float | None
    pods: int


def usual_class(mode: str, size: str, load: Load, kubernetes: str, storage: Mapping[str, Any]) -> str | None:
    """The first of a layer's classes for an access mode that loads soon, else the fastest; those that have such sizes."""
    usual: str | list[str] | None = storage.get("defaultClasses", {}).get(mode)
    if not isinstance(usual, list):
        return usual
    classes, asked = storage.get("classes", {}), amount(size)
    known = {name: classes.get(name, {}) for name in usual}
    fitting = [name for name in usual if _minimum(known[name], kubernetes) <= asked] or usual[:1]
    if load.weights is None:
        load = load._replace(weights=asked / _SPARE)
    seconds = {name: _seconds(load, known[name], asked, kubernetes) or 0 for name in fitting}
    soon = (name for name in fitting if seconds[name] <= _LONG_SECONDS)
    return next(soon, min(fitting, key=lambda name: seconds[name]))


def ephemeral_storage(cache: ModelCache | None, weights: float | None) -> str | None:
    """What a worker asks of its node's disk: the model, unless a volume holds it, and room for what engines compile.

    None where nobody knows the model. A boot disk of 100 GB, GKE's default, leaves 45 GiB to pods.
    """
    if cache is not None or weights is None:
        return f"{_COMPILED_GIB}Gi" if cache is not None else None
    return f"{ceil(weights / _GIB) + _COMPILED_GIB}Gi"


def check_storage(
    profile: Profile, cache: ModelCache | None, load: Load, facts: Mapping[str, Any], report: Report
) -> None:
    """Reports DG414 for a size that becomes another, DG640 for storage that is too slow, DG641 for what is too small, DG642
    for a large model without a cache."""
    if cache is None:
        _check_own_downloads(profile, load, report)
        return
    if not cache.create or cache.size is None:
        return
    storage, kubernetes = facts.get("storage", {}), profile.data["kubernetes"]
    least = check_minimum(
        cache.storage_class_name,
        cache.size,
        storage,
        kubernetes,
        profile.at(("modelCache", "size")),
        report,
        ", or choose another class",
    )
    if load.weights is None:
        return
    if least < load.weights * _SPARE:
        report.add(
            "DG641", f"modelCache.size {cache.size}: the weights of '{profile.data['model']}' are {load.weights / _GIB:.0f} GiB, "
            "and a download takes more than they do",
            profile.at(("modelCache", "size")), hint=f"use {ceil(load.weights * _SPARE / _GIB)}Gi or more",
        )  # fmt: skip
    else:
        _check_speed(profile, cache, load, storage, report)


def check_minimum(
    name: str | None,
    size: str,
    storage: Mapping[str, Any],
    kubernetes: str,
    at: Position,
    report: Report,
    otherwise: str = "",
) -> float:
    """The size that a volume will have, in bytes. Reports DG414 when its class has no smaller one."""
    minimum = _minimum(storage.get("classes", {}).get(name, {}), kubernetes)
    if amount(size) < minimum:
        least = f"{minimum / _GIB:.0f}"
        report.add(
            "DG414", f"'{name}' has {least} GiB at least: {size} become, and cost, {least} GiB", at,
            hint=f"say {least}Gi{otherwise}", severity="warning",
        )  # fmt: skip
    return max(amount(size), minimum)


def _check_speed(profile: Profile, cache: ModelCache, load: Load, storage: Mapping[str, Any], report: Report) -> None:
    assert cache.size is not None and load.weights is not None
    kubernetes, classes = profile.data["kubernetes"], storage.get("classes", {})
    known, asked = classes.get(cache.storage_class_name, {}), amount(cache.size)
    seconds = _seconds(load, known, asked, kubernetes)
    if seconds is None or seconds <= _LONG_SECONDS:
        return
    is_late = seconds > STARTUP_SECONDS
    rate = load.weights * load.pods / seconds / 1024**2
    end = f": the startup probe gives up after {STARTUP_SECONDS // 3600} hours" if is_late else ""
    ways = list(_faster(load, storage, seconds, kubernetes))
    report.add(
        "DG640",
        f"the first start loads for {_time(seconds)}: {_readers(load.pods)} {load.weights / _GIB:.0f} GiB each, and "
        f"'{cache.storage_class_name}' of {cache.size} gives {rate:.0f} MiB/s to all of them{end}",
        profile.written(("modelCache", "storageClassName")) or profile.at(("modelCache", "size")),
        hint="use " + ", or ".join(ways) if ways else "use storage that is faster, or fewer workers",
        severity="error" if is_late else "note",
    )  # fmt: skip


def _faster(load: Load, storage: Mapping[str, Any], seconds: float, kubernetes: str) -> Any:
    """Classes and sizes that take half of the time at most, and are early enough."""
    usual = storage.get("defaultClasses", {}).get("ReadWriteMany")
    for name in usual if isinstance(usual, list) else ():
        known = storage.get("classes", {}).get(name, {})
        size = max(_minimum(known, kubernetes), (load.weights or 0) * _SPARE)
        if known.get("mibPerSecondPerTiB"):  # grows in steps of 256 GiB up to 9.75 TiB
            wanted = min(seconds / 2, STARTUP_SECONDS / 4)
            needed = (load.weights or 0) * load.pods / 1024**2 / wanted / known["mibPerSecondPerTiB"] * 1024
            size = max(size, min(9984, ceil(needed / 256) * 256) * _GIB)
        found = _seconds(load, known, size, kubernetes)
        if found and found <= min(seconds / 2, STARTUP_SECONDS):
            yield f"'size: {ceil(size / _GIB)}Gi' with 'storageClassName: {name}' ({_time(found)})"


def _seconds(load: Load, known: Mapping[str, Any], size: float, kubernetes: str) -> float | None:
    """None for a class whose speed is not known."""
    rate = known.get("mibPerSecond", 0) + known.get("mibPerSecondPerTiB", 0) * (
        max(size, _minimum(known, kubernetes)) / _GIB / 1024
    )
    return (load.weights or 0) * load.pods / rate / 1024**2 if rate else None


def _minimum(known: Mapping[str, Any], kubernetes: str) -> float:
    """In bytes. A version of Kubernetes may have lowered it."""
    for version, gib in known.get("minimumGiBBefore", {}).items():
        if parse_version(f"{kubernetes}.0") < parse_version(f"{version}.0"):
            return float(gib) * _GIB
    return float(known.get("minimumGiB", 0)) * _GIB


def _readers(pods: int) -> str:
    return f"{pods} pods read" if pods > 1 else "1 pod reads"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _check_own_downloads(profile: Profile, load: Load, report: Report) -> None:
    if report.failed or load.weights is None or load.weights <= _MUCH or profile.data["model"].startswith("/"):
        return
    report.add(
        "DG642", f"no 'modelCache': each start of each worker downloads {load.weights / _GIB:.0f} GiB of weights to its node",
        profile.at(("model",)), hint=f"add 'modelCache: {{size: {max(100, ceil(load.weights * _SPARE / _GIB))}Gi}}'", severity="warning",
    )  # fmt: skip
