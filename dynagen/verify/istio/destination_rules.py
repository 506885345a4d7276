"""A DestinationRule in, what Istio's webhook refuses of it out.

Source: ValidateDestinationRule in pkg/config/validation/validation.go, and pkg/config/validation/agent, of istio/istio.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding, KeyPath
from dynagen.text.durations import nanoseconds
from dynagen.verify.istio.common import (
    duration_findings,
    export_findings,
    items,
    of,
    selector_findings,
    warning,
)
from dynagen.verify.istio.hosts import (
    fqdn_problem,
    host_problem,
    is_address,
    is_host_label,
    labels_problem,
    port_problem,
)
from dynagen.verify.istio.localities import locality_findings

_OF_A_PORT = ("outlierDetection", "connectionPool", "loadBalancer", "tls")
_OF_ALL = (*_OF_A_PORT, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget")
_MAX_TABLE = 5000011


def destination_rule_findings(subject: Object) -> Iterator[Finding]:
    spec = subject.data.get("spec") or {}
    yield from of(("spec", "host"), host_problem(spec.get("host", "")))
    yield from _policy_findings(spec.get("trafficPolicy"), ("spec", "trafficPolicy"), subject.namespace)
    names: set[str] = set()
    for path, subset in items(spec, "subsets", ("spec",)):
        name = subset.get("name", "")
        if name in names:
            yield Finding((*path, "name"), f"subset '{name}' is there already")
        names.add(name)
        if not is_host_label(name):
            yield Finding((*path, "name"), f"'{name}' is no name of a subset")
        yield from of((*path, "labels"), labels_problem(subset.get("labels") or {}))
        yield from _policy_findings(subset.get("trafficPolicy"), (*path, "trafficPolicy"), subject.namespace)
    selector = spec.get("workloadSelector")
    yield from export_findings(spec, subject.namespace, for_pods=selector is not None)
    yield from selector_findings(selector, ("spec", "workloadSelector"))


def _policy_findings(policy: dict[str, Any] | None, path: KeyPath, namespace: str) -> Iterator[Finding]:
    if policy is None:
        return
    # An empty list is none to Istio, an empty map is one.
    if not any(policy.get(key) or policy.get(key) == {} for key in _OF_ALL):
        yield Finding(
            path, "a traffic policy that says nothing", "leave it out, or give it a loadBalancer or connectionPool"
        )
        return
    if "tunnel" in policy and "proxyProtocol" in policy:
        yield Finding((*path, "proxyProtocol"), "a traffic policy has tunnel or proxyProtocol, not both")
        return
    yield from _settings_findings(policy, path, namespace)
    for at, settings in items(policy, "portLevelSettings", path):
        if settings.get("port") is None:
            yield Finding(at, "settings of a port name the port")
        if not any(key in settings for key in _OF_A_PORT):
            yield Finding(at, "settings of a port that say nothing")
        else:
            yield from _settings_findings(settings, at, namespace)
    tunnel = policy.get("tunnel")
    if tunnel is not None:
        at = (*path, "tunnel")
        if tunnel.get("protocol", "") not in ("", "CONNECT", "POST"):
            yield Finding((*at, "protocol"), f"'{tunnel['protocol']}' is neither CONNECT nor POST")
        host = tunnel.get("targetHost", "")
        if fqdn_problem(host) and not is_address(host):
            yield Finding((*at, "targetHost"), f"'{host}' is neither a host name nor an address")
        yield from of((*at, "targetPort"), port_problem(tunnel.get("targetPort", 0)))


def _settings_findings(policy: dict[str, Any], path: KeyPath, namespace: str) -> Iterator[Finding]:
    outlier = policy.get("outlierDetection")
    yield from _outlier_findings(outlier, (*path, "outlierDetection"))
    yield from _pool_findings(policy.get("connectionPool"), (*path, "connectionPool"))
    yield from _balancer_findings(policy.get("loadBalancer"), outlier is not None, (*path, "loadBalancer"))
    yield from _tls_findings(policy.get("tls"), (*path, "tls"), namespace)


def _pool_findings(pool: dict[str, Any] | None, path: KeyPath) -> Iterator[Finding]:
    if pool is None:
        return
    http, tcp = pool.get("http"), pool.get("tcp")
    if http is None and tcp is None:
        yield Finding(path, "a connection pool says something of tcp or http", "leave it out otherwise")
    if http is not None:
        at = (*path, "http")
        counts = ("http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries", "maxConcurrentStreams")  # fmt: skip
        yield from _negative(http, at, *counts)
        yield from duration_findings(http, at, "idleTimeout")
        if http.get("h2UpgradePolicy") == "UPGRADE" and http.get("useClientProtocol"):
            yield Finding((*at, "useClientProtocol"), "h2UpgradePolicy UPGRADE excludes useClientProtocol", "drop one")
        alive = http.get("http2KeepAlive")
        for key in ("interval", "timeout") if alive is not None else ():
            if key not in alive:
                yield Finding((*at, "http2KeepAlive"), f"http2KeepAlive needs {key}")
        yield from duration_findings(alive or {}, (*at, "http2KeepAlive"), "interval", "timeout")
    if tcp is not None:
        at = (*path, "tcp")
        yield from _negative(tcp, at, "maxConnections")
        yield from duration_findings(tcp, at, "connectTimeout", "maxConnectionDuration")
        idle = nanoseconds(tcp.get("idleTimeout", "0s"))
        if idle is None or abs(idle) >= 10**6:  # zero turns it off
            yield from duration_findings(tcp, at, "idleTimeout")
        yield from duration_findings(tcp.get("tcpKeepalive") or {}, (*at, "tcpKeepalive"), "time", "interval")


def _negative(tree: dict[str, Any], path: KeyPath, *keys: str) -> Iterator[Finding]:
    for key in keys:
        if tree.get(key, 0) < 0:
            yield Finding((*path, key), f"{key} cannot be negative")


def _outlier_findings(outlier: dict[str, Any] | None, path: KeyPath) -> Iterator[Finding]:
    if outlier is None:
        return
    yield from duration_findings(outlier, path, "baseEjectionTime", "interval")
    if outlier.get("consecutiveErrors"):
        hint = "use consecutiveGatewayErrors or consecutive5xxErrors"
        yield warning((*path, "consecutiveErrors"), "consecutiveErrors is deprecated", hint)
    if not outlier.get("splitExternalLocalOriginErrors") and outlier.get("consecutiveLocalOriginFailures", 0) > 0:
        message = "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true"
        yield Finding((*path, "consecutiveLocalOriginFailures"), message, "set it, or drop this")
    for key in ("maxEjectionPercent", "minHealthPercent"):
        if not 0 <= outlier.get(key, 0) <= 100:
            yield Finding((*path, key), f"{outlier[key]} is no percentage", "use 0 to 100")


def _balancer_findings(balancer: dict[str, Any] | None, ejects: bool, path: KeyPath) -> Iterator[Finding]:
    if balancer is None:
        return
    hashing = balancer.get("consistentHash")
    if hashing is not None:
        yield from _hash_findings(hashing, (*path, "consistentHash"))
    local, zones = balancer.get("localityLbSetting"), balancer.get("zoneAwareLbSetting")
    if local is not None and zones is not None:
        message = "a load balancer has localityLbSetting or zoneAwareLbSetting, not both"
        yield Finding((*path, "zoneAwareLbSetting"), message)
    yield from locality_findings(local, (*path, "localityLbSetting"), ejects, zones=False)
    yield from locality_findings(zones, (*path, "zoneAwareLbSetting"), ejects, zones=True)
    if nanoseconds(balancer.get("warmupDurationSecs", "0s")) is None:
        yield Finding((*path, "warmupDurationSecs"), f"'{balancer['warmupDurationSecs']}' is no duration")
    warm = balancer.get("warmup")
    if warm is not None:
        at = (*path, "warmup")
        if "duration" not in warm:
            yield Finding(at, "warmup needs a duration")
        yield from duration_findings(warm, at, "duration")
        if warm.get("minimumPercent", 0) > 100:
            yield Finding((*at, "minimumPercent"), f"{warm['minimumPercent']} is no percentage")
        if warm.get("aggression", 1) <= 0:
            yield Finding((*at, "aggression"), "aggression is greater than 0")


def _hash_findings(hashing: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    cookie = hashing.get("httpCookie")
    if cookie is not None and not cookie.get("name"):
        yield Finding((*path, "httpCookie"), "a cookie needs a name")
    if cookie is not None and nanoseconds(cookie.get("ttl", "0s")) is None:
        yield Finding((*path, "httpCookie", "ttl"), f"'{cookie['ttl']}' is no duration")
    yield from _attribute_findings(cookie or {}, (*path, "httpCookie"))
    if hashing.get("minimumRingSize"):
        yield warning(
            (*path, "minimumRingSize"), "minimumRingSize is deprecated here", "use ringHash: {minimumRingSize: ...}"
        )
        if "ringHash" in hashing or "maglev" in hashing:
            yield Finding((*path, "minimumRingSize"), "minimumRingSize stands in ringHash, if there is one")
    maglev = hashing.get("maglev")
    if maglev is not None:
        size = maglev.get("tableSize", 0)
        if not size or size >= _MAX_TABLE or not _is_prime(size):
            message = f"tableSize {size} is no prime number below {_MAX_TABLE}" if size else "maglev needs a tableSize"
            yield Finding((*path, "maglev", "tableSize"), message, "for example 65537")


def _attribute_findings(cookie: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    names: set[str] = set()
    for at, attribute in items(cookie, "attributes", path):
        name = attribute.get("name", "")
        if not name:
            yield Finding(at, "an attribute of a cookie needs a name")
        elif name in names:
            yield Finding((*at, "name"), f"attribute '{name}' is there already")
        names.add(name)


def _is_prime(number: int) -> bool:
    if number < 4:
        return number > 0
    return number % 2 == 1 and all(number % factor for factor in range(3, isqrt(number) + 1, 2))


def _tls_findings(tls: dict[str, Any] | None, path: KeyPath, namespace: str) -> Iterator[Finding]:
    if tls is None:
        return
    mode, credential = tls.get("mode", "DISABLE"), tls.get("credentialName", "")
    if credential.startswith("configmap://"):
        space, slash, _ = credential.removeprefix("configmap://").partition("/")
        if not slash or (namespace and space != namespace):
            hint = f"configmap://{namespace or 'NAMESPACE'}/NAME"
            yield Finding((*path, "credentialName"), "a ConfigMap of certificates is in the rule's own namespace", hint)
    if tls.get("insecureSkipVerify") and mode in ("SIMPLE", "MUTUAL"):
        for key in ("caCertificates", "subjectAltNames", *(("credentialName",) if mode == "SIMPLE" else ())):
            if tls.get(key):
                yield Finding(
                    (*path, key), f"with insecureSkipVerify nothing is verified, and {key} is refused", "drop one"
                )
    if mode in ("SIMPLE", "MUTUAL") and credential:
        for key in ("clientCertificate", "caCertificates", "privateKey", "caCrl"):
            if tls.get(key):
                yield Finding((*path, key), f"credentialName brings what {key} would", "keep one of them")
    elif mode == "MUTUAL":
        for key in ("clientCertificate", "privateKey"):
            if not tls.get(key):
                yield Finding((*path, "mode"), f"MUTUAL needs {key}", "or a credentialName; ISTIO_MUTUAL needs neither")
