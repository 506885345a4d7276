"""What routes of all protocols have in common: destinations with weights, and matches of where a call comes from.

Source: pkg/config/validation/validation.go of istio/istio.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import (
    items,
    of,
    warning,
)
from dynagen.verify.istio.hosts import fqdn_problem, host_problem, is_host_label, labels_problem, port_problem


def gateway_name_findings(names: Any, path: KeyPath) -> Iterator[Finding]:
    for index, name in enumerate(names):
        at = (*path, index)
        namespace, slash, gateway = name.partition("/")
        if not slash:
            yield from of(at, fqdn_problem(name))
            if "." in name:
                first, second = name.split(".")[:2]
                yield warning(at, f"'{name}' is an old way to name a gateway", f"use '{second}/{first}'")
            return  # Istio reads no further
        if not is_host_label(namespace):
            yield Finding(at, f"'{name}': '{namespace}' is no namespace")
        if not is_host_label(gateway):
            yield Finding(at, f"'{name}': '{gateway}' is no name of a Gateway")


def source_findings(match: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    """What matches of all protocols have in common."""
    if match.get("port"):
        yield from of((*path, "port"), port_problem(match["port"]))
    yield from of((*path, "sourceLabels"), labels_problem(match.get("sourceLabels") or {}))
    yield from gateway_name_findings(match.get("gateways") or (), (*path, "gateways"))


def route_findings(route: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    """Of a route of TCP or TLS."""
    if not route.get("route"):
        yield Finding((*path, "route"), "a route needs a destination")
    for at, weighted in items(route, "route", path):
        yield from destination_findings(weighted.get("destination"), (*at, "destination"))
    yield from weight_findings(route, path)


def weight_findings(route: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    weights = [each.get("weight", 0) for each in route.get("route") or ()]
    for index, weight in enumerate(weights):
        if weight < 0:
            yield Finding((*path, "route", index, "weight"), f"weight {weight} is negative")
    if len(weights) > 1 and sum(weights) == 0:
        yield Finding(
            (*path, "route"), "the weights of several destinations are 0 in all", "a missing weight counts as 0"
        )


def destination_findings(destination: dict[str, Any] | None, path: KeyPath) -> Iterator[Finding]:
    if destination is None:
        return
    host = destination.get("host", "")
    problem = "'*' is no destination" if host == "*" else host_problem(host)
    yield from of((*path, "host"), problem)
    if destination.get("subset") and not is_host_label(destination["subset"]):
        yield Finding((*path, "subset"), f"'{destination['subset']}' is no name of a subset")
    if destination.get("port") is not None:
        yield from of((*path, "port", "number"), port_problem(destination["port"].get("number", 0)))
