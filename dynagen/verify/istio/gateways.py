"""A Gateway in, what Istio's webhook refuses of it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import (
    items,
    of,
    warning,
)
from dynagen.verify.istio.hosts import is_address, is_host_label, port_problem, scoped_host_problem, socket_problem

_UNIX = "unix://"

# Source: pkg/config/security/security.go (ValidCipherSuites).
_CIPHERS = frozenset((
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA",
))  # fmt: skip
# Source: pkg/config/protocol/instance.go.
_HTTP = frozenset(("http", "http2", "http_proxy", "grpc", "grpc-web"))
_TLS = frozenset(("https", "tls"))
_TCP = frozenset(("tcp", "udp", "mongo", "redis", "mysql"))
_PROTOCOLS = _HTTP | _TLS | _TCP
_ENDING = ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL")


def gateway_findings(subject: Object) -> Iterator[Finding]:
    """Source: ValidateGateway in pkg/config/validation/validation.go of istio/istio."""
    spec = subject.data.get("spec") or {}
    if not is_host_label(subject.name):
        yield Finding(("metadata", "name"), f"'{subject.name}' is no name of a Gateway", "63 characters, no dots")
    if not spec.get("servers"):
        yield Finding(("spec",), "a Gateway needs a server")
    names: set[str] = set()
    for path, server in items(spec, "servers", ("spec",)):
        yield from _server_findings(server, path)
        port = server.get("port") or {}
        name = port.get("name", "")
        if name and name in names:
            yield Finding((*path, "port", "name"), f"port name '{name}' is there already", "names of ports are unique")
        names.add(name)
        if _protocol(port) not in _HTTP and (server.get("tls") or {}).get("httpsRedirect"):
            yield warning((*path, "tls", "httpsRedirect"), "only a server of plain HTTP redirects to HTTPS")


def _server_findings(server: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    if not server.get("hosts"):
        yield Finding((*path, "hosts"), "a server needs a host", "'*' stands for any")
    for at, host in items(server, "hosts", path):
        yield from of(at, scoped_host_problem(host))
    port, bind, tls = server.get("port") or {}, server.get("bind", ""), server.get("tls")
    at = (*path, "port")
    kind = _protocol(port)
    usable = kind in _PROTOCOLS
    if not usable:
        hint = "use HTTP, HTTPS, HTTP2, GRPC, TLS or TCP"
        yield Finding((*at, "protocol"), f"'{port.get('protocol', '')}' is no protocol of a Gateway", hint)
    number = port.get("number", 0)
    if number > 0 or not bind.startswith(_UNIX):
        problem = port_problem(number)
        usable = usable and problem is None
        yield from of((*at, "number"), problem)
    if port.get("targetPort"):
        usable = False
        yield Finding((*at, "targetPort"), "targetPort does nothing in a Gateway", "drop it")
    if not port.get("name"):
        usable = False
        yield Finding(at, "a port needs a name")
    yield from _bind_findings(bind, number, path)
    if tls is not None:
        yield from _tls_findings(tls, (*path, "tls"))
    if usable:
        yield from _fit_findings(kind, tls, path)


def _tls_findings(tls: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    mode = tls.get("mode", "PASSTHROUGH")
    yield from _cipher_findings(tls, path)
    sources = _certificate_sources(tls)
    if mode == "ISTIO_MUTUAL":
        for key in ("serverCertificate", "privateKey", "caCertificates", *sources[-1:]):
            if tls.get(key):
                yield Finding(
                    (*path, key), f"ISTIO_MUTUAL takes the certificate of the mesh, not {key}", "leave it out"
                )
                return
        return
    unused = [key for key in (*sources, "serverCertificate", "privateKey", "caCertificates", "caCrl") if tls.get(key)]
    if mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH") and unused:
        message = f"{mode} does not end TLS, so {unused[0]} is not used"
        yield warning((*path, unused[0]), message, "leave it out, or use mode SIMPLE")
    if len(sources) > 1:
        yield Finding((*path, sources[1]), f"a server has one certificate source, not {' and '.join(sources)}")
    if mode in _ENDING:
        if tls.get("credentialName") or tls.get("credentialNames"):
            return
        yield from _file_findings(tls, mode, path)
    yield from _revocation_findings(tls, mode, path)


def _cipher_findings(tls: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    ciphers = tls.get("cipherSuites") or ()
    if tls.get("minProtocolVersion") in ("TLSV1_0", "TLSV1_1") and not ciphers:
        message = f"{tls['minProtocolVersion']} has no cipher of the default ones"
        yield warning((*path, "minProtocolVersion"), message, "name cipherSuites that it has, or use TLSV1_2")
    for index, cipher in enumerate(ciphers):
        if cipher in ciphers[:index]:
            yield warning((*path, "cipherSuites", index), f"'{cipher}' is there already")
        elif cipher not in ("", "ALL", *_CIPHERS) and cipher[0].isalnum():
            yield warning((*path, "cipherSuites", index), f"Istio does not know cipher '{cipher}' and ignores it")


def _certificate_sources(tls: dict[str, Any]) -> list[str]:
    files = ["serverCertificate"] if tls.get("serverCertificate") and tls.get("privateKey") else []
    return files + [key for key in ("credentialName", "credentialNames", "tlsCertificates") if tls.get(key)]


def _file_findings(tls: dict[str, Any], mode: str, path: KeyPath) -> Iterator[Finding]:
    """Of certificates that are files in the gateway's pods."""
    if mode != "SIMPLE" and not tls.get("caCertificates"):
        yield Finding((*path, "mode"), f"{mode} needs caCertificates to verify clients", "or a credentialName")
    for at, pair in items(tls, "tlsCertificates", path) if tls.get("tlsCertificates") else ((path, tls),):
        for key in ("serverCertificate", "privateKey"):
            if not pair.get(key):
                yield Finding(
                    (*at, key), f"{mode} needs {key}", "or a credentialName: a Secret beside the gateway pods"
                )
    if len(tls.get("tlsCertificates") or ()) > 2:
        yield warning((*path, "tlsCertificates"), "a server has two certificates at most, one RSA and one ECDSA")


def _revocation_findings(tls: dict[str, Any], mode: str, path: KeyPath) -> Iterator[Finding]:
    if tls.get("caCrl"):
        if tls.get("credentialName"):
            yield Finding((*path, "caCrl"), "with a credentialName the revocation list is in that Secret")
        if mode == "SIMPLE":
            yield Finding((*path, "caCrl"), "SIMPLE verifies no client, so it has no revocation list")


def _bind_findings(bind: str, number: int, path: KeyPath) -> Iterator[Finding]:
    if bind.startswith(_UNIX):
        yield from of((*path, "bind"), socket_problem(bind.removeprefix(_UNIX)))
        if number:
            yield Finding((*path, "port", "number"), "a socket has no port number", "use 0")
    elif bind and not is_address(bind):
        yield Finding((*path, "bind"), f"'{bind}' is no address")


def _fit_findings(kind: str, tls: dict[str, Any] | None, path: KeyPath) -> Iterator[Finding]:
    """Protocol and TLS settings go together."""
    if kind in _TLS:
        if tls is None:
            hint = "for example tls: {mode: SIMPLE, credentialName: NAME}"
            yield Finding((*path, "port", "protocol"), f"a server of {kind.upper()} needs tls", hint)
        return
    if tls is None:
        return
    if kind not in _HTTP:
        yield Finding((*path, "tls"), f"a server of {kind.upper()} has no tls", "use protocol TLS or HTTPS")
    elif tls.get("mode", "PASSTHROUGH") not in ("PASSTHROUGH", "AUTO_PASSTHROUGH") or any(
        tls.get(key) for key in ("caCertificates", "privateKey", "serverCertificate")
    ):
        hint = "use protocol HTTPS, or keep tls to httpsRedirect alone"
        yield Finding((*path, "tls"), "a server of plain HTTP has no certificate", hint)


def _protocol(port: dict[str, Any]) -> str:
    return str(port.get("protocol", "")).lower()
