"""Ways from outside to a frontend that nobody encrypts. What is internal, or may be encrypted elsewhere, is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from dynagen.cluster.frontends import GATEWAY_API, ISTIO, Frontends, Route, gateways_of, meet
from dynagen.cluster.objects import Findings, Object, listing, mapping
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath

_TITLE = "in plain text: prompts, answers and keys of clients can be read on the way"
# source: istio.io/latest/docs/reference/config/networking/gateway (Port, protocol)
_PLAIN = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")
# Classes whose gateways have a public address, and how one gives them a certificate. Istio's is a load balancer unless an
# annotation says otherwise.
# source: docs.cloud.google.com/kubernetes-engine/docs/concepts/gateway-api (GatewayClasses);
#   istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api
_GKE = "'gke.gateway.certificateMap' or 'tlsSecret' in a profile, a listener of protocol HTTPS in a Gateway"
_OWN = "'istio.tlsCredential' in a profile, a listener of protocol HTTPS in a Gateway"
_CLASSES = {
    "istio": _OWN,
    **dict.fromkeys(
        ("gke-l7-global-external-managed", "gke-l7-regional-external-managed", "gke-l7-gxlb",
         "gke-l7-global-external-managed-mc", "gke-l7-regional-external-managed-mc", "gke-l7-gxlb-mc"),
        _GKE,
    ),
}  # fmt: skip
_SERVER = (
    "'istio.tlsCredential' in a profile, a server of protocol HTTPS and 'httpsRedirect: true' at this one in a Gateway"
)
# source: docs.cloud.google.com/kubernetes-engine/docs/how-to/internal-load-balancing (annotations)
_INTERNAL = ("networking.gke.io/load-balancer-type", "cloud.google.com/load-balancer-type")


class _Ways:
    def __init__(self, frontends: Frontends, routes: Sequence[Route], findings: Findings) -> None:
        self.frontends, self.routes, self.findings = frontends, routes, findings
        self.objects = frontends.objects

    def report(self, subject: Object, path: KeyPath, what: str, way: str, route: Route | None = None) -> None:
        """What is there already has no line: the route that names it is the place then."""
        hint = f"encrypt it: {way}; or silence this and say what guards it"
        also = [("the route to the frontend", route.subject, route.to)] if route else []
        if route and subject not in self.objects:
            what, also = f"{subject}: {what}", []
            subject, path = route.subject, route.gateway(subject)
        self.findings.add("DG646", subject, path, f"{what} {_TITLE}", hint, "warning", also)

    def through(self, gateway: Object, listener: Any, host: str) -> Route | None:
        """The first route to a frontend that takes requests for a host from a gateway."""
        found = (each for each in self.routes if _names_gateway(each.gateways, gateway, listener))
        return next((each for each in found if not each.hosts or any(meet(host, name) for name in each.hosts)), None)


def check_plain_text(
    frontends: Frontends, routes: Sequence[Route], external: Sequence[Object], findings: Findings
) -> None:
    """Reports DG646."""
    ways = _Ways(frontends, routes, findings)
    there = [each for each in external if each.kind == "Gateway" and each.data.get("spec")]
    for subject in (*frontends.objects, *there):
        check = _CHECKS.get((subject.group, subject.kind))
        if check is not None:
            check(subject, ways)


def _check_servers(gateway: Object, ways: _Ways) -> None:
    """Of a Gateway of Istio."""
    if _is_inside(gateway, ways.objects):
        return
    selector = mapping(gateway.data.get("spec")).get("selector")
    servers = [
        server
        for each in (gateway, *ways.objects)
        if (each.group, each.kind) == (ISTIO, "Gateway") and mapping(each.data.get("spec")).get("selector") == selector
        for server in listing(mapping(each.data.get("spec")).get("servers"))
    ]
    encrypted = [name for each in servers if not _is_plain(each) for name in _names(each)]
    for index, server in enumerate(listing(mapping(gateway.data.get("spec")).get("servers"))):
        if not _is_plain(server) or mapping(server.get("tls")).get("httpsRedirect"):
            continue
        for number, host in enumerate(_names(server)):
            route = ways.through(gateway, None, host)
            if route is None or _is_encrypted(host, route, encrypted) or _redirects(ways, gateway, host):
                continue
            path, port = ("spec", "servers", index, "hosts", number), mapping(server.get("port")).get("number")
            ways.report(gateway, path, f"port {port} takes requests for '{host}'", _SERVER, route)
            break


def _check_listeners(gateway: Object, ways: _Ways) -> None:
    """Of a Gateway of the Gateway API."""
    spec = mapping(gateway.data.get("spec"))
    way = _CLASSES.get(str(spec.get("gatewayClassName")))
    notes = {
        **mapping(mapping(gateway.data.get("metadata")).get("annotations")),
        **mapping(mapping(spec.get("infrastructure")).get("annotations")),
    }
    if (
        way is None
        or _is_internal(notes)
        or notes.get("networking.istio.io/service-type", "LoadBalancer") != "LoadBalancer"
    ):
        return
    listeners = listing(spec.get("listeners"))
    encrypted = [str(each.get("hostname") or "*") for each in listeners if each.get("protocol") in ("HTTPS", "TLS")]
    for index, listener in enumerate(listeners):
        host = str(listener.get("hostname") or "*")
        route = ways.through(gateway, listener.get("name"), host) if listener.get("protocol") == "HTTP" else None
        if route is None or _is_encrypted(host, route, encrypted) or _redirects(ways, gateway, host):
            continue
        at = ("spec", "listeners", index, "hostname") if "hostname" in listener else ("spec", "gatewayClassName")
        name = "all hosts" if host == "*" else f"'{host}'"
        ways.report(gateway, at, f"port {listener.get('port')} takes requests for {name}", way, route)


def _check_ingress(ingress: Object, ways: _Ways) -> None:
    """Of GKE's own controller: what others make of an Ingress without `tls`, they are told elsewhere."""
    spec, metadata = mapping(ingress.data.get("spec")), mapping(ingress.data.get("metadata"))
    notes = mapping(metadata.get("annotations"))
    name = spec.get("ingressClassName") or notes.get("kubernetes.io/ingress.class") or "gce"
    # Certificates of Google and of others come by annotations.
    # source: docs.cloud.google.com/kubernetes-engine/docs/concepts/ingress-xlb
    if name != "gce" or spec.get("tls") or any("cert" in key for key in notes):
        return
    if notes.get("kubernetes.io/ingress.allow-http") == "false":
        return
    for backend in _backends(spec):
        service = mapping(backend.get("service"))
        if ways.frontends.behind(service.get("name"), ingress.namespace) is not None:
            way = "'spec.tls', or the annotation networking.gke.io/managed-certificates"
            what = f"the load balancer takes requests for '{service['name']}'"
            ways.report(ingress, ("kind",), what, way)
            return


def _backends(spec: dict[str, Any]) -> list[dict[str, Any]]:
    rules = [mapping(rule.get("http")) for rule in listing(spec.get("rules"))]
    found = [
        spec.get("defaultBackend"),
        *(path.get("backend") for rule in rules for path in listing(rule.get("paths"))),
    ]
    return listing(found)


def _check_service(service: Object, ways: _Ways) -> None:
    spec = mapping(service.data.get("spec"))
    pods = ways.frontends.behind(service.name, service.namespace)
    notes = mapping(mapping(service.data.get("metadata")).get("annotations"))
    if spec.get("type") != "LoadBalancer" or not pods or _is_internal(notes) or any(map(_has_tls, pods)):
        return
    ranges = spec.get("loadBalancerSourceRanges") or []
    if "internal" in str(spec.get("loadBalancerClass")) or (ranges and all(map(_is_private, ranges))):
        return
    way = "a Gateway with TLS in front of it and 'type: ClusterIP' here"
    ways.report(service, ("spec", "type"), "a load balancer takes requests for the frontend", way)


def _is_private(block: str) -> bool:
    try:
        return ip_network(block.strip(), strict=False).is_private
    except ValueError:
        return False


def _has_tls(template: PodTemplate) -> bool:
    """Whether a frontend may have a certificate of its own. source: frontend/frontend_args.py in the wheel ai-dynamo 1.6.1"""
    words = str([(each.get("args"), each.get("command"), each.get("env")) for _, each in template.containers()])
    return "--tls-cert-path" in words or "DYN_TLS_CERT_PATH" in words


def _is_internal(annotations: dict[str, Any]) -> bool:
    return any(str(annotations.get(key)).lower() == "internal" for key in _INTERNAL)


def _is_inside(gateway: Object, objects: Sequence[Object]) -> bool:
    """Whether the Services of a gateway's pods are here, and none of them has an address outside."""
    wanted = mapping(mapping(gateway.data.get("spec")).get("selector")).items()
    found = []
    for each in objects:
        spec = mapping(each.data.get("spec"))
        selector = mapping(spec.get("selector"))
        if (each.kind, each.group) == ("Service", "") and any(item in wanted for item in selector.items()):
            notes = mapping(mapping(each.data.get("metadata")).get("annotations"))
            found.append(spec.get("type") != "LoadBalancer" or _is_internal(notes))
    return bool(found) and all(found)


def _is_encrypted(host: str, route: Route, encrypted: Sequence[str]) -> bool:
    """Whether what a route takes of a host is there with TLS as well."""
    names = [name for name in route.hosts if not name.startswith("*") and meet(host, name)] or [host]
    return all(any(meet(name, each) for each in encrypted) for name in names)


def _is_plain(server: dict[str, Any]) -> bool:
    return mapping(server.get("port")).get("protocol") in _PLAIN


def _names(server: dict[str, Any]) -> list[str]:
    """The hosts of a server, without the namespaces that they are for."""
    return [str(each).rpartition("/")[2] for each in server.get("hosts") or ()]


def _names_gateway(gateways: list[tuple[str, str, str | None]], gateway: Object, listener: Any) -> bool:
    return any(
        name == gateway.name and space == gateway.namespace and (section is None or listener in (None, section))
        for space, name, section in gateways
    )


def _redirects(ways: _Ways, gateway: Object, host: str) -> bool:
    """Whether some route through a gateway sends clients to https: that it comes before the others is its author's affair."""
    for subject in ways.objects:
        if subject.kind not in ("HTTPRoute", "VirtualService") or not _names_gateway(
            gateways_of(subject), gateway, None
        ):
            continue
        spec = mapping(subject.data.get("spec"))
        hosts = spec.get("hosts") or spec.get("hostnames") or ["*"]
        filters = [each for rule in listing(spec.get("rules")) for each in listing(rule.get("filters"))]
        redirects = [mapping(each.get("requestRedirect")) for each in filters]
        redirects += [mapping(each.get("redirect")) for each in listing(spec.get("http"))]
        if any(each.get("scheme") == "https" for each in redirects) and any(meet(host, each) for each in hosts):
            return True
    return False


_CHECKS = {
    (ISTIO, "Gateway"): _check_servers,
    (GATEWAY_API, "Gateway"): _check_listeners,
    ("networking.k8s.io", "Ingress"): _check_ingress,
    ("", "Service"): _check_service,
}
