"""VirtualServices that a gateway merges: routes of two for one host that take the same requests.

Source: buildGatewayHTTPRouteConfig in pilot/pkg/networking/core/gateway.go and SortVHostRoutes in route/route.go of
istio/istio (routes of one host are put together, those that take everything last); the order between resources is not
defined: istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.common import items
from dynagen.verify.istio.hosts import full_name
from dynagen.verify.istio.mesh import Mesh
from dynagen.verify.istio.reach import covers

_MOST = 50  # of one host at one gateway that a VirtualService is compared with
_NO_CONDITIONS = ("name", "gateways", "statPrefix", "ignoreUriCase")


def check_merged(mesh: Mesh) -> None:
    """Reports DG479 for the first two routes that collide, of each VirtualService and gateway."""
    subjects = [each for each in mesh.of_kind("VirtualService") if _is_for_all(each)]
    earlier_ones: dict[tuple[str, str], list[Object]] = {}
    for subject in subjects if len(subjects) > 1 else ():
        spec = subject.data.get("spec") or {}
        reported: set[str] = set()
        for _, host in items(spec, "hosts", ("spec",)):
            for gateway in _gateways(subject):
                others = earlier_ones.setdefault((gateway, full_name(host.lower(), subject.namespace)), [])
                if subject in others:
                    continue
                for other in () if gateway in reported else others[:_MOST]:
                    found = next(_collisions(mesh, subject, other, gateway), None)
                    if found is not None:
                        _report(mesh, subject, other, host, gateway, found)
                        reported.add(gateway)
                        break
                others.append(subject)


def _report(
    mesh: Mesh, subject: Object, other: Object, host: str, gateway: str, found: tuple[KeyPath, KeyPath, str]
) -> None:
    path, at, what = found
    message = f"host '{host}': {other} has a route for {what} as well, and which of them counts is not defined"
    hint = f"gateway '{gateway}' merges the two: put their routes into one, in the order that is meant"
    mesh.report("DG479", "*", subject, path, message, hint, "warning", [("the other one", other, at)])


def _is_for_all(subject: Object) -> bool:
    """Nobody knows in which namespace the pods of a gateway are, so what is exported to some only is not judged."""
    return "*" in ((subject.data.get("spec") or {}).get("exportTo") or ["*"])


def _gateways(subject: Object) -> list[str]:
    names = (subject.data.get("spec") or {}).get("gateways") or ()
    return [_full(name, subject.namespace) for name in names if name != "mesh"]


def _full(name: str, namespace: str) -> str:
    return name if "/" in name else f"{namespace}/{name}"


def _is_apart(mesh: Mesh, gateway: str, subject: Object, other: Object) -> bool:
    """Whether the gateway may serve the host to one namespace only: its hosts say so."""
    if subject.namespace == other.namespace:
        return False
    _, _, name = gateway.rpartition("/")
    for found in mesh.of_kind("Gateway"):
        if found.name == name and f"{found.namespace}/{name}" == gateway:
            servers = items(found.data.get("spec") or {}, "servers", ("spec",))
            return any(
                "/" in host and not host.startswith("*/") for _, each in servers for host in each.get("hosts") or ()
            )
    return True  # nobody knows


def _collisions(mesh: Mesh, subject: Object, other: Object, gateway: str) -> Iterator[tuple[KeyPath, KeyPath, str]]:
    """Paths in both, and what is taken by both."""
    if _is_apart(mesh, gateway, subject, other):
        return
    earlier = list(_matches(other, gateway))
    for path, match in _matches(subject, gateway):
        for at, taken in earlier:
            if _takes_all(match) or _takes_all(taken):
                if _takes_all(match) and _takes_all(taken):
                    yield path, at, "every request"
            elif _key(match) == _key(taken):
                yield path, at, "the same requests"
            elif (shown := _within(match, taken) or _within(taken, match)) is not None:
                yield path, at, f"'{shown}'"


def _matches(subject: Object, gateway: str) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    for path, route in items(subject.data.get("spec") or {}, "http", ("spec",)):
        if not route.get("match"):
            yield path, {}
        for at, match in items(route, "match", path):
            limited = match.get("gateways")
            if not limited or gateway in [_full(name, subject.namespace) for name in limited]:
                yield at, match


def _key(match: dict[str, Any]) -> str:
    conditions = {key: value for key, value in match.items() if key not in ("name", "gateways", "statPrefix") and value}
    return json.dumps(conditions, sort_keys=True)


def _takes_all(match: dict[str, Any]) -> bool:
    """What Istio moves to the end."""
    uri = match.get("uri") or {}
    if any(value for key, value in match.items() if key not in (*_NO_CONDITIONS, "uri")):
        return False
    return not uri or uri.get("prefix") == "/" or uri.get("regex") == ".*"


def _within(inner: dict[str, Any], outer: dict[str, Any]) -> str | None:
    """The path of `inner`, if every request of it is one of `outer`."""
    uri = inner.get("uri") or {}
    path, prefix = uri.get("exact") or uri.get("prefix"), (outer.get("uri") or {}).get("prefix")
    if (
        not path
        or not prefix
        or not path.startswith(prefix)
        or inner.get("ignoreUriCase")
        or outer.get("ignoreUriCase")
    ):
        return None
    own = {key: value for key, value in outer.items() if key not in ("gateways", "ignoreUriCase")}
    return path if covers(own, inner) else None
