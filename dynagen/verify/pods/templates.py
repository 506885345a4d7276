"""Objects in, the pod templates in them out, each with what whoever makes the pods of it adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.verify.dynamo.graphs import MAIN, Component, graphs
from dynagen.verify.objects import Findings, Object

_PATHS: dict[str, KeyPath] = {
    "v1 Pod": (),
    "v1 PodTemplate": ("template",),
    "v1 ReplicationController": ("spec", "template"),
    "apps/v1 Deployment": ("spec", "template"),
    "apps/v1 StatefulSet": ("spec", "template"),
    "apps/v1 DaemonSet": ("spec", "template"),
    "apps/v1 ReplicaSet": ("spec", "template"),
    "batch/v1 Job": ("spec", "template"),
    "batch/v1 CronJob": ("spec", "jobTemplate", "spec", "template"),
}


class PodTemplate(NamedTuple):
    """`path` leads to the template in `subject`; `data` holds its `metadata` and `spec`.

    `component` is that of a graph, of whose pods Dynamo's operator makes the rest.
    """

    subject: Object
    path: KeyPath
    data: dict[str, Any]
    component: Component | None = None

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.data.get("spec") or {}
        return spec

    def containers(self) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
        """Init containers first, as they run."""
        for field in ("initContainers", "containers"):
            for index, container in enumerate(self.spec.get(field) or ()):
                yield ("spec", field, index), container

    def operator_fills(self, container: dict[str, Any]) -> bool:
        """Whether Dynamo's operator merges this container over its defaults."""
        name = container.get("name")
        return self.component is not None and name in (MAIN, "runtime", self.component.data.get("frontendSidecar"))

    def report(
        self, findings: Findings, code: str, path: KeyPath, message: str, hint: str = "", severity: str = "error"
    ) -> None:
        where = f"component '{self.component.name}': " if self.component and self.component.name else ""
        findings.add(code, self.subject, (*self.path, *path), where + message, hint, severity)


def pod_templates(objects: Sequence[Object]) -> list[PodTemplate]:
    """Those of every kind that has one, graphs in the form of v1beta1."""
    found = []
    for subject in objects:
        path = _PATHS.get(f"{subject.api_version} {subject.kind}")
        if path is None:
            continue
        data: Any = subject.data
        for key in path:
            data = data.get(key) or {}
        found.append(PodTemplate(subject, path, data))
    for graph in graphs(objects):
        for component in graph.components:
            found.append(PodTemplate(graph.subject, (*component.path, "podTemplate"), component.template, component))
    return found
