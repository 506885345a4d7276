"""Objects in, Dynamo's graphs and their components out: as the operator sees them, in the form of v1beta1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.verify.dynamo.alpha import ALPHA, as_beta
from dynagen.verify.objects import Findings, Object

GRAPH, COMPONENT = "DynamoGraphDeployment", "DynamoComponentDeployment"
MAIN, RUNTIME = "main", "runtime"
WORKERS = ("worker", "prefill", "decode")


class Graph(NamedTuple):
    """`subject` is in the form of v1beta1, `source` as it was written. A DynamoComponentDeployment has one component."""

    subject: Object
    source: Object
    components: Sequence[Component]

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.subject.data.get("spec") or {}
        return spec

    @property
    def annotations(self) -> dict[str, Any]:
        metadata: dict[str, Any] = self.subject.data.get("metadata") or {}
        annotations: dict[str, Any] = metadata.get("annotations") or {}
        return annotations

    @property
    def alone(self) -> bool:
        """Whether this is a component without a graph."""
        return self.subject.kind == COMPONENT

    @property
    def is_alpha(self) -> bool:
        return self.source.api_version == ALPHA

    def report(self, findings: Findings, code: str, path: KeyPath, message: str, hint: str = "") -> None:
        findings.add(code, self.subject, path, message, hint)


class Component:
    """One component. `path` leads to `data` in the graph's `subject`; `template` is its pod template."""

    __slots__ = ("data", "experimental", "graph", "main", "name", "path", "pod", "template", "type")

    def __init__(self, graph: Graph, path: KeyPath, data: dict[str, Any]) -> None:
        self.graph, self.path, self.data = graph, path, data
        self.name, self.type = str(data.get("name") or ""), str(data.get("type") or "")
        self.template: dict[str, Any] = data.get("podTemplate") or {}
        self.pod: dict[str, Any] = self.template.get("spec") or {}
        self.experimental: dict[str, Any] = data.get("experimental") or {}
        self.main: dict[str, Any] | None = self.container(MAIN)[1]

    @property
    def is_worker(self) -> bool:
        return self.type in WORKERS

    @property
    def nodes(self) -> int:
        multinode = self.data.get("multinode")
        return 1 if multinode is None else int(multinode.get("nodeCount") or 2)

    def container(self, name: str, field: str = "containers") -> tuple[KeyPath, dict[str, Any] | None]:
        """The container of this name and the path to it in the component; that of the list if there is none."""
        path: KeyPath = ("podTemplate", "spec", field)
        for index, container in enumerate(self.pod.get(field) or ()):
            if container.get("name") == name:
                return (*path, index), container
        return path, None

    def report(
        self, findings: Findings, code: str, path: KeyPath, message: str, hint: str = "", cause: str = ""
    ) -> None:
        where = f"component '{self.name}': " if self.name else ""
        findings.add(code, self.graph.subject, (*self.path, *path), where + message, hint, cause=cause)


def graphs(objects: Sequence[Object]) -> list[Graph]:
    """Every graph and every component without one."""
    return [
        _graph(subject) for subject in objects if subject.group == "nvidia.com" and subject.kind in (GRAPH, COMPONENT)
    ]


def _graph(source: Object) -> Graph:
    subject = Object(as_beta(source.manifest)) if source.api_version == ALPHA else source
    components: list[Component] = []
    graph = Graph(subject, source, components)
    if graph.alone:
        components.append(Component(graph, ("spec",), graph.spec))
    else:
        for index, data in enumerate(graph.spec.get("components") or ()):
            components.append(Component(graph, ("spec", "components", index), data))
    return graph
