"""Objects in, Dynamo's graphs and their components out: as the operator sees them, in the form of v1beta1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynagen.cluster.objects import Findings, Object, listing, mapping
from dynagen.diagnostics import KeyPath
from dynagen.manifests.versions import GRAPH, V1ALPHA1, as_beta

COMPONENT = "DynamoComponentDeployment"
MAIN, RUNTIME = "main", "runtime"
WORKERS = ("worker", "prefill", "decode")


class Graph:
    """`subject` is in the form of v1beta1, `source` as it was written. A DynamoComponentDeployment has one component.

    `alone` is a component without a graph.
    """

    __slots__ = ("alone", "annotations", "components", "is_alpha", "source", "spec", "subject")

    def __init__(self, subject: Object, source: Object) -> None:
        self.subject, self.source = subject, source
        self.spec = mapping(subject.data.get("spec"))
        self.annotations = mapping(mapping(subject.data.get("metadata")).get("annotations"))
        self.alone, self.is_alpha = subject.kind == COMPONENT, source.api_version == V1ALPHA1
        self.components: list[Component] = []

    def report(
        self, findings: Findings, code: str, path: KeyPath, message: str, hint: str = "", severity: str = "error"
    ) -> None:
        findings.add(code, self.subject, path, message, hint, severity)


class Component:
    """One component. `path` leads to `data` in the graph's `subject`; `template` is its pod template.

    `written` is what there is of it in the graph's `source`.
    """

    __slots__ = ("data", "experimental", "graph", "main", "name", "path", "pod", "template", "type", "written")

    def __init__(self, graph: Graph, path: KeyPath, data: dict[str, Any], written: dict[str, Any]) -> None:
        self.graph, self.path, self.data, self.written = graph, path, data, written
        self.name, self.type = str(data.get("name") or ""), str(data.get("type") or "")
        self.template = mapping(data.get("podTemplate"))
        self.pod = mapping(self.template.get("spec"))
        self.experimental = mapping(data.get("experimental"))
        self.main: dict[str, Any] | None = self.container(MAIN)[1]

    @property
    def role(self) -> str:
        """The type that its pods have, however it is written: `default` when there is none."""
        given = self.written
        if self.graph.is_alpha:
            return str(given.get("subComponentType") or given.get("componentType") or "default")
        return self.type or "default"

    @property
    def is_worker(self) -> bool:
        return self.type in WORKERS

    def env(self) -> dict[str, str | None]:
        """The variables of its main container, those of the graph included; None for values that are not written out."""
        given = (*listing(self.graph.spec.get("env")), *listing((self.main or {}).get("env")))
        return {str(each.get("name")): None if "valueFrom" in each else str(each.get("value", "")) for each in given}

    @property
    def nodes(self) -> int:
        multinode = self.data.get("multinode")
        return 1 if multinode is None else int(multinode.get("nodeCount") or 2)

    def container(self, name: str, field: str = "containers") -> tuple[KeyPath, dict[str, Any] | None]:
        """The container of this name and the path to it in the component; that of the list if there is none."""
        path: KeyPath = ("podTemplate", "spec", field)
        for index, container in enumerate(listing(self.pod.get(field))):
            if container.get("name") == name:
                return (*path, index), container
        return path, None

    def report(
        self,
        findings: Findings,
        code: str,
        path: KeyPath,
        message: str,
        hint: str = "",
        severity: str = "error",
        cause: str = "",
    ) -> None:
        where = f"component '{self.name}': " if self.name else ""
        findings.add(code, self.graph.subject, (*self.path, *path), where + message, hint, severity, cause=cause)


def is_graph(subject: Object) -> bool:
    return subject.kind == GRAPH and subject.group == "nvidia.com"


def graphs(objects: Sequence[Object]) -> list[Graph]:
    """Every graph and every component without one."""
    return [
        subject.once(graph_of)
        for subject in objects
        if subject.kind in (GRAPH, COMPONENT) and subject.group == "nvidia.com"
    ]


def graph_of(source: Object) -> Graph:
    """The graph that an object is, or the component without one; ask for it with `once`."""
    subject = source
    if source.api_version == V1ALPHA1:
        subject = Object(as_beta(source.manifest))
    graph = Graph(subject, source)
    if graph.alone:
        graph.components.append(Component(graph, ("spec",), graph.spec, mapping(source.data.get("spec"))))
        return graph
    services = mapping(mapping(source.data.get("spec")).get("services"))
    for index, data in enumerate(listing(graph.spec.get("components"))):
        written = mapping(services.get(str(data.get("name")))) if graph.is_alpha else data
        graph.components.append(Component(graph, ("spec", "components", index), data, written))
    return graph
