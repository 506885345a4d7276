"""A Sidecar in, what Istio's webhook refuses of it out.

Source: ValidateSidecar in pkg/config/validation/validation.go of istio/istio.
"""

from __future__ import annotations

import re
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.common import (
    HTTP,
    TLS,
    of,
    pool_faults,
    port_faults,
    port_name_faults,
    protocol,
    protocol_faults,
    selector_faults,
    server_tls_faults,
)
from dynagen.verify.istio.destinations import destination_faults
from dynagen.verify.istio.faults import Fault, Faults, items, warning
from dynagen.verify.istio.names import fqdn_problem, is_address, port_problem, scoped_host_problem, socket_problem

_UNIX = "unix://"
_LOCAL = ("", "127.0.0.1", "0.0.0.0", "::1", "::")
_ENDPOINT = r"(?:\[([^\[\]]*)\]|([^\[\]:]*)):([^:\[\]]*)"
_NOT_IN_A_SIDECAR = ("subjectAltNames", "httpsRedirect", "credentialName", "credentialNames", "tlsCertificates")


def sidecar_faults(subject: Object) -> Faults:
    spec = subject.data.get("spec") or {}
    yield from selector_faults(spec.get("workloadSelector"), ("spec", "workloadSelector"), "labels")
    said = ("egress", "ingress", "outboundTrafficPolicy", "inboundConnectionPool")
    if not any(spec.get(key) or spec.get(key) == {} for key in said):
        yield Fault(("spec",), "a Sidecar that says nothing", "it needs egress, ingress or outboundTrafficPolicy")
        return
    yield from _ingress_faults(spec)
    yield from pool_faults(spec.get("inboundConnectionPool"), ("spec", "inboundConnectionPool"))
    yield from _egress_faults(spec, subject.namespace)
    policy = spec.get("outboundTrafficPolicy") or {}
    if "egressProxy" in policy:
        at = ("spec", "outboundTrafficPolicy", "egressProxy")
        proxy = policy["egressProxy"]
        if policy.get("mode", "REGISTRY_ONLY") != "ALLOW_ANY":
            yield Fault(at, "an egressProxy is for mode ALLOW_ANY")
            return
        yield from of((*at, "host"), fqdn_problem(proxy.get("host", "")))
        if "port" not in proxy:
            yield Fault(at, "an egressProxy needs a port")
        else:
            yield from destination_faults(proxy, at)


def _ingress_faults(spec: dict[str, Any]) -> Faults:
    numbers: set[int] = set()
    for path, listener in items(spec, "ingress", ("spec",)):
        port = listener.get("port")
        if port is None:
            yield Fault(path, "an ingress listener needs a port")
            continue
        number = port.get("number", 0)
        yield from _listener_port_faults(port, path)
        yield from port_faults(number, (*path, "port", "number"))
        yield from _bind_faults(listener.get("bind", ""), path)
        if number in numbers:
            yield Fault((*path, "port", "number"), f"port {number} is there already")
        numbers.add(number)
        if listener.get("defaultEndpoint"):
            yield from _endpoint_faults(listener["defaultEndpoint"], (*path, "defaultEndpoint"))
        tls = listener.get("tls")
        if tls is not None:
            yield from _tls_faults(tls, port, (*path, "tls"))
        pool = listener.get("connectionPool")
        yield from pool_faults(pool, (*path, "connectionPool"))
        if pool and "http" in pool and protocol(port) not in HTTP:
            yield warning((*path, "connectionPool", "http"), "this port is not HTTP, so only settings of tcp count")


def _listener_port_faults(port: dict[str, Any], path: KeyPath) -> Faults:
    if port.get("targetPort"):
        yield Fault((*path, "port", "targetPort"), "targetPort does nothing in a Sidecar", "drop it")
    if port.get("name"):
        yield from port_name_faults(port["name"], (*path, "port", "name"))
    yield from protocol_faults(port, (*path, "port"))


def _bind_faults(bind: str, path: KeyPath) -> Faults:
    if bind and not is_address(bind):
        yield Fault((*path, "bind"), f"'{bind}' is no address")


def _endpoint_faults(endpoint: str, path: KeyPath) -> Faults:
    if endpoint.startswith(_UNIX):
        yield from of(path, socket_problem(endpoint.removeprefix(_UNIX)))
        return
    found = re.fullmatch(_ENDPOINT, endpoint)
    host = "" if found is None else found[1] or found[2] or ""
    if found is None or host not in _LOCAL or not re.fullmatch("[+-]?[0-9]+", found[3]) or port_problem(int(found[3])):
        hint = "127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT, or unix:// and a path"
        yield Fault(path, f"'{endpoint}' is no endpoint of the pod itself", hint)


def _tls_faults(tls: dict[str, Any], port: dict[str, Any], path: KeyPath) -> Faults:
    for key in _NOT_IN_A_SIDECAR:
        if tls.get(key):
            yield Fault((*path, key), f"a Sidecar does not support {key}")
    if tls.get("mode") in ("ISTIO_MUTUAL", "AUTO_PASSTHROUGH"):
        yield Fault((*path, "mode"), f"a Sidecar does not support {tls['mode']}")
    if protocol(port) not in TLS:
        yield Fault(path, "tls is for ports of protocol HTTPS or TLS")
    yield from server_tls_faults(tls, path)


def _egress_faults(spec: dict[str, Any], namespace: str) -> Faults:
    numbers: set[int] = set()
    sockets: set[str] = set()
    listeners = spec.get("egress") or ()
    for path, listener in items(spec, "egress", ("spec",)):
        port, bind = listener.get("port"), listener.get("bind", "")
        if port is None:
            if path[-1] != len(listeners) - 1:
                yield Fault(path, "a listener without a port takes all that is left", "put it last, once")
        else:
            number = port.get("number", 0)
            yield from _listener_port_faults(port, path)
            if number == 0:
                yield from _socket_faults(bind, listener.get("captureMode", "DEFAULT"), path)
                if bind in sockets:
                    yield Fault((*path, "bind"), f"'{bind}' is there already")
                sockets.add(bind)
            else:
                yield from port_faults(number, (*path, "port", "number"))
                yield from _bind_faults(bind, path)
                if number in numbers:
                    yield Fault((*path, "port", "number"), f"port {number} is there already")
                numbers.add(number)
        yield from _host_faults(listener, path, namespace)


def _socket_faults(bind: str, capture: str, path: KeyPath) -> Faults:
    if not bind.startswith(_UNIX):
        yield Fault((*path, "port", "number"), "port 0 is for a socket: bind is unix:// and a path then")
    else:
        yield from of((*path, "bind"), socket_problem(bind.removeprefix(_UNIX)))
    if capture not in ("DEFAULT", "NONE"):
        yield Fault((*path, "captureMode"), f"a socket is not captured by {capture}", "use NONE or leave it out")


def _host_faults(listener: dict[str, Any], path: KeyPath, namespace: str) -> Faults:
    if not listener.get("hosts"):
        yield Fault((*path, "hosts"), "an egress listener needs a host", "'./*' stands for all of the namespace")
    seen: dict[str, set[str]] = {}
    for at, host in items(listener, "hosts", path):
        space, slash, name = host.partition("/")
        yield from of(at, scoped_host_problem(host, gateway=False))
        if slash and not space.startswith("~"):
            names = seen.setdefault(namespace if space == "." else space, set())
            if name in names or "*" in names or (name == "*" and names):
                yield warning(at, f"'{host}' is covered by another entry, or covers one", "drop one of them")
            names.add(name)
    if "*" in seen.get("*", ()) and len(seen) > 1:
        yield warning((*path, "hosts"), "'*/*' stands for everything, so nothing goes beside it")
