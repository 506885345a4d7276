"""A ServiceEntry, WorkloadEntry or WorkloadGroup in, what Istio's webhook refuses of it out.

Source: pkg/config/validation/validation.go of istio/istio.
"""

from __future__ import annotations

import re
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.common import (
    HTTP,
    TLS,
    export_faults,
    of,
    port_faults,
    port_name_faults,
    protocol,
    protocol_faults,
    selector_faults,
)
from dynagen.verify.istio.faults import Fault, Faults, items, warning
from dynagen.verify.istio.names import (
    address_or_block_problem,
    fqdn_problem,
    host_problem,
    is_address,
    labels_problem,
    partial_wildcard_problem,
    socket_problem,
)

_UNIX = "unix://"
_BY_DNS = ("DNS", "DNS_ROUND_ROBIN")
_DYNAMIC = ("http", "http2", "grpc", "tls")


def service_entry_faults(subject: Object) -> Faults:
    spec = subject.data.get("spec") or {}
    resolution = spec.get("resolution", "NONE")
    yield from selector_faults(spec.get("workloadSelector"), ("spec", "workloadSelector"), "labels")
    if "workloadSelector" in spec and spec.get("endpoints"):
        yield Fault(("spec", "endpoints"), "a ServiceEntry has endpoints or a workloadSelector, not both")
    if not spec.get("hosts"):
        yield Fault(("spec", "hosts"), "a ServiceEntry needs a host")
    for path, host in items(spec, "hosts", ("spec",)):
        problem = "'*' is no host of a ServiceEntry" if host == "*" else host_problem(host)
        yield from of(path, problem)
        partial = partial_wildcard_problem(host) if resolution != "DYNAMIC_DNS" else None
        if partial and not problem:
            yield warning(path, partial)
    for path, address in items(spec, "addresses", ("spec",)):
        yield from of(path, address_or_block_problem(address))
        if "/" in address and resolution not in ("NONE", "STATIC"):
            yield Fault(path, f"'{address}': with resolution {resolution} there are single addresses only")
    yield from _service_port_faults(spec)
    yield from _resolution_faults(spec, resolution, subject)
    if resolution != "NONE" and len(spec.get("hosts") or ()) > 1:
        for path, port in items(spec, "ports", ("spec",)):
            if protocol(port) not in HTTP | TLS:
                message = "several hosts cannot be told apart on a port that is neither HTTP nor TLS"
                yield Fault(path, message, "use one ServiceEntry per host, or say the protocol")
                break
    yield from export_faults(spec, subject.namespace, for_service=True)


def _service_port_faults(spec: dict[str, Any]) -> Faults:
    names: set[str] = set()
    numbers: set[int] = set()
    for path, port in items(spec, "ports", ("spec",)):
        name, number = port.get("name", ""), port.get("number", 0)
        if name in names:
            yield Fault((*path, "name"), f"port name '{name}' is there already")
        if number in numbers:
            yield Fault((*path, "number"), f"port {number} is there already")
        names.add(name)
        numbers.add(number)
        if port.get("targetPort"):
            yield from port_faults(port["targetPort"], (*path, "targetPort"))
        yield from port_name_faults(name, (*path, "name"))
        yield from protocol_faults(port, path)
        yield from port_faults(number, (*path, "number"))


def _resolution_faults(spec: dict[str, Any], resolution: str, subject: Object) -> Faults:
    endpoints = spec.get("endpoints") or ()
    at = ("spec", "resolution")
    if resolution == "NONE":
        if endpoints:
            yield Fault(("spec", "endpoints"), "with resolution NONE there are no endpoints", "use STATIC or DNS")
        if "workloadSelector" in spec:
            yield warning(
                ("spec", "workloadSelector"), "with resolution NONE a workloadSelector does nothing", "use STATIC"
            )
    elif resolution == "STATIC":
        names = {port.get("name", "") for port in spec.get("ports") or ()}
        for path, endpoint in items(spec, "endpoints", ("spec",)):
            yield from _workload_faults(endpoint, path, names)
    elif resolution in _BY_DNS:
        yield from _dns_faults(spec, resolution)
    else:
        for path, host in items(spec, "hosts", ("spec",)):
            if not host.startswith("*"):
                yield Fault(path, f"'{host}': with DYNAMIC_DNS a host is a wildcard", "for example *.example.com")
        for key in ("addresses", "endpoints"):
            if spec.get(key):
                yield Fault(("spec", key), f"with DYNAMIC_DNS there are no {key}")
        for path, port in items(spec, "ports", ("spec",)):
            if protocol(port) not in _DYNAMIC:
                yield Fault((*path, "protocol"), "with DYNAMIC_DNS a port is HTTP, HTTP2, GRPC or TLS")
        waypoint = ((subject.data.get("metadata") or {}).get("labels") or {}).get("istio.io/use-waypoint", "")
        if spec.get("location") == "MESH_INTERNAL" and waypoint and waypoint.lower() != "none":
            yield Fault(at, "DYNAMIC_DNS inside the mesh does not work with a waypoint")


def _dns_faults(spec: dict[str, Any], resolution: str) -> Faults:
    endpoints, hosts = spec.get("endpoints") or (), spec.get("hosts") or ()
    for index, host in enumerate(() if endpoints else hosts):
        if fqdn_problem(host):
            message = f"'{host}': without endpoints, {resolution} needs a host that can be looked up"
            yield Fault(("spec", "hosts", index), message, "a full name without a wildcard, or endpoints")
            break
    if resolution == "DNS_ROUND_ROBIN" and len(endpoints) > 1:
        yield Fault(("spec", "endpoints"), "DNS_ROUND_ROBIN has one endpoint at most")
    names = {port.get("name", "") for port in spec.get("ports") or ()}
    for path, endpoint in items(spec, "endpoints", ("spec",)):
        address = endpoint.get("address", "")
        if not is_address(address) and fqdn_problem(address):
            yield Fault((*path, "address"), f"'{address}' is neither an address nor a host name")
        yield from of((*path, "labels"), labels_problem(endpoint.get("labels") or {}))
        yield from _endpoint_port_faults(endpoint, path, names)
    if spec.get("addresses") and len(hosts) > 1:
        for path, port in items(spec, "ports", ("spec",)):
            if protocol(port) not in HTTP | {"udp", ""}:
                yield warning(path, "addresses and a port of TCP go with a single host")
                break


def _endpoint_port_faults(endpoint: dict[str, Any], path: KeyPath, names: set[str] | None) -> Faults:
    for at, number in items(endpoint, "ports", path):
        name = str(at[-1])
        if names is not None and name not in names:
            yield Fault(at, f"the ServiceEntry has no port '{name}'")
        yield from port_name_faults(name, at)
        yield from port_faults(number, at)


def workload_entry_faults(subject: Object) -> Faults:
    yield from _workload_faults(subject.data.get("spec") or {}, ("spec",), None)


def _workload_faults(entry: dict[str, Any], path: KeyPath, names: set[str] | None) -> Faults:
    """`names` are those of the ports of the ServiceEntry that it stands in; None for one of its own."""
    address = entry.get("address", "")
    if not address and not entry.get("network"):
        yield Fault(path, "an endpoint needs an address")
        return
    if not address:
        yield warning(path, "an endpoint without an address", "")
    elif address.startswith(_UNIX):
        yield from of((*path, "address"), socket_problem(address.removeprefix(_UNIX)))
        if entry.get("ports"):
            yield Fault((*path, "ports"), "a socket has no ports")
        if names is not None and len(names) != 1:
            yield Fault((*path, "address"), "a socket is for a ServiceEntry with one port")
    elif not is_address(address):
        if names is not None:
            yield Fault((*path, "address"), f"'{address}' is no address", "host names need resolution DNS")
        elif fqdn_problem(address):
            yield Fault((*path, "address"), f"'{address}' is neither an address nor a host name")
    yield from _endpoint_port_faults(entry, path, names)
    yield from of((*path, "labels"), labels_problem(entry.get("labels") or {}))


def workload_group_faults(subject: Object) -> Faults:
    spec = subject.data.get("spec") or {}
    if "template" not in spec:
        yield Fault(("spec",), "a WorkloadGroup needs a template")
        return
    labels = (spec.get("metadata") or {}).get("labels") or {}
    problem = labels_problem(labels)
    if problem:
        yield Fault(("spec", "metadata", "labels"), problem)
        return
    probe, at = spec.get("probe"), ("spec", "probe")
    if probe is None:
        return
    for key in ("periodSeconds", "initialDelaySeconds", "timeoutSeconds", "successThreshold", "failureThreshold"):
        if probe.get(key, 0) < 0:
            yield Fault((*at, key), f"{key} cannot be negative")
    if not any(key in probe for key in ("httpGet", "tcpSocket", "exec")):
        yield Fault(at, "a probe needs httpGet, tcpSocket or exec")
    for key in ("httpGet", "tcpSocket"):
        if key in probe:
            yield from port_faults(probe[key].get("port", 0), (*at, key, "port"))
    web = probe.get("httpGet") or {}
    if web.get("scheme", "") not in ("", "HTTP", "HTTPS"):
        yield Fault((*at, "httpGet", "scheme"), f"'{web['scheme']}' is neither HTTP nor HTTPS")
    for path, header in items(web, "httpHeaders", (*at, "httpGet")):
        if not re.fullmatch("[-A-Za-z0-9]+", header.get("name", "")):
            yield Fault((*path, "name"), f"'{header.get('name', '')}' is no name of a header")
    if "exec" in probe and not probe["exec"].get("command"):
        yield Fault((*at, "exec"), "exec needs a command")
