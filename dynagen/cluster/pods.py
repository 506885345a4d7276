"""Objects in, the pods that will run out: their labels and ports, with what is added to those of the template."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.objects import Object, listing, mapping
from dynagen.cluster.operator import PREFIX, Labels, labels_of, ports_of
from dynagen.cluster.pod_templates import MAKERS, PodTemplate, templates_of
from dynagen.text.versions import Version

# Labels that controllers add, with values of their own.
# source: kubernetes.io/docs/reference/labels-annotations-taints
_ADDED = (
    "pod-template-hash", "controller-revision-hash", "pod-template-generation", "controller-uid", "job-name",
    "batch.kubernetes.io/", "statefulset.kubernetes.io/", "apps.kubernetes.io/", "leaderworkerset.sigs.k8s.io/",
    "topology.kubernetes.io/", "security.istio.io/", "service.istio.io/", "istio.io/",
)  # fmt: skip
# What Grove and KAI add to the pods of a graph. source: NVIDIA/grove, operator/api/common/labels.go; KAI-Scheduler
_ADDED_TO_GRAPHS = (
    "grove.io/", "kai.scheduler/", "app.kubernetes.io/managed-by", "app.kubernetes.io/part-of",
    "app.kubernetes.io/component", "app.kubernetes.io/name",
)  # fmt: skip
ADDED_SOMEWHERE = (*_ADDED, *_ADDED_TO_GRAPHS)
# The port that the injector adds. source: istio/istio, manifests/charts/istio-control/istio-discovery/files
_ADDED_PORTS = {"http-envoy-prom"}


class Pod:
    """Pods that look alike, and whatever else is selected by its labels.

    `ports` are names, None when nobody knows them; `is_open`: other labels may be there. `template` is what the pods are
    made of.
    """

    __slots__ = ("is_open", "labels", "namespace", "ports", "source", "template")

    def __init__(
        self, namespace: str, labels: Labels, ports: frozenset[str] | None = None, source: Object | None = None,
        template: PodTemplate | None = None, is_open: bool = False,
    ) -> None:  # fmt: skip
        self.namespace, self.labels, self.ports, self.source = namespace, labels, ports, source
        self.template, self.is_open = template, is_open

    @property
    def of_graph(self) -> bool:
        return self.template is not None and self.template.component is not None

    def values(self, key: str) -> tuple[str, ...] | None:
        """What a label can be: () for anything, None when it is not there."""
        found = self.labels.get(key)
        if found is not None:
            return found
        if key.startswith(ADDED_SOMEWHERE if self.of_graph else _ADDED):
            return ()
        return () if self.is_open and not key.startswith(PREFIX) else None

    def has_port(self, name: str) -> bool:
        return self.ports is None or name in self.ports or name in _ADDED_PORTS


def pods_of(objects: Sequence[Object], release: Version) -> list[Pod]:
    """The pods of every kind that makes some, as far as anybody knows beforehand what they are like."""
    return [pod for subject in objects for pod in subject.once(_pods, release)]


def _pods(subject: Object, release: Version) -> list[Pod]:
    found = []
    for template in subject.once(templates_of):
        component = template.component
        if component is None and template.data and (subject.group, subject.kind) in MAKERS:
            found.append(Pod(subject.namespace, plain_labels(template.data), _ports(template), subject, template))
        elif component is not None and not component.graph.alone:
            labels, ports = labels_of(component, release), ports_of(component)
            found.append(Pod(subject.namespace, labels, ports, subject, template))
    if subject.kind == "Gateway" and mapping(subject.data.get("spec")).get("gatewayClassName") == "istio":
        # source: istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment
        keys = ("gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name")
        found.append(Pod(subject.namespace, dict.fromkeys(keys, (subject.name,)), None, subject, is_open=True))
    return found


def plain_labels(data: dict[str, object]) -> Labels:
    """The labels in the metadata of an object or a template."""
    labels = mapping(mapping(data.get("metadata")).get("labels"))
    return {key: (str(value),) for key, value in labels.items()}


def _ports(template: PodTemplate) -> frozenset[str] | None:
    containers = [*listing(template.spec.get("containers")), *listing(template.spec.get("initContainers"))]
    names = frozenset(str(port["name"]) for each in containers for port in listing(each.get("ports")) if "name" in port)
    return names if containers else None
