"""Objects in, the pods that will run out: their labels and the names of their ports, indexed so that selectors are cheap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.verify.objects import Object
from dynagen.verify.references.graphs import PREFIX, Labels, listing, mapping
from dynagen.verify.references.known import Known, key_of
from dynagen.verify.references.rows import at, data, split

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
_ADDED_SOMEWHERE = (*_ADDED, *_ADDED_TO_GRAPHS)
# The port that the injector adds. source: istio/istio, manifests/charts/istio-control/istio-discovery/files
_ADDED_PORTS = {"http-envoy-prom"}


class Pod(NamedTuple):
    """Pods that look alike. `ports` are names, None when nobody knows them; `is_open`: other labels may be there."""

    namespace: str
    labels: Labels
    ports: frozenset[str] | None
    source: Object | None = None
    is_open: bool = False
    of_graph: bool = False

    def values(self, key: str) -> tuple[str, ...] | None:
        """What a label can be: () for anything, None when it is not there."""
        found = self.labels.get(key)
        if found is not None:
            return found
        if key.startswith(_ADDED) or (self.of_graph and key.startswith(_ADDED_TO_GRAPHS)):
            return ()
        return () if self.is_open and not key.startswith(PREFIX) else None

    def has_port(self, name: str) -> bool:
        return self.ports is None or name in self.ports or name in _ADDED_PORTS


class Requirement(NamedTuple):
    """What one line of a selector asks of a label: an operator of matchExpressions, and its values."""

    key: str
    operator: str
    values: tuple[str, ...]
    path: KeyPath


class Pods:
    """All pods, or what else labels are selected of. An object without a namespace may be in any."""

    def __init__(self, found: Iterable[Pod], makers: set[str], graphs_elsewhere: bool, what: str = "pod") -> None:
        self.all = list(found)
        self.makers, self.graphs_elsewhere, self.what = makers, graphs_elsewhere, what
        self._index: dict[tuple[str, str | None], list[Pod]] = {}
        self.namespaces = {pod.namespace for pod in self.all}
        self.has_gateways = any("istio" in pod.labels for pod in self.all)
        self._open = [pod for pod in self.all if pod.is_open]
        for pod in self.all:
            for key, values in pod.labels.items():
                for value in values or (None,):
                    self._index.setdefault((key, value), []).append(pod)

    def candidates(self, required: Sequence[Requirement]) -> list[Pod]:
        """Pods that may fulfil all requirements: a superset, found without looking at every pod."""
        shortest: list[Pod] | None = None
        for key, operator, values, _ in required:
            if operator == "In" and not key.startswith(_ADDED_SOMEWHERE):
                found = [pod for value in (*values, None) for pod in self._index.get((key, value), ())]
                if shortest is None or len(found) < len(shortest):
                    shortest = found
        return self.all if shortest is None else [*shortest, *self._open]

    def matching(self, required: Sequence[Requirement], namespaces: set[str] | None) -> list[Pod]:
        """The pods of some namespaces (of all for None) that a selector may select."""
        return [
            pod
            for pod in self.candidates(required)
            if (namespaces is None or not pod.namespace or pod.namespace in namespaces or "" in namespaces)
            and all(may_match(pod, key, operator, values) for key, operator, values, _ in required)
        ]

    def may_be_others(self, namespaces: set[str] | None) -> bool:
        """Whether something that we do not know may make pods there."""
        if namespaces is None or "" in namespaces:
            return bool(self.makers)
        return bool(self.makers & {*namespaces, ""})


def pods_of(known: Known) -> Pods:
    """The pods that will run."""
    return Pods([*_of_graphs(known), *_of_workloads(known)], _unknown_makers(known), _has_graphs_elsewhere(known))


def services_of(known: Known) -> Pods:
    """The same for Services. Those that the operator makes may have more labels than we know."""
    found = [
        Pod(graph.namespace, each.labels, None, graph, is_open=True)
        for graph, components in (*known.graphs, *known.other_graphs)
        for each in components
    ]
    for subject in (*known.objects, *known.cluster.external):
        if key_of(subject) == "Service":
            labels = mapping(mapping(subject.data.get("metadata")).get("labels"))
            ports = listing(mapping(subject.data.get("spec")).get("ports"))
            names = frozenset(str(port["name"]) for port in ports if "name" in port)
            values: Labels = {key: (str(value),) for key, value in labels.items()}
            found.append(Pod(subject.namespace, values, names if ports else None, subject))
    makers = _unknown_makers(known) | {space for kind, space, _ in known.declared() if kind == "Service"}
    return Pods(found, makers, _has_graphs_elsewhere(known), "Service")


def _has_graphs_elsewhere(known: Known) -> bool:
    """Graphs of which only a name is known, or that the operator will write itself."""
    makers = ("DynamoGraphDeployment", "DynamoGraphDeploymentRequest")
    return any(kind in makers for kind, _, _ in known.declared()) or known.has_any("nvidia.com", makers[1])


def _of_graphs(known: Known) -> Iterator[Pod]:
    for graph, components in (*known.graphs, *known.other_graphs):
        for each in components:
            yield Pod(graph.namespace, each.labels, each.ports, graph, of_graph=True)


def _of_workloads(known: Known) -> Iterator[Pod]:
    places = data()["pods"]
    for subject in (*known.objects, *known.cluster.external):
        patterns = places.get(key_of(subject))
        for pattern in patterns or ():
            for _, template in at(subject.data, split(pattern)):
                yield _pod(subject, mapping(template))
        if subject.kind == "Gateway" and mapping(subject.data.get("spec")).get("gatewayClassName") == "istio":
            # source: istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment
            labels: Labels = {
                "gateway.networking.k8s.io/gateway-name": (subject.name,),
                "istio.io/gateway-name": (subject.name,),
            }
            yield Pod(subject.namespace, labels, None, subject, is_open=True)


def _pod(subject: Object, template: dict[str, Any]) -> Pod:
    labels = mapping(mapping(template.get("metadata")).get("labels"))
    spec = mapping(template.get("spec"))
    containers = [*listing(spec.get("containers")), *listing(spec.get("initContainers"))]
    names = frozenset(str(port["name"]) for each in containers for port in listing(each.get("ports")) if "name" in port)
    ports = names if containers else None
    values: Labels = {key: (str(value),) for key, value in labels.items()}
    return Pod(subject.namespace, values, ports, subject)


def _unknown_makers(known: Known) -> set[str]:
    """Namespaces in which pods of others may be: by a kind that we do not know, or by an object known by name only."""
    table = data()
    groups, quiet, makers = set(table["groups"]), set(table["quiet"]), table["pods"]
    found = {
        subject.namespace
        for subject in known.objects
        if subject.group not in groups and key_of(subject) not in quiet and key_of(subject) not in makers
    }
    # Of what is declared by kind and name, what is not known to be harmless.
    harmless = {key.rpartition("/")[2] for key in (*table["kinds"], *quiet) if key not in makers}
    harmless |= set(table["cluster"])
    found |= {space for kind, space, _ in known.declared() if kind not in harmless or kind == "DynamoGraphDeployment"}
    for subject in known.cluster.external:
        has_labels = mapping(mapping(subject.data.get("metadata")).get("labels"))
        if subject.api_version and key_of(subject) in makers and not (subject.data.get("spec") or has_labels):
            found.add(subject.namespace)
    return found


def requirements(selector: Any, is_map: bool) -> list[Requirement]:
    """What a selector asks for, each with its path below the selector."""
    selector = mapping(selector)
    labels = selector if is_map else mapping(selector.get("matchLabels"))
    before: KeyPath = () if is_map else ("matchLabels",)
    found = [Requirement(key, "In", (str(value),), (*before, key)) for key, value in labels.items()]
    for index, each in enumerate(() if is_map else listing(selector.get("matchExpressions"))):
        values = tuple(str(value) for value in each.get("values") or ())
        path: KeyPath = ("matchExpressions", index)
        found.append(Requirement(str(each.get("key")), str(each.get("operator")), values, path))
    return found


def may_match(pod: Pod, key: str, operator: str, values: tuple[str, ...]) -> bool:
    """Whether a pod may fulfil one requirement of a selector."""
    found = pod.values(key)
    if operator == "DoesNotExist":
        return found is None or not found
    if operator == "NotIn":
        return found is None or not found or any(value not in values for value in found)
    if found is None:
        return False
    return operator == "Exists" or not found or any(value in values for value in found)
