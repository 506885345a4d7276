"""What routes name and nobody has: subsets, delegates, ports, providers. Whole Services are the references' business.

Source: pkg/config/analysis/analyzers/virtualservice of istio/istio.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import KeyPath, Report, closest
from dynagen.verify.istio.common import items
from dynagen.verify.istio.hosts import CLUSTER_DOMAIN, full_name
from dynagen.verify.istio.mesh import Mesh

# Source: DefaultMeshConfig in pkg/config/mesh/mesh.go of istio/istio.
_PROVIDERS = frozenset(("prometheus", "stackdriver", "envoy"))


def destinations(subject: Object) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    spec = subject.data.get("spec") or {}
    for kind in ("http", "tls", "tcp"):
        for path, route in items(spec, kind, ("spec",)):
            for at, weighted in items(route, "route", path):
                yield (*at, "destination"), weighted.get("destination") or {}
            if "mirror" in route:
                yield (*path, "mirror"), route["mirror"]
            for at, mirror in items(route, "mirrors", path):
                yield (*at, "destination"), mirror.get("destination") or {}


def check_destinations(mesh: Mesh) -> None:
    """Reports DG491 for a destination without a port that needs one, DG492 for a host or a subset that nobody has."""
    subsets = _subsets(mesh)
    for subject in mesh.of_kind("VirtualService"):
        for path, destination in destinations(subject):
            host = destination.get("host", "")
            _check_port(mesh, subject, path, host, destination.get("port"))
            meant = mesh.misread(host)
            if meant:
                message = f"'{host}' is no host of the mesh: a name with a dot is taken as it stands"
                mesh.report("DG492", "IST0101", subject, (*path, "host"), message, f"write '{meant}'")
            subset = destination.get("subset")
            if subset:
                _check_subset(mesh, subject, path, subsets, full_name(host, subject.namespace), subset)
        _check_delegates(mesh, subject)


def _check_port(mesh: Mesh, subject: Object, path: KeyPath, host: str, port: dict[str, Any] | None) -> None:
    name = full_name(host, subject.namespace)
    service, entry = mesh.services.get(name), mesh.entries.get(name)
    if service is not None:
        owner, ports = service.owner, [each.get("port", 0) for each in service.ports or ()]
    elif entry is not None:
        owner, ports = entry, [each.get("number", 0) for each in (entry.data.get("spec") or {}).get("ports") or ()]
    else:
        return
    if port is None and len(ports) > 1:
        message = f"{owner} has several ports, and this destination names none"
        hint = f"add port: {{number: {ports[0]}}}, or another of {', '.join(map(str, ports))}"
        mesh.report("DG491", "IST0112", subject, path, message, hint, also=[("its ports", owner, ("spec", "ports"))])
    elif port is not None and owner is entry and ports and port.get("number") not in ports:
        message = f"{owner} has no port {port.get('number')}"
        hint = f"it has {', '.join(map(str, ports))}"
        mesh.report("DG491", "IST0101", subject, (*path, "port", "number"), message, hint)


def _subsets(mesh: Mesh) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rule in mesh.of_kind("DestinationRule"):
        spec = rule.data.get("spec") or {}
        names = found.setdefault(full_name(spec.get("host", ""), rule.namespace), [])
        names += [subset.get("name", "") for subset in spec.get("subsets") or ()]
    return found


def _check_subset(
    mesh: Mesh, subject: Object, path: KeyPath, subsets: dict[str, list[str]], host: str, subset: str
) -> None:
    known = subsets.get(host, [])
    if subset in known or mesh.outside("DestinationRule"):
        return
    near = closest(subset, known)
    message = f"no DestinationRule has a subset '{subset}' for host '{host.replace(f'.{CLUSTER_DOMAIN}', '')}'"
    hint = f"did you mean '{near}'?" if near else "define it under spec.subsets of a DestinationRule for that host"
    if host not in subsets:
        hint = f"add one, or say that the cluster has it: {mesh.declaring('DestinationRule/NAME')}"
    mesh.report("DG492", "IST0101", subject, (*path, "subset"), message, hint, cause=message)


def _check_delegates(mesh: Mesh, subject: Object) -> None:
    for path, route in items(subject.data.get("spec") or {}, "http", ("spec",)):
        delegate = route.get("delegate")
        if not delegate:
            continue
        name, namespace = delegate.get("name", ""), delegate.get("namespace") or subject.namespace
        candidates = [each for each in mesh.of_kind("VirtualService") if each.namespace == namespace]
        found = next((each for each in candidates if each.name == name), None)
        at = (*path, "delegate", "name")
        if found is not None:
            if (found.data.get("spec") or {}).get("hosts"):
                message = f"{found} has hosts, so nothing can be delegated to it"
                also = [("its hosts", found, ("spec", "hosts"))]
                mesh.report("DG492", "IST0101", subject, at, message, "take hosts and gateways out of it", also=also)
        elif not any(each.name == name for each in mesh.outside("VirtualService")):
            near = closest(name, [each.name for each in candidates])
            hint = f"did you mean '{near}'?" if near else "declare it as external if the cluster has it"
            mesh.report("DG492", "IST0101", subject, at, f"no VirtualService '{name}' in namespace '{namespace}'", hint)


def check_providers(mesh: Mesh) -> None:
    """Reports DG492 for a provider that the mesh does not have, when its configuration is in the stream."""
    known = _providers(mesh)
    if known is None:
        return
    for subject, path, name in _named_providers(mesh):
        if name not in known:
            near = closest(name, known)
            hint = f"did you mean '{near}'?" if near else "the mesh has " + ", ".join(sorted(known))
            message = f"the mesh has no extensionProvider '{name}'"
            mesh.report("DG492", "IST0101", subject, path, message, hint)


def _providers(mesh: Mesh) -> frozenset[str] | None:
    """The names in MeshConfig. None when it is not in the stream, or there are several."""
    maps = [each for each in mesh.objects if each.kind == "ConfigMap" and each.name == "istio" and not each.group]
    texts = [text for each in maps if (text := (each.data.get("data") or {}).get("mesh"))]
    if len(texts) != 1:
        return None
    from dynagen.text.source import parse

    report = Report()
    documents = parse(texts[0], "mesh", report)
    config = documents[0].data if documents and not report.failed else None
    if not isinstance(config, dict):
        return None
    listed = config.get("extensionProviders") or ()
    return _PROVIDERS | {str(each.get("name")) for each in listed if isinstance(each, dict)}


def _named_providers(mesh: Mesh) -> Iterator[tuple[Object, KeyPath, str]]:
    for policy in mesh.of_kind("AuthorizationPolicy"):
        provider = (policy.data.get("spec") or {}).get("provider") or {}
        if provider.get("name"):
            yield policy, ("spec", "provider", "name"), provider["name"]
    for telemetry in mesh.of_kind("Telemetry"):
        for key in ("metrics", "tracing", "accessLogging"):
            for path, part in items(telemetry.data.get("spec") or {}, key, ("spec",)):
                for at, provider in items(part, "providers", path):
                    yield telemetry, (*at, "name"), provider.get("name", "")
