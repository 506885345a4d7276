"""Routes of the Gateway API: a listener of the Gateway that they name takes them.

source: kubernetes-sigs/gateway-api, apis/v1/shared_types.go (ParentReference) and gateway_types.go (AllowedRoutes)
"""

from __future__ import annotations

from typing import Any

from dynagen.cluster.objects import Findings, Object, listing, mapping
from dynagen.cluster.pods import Pod, plain_labels
from dynagen.diagnostics import KeyPath, closest
from dynagen.verify.references.known import Known
from dynagen.verify.references.selection import may_match, requirements

_GROUP = "gateway.networking.k8s.io"
# The kinds that a listener takes when it does not say. A protocol that is not here is not judged.
_KINDS = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}


def check_routes(known: Known, findings: Findings) -> None:
    """Reports DG475 for a route that no listener takes."""
    for route in known.objects:
        if route.group == _GROUP and route.kind.endswith("Route"):
            for index, parent in enumerate(listing(mapping(route.data.get("spec")).get("parentRefs"))):
                if parent.get("kind", "Gateway") == "Gateway" and parent.get("group", _GROUP) == _GROUP:
                    _check(known, findings, route, ("spec", "parentRefs", index), parent)


def _check(known: Known, findings: Findings, route: Object, path: KeyPath, parent: dict[str, Any]) -> None:
    entry = known.find(_GROUP, "Gateway", parent.get("namespace") or route.namespace, str(parent.get("name")))
    listeners = listing(mapping(mapping(entry.data if entry else None).get("spec")).get("listeners"))
    if entry is None or not listeners:
        return
    also = [("the Gateway", entry.source, ("spec", "listeners"))] if entry.source else []
    for key, field, what in (("sectionName", "name", "listener"), ("port", "port", "listener with port")):
        if key not in parent:
            continue
        wanted = [each for each in listeners if each.get(field) == parent[key]]
        if not wanted:
            names = [str(each.get(field)) for each in listeners]
            near = closest(str(parent[key]), names) if key == "sectionName" else None
            hint = f"did you mean '{near}'?" if near else "it has: " + ", ".join(names)
            message = f"Gateway '{parent['name']}' has no {what} '{parent[key]}'"
            findings.add("DG475", route, (*path, key), message, hint, also=also)
            return
        listeners = wanted
    reasons = [(_refusal(known, route, entry.namespace, each), str(each.get("name"))) for each in listeners]
    if all(reason for reason, _ in reasons):
        (reason, hint, where), name = reasons[0][0], reasons[0][1]
        others = f" (nor any other of {len(reasons)})" if len(reasons) > 1 else ""
        message = f"listener '{name}' of Gateway '{parent['name']}' does not take it{others}: {reason}"
        findings.add("DG475", route, where or (*path, "name"), message, hint, also=also)


def _refusal(known: Known, route: Object, namespace: str, listener: dict[str, Any]) -> Any:
    """Why a listener does not take a route: reason, hint, path; None if it may."""
    allowed = mapping(listener.get("allowedRoutes"))
    kinds = [each.get("kind") for each in listing(allowed.get("kinds"))]
    expected = kinds or _KINDS.get(str(listener.get("protocol")))
    if expected and route.kind not in expected:
        return f"it takes {' and '.join(map(str, expected))} only", "", ("kind",)
    spaces = mapping(allowed.get("namespaces"))
    if not _takes_namespace(known, route.namespace, namespace, spaces):
        if spaces.get("from", "Same") == "Same":
            hint = "'allowedRoutes: {namespaces: {from: All}}' at the listener, or the route beside the Gateway"
            return f"it takes routes of its own namespace '{namespace}' only", hint, ()
        return f"it does not take routes of namespace '{route.namespace}'", "", ()
    host = listener.get("hostname")
    hosts = mapping(route.data.get("spec")).get("hostnames") or []
    if host and hosts and not any(_intersect(str(host), str(each)) for each in hosts):
        near = closest(str(hosts[0]), [str(host)])
        return f"its host is '{host}'", f"did you mean '{near}'?" if near else "", ("spec", "hostnames", 0)
    return None


def _takes_namespace(known: Known, of_route: str, of_gateway: str, spaces: dict[str, Any]) -> bool:
    how = spaces.get("from", "Same")
    if how == "Same":
        return of_route == of_gateway or not of_route or not of_gateway
    if how == "Selector":
        namespace = known.find("", "Namespace", "", of_route)
        if namespace is None or namespace.data is None:
            return True  # its labels are not known
        pod = Pod("", {"kubernetes.io/metadata.name": (of_route,), **plain_labels(namespace.data)})
        return all(may_match(pod, each) for each in requirements(spaces.get("selector"), False))
    return bool(how != "None")


def _intersect(listener: str, route: str) -> bool:
    """Whether two hosts have a name in common; `*.a.b` stands for names that end with it."""
    if listener.startswith("*."):
        end = listener[1:]
        return route.endswith(end) if not route.startswith("*.") else route[1:].endswith(end) or end.endswith(route[1:])
    return listener == route or (route.startswith("*.") and listener.endswith(route[1:]))
