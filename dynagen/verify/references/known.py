"""All objects in, what others can refer to out: those of the stream, of the cluster, and what Dynamo's operator makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from dynagen.cluster.graphs import Graph, graph_of, is_graph
from dynagen.cluster.objects import Cluster, Object, listing, mapping
from dynagen.cluster.operator import Made, made
from dynagen.diagnostics import closest
from dynagen.verify.references.rows import Table, at, split

_VERSIONS = ("v1", "v1beta1", "v1alpha1", "v1beta2", "v1alpha2", "v1alpha3", "v2")


# Kinds of what the operator makes for a graph that others may refer to.
OF_GRAPHS = ("Deployment", "DynamoGraphDeploymentScalingAdapter", "InferencePool", "Service", "ServiceAccount")


class Entry:
    """An object that is there. `data` is None when nobody knows what is in it; `source` is the object that brings it."""

    __slots__ = ("data", "namespace", "source")

    def __init__(self, namespace: str, data: dict[str, Any] | None, source: Object | None = None) -> None:
        self.namespace, self.data, self.source = namespace, data, source


class Known:
    """An index of all that is there. An object without a namespace may be in any."""

    def __init__(self, objects: Sequence[Object], cluster: Cluster) -> None:
        self.objects, self.cluster, self.table = objects, cluster, cluster.memory.once(Table)
        self._entries: dict[tuple[str, str, str], dict[str, Entry]] = {}
        self._declared: dict[tuple[str, str], list[str]] = {}
        self._schemas: dict[tuple[str, str], bool] = {}
        self._kinds: set[tuple[str, str]] = set()
        self._searches = 100
        self.graphs: list[Graph] = []
        self.other_graphs: list[Graph] = []
        self.made: list[tuple[Graph, Made]] = []
        for subject in cluster.external:
            if not subject.api_version or (is_graph(subject) and not subject.data.get("spec")):
                self._declared.setdefault((subject.kind, subject.name), []).append(subject.namespace)
                continue
            content = subject.data if subject.data.keys() - {"apiVersion", "kind", "metadata"} else None
            self._add(subject.group, subject.kind, subject.name, Entry(subject.namespace, content))
            self._bring(subject, self.other_graphs)
        for subject in objects:
            self._add(subject.group, subject.kind, subject.name, Entry(subject.namespace, subject.data, subject))
            self._bring(subject, self.graphs)
        self._cluster_kinds = set(self.table.data["cluster"])

    def _bring(self, subject: Object, graphs: list[Graph]) -> None:
        """What an object makes, or has made."""
        if is_graph(subject):
            graph = subject.once(graph_of)
            graphs.append(graph)
            for each in made(graph, self.cluster.release):
                if graphs is self.graphs:
                    self.made.append((graph, each))
                self._add(each.group, each.kind, each.name, Entry(subject.namespace, each.data, subject))
            return
        rule = self.table.data["makes"].get(key_of(subject))
        if rule:
            names = [value for _, value in at(subject.data, split(rule["at"])) if value] or [subject.name]
            group, _, kind = rule["kind"].rpartition("/")
            self._add(group, kind, str(names[0]), Entry(subject.namespace, None, subject))
        elif subject.kind == "StatefulSet":
            spec = mapping(subject.data.get("spec"))
            for claim in listing(spec.get("volumeClaimTemplates")):
                for number in range(min(int(spec.get("replicas", 1)), 1000)):
                    name = f"{mapping(claim.get('metadata')).get('name')}-{subject.name}-{number}"
                    self._add("", "PersistentVolumeClaim", name, Entry(subject.namespace, None, subject))
        elif subject.kind == "Gateway" and mapping(subject.data.get("spec")).get("gatewayClassName") == "istio":
            # source: istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment
            self._add("", "Service", f"{subject.name}-istio", Entry(subject.namespace, None, subject))

    def _add(self, group: str, kind: str, name: str, entry: Entry) -> None:
        self._kinds.add((group, kind))
        spaces = self._entries.setdefault((group, kind, name), {})
        before = spaces.get(entry.namespace)
        if before is None or before.data is None:
            spaces[entry.namespace] = entry

    def find(self, group: str, kind: str, namespace: str | None, name: str) -> Entry | None:
        """The object of that name in a namespace (in any for None), however little is known of it."""
        spaces = self._entries.get((group, kind, name))
        if spaces:
            found = spaces.get(namespace) if namespace else next(iter(spaces.values()))
            found = found or spaces.get("")
            if found or kind in self._cluster_kinds:
                return found or next(iter(spaces.values()))
        declared = self._declared.get((kind, name))
        if declared and (not namespace or kind in self._cluster_kinds or "" in declared or namespace in declared):
            return Entry(namespace or declared[0], None)
        return None

    def has_any(self, group: str, kind: str) -> bool:
        """Whether any object of a kind is known."""
        return (group, kind) in self._kinds or any(each == kind for each, _ in self._declared)

    def may_search(self) -> bool:
        """Whether looking at everything for a hint is still worth it: somebody with a thousand mistakes has other worries."""
        self._searches -= 1
        return self._searches >= 0

    def near(self, group: str, kind: str, namespace: str | None, name: str) -> str | None:
        """The name in a namespace that is most likely meant."""
        if not self.may_search():
            return None
        names = {
            its_name
            for (its_group, its_kind, its_name), spaces in self._entries.items()
            if (its_group, its_kind) == (group, kind)
            and (not namespace or namespace in spaces or "" in spaces or kind in self._cluster_kinds)
        } | {its_name for its_kind, its_name in self._declared if its_kind == kind}
        return closest(name, names)

    def namespaces(self, group: str, kind: str, name: str) -> list[str]:
        """Where objects of that name are."""
        return sorted(self._entries.get((group, kind, name), {}))

    def knows(self, group: str, kind: str) -> bool:
        """Whether there is a schema for a kind: what we do not know is not wrong."""
        key = (group, kind)
        if key not in self._schemas:
            prefix = f"{group}/" if group else ""
            self._schemas[key] = any(self.cluster.schemas.find(prefix + version, kind) for version in _VERSIONS)
        return self._schemas[key]

    def is_cluster_kind(self, kind: str) -> bool:
        return kind in self._cluster_kinds

    def declared(self) -> Iterator[tuple[str, str, str]]:
        """Kind, namespace and name of what is known by name only."""
        for (kind, name), spaces in self._declared.items():
            for namespace in spaces:
                yield kind, namespace, name

    def may_be_of_a_graph(self, kind: str, name: str) -> bool:
        """Whether the operator may make an object of that name for a graph of which we know the name only."""
        graphs = (each for each_kind, each in self._declared if each_kind == "DynamoGraphDeployment")
        return kind in OF_GRAPHS and any(name.startswith(f"{graph}-") for graph in graphs)

    @cached_property
    def classes_of_volumes(self) -> set[str]:
        """Storage classes that PersistentVolumes of the stream name: claims of the same class bind to them."""
        volumes = (each for each in self.objects if each.kind == "PersistentVolume")
        return {str(mapping(each.data.get("spec")).get("storageClassName")) for each in volumes}

    @cached_property
    def mesh_hosts(self) -> set[str]:
        """The hosts of ServiceEntries."""
        entries = (each for each in self.objects if each.kind == "ServiceEntry")
        return {host for each in entries for host in mapping(each.data.get("spec")).get("hosts", ())}

    @cached_property
    def grants(self) -> dict[str, list[dict[str, Any] | None]]:
        """The contents of the ReferenceGrants by namespace, as far as they are known."""
        found: dict[str, list[dict[str, Any] | None]] = {}
        for (group, kind, _), spaces in self._entries.items():
            if (group, kind) == ("gateway.networking.k8s.io", "ReferenceGrant"):
                for entry in spaces.values():
                    found.setdefault(entry.namespace, []).append(entry.data)
        for kind, space, _ in self.declared():
            if kind == "ReferenceGrant":
                found.setdefault(space, []).append(None)
        return found


def key_of(subject: Object) -> str:
    """How the table calls the kind of an object."""
    return f"{subject.group}/{subject.kind}" if subject.group else subject.kind


def where(namespace: str | None) -> str:
    return f" in namespace '{namespace}'" if namespace else ""


def is_given(group: str, kind: str, name: str, table: Table) -> bool:
    """Whether an object is there without anybody writing it."""
    for pattern in table.data["present"].get(f"{group}/{kind}" if group else kind, ()):
        before, star, after = pattern.partition("*")
        if name == pattern or (star and name.startswith(before) and name.endswith(after)):
            return True
    return False
