"""Objects of one kind that claim the same: a host, a port of a gateway, a pod.

Source: pkg/config/analysis/analyzers/{virtualservice,gateway,telemetry} of istio/istio.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.common import items
from dynagen.verify.istio.hosts import full_name, overlap
from dynagen.verify.istio.mesh import Mesh, is_selected

# A host of a VirtualService: the object, the path of the host, and its full name.
_Claim = tuple[Object, KeyPath, str]


def check_hosts(mesh: Mesh) -> None:
    """Reports DG488 for a host that several VirtualServices give to sidecars.

    An exact host for everybody counts, or a host for one namespace that overlaps with one for everybody.
    """
    subjects = mesh.of_kind("VirtualService")
    exact: dict[tuple[str, str], _Claim] = {}
    public: list[_Claim] = []
    private: list[_Claim] = []
    for subject in subjects if len(subjects) > 1 else ():
        for scope, claim in _claims(subject):
            twin = exact.setdefault((scope, claim[2]), claim)
            others = [twin] if twin[0] is not subject else []
            others += private if scope == "*" else public
            clash = next((each for each in others if each[0] is not subject and overlap(each[2], claim[2])), None)
            (public if scope == "*" else private).append(claim)
            if clash is not None:
                other, path, _ = clash
                message = f"host '{claim[2]}' has a VirtualService for sidecars already, {other}"
                hint = "merge the two, or limit one to gateways or with exportTo"
                also = [("the other one", other, path)]
                mesh.report("DG488", "IST0109", subject, claim[1], message, hint, also=also)
                break


def _claims(subject: Object) -> Iterator[tuple[str, _Claim]]:
    """For the sidecars of which namespace, or '*' for all, and what."""
    spec = subject.data.get("spec") or {}
    gateways, exported = spec.get("gateways") or ["mesh"], spec.get("exportTo") or ["*"]
    if "mesh" not in gateways:
        return
    scopes = {"*"} if "*" in exported else {subject.namespace if entry == "." else entry for entry in exported}
    for scope in sorted(scopes):
        for path, host in items(spec, "hosts", ("spec",)):
            yield scope, (subject, path, full_name(host, subject.namespace))


def check_gateways(mesh: Mesh) -> None:
    """Reports DG489 for a host and port that two servers of the same gateway pods have."""
    by_port: dict[int, list[tuple[Object, KeyPath, dict[str, Any]]]] = {}
    servers = (
        (gateway, path, server)
        for gateway in mesh.of_kind("Gateway")
        for path, server in items(gateway.data.get("spec") or {}, "servers", ("spec",))
    )
    for gateway, path, server in servers:
        earlier_ones = by_port.setdefault((server.get("port") or {}).get("number", 0), [])
        for other, at, earlier in earlier_ones:
            host = _same_host(server, earlier)
            if host is None or not (_is_tls(server) if other is gateway else _share_pods(mesh, gateway, other)):
                continue
            number = server["port"]["number"]
            where = "in this Gateway" if other is gateway else f"in {other}"
            message = f"port {number} has a server for host '{host}' already, {where}"
            also = [("the other server", other, at)]
            mesh.report("DG489", "IST0145", gateway, path, message, "each host has one server per port", also=also)
            break
        earlier_ones.append((gateway, path, server))


def _same_host(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    if one.get("bind", "") != other.get("bind", ""):
        return None
    return next((host for host in one.get("hosts") or () if host in (other.get("hosts") or ())), None)


def _is_tls(server: dict[str, Any]) -> bool:
    """Servers of plain HTTP in one Gateway share their routes. Source: MergeGateways in pilot/pkg/model/gateway.go."""
    return str((server.get("port") or {}).get("protocol", "")).lower() in ("https", "tls")


def _share_pods(mesh: Mesh, one: Object, other: Object) -> bool:
    left, right = _selector(one), _selector(other)
    if left == right:
        return True
    return any(is_selected(pod, left) and is_selected(pod, right) for pod in mesh.pods)


def _selector(gateway: Object) -> dict[str, str]:
    selector: dict[str, str] = (gateway.data.get("spec") or {}).get("selector") or {}
    return selector


def check_selectors(mesh: Mesh) -> None:
    """Reports DG490 for a pod with two Telemetries, and for two of a namespace without a selector."""
    seen: list[tuple[Object, dict[str, str]]] = []
    for subject in mesh.of_kind("Telemetry"):
        spec = subject.data.get("spec") or {}
        if spec.get("targetRef") or spec.get("targetRefs"):
            continue
        labels = (spec.get("selector") or {}).get("matchLabels") or {}
        path: KeyPath = ("spec", "selector") if "selector" in spec else ("metadata", "name")
        for other, taken in seen:
            if other.namespace == subject.namespace and _twice(mesh, subject.namespace, labels, taken):
                whom, code = ("the same pods", "IST0159") if labels else ("all pods of the namespace", "IST0160")
                message, hint = f"{other} is for {whom} already", "keep one, or let them select different pods"
                mesh.report("DG490", code, subject, path, message, hint, also=[("the other one", other, path)])
                break
        seen.append((subject, labels))


def _twice(mesh: Mesh, namespace: str, labels: dict[str, str], taken: dict[str, str]) -> bool:
    if bool(labels) != bool(taken):
        return False  # one for all and one for some is meant: the latter wins
    if labels == taken:
        return True
    pods = (pod for pod in mesh.pods if pod.namespace == namespace)
    return any(is_selected(pod, labels) and is_selected(pod, taken) for pod in pods)
