"""Load balancing by region, zone and subzone.

Source: ValidateLocalityLbSetting and its neighbours in pkg/config/validation/agent/validation.go of istio/istio.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import (
    items,
    warning,
)

_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")


def locality_findings(setting: dict[str, Any] | None, path: KeyPath, ejects: bool, zones: bool) -> Iterator[Finding]:
    """Of localityLbSetting, or of zoneAwareLbSetting if `zones`. `ejects`: there is an outlierDetection."""
    if setting is None:
        return
    distribute, failover, priority = (setting.get(key) or () for key in ("distribute", "failover", "failoverPriority"))
    if distribute and failover and not zones:
        yield Finding((*path, "failover"), "localityLbSetting has distribute or failover, not both")
        return
    for index, label in enumerate(priority):
        if label in _TOPOLOGY and (zones or failover):
            yield Finding((*path, "failoverPriority", index), f"'{label}' is taken care of already", "drop it")
    if not zones:
        yield from _distribute_findings(setting, path)
    if (failover or priority) and not ejects:
        message = "without outlierDetection no endpoint is ever left out, so nothing fails over"
        yield warning(path, message, "add outlierDetection to this traffic policy")
    for at, step in items(setting, "failover", path):
        source, target = step.get("from", ""), step.get("to", "")
        if source == target:
            yield Finding(at, f"failover from '{source}' to itself")
        if "/" in source + target or "*" in source + target:
            yield Finding(at, "failover is from one region to another", "names of regions, without zones and wildcards")


def _distribute_findings(setting: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    sources = []
    for at, rule in items(setting, "distribute", path):
        sources.append(rule.get("from", ""))
        shares = rule.get("to") or {}
        outside = [place for place, share in shares.items() if not 1 <= share <= 100]
        for place in outside:
            yield Finding((*at, "to", place), f"{shares[place]} is no share", "use 1 to 100")
        if not outside and sum(shares.values()) != 100:
            yield Finding((*at, "to"), f"the shares are {sum(shares.values())} in all, not 100")
        yield from _place_findings(sorted(shares), (*at, "to"))
    yield from _place_findings(sources, (*path, "distribute"))


def _place_findings(places: Iterable[str], path: KeyPath) -> Iterator[Finding]:
    seen: list[list[str]] = []
    for place in places:
        parts = place.split("/", 2)
        if "*" in place and (place.count("*") > 1 or not place.endswith("*")):
            yield Finding(path, f"'{place}': a wildcard stands at the end")
        elif not all(parts):
            yield Finding(path, f"'{place}' should look like region/zone/subzone, as far as it goes")
        elif any(_overlap(parts, other) for other in seen):
            yield Finding(path, f"'{place}' overlaps with another place")
        seen.append(parts)


def _overlap(one: list[str], other: list[str]) -> bool:
    for left, right in zip(one, other, strict=False):
        if "*" in (left, right):
            return True
        if left != right:
            return False
    return True
