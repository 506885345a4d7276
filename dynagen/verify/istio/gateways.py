"""A Gateway in, what Istio's webhook refuses of it out."""

from __future__ import annotations

from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.common import HTTP, PROTOCOLS, TLS, port_faults, protocol, server_tls_faults
from dynagen.verify.istio.faults import Fault, Faults, items, warning
from dynagen.verify.istio.names import is_address, is_host_label, scoped_host_problem, socket_problem

_UNIX = "unix://"


def gateway_faults(subject: Object) -> Faults:
    """Source: ValidateGateway in pkg/config/validation/validation.go of istio/istio."""
    spec = subject.data.get("spec") or {}
    if not is_host_label(subject.name):
        yield Fault(("metadata", "name"), f"'{subject.name}' is no name of a Gateway", "63 characters, no dots")
    if not spec.get("servers"):
        yield Fault(("spec",), "a Gateway needs a server")
    names: set[str] = set()
    for path, server in items(spec, "servers", ("spec",)):
        yield from _server_faults(server, path)
        port = server.get("port") or {}
        name = port.get("name", "")
        if name and name in names:
            yield Fault((*path, "port", "name"), f"port name '{name}' is there already", "names of ports are unique")
        names.add(name)
        if protocol(port) not in HTTP and (server.get("tls") or {}).get("httpsRedirect"):
            yield warning((*path, "tls", "httpsRedirect"), "only a server of plain HTTP redirects to HTTPS")


def _server_faults(server: dict[str, Any], path: KeyPath) -> Faults:
    if not server.get("hosts"):
        yield Fault((*path, "hosts"), "a server needs a host", "'*' stands for any")
    for at, host in items(server, "hosts", path):
        problem = scoped_host_problem(host, gateway=True)
        if problem:
            yield Fault(at, problem)
    port, bind, tls = server.get("port") or {}, server.get("bind", ""), server.get("tls")
    at = (*path, "port")
    kind = protocol(port)
    usable = kind in PROTOCOLS
    if not usable:
        hint = "use HTTP, HTTPS, HTTP2, GRPC, TLS or TCP"
        yield Fault((*at, "protocol"), f"'{port.get('protocol', '')}' is no protocol of a Gateway", hint)
    number = port.get("number", 0)
    if number > 0 or not bind.startswith(_UNIX):
        for fault in port_faults(number, (*at, "number")):
            usable = False
            yield fault
    if port.get("targetPort"):
        usable = False
        yield Fault((*at, "targetPort"), "targetPort does nothing in a Gateway", "drop it")
    if not port.get("name"):
        usable = False
        yield Fault(at, "a port needs a name")
    yield from _bind_faults(bind, number, path)
    if tls is not None:
        yield from server_tls_faults(tls, (*path, "tls"))
    if usable:
        yield from _fit_faults(kind, tls, path)


def _bind_faults(bind: str, number: int, path: KeyPath) -> Faults:
    if bind.startswith(_UNIX):
        problem = socket_problem(bind.removeprefix(_UNIX))
        if problem:
            yield Fault((*path, "bind"), problem)
        if number:
            yield Fault((*path, "port", "number"), "a socket has no port number", "use 0")
    elif bind and not is_address(bind):
        yield Fault((*path, "bind"), f"'{bind}' is no address")


def _fit_faults(kind: str, tls: dict[str, Any] | None, path: KeyPath) -> Faults:
    """Protocol and TLS settings go together."""
    if kind in TLS:
        if tls is None:
            hint = "for example tls: {mode: SIMPLE, credentialName: NAME}"
            yield Fault((*path, "port", "protocol"), f"a server of {kind.upper()} needs tls", hint)
        return
    if tls is None:
        return
    if kind not in HTTP:
        yield Fault((*path, "tls"), f"a server of {kind.upper()} has no tls", "use protocol TLS or HTTPS")
    elif tls.get("mode", "PASSTHROUGH") not in ("PASSTHROUGH", "AUTO_PASSTHROUGH") or any(
        tls.get(key) for key in ("caCertificates", "privateKey", "serverCertificate")
    ):
        hint = "use protocol HTTPS, or keep tls to httpsRedirect alone"
        yield Fault((*path, "tls"), "a server of plain HTTP has no certificate", hint)
