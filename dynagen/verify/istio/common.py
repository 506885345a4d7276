"""Rules that several kinds share: whom an object is exported to, which pods it is for, protocols, connection pools, TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import KeyPath
from dynagen.text.durations import duration_problem, nanoseconds
from dynagen.verify.istio.faults import Fault, Faults, items, warning
from dynagen.verify.istio.names import is_host_label, port_problem

# Source: pkg/config/protocol/instance.go.
HTTP = frozenset(("http", "http2", "http_proxy", "grpc", "grpc-web"))
TLS = frozenset(("https", "tls"))
_TCP = frozenset(("tcp", "udp", "mongo", "redis", "mysql"))
PROTOCOLS = HTTP | TLS | _TCP

# Source: pkg/config/security/security.go (ValidCipherSuites).
_CIPHERS = frozenset(
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "AES128-SHA",
        "AES256-SHA",
        "DES-CBC3-SHA",
    ]
)
_TARGETS = {
    ("", "Service"), ("core", "Service"), ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"), ("gateway.networking.k8s.io", "GatewayClass"),
}  # fmt: skip


def protocol(port: dict[str, Any]) -> str:
    return str(port.get("protocol", "")).lower()


def of(path: KeyPath, problem: str | None) -> Iterator[Fault]:
    """A fault for a problem, if there is one."""
    if problem:
        yield Fault(path, problem)


def export_faults(spec: dict[str, Any], namespace: str, for_service: bool = False, for_pods: bool = False) -> Faults:
    """`for_service` allows `~`; `for_pods`: a rule with a workloadSelector may only be exported to its own namespace."""
    entries = spec.get("exportTo") or ()
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        key = namespace if entry == "." else entry
        path = ("spec", "exportTo", index)
        if key in seen:
            yield Fault(path, f"'{entry}' is in exportTo already")
        elif (key == "~" and not for_service) or (key not in ("*", "~", "") and not is_host_label(key)) or entry == "":
            yield Fault(path, f"'{entry}' cannot be exported to", "use '.', '*' or the name of a namespace")
            continue
        seen.add(key)
    for alone in ("*", "~"):
        if alone in seen and len(entries) > 1:
            message = f"exportTo has '{alone}' and other entries"
            yield Fault(("spec", "exportTo"), message, f"'{alone}' stands alone")
    if for_pods and seen and namespace and seen != {namespace}:
        message = "a rule with a workloadSelector is for its own namespace only"
        yield Fault(("spec", "exportTo"), message, "use '.' or leave it out")


def selector_faults(selector: dict[str, Any] | None, path: KeyPath, key: str = "matchLabels") -> Faults:
    if selector is None:
        return
    labels = selector.get(key) or {}
    for name, value in labels.items():
        if not name:
            yield Fault((*path, key), "the name of a label cannot be empty")
        if "*" in name or "*" in value:
            yield Fault((*path, key, name), f"'{name}={value}': a selector has no wildcards")
    if not labels:
        yield warning(path, "a selector without labels selects every pod", "leave it out if that is meant")


def target_faults(spec: dict[str, Any]) -> Faults:
    """Of policies, which are for pods or for one or several targets."""
    given = [key for key in ("selector", "targetRef", "targetRefs") if spec.get(key) or spec.get(key) == {}]
    if len(given) > 1:
        yield Fault(("spec", given[1]), f"a policy has {given[0]} or {given[1]}, not both")
    yield from selector_faults(spec.get("selector"), ("spec", "selector"))
    targets = [] if spec.get("targetRef") is None else [(("spec", "targetRef"), spec["targetRef"])]
    for path, target in (*targets, *items(spec, "targetRefs", ("spec",))):
        if not target.get("name"):
            yield Fault(path, "a target needs a name")
        if target.get("namespace"):
            yield Fault((*path, "namespace"), "a target is in the namespace of its policy", "leave it out")
        group, kind = target.get("group", ""), target.get("kind", "")
        if (group, kind) not in _TARGETS:
            hint = "use a Service, a ServiceEntry, or a Gateway or GatewayClass of the Gateway API"
            yield Fault((*path, "kind"), f"{group + '/' if group else ''}{kind} is no target of a policy", hint)


def duration_faults(tree: dict[str, Any], path: KeyPath, *keys: str) -> Faults:
    for key in keys:
        if key in tree:
            yield from of((*path, key), duration_problem(tree[key]))


def pool_faults(pool: dict[str, Any] | None, path: KeyPath) -> Faults:
    """Of connectionPool in a DestinationRule or a Sidecar."""
    if pool is None:
        return
    http, tcp = pool.get("http"), pool.get("tcp")
    if http is None and tcp is None:
        yield Fault(path, "a connection pool says something of tcp or http", "leave it out otherwise")
    if http is not None:
        at = (*path, "http")
        counts = ("http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries", "maxConcurrentStreams")  # fmt: skip
        yield from _negative(http, at, *counts)
        yield from duration_faults(http, at, "idleTimeout")
        if http.get("h2UpgradePolicy") == "UPGRADE" and http.get("useClientProtocol"):
            yield Fault((*at, "useClientProtocol"), "h2UpgradePolicy UPGRADE excludes useClientProtocol", "drop one")
        alive = http.get("http2KeepAlive")
        for key in ("interval", "timeout") if alive is not None else ():
            if key not in alive:
                yield Fault((*at, "http2KeepAlive"), f"http2KeepAlive needs {key}")
        yield from duration_faults(alive or {}, (*at, "http2KeepAlive"), "interval", "timeout")
    if tcp is not None:
        at = (*path, "tcp")
        yield from _negative(tcp, at, "maxConnections")
        yield from duration_faults(tcp, at, "connectTimeout", "maxConnectionDuration")
        idle = nanoseconds(tcp.get("idleTimeout", "0s"))
        if idle is None or abs(idle) >= 10**6:  # zero turns it off
            yield from duration_faults(tcp, at, "idleTimeout")
        yield from duration_faults(tcp.get("tcpKeepalive") or {}, (*at, "tcpKeepalive"), "time", "interval")


def _negative(tree: dict[str, Any], path: KeyPath, *keys: str) -> Faults:
    for key in keys:
        if tree.get(key, 0) < 0:
            yield Fault((*path, key), f"{key} cannot be negative")


def server_tls_faults(tls: dict[str, Any], path: KeyPath) -> Faults:
    """Of `tls` in a server of a Gateway or an ingress listener of a Sidecar."""
    mode = tls.get("mode", "PASSTHROUGH")
    ciphers = tls.get("cipherSuites") or ()
    if tls.get("minProtocolVersion") in ("TLSV1_0", "TLSV1_1") and not ciphers:
        message = f"{tls['minProtocolVersion']} has no cipher of the default ones"
        yield warning((*path, "minProtocolVersion"), message, "name cipherSuites that it has, or use TLSV1_2")
    for index, cipher in enumerate(ciphers):
        if cipher in ciphers[:index]:
            yield warning((*path, "cipherSuites", index), f"'{cipher}' is there already")
        elif cipher not in ("", "ALL", *_CIPHERS) and cipher[0].isalnum():
            yield warning((*path, "cipherSuites", index), f"Istio does not know cipher '{cipher}' and ignores it")
    sources = [
        key
        for key, given in (
            ("serverCertificate", tls.get("serverCertificate") and tls.get("privateKey")),
            ("credentialName", tls.get("credentialName")),
            ("credentialNames", tls.get("credentialNames")),
            ("tlsCertificates", tls.get("tlsCertificates")),
        )
        if given
    ]
    if mode == "ISTIO_MUTUAL":
        for key in ("serverCertificate", "privateKey", "caCertificates", *sources[-1:]):
            if tls.get(key):
                yield Fault((*path, key), f"ISTIO_MUTUAL takes the certificate of the mesh, not {key}", "leave it out")
                return
        return
    unused = [key for key in (*sources, "serverCertificate", "privateKey", "caCertificates", "caCrl") if tls.get(key)]
    if mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH") and unused:
        message = f"{mode} does not end TLS, so {unused[0]} is not used"
        yield warning((*path, unused[0]), message, "leave it out, or use mode SIMPLE")
    if len(sources) > 1:
        yield Fault((*path, sources[1]), f"a server has one certificate source, not {' and '.join(sources)}")
    if mode not in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"):
        yield from _revocation_faults(tls, mode, path)
        return
    if tls.get("credentialName") or tls.get("credentialNames"):
        return
    if mode != "SIMPLE" and not tls.get("caCertificates"):
        yield Fault((*path, "mode"), f"{mode} needs caCertificates to verify clients", "or a credentialName")
    for at, pair in items(tls, "tlsCertificates", path) if tls.get("tlsCertificates") else ((path, tls),):
        for key in ("serverCertificate", "privateKey"):
            if not pair.get(key):
                yield Fault((*at, key), f"{mode} needs {key}", "or a credentialName: a Secret beside the gateway pods")
    if len(tls.get("tlsCertificates") or ()) > 2:
        yield warning((*path, "tlsCertificates"), "a server has two certificates at most, one RSA and one ECDSA")
    yield from _revocation_faults(tls, mode, path)


def _revocation_faults(tls: dict[str, Any], mode: str, path: KeyPath) -> Faults:
    if tls.get("caCrl"):
        if tls.get("credentialName"):
            yield Fault((*path, "caCrl"), "with a credentialName the revocation list is in that Secret")
        if mode == "SIMPLE":
            yield Fault((*path, "caCrl"), "SIMPLE verifies no client, so it has no revocation list")


def port_name_faults(name: str, path: KeyPath) -> Faults:
    if not is_host_label(name):
        yield Fault(path, f"'{name}' is no name of a port")


def protocol_faults(port: dict[str, Any], path: KeyPath) -> Faults:
    if port.get("protocol") and protocol(port) not in PROTOCOLS:
        yield Fault((*path, "protocol"), f"Istio does not know protocol '{port['protocol']}'", _known_protocols())


def _known_protocols() -> str:
    return "use HTTP, HTTP2, GRPC, HTTPS, TLS or TCP"


def port_faults(number: int, path: KeyPath) -> Faults:
    yield from of(path, port_problem(number))


def regex_problem(text: str) -> str | None:
    """Of a regular expression of Envoy, which is RE2. What Python cannot express counts as right."""
    if not text:
        return "an empty regular expression"
    if len(text.encode()) > 1024:
        return "a regular expression of more than 1024 characters"
    from dynagen.text.patterns import compiled

    try:
        compiled(text)
    except ValueError as error:
        # Classes of Unicode, \C and the flags U and m are RE2's alone: what stands beside them is not judged.
        if re.search(r"\\[pPC]|\(\?[a-z-]*[Um]", text) and not re.search(r"\(\?<?[=!]|\\[1-9]", text):
            return None
        return f"'{text}' is no regular expression of RE2: {error}"
    return None
