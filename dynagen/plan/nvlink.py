"""One NVLink domain over several nodes: which workers are in it, and whether it has room for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan.fabric import is_before
from dynagen.plan.fit.question import Part
from dynagen.plan.values import ComputeDomain
from dynagen.profile import Profile

_DOMAIN = ("gke", "computeDomain")
# README.md of kubernetes-sigs/dra-driver-nvidia-gpu.
_SINCE = "1.32"


def has_domain(data: Mapping[str, Any], gpu: Mapping[str, Any], nodes: int) -> bool:
    """Whether the pods of a worker of so many nodes are in a ComputeDomain: asked for, or of use where nothing was said."""
    if not gpu.get("nvlinkNodes"):
        return False
    usual = nodes > 1 and not is_before(data, _SINCE)
    return bool(data.get("gke", {}).get("computeDomain", usual))


def shares_domain(data: Mapping[str, Any], gpu: Mapping[str, Any]) -> bool:
    """Whether all workers shall be in one NVLink domain, so that they hand over caches through it."""
    return bool(gpu.get("nvlinkNodes") and data.get("gke", {}).get("computeDomain"))


def domain_ways(data: Mapping[str, Any], gpu: Mapping[str, Any]) -> list[str]:
    """The key that asks for a domain, where there can be one."""
    return ["'gke: {computeDomain: true}'"] if gpu.get("nvlinkNodes") and not is_before(data, _SINCE) else []


def plan_domain(profile: Profile, parts: Sequence[Part], gpu: Mapping[str, Any]) -> ComputeDomain | None:
    data = profile.data
    inside = [part for part in parts if has_domain(data, gpu, part.nodes)]
    if not inside:
        return None
    name = data["metadata"]["name"]
    return ComputeDomain(
        name=name,
        channel=f"{name}-compute-domain-channel",
        workers=[part.name for part in inside],
        near={part.name: _near(profile, part, inside, gpu) for part in inside},
    )


def _near(profile: Profile, part: Part, inside: Sequence[Part], gpu: Mapping[str, Any]) -> list[str]:
    """The kinds of workers that are kept in the same NVLink domain as `part`; none when it has too few nodes even for that."""
    groups = [inside] if shares_domain(profile.data, gpu) else []
    fitting = (group for group in (*groups, [part]) if _nodes(profile, group) <= gpu["nvlinkNodes"])
    return [each.name for each in next(fitting, ())]


def _nodes(profile: Profile, parts: Sequence[Part]) -> int:
    return sum(int(profile.value(part.path)["replicas"]) * part.nodes for part in parts)


def check_domain(
    profile: Profile, parts: Sequence[Part], gpu: Mapping[str, Any], facts: Mapping[str, Any], report: Report
) -> None:
    """Reports DG613, DG732, DG734 and DG735."""
    for code, path, message, hint in (*_wrong(profile, parts, gpu, facts), *_scattered(profile, parts, gpu)):
        severity = "warning" if code == "DG735" else "error"
        report.add(code, message, profile.written(path) or profile.at(path), hint, severity=severity)


_Finding = tuple[str, KeyPath, str, str]


def _wrong(
    profile: Profile, parts: Sequence[Part], gpu: Mapping[str, Any], facts: Mapping[str, Any]
) -> Iterator[_Finding]:
    data = profile.data
    asked = data.get("gke", {}).get("computeDomain")
    if asked and not gpu.get("nvlinkNodes"):
        having = [each for each, known in facts["gpus"].items() if known.get("nvlinkNodes")]
        yield (
            "DG734",
            _DOMAIN,
            f"NVLink of machines with {gpu['name']} ends at the node",
            f"leave it out; it is for {', '.join(having)}",
        )
        return
    if asked and len(parts) == 1 and parts[0].nodes == 1:
        yield (
            "DG613",
            _DOMAIN,
            "'gke.computeDomain' does nothing: a worker on one node shares no memory with another",
            "leave it out",
        )
    if asked and is_before(data, _SINCE):
        message = f"'computeDomain' needs Kubernetes {_SINCE} or later, and the cluster has {data['kubernetes']}"
        yield "DG732", _DOMAIN, message, f"leave it out, or say 'kubernetes: \"{_SINCE}\"' once the cluster is upgraded"


def _scattered(profile: Profile, parts: Sequence[Part], gpu: Mapping[str, Any]) -> Iterator[_Finding]:
    """Workers that have more nodes than one NVLink joins."""
    data = profile.data
    inside = [part for part in parts if has_domain(data, gpu, part.nodes)]
    together = [inside] if len(inside) > 1 and shares_domain(data, gpu) else []
    for group in (*together, *([part] for part in inside)):
        nodes, most = _nodes(profile, group), gpu["nvlinkNodes"]
        if nodes > most:
            names = " and ".join(f"'{part.name}'" for part in group)
            message = f"workers {names} take {nodes} nodes, and an NVLink domain has {most}: "
            message += (
                "some hand over caches by another network"
                if len(group) > 1
                else "nothing keeps the nodes of a worker in the same one"
            )
            path = _DOMAIN if len(group) > 1 else (*group[0].path, "replicas")
            yield "DG735", path, message, "use fewer replicas, and a second graph for the others"
