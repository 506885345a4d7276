"""A VirtualService in, what Istio's webhook refuses of it out. Rules of single HTTP routes are in http_routes.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import (
    export_findings,
    items,
    of,
    warning,
)
from dynagen.verify.istio.destinations import gateway_name_findings, route_findings, source_findings
from dynagen.verify.istio.hosts import (
    address_or_block_problem,
    covered_by,
    host_problem,
    is_address,
    is_jwt_claim,
    overlap,
    sni_problem,
)
from dynagen.verify.istio.http_routes import http_route_findings

MESH = "mesh"


def virtual_service_findings(subject: Object) -> Iterator[Finding]:
    """Source: ValidateVirtualService in pkg/config/validation/validation.go of istio/istio."""
    spec = subject.data.get("spec") or {}
    hosts, gateways = spec.get("hosts") or (), spec.get("gateways") or ()
    at_gateways = bool(gateways) and MESH not in gateways
    if not hosts:
        for key in ("gateways", "tls", "tcp"):
            if spec.get(key):
                message = f"without hosts this is a delegate, and a delegate has no {key}"
                yield Finding(("spec", key), message, "name hosts, or leave it to the VirtualService that delegates")
    yield from gateway_name_findings(gateways, ("spec", "gateways"))
    if not at_gateways:
        yield from _claim_findings(spec)
    yield from _host_findings(spec, at_gateways)
    if not any(spec.get(key) for key in ("http", "tcp", "tls")):
        yield Finding(("spec",), "a VirtualService needs http, tcp or tls")
    for path, route in items(spec, "http", ("spec",)):
        yield from http_route_findings(route, path, delegate=not hosts)
    for path, route in items(spec, "tls", ("spec",)):
        yield from _tls_route_findings(route, path, hosts, at_gateways)
    for path, route in items(spec, "tcp", ("spec",)):
        for at, match in items(route, "match", path):
            yield from _connection_findings(match, at)
        yield from route_findings(route, path)
    yield from export_findings(spec, subject.namespace)


def _claim_findings(spec: dict[str, Any]) -> Iterator[Finding]:
    for path, route in items(spec, "http", ("spec",)):
        for at, match in items(route, "match", path):
            for key in ("headers", "withoutHeaders"):
                for header in match.get(key) or ():
                    if is_jwt_claim(header):
                        message = f"'{header}': routing by a claim works at gateways only"
                        yield Finding((*at, key, header), message, "name gateways, without 'mesh'")


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


def _tls_route_findings(route: dict[str, Any], path: KeyPath, hosts: Any, at_gateways: bool) -> Iterator[Finding]:
    if not route.get("match"):
        yield Finding((*path, "match"), "a TLS route needs a match")
    for at, match in items(route, "match", path):
        if not match.get("sniHosts"):
            yield Finding((*at, "sniHosts"), "a TLS match needs an SNI host")
        for inner, host in items(match, "sniHosts", at):
            problem = sni_problem(host) if at_gateways else host_problem(host)
            if problem and is_address(host):
                yield warning(inner, f"'{host}' is an address, and clients send names as SNI")
            elif problem:
                yield Finding(inner, problem)
            elif not any(covered_by(host, other) for other in hosts):
                yield Finding(inner, f"'{host}' is not one of the hosts of this VirtualService")
        yield from _connection_findings(match, at)
    yield from route_findings(route, path)


def _connection_findings(match: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    """Of a match of TCP or TLS."""
    for at, subnet in items(match, "destinationSubnets", path):
        yield from of(at, address_or_block_problem(subnet))
    yield from source_findings(match, path)
