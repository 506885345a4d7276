"""Objects in, what leads to Dynamo's frontends out: their Services, and the rules of routes that end there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.graphs import graphs
from dynagen.cluster.objects import Object, listing, mapping
from dynagen.cluster.operator import service_name
from dynagen.cluster.pod_templates import PodTemplate, pod_templates
from dynagen.cluster.pods import Pod, pods_of
from dynagen.diagnostics import KeyPath
from dynagen.text.versions import Version

GATEWAY_API, ISTIO = "gateway.networking.k8s.io", "networking.istio.io"


class Route:
    """One rule of a route. `path` leads to it, `to` to the frontend in it; `hosts` are those of the route, none for any.

    `gateways` are those that it names: namespace, name and, of the Gateway API, the listener.
    """

    __slots__ = ("data", "gateways", "hosts", "path", "pods", "subject", "to")

    def __init__(
        self, subject: Object, path: KeyPath, data: dict[str, Any], to: KeyPath, pods: list[PodTemplate]
    ) -> None:
        spec = mapping(subject.data.get("spec"))
        self.subject, self.path, self.data, self.to, self.pods = subject, path, data, to, pods
        self.hosts: list[str] = spec.get("hosts" if subject.group == ISTIO else "hostnames") or []
        self.gateways = gateways_of(subject)

    def gateway(self, gateway: Object) -> KeyPath:
        """Where the route names a gateway."""
        spec = mapping(self.subject.data.get("spec"))
        for index, name in enumerate(spec.get("gateways") or ()):
            if str(name).rpartition("/")[2] == gateway.name:
                return "spec", "gateways", index
        for index, parent in enumerate(listing(spec.get("parentRefs"))):
            if parent.get("name") == gateway.name:
                return "spec", "parentRefs", index, "name"
        return self.path


class Frontends:
    """The Services behind which there are frontends and nothing else."""

    def __init__(self, objects: Sequence[Object], release: Version) -> None:
        self.objects = objects
        self._services: dict[tuple[str, str, str], list[PodTemplate]] = {}
        templates = {(id(each.source), each.path): each for each in pod_templates(objects)}
        for graph in graphs(objects):
            for part in graph.components if not graph.alone else ():
                template = templates.get((id(graph.source), (*part.path, "podTemplate")))
                if part.role == "frontend" and template:
                    self._services["Service", graph.source.namespace, service_name(part)] = [template]
                elif part.role == "epp":  # it stands for workers that have a frontend beside them
                    self._services["InferencePool", graph.source.namespace, f"{graph.source.name}-pool"] = []
        services = [each for each in objects if each.kind == "Service" and not each.group]
        pods = pods_of(objects, release) if services else []
        for service in services:
            behind = [pod for pod in pods if _selects(service, pod)]
            found = [pod.template for pod in behind if pod.template is not None and is_frontend(pod.template)]
            if found and len(found) == len(behind):
                self._services["Service", service.namespace, service.name] = found

    def __bool__(self) -> bool:
        return bool(self._services)

    def behind(self, name: Any, namespace: str, kind: str = "Service") -> list[PodTemplate] | None:
        """The pods of frontends that a Service leads to; None if it leads elsewhere, or nobody knows where."""
        return self._services.get((kind, namespace, str(name)))

    def routes(self) -> Iterator[Route]:
        """Those that lead to a frontend."""
        for subject in self.objects:
            spec = mapping(subject.data.get("spec"))
            if (subject.group, subject.kind) == (GATEWAY_API, "HTTPRoute"):
                yield from self._rules(subject, "rules", listing(spec.get("rules")))
            elif (subject.group, subject.kind) == (ISTIO, "VirtualService"):
                yield from self._rules(subject, "http", listing(spec.get("http")))

    def _rules(self, subject: Object, field: str, rules: list[dict[str, Any]]) -> Iterator[Route]:
        for index, rule in enumerate(rules):
            key = "backendRefs" if subject.group == GATEWAY_API else "route"
            for number, target in enumerate(listing(rule.get(key))):
                pods = self._target(subject, target)
                if pods is not None:
                    path: KeyPath = ("spec", field, index)
                    yield Route(subject, path, rule, (*path, key, number), pods)
                    break

    def _target(self, subject: Object, target: dict[str, Any]) -> list[PodTemplate] | None:
        if subject.group == GATEWAY_API:
            space = target.get("namespace") or subject.namespace
            return self.behind(target.get("name"), space, target.get("kind", "Service"))
        name, _, rest = str(mapping(target.get("destination")).get("host")).partition(".")
        return self.behind(name, rest.partition(".")[0] or subject.namespace)


def is_frontend(template: PodTemplate) -> bool:
    """Of a graph, or any other pod that runs `python3 -m dynamo.frontend`."""
    if template.component is not None:
        return template.component.role == "frontend"
    words = (
        str(word)
        for _, each in template.containers()
        for word in (*(each.get("command") or ()), *(each.get("args") or ()))
    )
    return any("dynamo.frontend" in word for word in words)


def gateways_of(subject: Object) -> list[tuple[str, str, str | None]]:
    """The Gateways that a route names."""
    spec = mapping(subject.data.get("spec"))
    if subject.group == ISTIO:
        names = [str(each) for each in spec.get("gateways") or ()]
        parts = [each.rpartition("/") for each in names if each != "mesh"]
        return [(space or subject.namespace, name, None) for space, _, name in parts]
    return [
        (each.get("namespace") or subject.namespace, str(each.get("name")), each.get("sectionName"))
        for each in listing(spec.get("parentRefs"))
        if each.get("kind", "Gateway") == "Gateway"
    ]


def meet(one: str, other: str) -> bool:
    """Whether two hosts have a name in common. `*.a.b` stands for names that end with `.a.b`, `*` for all."""
    if one.startswith("*") and other.startswith("*"):
        return one[1:].endswith(other[1:]) or other[1:].endswith(one[1:])
    if one.startswith("*"):
        return other.endswith(one[1:])
    return one == other or (other.startswith("*") and one.endswith(other[1:]))


def _selects(service: Object, pod: Pod) -> bool:
    selector = mapping(mapping(service.data.get("spec")).get("selector"))
    if not selector or pod.namespace != service.namespace:
        return False
    return all(str(value) in (pod.values(key) or ()) for key, value in selector.items())
