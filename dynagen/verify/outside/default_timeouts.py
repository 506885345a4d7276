"""Load balancers of GKE that nobody has given a timeout: their own cuts every answer after 30 seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.frontends import GATEWAY_API, Frontends, Route
from dynagen.cluster.objects import Cluster, Findings, Object, listing, mapping
from dynagen.diagnostics import KeyPath
from dynagen.trees.nodes import value_at

# source: cloud.google.com/load-balancing/docs/backend-service (timeout, 30 seconds by default, for the whole of request and
#   response); GoogleCloudPlatform/gke-gateway-api, config/crd (GCPBackendPolicy, timeoutSec)
_MESSAGE = "the load balancer cuts every answer of '{}' after 30 seconds, its default, streams as well"
_POLICY, _CONFIG = "GCPBackendPolicy", "BackendConfig"
# source: cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration (associating a BackendConfig)
_NOTES = ("cloud.google.com/backend-config", "beta.cloud.google.com/backend-config")


def check_default_timeouts(frontends: Frontends, long: Sequence[Route], cluster: Cluster, findings: Findings) -> None:
    """Reports DG652. `long` are the routes that surely take requests for answers that are long."""
    there = [*frontends.objects, *cluster.external]
    if not (cluster.is_open or _may_be(_POLICY, there, cluster)):
        said: set[tuple[str, KeyPath]] = set()
        for route in long:
            name = mapping(value_at(route.subject.data, route.to)).get("name")
            if (
                (str(route.subject), route.to[:1]) not in said
                and _is_of_gke(route, there)
                and not route.data.get("timeouts")
            ):
                said.add((str(route.subject), route.to[:1]))
                hint = f"add a {_POLICY} with 'spec.default.timeoutSec' and this Service as its 'targetRef'"
                findings.add("DG652", route.subject, (*route.to, "name"), _MESSAGE.format(name), hint, "warning")
    if not (cluster.is_open or _may_be(_CONFIG, there, cluster)):
        for ingress in frontends.objects:
            if (ingress.group, ingress.kind) == ("networking.k8s.io", "Ingress") and _is_gce(ingress):
                _check_ingress(ingress, frontends, findings)


def _may_be(kind: str, there: Sequence[Object], cluster: Cluster) -> bool:
    """Whether there is one at all: which Service it is for, its author has thought about."""
    return any(each.kind == kind for each in there) or (
        cluster.elsewhere is not None and cluster.elsewhere.has_any(kind)
    )


def _is_of_gke(route: Route, there: Sequence[Object]) -> bool:
    if (
        route.subject.group != GATEWAY_API
        or mapping(value_at(route.subject.data, route.to)).get("kind", "Service") != "Service"
    ):
        return False
    named = {(space, name) for space, name, _ in route.gateways}
    gateways = [each for each in there if each.kind == "Gateway" and (each.namespace, each.name) in named]
    classes = [str(mapping(each.data.get("spec")).get("gatewayClassName")) for each in gateways]
    return any(each.startswith("gke-l7-") for each in classes)


def _is_gce(ingress: Object) -> bool:
    notes = mapping(mapping(ingress.data.get("metadata")).get("annotations"))
    name = mapping(ingress.data.get("spec")).get("ingressClassName") or notes.get("kubernetes.io/ingress.class")
    return name in ("gce", "gce-internal")


def _check_ingress(ingress: Object, frontends: Frontends, findings: Findings) -> None:
    """Of a Service that is here: what its maker makes of others, nobody knows."""
    services = {
        each.name: each for each in frontends.objects if each.kind == "Service" and each.namespace == ingress.namespace
    }
    for path, backend in _backends(mapping(ingress.data.get("spec"))):
        name = mapping(backend.get("service")).get("name")
        service = services.get(str(name))
        if service is None or not frontends.behind(name, ingress.namespace):
            continue
        notes = mapping(mapping(service.data.get("metadata")).get("annotations"))
        if not any(key in notes for key in _NOTES):
            hint = f"add a {_CONFIG} with 'spec.timeoutSec', and name it in the Service's annotation {_NOTES[0]}"
            place = (*path, "service", "name")
            findings.add(
                "DG652",
                ingress,
                place,
                _MESSAGE.format(name),
                hint,
                "warning",
                [("the Service", service, ("metadata", "name"))],
            )
            return


def _backends(spec: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    yield ("spec", "defaultBackend"), mapping(spec.get("defaultBackend"))
    for index, rule in enumerate(listing(spec.get("rules"))):
        for number, each in enumerate(listing(mapping(rule.get("http")).get("paths"))):
            yield ("spec", "rules", index, "http", "paths", number, "backend"), mapping(each.get("backend"))
