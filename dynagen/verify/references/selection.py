"""Pods and Services in, an index of their labels out, so that selectors are cheap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dynagen.cluster.objects import listing, mapping
from dynagen.cluster.operator import labels_of
from dynagen.cluster.pod_templates import MAKERS
from dynagen.cluster.pods import ADDED_SOMEWHERE, Pod, plain_labels, pods_of
from dynagen.diagnostics import KeyPath
from dynagen.verify.references.known import Known, key_of

# Outside of the cluster, with labels that are selected like those of pods.
# source: istio/api, networking/v1/workload_entry.proto and workload_group.proto
_MACHINES = ("networking.istio.io/WorkloadEntry", "networking.istio.io/WorkloadGroup")


class Requirement:
    """What one line of a selector asks of a label: an operator of matchExpressions, and its values."""

    __slots__ = ("key", "operator", "path", "values")

    def __init__(self, key: str, operator: str, values: tuple[str, ...], path: KeyPath) -> None:
        self.key, self.operator, self.values, self.path = key, operator, values, path


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
        for each in required:
            if each.operator == "In" and not each.key.startswith(ADDED_SOMEWHERE):
                found = [pod for value in (*each.values, None) for pod in self._index.get((each.key, value), ())]
                if shortest is None or len(found) < len(shortest):
                    shortest = found
        return self.all if shortest is None else [*shortest, *self._open]

    def matching(self, required: Sequence[Requirement], namespaces: set[str] | None) -> list[Pod]:
        """The pods of some namespaces (of all for None) that a selector may select."""
        return [
            pod
            for pod in self.candidates(required)
            if (namespaces is None or not pod.namespace or pod.namespace in namespaces or "" in namespaces)
            and all(may_match(pod, each) for each in required)
        ]

    def may_be_others(self, namespaces: set[str] | None) -> bool:
        """Whether something that we do not know may make pods there."""
        if namespaces is None or "" in namespaces:
            return bool(self.makers)
        return bool(self.makers & {*namespaces, ""})


def all_pods(known: Known) -> Pods:
    """The pods that will run."""
    found = pods_of((*known.objects, *known.cluster.external), known.cluster.release)
    found.sort(key=lambda pod: not pod.of_graph)  # graphs are named first where a finding is about several
    return Pods(found, _unknown_makers(known), _has_graphs_elsewhere(known))


def all_services(known: Known) -> Pods:
    """The same for Services. Those that the operator makes may have more labels than we know."""
    found = [
        Pod(graph.source.namespace, labels_of(each, known.cluster.release), source=graph.source, is_open=True)
        for graph in (*known.graphs, *known.other_graphs)
        for each in graph.components
    ]
    for subject in (*known.objects, *known.cluster.external):
        if key_of(subject) == "Service":
            ports = listing(mapping(subject.data.get("spec")).get("ports"))
            names = frozenset(str(port["name"]) for port in ports if "name" in port)
            found.append(Pod(subject.namespace, plain_labels(subject.data), names if ports else None, subject))
    makers = _unknown_makers(known) | {space for kind, space, _ in known.declared() if kind == "Service"}
    return Pods(found, makers, _has_graphs_elsewhere(known), "Service")


def _has_graphs_elsewhere(known: Known) -> bool:
    """Graphs of which only a name is known, or that the operator will write itself."""
    makers = ("DynamoGraphDeployment", "DynamoGraphDeploymentRequest")
    return any(kind in makers for kind, _, _ in known.declared()) or known.has_any("nvidia.com", makers[1])


def _unknown_makers(known: Known) -> set[str]:
    """Namespaces in which pods of others may be: by a kind that we do not know, or by an object known by name only."""
    table = known.table.data
    groups, quiet = set(table["groups"]), set(table["quiet"])
    found = {
        subject.namespace
        for subject in known.objects
        if key_of(subject) in _MACHINES
        or (subject.group not in groups and key_of(subject) not in quiet and not _makes_pods(key_of(subject)))
    }
    # Of what is declared by kind and name, what is not known to be harmless.
    harmless = {key.rpartition("/")[2] for key in (*table["kinds"], *quiet) if not _makes_pods(key)}
    harmless |= set(table["cluster"])
    found |= {space for kind, space, _ in known.declared() if kind not in harmless or kind == "DynamoGraphDeployment"}
    for subject in known.cluster.external:
        has_labels = mapping(mapping(subject.data.get("metadata")).get("labels"))
        if subject.api_version and _makes_pods(key_of(subject)) and not (subject.data.get("spec") or has_labels):
            found.add(subject.namespace)
    if known.cluster.elsewhere is not None:
        found |= known.cluster.elsewhere.makers
    return found | ({""} if known.cluster.is_open else set())


def _makes_pods(key: str) -> bool:
    group, _, kind = key.rpartition("/")
    return (group, kind) in MAKERS


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


def may_match(pod: Pod, required: Requirement) -> bool:
    """Whether a pod may fulfil one requirement of a selector."""
    operator, values, found = required.operator, required.values, pod.values(required.key)
    if operator == "DoesNotExist":
        return found is None or not found
    if operator == "NotIn":
        return found is None or not found or any(value not in values for value in found)
    if found is None:
        return False
    return operator == "Exists" or not found or any(value in values for value in found)
