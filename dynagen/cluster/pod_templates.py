"""Objects in, the pod templates in them out. This is the one place that knows where they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.graphs import COMPONENT, MAIN, Component, graph_of
from dynagen.cluster.objects import Findings, Object, mapping
from dynagen.diagnostics import KeyPath
from dynagen.manifests.versions import GRAPH

_TEMPLATE: KeyPath = ("spec", "template")
# By group and kind.
_PATHS: dict[tuple[str, str], Sequence[KeyPath]] = {
    ("", "Pod"): ((),),
    ("", "PodTemplate"): (("template",),),
    ("", "ReplicationController"): (_TEMPLATE,),
    ("apps", "Deployment"): (_TEMPLATE,),
    ("apps", "StatefulSet"): (_TEMPLATE,),
    ("apps", "DaemonSet"): (_TEMPLATE,),
    ("apps", "ReplicaSet"): (_TEMPLATE,),
    ("batch", "Job"): (_TEMPLATE,),
    ("batch", "CronJob"): (("spec", "jobTemplate", "spec", "template"),),
    # source: kubernetes-sigs/lws, api/leaderworkerset/v1/leaderworkerset_types.go
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): (
        ("spec", "leaderWorkerTemplate", "leaderTemplate"),
        ("spec", "leaderWorkerTemplate", "workerTemplate"),
    ),
}
_GRAPHS = {("nvidia.com", GRAPH), ("nvidia.com", COMPONENT)}
# Kinds of which pods are made, those of graphs aside.
MAKERS = _PATHS.keys() - {("", "PodTemplate")}


class PodTemplate:
    """`path` leads to the template in `subject`; `data` holds its `metadata` and `spec`.

    `component` is that of a graph, of whose pods Dynamo's operator makes the rest; `subject` is in the form of v1beta1
    then, and `source` as it was written.
    """

    __slots__ = ("component", "data", "path", "source", "spec", "subject")

    def __init__(
        self, subject: Object, path: KeyPath, data: dict[str, Any], component: Component | None = None
    ) -> None:
        self.subject, self.path, self.data, self.component = subject, path, data, component
        self.source = component.graph.source if component else subject
        self.spec = mapping(data.get("spec"))

    @property
    def annotations(self) -> dict[str, str]:
        """Those that are written for pods. What else a service of v1alpha1 has may be for its Service as well."""
        metadata = self.data.get("metadata")
        if self.component is not None and self.component.graph.is_alpha:
            metadata = self.component.written.get("extraPodMetadata")
        return mapping(mapping(metadata).get("annotations"))

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
    return [template for subject in objects for template in subject.once(templates_of)]


def templates_of(subject: Object) -> list[PodTemplate]:
    """Those of one object; ask for them with `once`."""
    key = (subject.group, subject.kind)
    if key in _GRAPHS:
        graph = subject.once(graph_of)
        return [
            PodTemplate(graph.subject, (*each.path, "podTemplate"), each.template, each) for each in graph.components
        ]
    found = []
    for path in _PATHS.get(key, ()):
        data: Any = subject.data
        for step in path:
            data = mapping(data).get(str(step))
        if data is not None or len(_PATHS[key]) == 1:
            found.append(PodTemplate(subject, path, mapping(data)))
    return found
