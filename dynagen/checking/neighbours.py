"""What several profiles of one folder bring into the same cluster, if it is one: a Namespace, a host."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dynagen.cluster.objects import listing, mapping
from dynagen.compiler import Compilation
from dynagen.console.outcome import Checked, diagnostics_of
from dynagen.diagnostics import KeyPath, Position, Report

# Where profiles say it; the first that is written counts.
_WHERE: dict[str, Sequence[KeyPath]] = {
    "DG661": (("createNamespace",), ("metadata", "namespace")),
    "DG662": (("istio", "host"), ("gke", "gateway", "host")),
}


class Brought(NamedTuple):
    """`what` is a Namespace, or a host at a kind of gateway; `at` is where the profile says so."""

    file: str
    owner: tuple[str, str]
    code: str
    what: tuple[str, str]
    at: Position


def brought_by(file: str, compilation: Compilation) -> list[Brought]:
    """What a profile brings that another one must not bring as well."""
    profile, plan = compilation.profile, compilation.plan
    if profile is None or plan is None:
        return []
    owner = (plan.metadata["namespace"], plan.metadata["name"])
    found = {("DG661", ("", each.name)) for each in compilation.manifests if each.kind == "Namespace"}
    found |= {("DG662", each) for each in _hosts([each.to_data() for each in compilation.manifests])}
    brought = []
    for code, what in sorted(found):
        at = next(filter(None, (profile.written(path) for path in _WHERE[code])), None)
        brought.append(Brought(file, owner, code, what, at or profile.at(("metadata",))))
    return brought


def _hosts(objects: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each host with the kind of gateway that takes it: a class of the Gateway API, or those that Istio selects."""
    classes = set()
    routes = []
    for data in objects:
        group, spec = data["apiVersion"].partition("/")[0], mapping(data.get("spec"))
        if (group, data["kind"]) == ("networking.istio.io", "Gateway"):
            selected = json.dumps(spec.get("selector"), sort_keys=True)
            for server in listing(spec.get("servers")):
                yield from ((f"Istio {selected}", str(host)) for host in server.get("hosts") or ())
        elif (group, data["kind"]) == ("gateway.networking.k8s.io", "Gateway"):
            classes.add(f"the class '{spec.get('gatewayClassName')}'")
            routes += [each.get("hostname") for each in listing(spec.get("listeners"))]
        elif group == "gateway.networking.k8s.io":
            routes += spec.get("hostnames") or []
    yield from ((each, str(host)) for each in classes for host in routes if host)


def check_neighbours(brought: Sequence[Brought], strict: bool) -> list[Checked]:
    """Reports DG661 and DG662 for what two profiles of one folder bring.

    Profiles of one namespace and name are versions of one graph, for different clusters; so are different folders.
    """
    report = Report(strict)
    first: dict[tuple[str, str, tuple[str, str]], Brought] = {}
    for each in brought:
        other = first.setdefault((os.path.dirname(each.file), each.code, each.what), each)  # noqa: PTH120
        if other.owner == each.owner:
            continue
        also = (("also brought here", other.at),)
        if each.code == "DG661":
            message = f"profile '{other.owner[1]}' brings Namespace '{each.what[1]}' as well"
            hint = "in one of them: 'createNamespace: false'; if they are for different clusters, keep them in different folders"
        else:
            message = f"profile '{other.owner[1]}' serves the host '{each.what[1]}' as well"
            hint = "give each a host of its own; if they are for different clusters, keep them in different folders"
        report.add(each.code, message, each.at, hint, also, "warning")
    found = diagnostics_of(report)
    return [Checked(each.at.file, [each]) for each in found]
