"""Health checks of GKE's load balancers ask pods directly, at a port of theirs and not at one of their Service.

source: docs.cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources (health check), and
compute/docs/reference/rest/v1/healthChecks there (USE_FIXED_PORT; network endpoint groups hold pods)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Findings, Object, listing, mapping
from dynagen.cluster.operator import service_name
from dynagen.manifests.versions import GRAPH
from dynagen.verify.references.known import Known

# What Dynamo's operator runs: the frontend, and all of it. source: deploy/operator/internal/consts/consts.go of
# ai-dynamo/dynamo
_FRONTEND = 8000
_OF_GRAPHS = {_FRONTEND, 9002, 9003, 9085, 9090, 19090}
# Of Istio's proxy, which may be put into any pod. source: istio.io/latest/docs/ops/deployment/application-requirements
_OF_PROXIES = {15020, 15021, 15090}


def check_health(known: Known, findings: Findings) -> None:
    """Reports DG472 for a HealthCheckPolicy with a port that the pods of its Service do not speak of anywhere."""
    for subject in known.objects:
        if (subject.group, subject.kind) != ("networking.gke.io", "HealthCheckPolicy"):
            continue
        spec = mapping(subject.data.get("spec"))
        config, target = mapping(mapping(spec.get("default")).get("config")), mapping(spec.get("targetRef"))
        if target.get("kind") != "Service" or target.get("group"):
            continue
        name, namespace = str(target.get("name")), target.get("namespace") or subject.namespace
        for protocol, check in config.items():
            port = mapping(check).get("port")
            if port and mapping(check).get("portSpecification", "USE_FIXED_PORT") == "USE_FIXED_PORT":
                path = ("spec", "default", "config", protocol, "port")
                _check(known, findings, subject, path, port, namespace, name)


def _check(
    known: Known, findings: Findings, subject: Object, path: tuple[str, ...], port: int, namespace: str, name: str
) -> None:
    entry = known.find("", "Service", namespace, name)
    if entry is None or entry.source is None:
        return
    ports, sources = (
        _of_graph(known, entry.source, name) if entry.source.kind == GRAPH else _of_service(known, entry.source)
    )
    if not sources or port in ports | _OF_PROXIES or any(port in _numbers(each.data) for each in sources):
        return
    served = mapping(mapping(entry.data).get("spec")).get("ports")
    is_of_service = any(each.get("port") == port for each in listing(served))
    what = "is a port of the Service, and its pods have none such" if is_of_service else "is no port of its pods"
    hint = "the load balancer asks the pods: " + (", ".join(map(str, sorted(ports))) or "use a port of theirs")
    also = [("the Service is of this", entry.source, ("metadata", "name"))]
    findings.add("DG472", subject, path, f"Service '{name}': {port} {what}", hint, "warning", also)


def _of_graph(known: Known, graph: Object, name: str) -> tuple[set[int], list[Object]]:
    """The ports that requests go to, and what says anything else of the pods; nothing when that is not known."""
    for each in known.graphs:
        if each.source is graph:
            serves = any(part.type == "frontend" and service_name(part) == name for part in each.components)
            return ({_FRONTEND}, [graph]) if serves else (set(), [])
    return set(), []


def _of_service(known: Known, service: Object) -> tuple[set[int], list[Object]]:
    from dynagen.verify.references.selection import all_pods, requirements

    spec = mapping(service.data.get("spec"))
    required = requirements(spec.get("selector"), True)
    pods = all_pods(known)
    if not required or pods.may_be_others({service.namespace}):
        return set(), []
    found = pods.matching(required, {service.namespace})
    sources = [pod.source for pod in found if pod.source is not None]
    ports = {port.get("targetPort", port.get("port")) for port in listing(spec.get("ports"))}
    if len(sources) < len(found) or any(pod.is_open or pod.ports is None for pod in found):
        return set(), []
    own = _OF_GRAPHS if any(source.kind == GRAPH for source in sources) else set()
    return {port for port in ports if isinstance(port, int)} | own, sources


def _numbers(value: Any) -> set[int]:
    """Every whole number in an object, those in texts as well: a port may be in an argument or a variable."""
    import re

    found: set[int] = set()
    for scalar in _scalars(value):
        if isinstance(scalar, int):
            found.add(scalar)
        elif isinstance(scalar, str):
            found.update(map(int, re.findall(r"(?<![0-9A-Za-z.])[0-9]{1,5}(?![0-9A-Za-z.])", scalar)))
    return found


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _scalars(inner)
    else:
        yield value
