"""A VirtualService in, what Istio's webhook refuses of it out, as far as `rules.yaml` cannot say it: names that hang together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding, KeyPath, closest
from dynagen.verify.istio.common import export_findings, items, warning
from dynagen.verify.istio.forms import is_authority
from dynagen.verify.istio.hosts import (
    covered_by,
    fqdn_problem,
    host_problem,
    is_address,
    is_host_label,
    overlap,
    sni_problem,
)

_RETRY_ON = frozenset((
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream",
    "retriable-status-codes", "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure", "cancelled",
    "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
))  # fmt: skip


def virtual_service_findings(subject: Object) -> Iterator[Finding]:
    """Source: ValidateVirtualService in pkg/config/validation/validation.go of istio/istio."""
    spec = subject.data.get("spec") or {}
    gateways = spec.get("gateways") or ()
    at_gateways = bool(gateways) and "mesh" not in gateways
    yield from _gateway_findings(gateways, ("spec", "gateways"))
    yield from _host_findings(spec, at_gateways)
    for kind in ("http", "tls", "tcp"):
        for path, route in items(spec, kind, ("spec",)):
            for at, match in items(route, "match", path):
                yield from _gateway_findings(match.get("gateways") or (), (*at, "gateways"))
                if kind == "tls":
                    yield from _sni_findings(match, at, spec.get("hosts") or (), at_gateways)
            if kind == "http":
                yield from _retry_findings(route, path)
                yield from _authority_findings(route, path)
    yield from export_findings(spec, subject.namespace)


def _gateway_findings(names: Any, path: KeyPath) -> Iterator[Finding]:
    for index, name in enumerate(names):
        at = (*path, index)
        namespace, slash, gateway = name.partition("/")
        if not slash:
            if problem := fqdn_problem(name):
                yield Finding(at, problem)
            if "." in name:
                first, second = name.split(".")[:2]
                yield warning(at, f"'{name}' is an old way to name a gateway", f"use '{second}/{first}'")
            return  # Istio reads no further
        if not is_host_label(namespace):
            yield Finding(at, f"'{name}': '{namespace}' is no namespace")
        if not is_host_label(gateway):
            yield Finding(at, f"'{name}': '{gateway}' is no name of a Gateway")


def _host_findings(spec: dict[str, Any], at_gateways: bool) -> Iterator[Finding]:
    valid = True
    by_name = any(match.get("sniHosts") for route in spec.get("tls") or () for match in route.get("match") or ())
    for path, host in items(spec, "hosts", ("spec",)):
        problem = sni_problem(host) if at_gateways and by_name else host_problem(host)
        if problem:
            if not is_address(host):
                valid = False
                yield Finding(path, problem)
        elif host == "*" and not at_gateways:
            valid = False
            yield Finding(
                path, "'*' is for gateways, and this is for sidecars too", "name the hosts, or gateways without 'mesh'"
            )
    hosts = spec.get("hosts") or ()
    for index, host in enumerate(hosts if valid else ()):
        twin = next((other for other in hosts[:index] if overlap(other, host)), None)
        if twin is not None:
            yield Finding(("spec", "hosts", index), f"'{host}' is in hosts already, as '{twin}'")


def _sni_findings(match: dict[str, Any], path: KeyPath, hosts: Any, at_gateways: bool) -> Iterator[Finding]:
    for at, host in items(match, "sniHosts", path):
        problem = sni_problem(host) if at_gateways else host_problem(host)
        if problem and is_address(host):
            yield warning(at, f"'{host}' is an address, and clients send names as SNI")
        elif problem:
            yield Finding(at, problem)
        elif not any(covered_by(host, other) for other in hosts):
            yield Finding(at, f"'{host}' is not one of the hosts of this VirtualService")


def _retry_findings(route: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    """Source: pkg/config/validation/virtualservice.go of istio/istio."""
    conditions = (route.get("retries") or {}).get("retryOn")
    for word in conditions.split(",") if conditions else ():
        if word not in _RETRY_ON and not _is_status(word):
            near = closest(word.strip(), _RETRY_ON)
            is_near = near and near != word
            hint = f"did you mean '{near}'?" if is_near else "conditions stand between commas, without blanks"
            yield Finding((*path, "retries", "retryOn"), f"'{word}' is no condition to retry on", hint)


def _is_status(word: str) -> bool:
    from http import HTTPStatus

    # 418 is in both lists, and so are the others.
    return bool(re.fullmatch("[+]?[0-9]+", word)) and int(word) in {status.value for status in HTTPStatus}


def _authority_findings(route: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    request = (route.get("headers") or {}).get("request") or {}
    setters = [("rewrite", "authority")] if (route.get("rewrite") or {}).get("authority") else []
    setters += [(word, name) for word in ("set", "add") for name in request.get(word) or () if is_authority(name)]
    if len(setters) > 1:
        word, name = setters[1]
        message = f"'{name}' sets the authority, which is set already"
        yield Finding((*path, "headers", "request", word, name), message, "keep one of them")
