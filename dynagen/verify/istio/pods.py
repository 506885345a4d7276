"""Objects in, the pods that come of them out: their labels and annotations, as far as anybody knows them beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.verify.objects import Object

_TEMPLATES = {
    "Deployment": ("spec", "template"), "StatefulSet": ("spec", "template"), "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"), "Job": ("spec", "template"), "CronJob": ("spec", "jobTemplate", "spec", "template"),
}  # fmt: skip
# Labels that controllers, the scheduler, injectors and Dynamo's operator add.
_ADDED = ("kubernetes.io", "k8s.io", "istio.io", "nvidia.com", "grove.io", "run.ai", "gke.io", "cloud.google.com")
_ADDED_NAMES = (
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "controller-uid",
    "job-name",
)


class Pod(NamedTuple):
    """`metadata` and `spec` are the paths of both in the owner. `labels` are those that are sure."""

    owner: Object
    name: str
    labels: dict[str, str]
    annotations: dict[str, str]
    metadata: KeyPath
    content: dict[str, Any]
    spec: KeyPath

    def matches(self, selector: dict[str, str]) -> bool | None:
        """None when a label might be added that decides it."""
        unknown = False
        for key, value in selector.items():
            if key in self.labels:
                if self.labels[key] != value:
                    return False
            elif key in _ADDED_NAMES or key.partition("/")[0].endswith(_ADDED):
                unknown = True
            else:
                return False
        return None if unknown else True


def pods_of(subject: Object) -> Iterator[Pod]:
    if subject.kind == "Pod":
        yield _pod(subject, (), subject.name)
    elif subject.kind in _TEMPLATES and subject.group in ("apps", "batch"):
        yield _pod(subject, _TEMPLATES[subject.kind], subject.name)
    elif subject.kind == "DynamoGraphDeployment":
        yield from _pods_of_graph(subject)


def _pod(owner: Object, path: KeyPath, name: str) -> Pod:
    tree: Any = owner.data
    for key in path:
        tree = tree.get(key) or {}
    metadata = tree.get("metadata") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    return Pod(owner, name, labels, annotations, (*path, "metadata"), tree.get("spec") or {}, (*path, "spec"))


def _pods_of_graph(graph: Object) -> Iterator[Pod]:
    """Source of the labels: deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo."""
    spec = graph.data.get("spec") or {}
    services = spec.get("services") or {}
    parts = [
        (("spec", "components", index), each.get("name", ""), each)
        for index, each in enumerate(spec.get("components") or ())
    ]
    parts += [(("spec", "services", name), name, each) for name, each in services.items()]
    for path, name, part in parts:
        if services:
            metadata, content = part.get("extraPodMetadata") or {}, part.get("extraPodSpec") or {}
            at: tuple[KeyPath, KeyPath] = ((*path, "extraPodMetadata"), (*path, "extraPodSpec"))
        else:
            template = part.get("podTemplate") or {}
            metadata, content = template.get("metadata") or {}, template.get("spec") or {}
            at = ((*path, "podTemplate", "metadata"), (*path, "podTemplate", "spec"))
        labels = {
            "nvidia.com/dynamo-graph-deployment-name": graph.name,
            "nvidia.com/dynamo-component": name,
            **(spec.get("labels") or {}),
            **(part.get("labels") or {}),
            **(metadata.get("labels") or {}),
        }
        role = part.get("type") or part.get("componentType")
        if role in ("frontend", "epp", "planner"):  # how a worker is called depends on the release
            labels["nvidia.com/dynamo-component-type"] = role
        yield Pod(
            graph, f"{graph.name}-{name}".lower(), labels, metadata.get("annotations") or {}, at[0], content, at[1]
        )
