"""All objects of a stream in, what they are to Istio out: its own objects by kind, the pods, the Services by full name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Concatenate, ParamSpec

from dynagen.cluster.graphs import graph_of, is_graph
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.operator import service_name
from dynagen.cluster.pods import Pod, pods_of
from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.hosts import CLUSTER_DOMAIN, full_name, is_host_label

_SUPPRESS = "galley.istio.io/analyze-suppress"
# Labels of these domains come from the scheduler, from injectors and from operators, without anybody writing them.
_ADDED = ("kubernetes.io", "k8s.io", "istio.io", "nvidia.com", "grove.io", "run.ai", "gke.io", "cloud.google.com")

Rest = ParamSpec("Rest")


class Service:
    """A Service with the ports and the selector that it has, as far as they are known: one that an operator makes has neither."""

    __slots__ = ("namespace", "owner", "ports", "selector")

    def __init__(
        self, owner: Object, ports: list[dict[str, Any]] | None = None, selector: dict[str, str] | None = None
    ) -> None:
        self.owner, self.namespace, self.ports, self.selector = owner, owner.namespace, ports, selector


def _unless_suppressed(
    add: Callable[Concatenate[Findings, str, Object, Rest], None],
) -> Callable[Concatenate[Mesh, str, str, Object, Rest], None]:
    def report(mesh: Mesh, code: str, analyser: str, subject: Object, /, *rest: Rest.args, **more: Rest.kwargs) -> None:
        """`analyser` is the code that `istioctl analyze` has for it: it can be suppressed by an annotation, as there."""
        annotations = (subject.data.get("metadata") or {}).get("annotations") or {}
        if not {analyser, "*"} & set(annotations.get(_SUPPRESS, "").split(",")):
            add(mesh.findings, code, subject, *rest, **more)

    return report


class Mesh:
    def __init__(self, objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
        self.objects, self._cluster, self.findings = objects, cluster, findings
        self.memory = cluster.memory
        self._kinds: dict[str, list[Object]] = {}
        for subject in objects:
            if subject.group.endswith(".istio.io"):
                self._kinds.setdefault(subject.kind, []).append(subject)

    def of_kind(self, kind: str) -> list[Object]:
        """Istio's objects of a kind; a Gateway is one of Istio, not of the Gateway API."""
        return self._kinds.get(kind, [])

    def has(self, *kinds: str) -> bool:
        """Whether the stream has an object of Istio of one of these kinds."""
        return any(kind in self._kinds for kind in kinds)

    def outside(self, kind: str) -> list[Object]:
        """Objects of a kind that are in the cluster already."""
        return [each for each in self._cluster.external if each.kind == kind]

    def declaring(self, entry: str) -> str:
        """How one says that the cluster has something."""
        return self._cluster.declaring.format(entry)

    @cached_property
    def pods(self) -> list[Pod]:
        """Those of templates: what Istio itself runs for a Gateway has its own rules."""
        return [pod for pod in pods_of(self.objects, self._cluster.release) if pod.template is not None]

    @cached_property
    def services(self) -> dict[str, Service]:
        """By full name. What Dynamo's operator makes is there without details."""
        found: dict[str, Service] = {}
        for subject in self.objects:
            for component in subject.once(graph_of).components if is_graph(subject) else ():
                name = full_name(service_name(component), subject.namespace)
                found[name] = Service(subject)
        for subject in self.objects:
            if subject.kind == "Service" and not subject.group:
                spec = subject.data.get("spec") or {}
                name = full_name(subject.name, subject.namespace)
                found[name] = Service(subject, spec.get("ports") or [], spec.get("selector"))
        return found

    @property
    def workloads(self) -> list[Object]:
        """What stands for machines outside of the cluster, which a Service selects as it selects pods."""
        return [*self.of_kind("WorkloadEntry"), *self.of_kind("WorkloadGroup")]

    @cached_property
    def entries(self) -> dict[str, Object]:
        """The ServiceEntries by host; a host of several is that of the first."""
        found: dict[str, Object] = {}
        for subject in self.of_kind("ServiceEntry"):
            for host in _spec(subject).get("hosts") or ():
                found.setdefault(full_name(host, subject.namespace), subject)
        return found

    def misread(self, host: str) -> str | None:
        """The full name of the Service that a name such as `app.team` or `app.team.svc` means, but is not to Istio.

        Source: ResolveShortnameToFQDN in pilot/pkg/model of istio/istio completes names without a dot only.
        """
        name, _, rest = host.partition(".")
        namespace, _, domain = rest.partition(".")
        if domain not in ("", "svc", "svc.cluster") or not is_host_label(namespace) or host in self.entries:
            return None
        found = f"{name}.{namespace}{CLUSTER_DOMAIN}"
        return found if found in self.services else None

    def gateways_of(self, subject: Object, names: Sequence[str]) -> Iterator[tuple[int, Object]]:
        """The Gateways of the stream that a VirtualService names, each with its position."""
        for index, name in enumerate(names):
            namespace, slash, short = name.rpartition("/")
            for gateway in self.of_kind("Gateway"):
                if gateway.name == short and gateway.namespace == (namespace if slash else subject.namespace):
                    yield index, gateway

    # As `Findings.add`, with a code of Istio beside ours.
    report = _unless_suppressed(Findings.add)

    def refuse(self, code: str, subject: Object, path: KeyPath, message: str, hint: str = "") -> None:
        """For what the webhook refuses: an annotation does not change that."""
        self.findings.add(code, subject, path, message, hint)


def is_selected(pod: Pod, selector: Mapping[str, str]) -> bool | None:
    """None when a label decides it that nobody knows beforehand."""
    unknown = False
    for key, value in selector.items():
        found = pod.values(key)
        if found is None:
            if not key.partition("/")[0].endswith(_ADDED):
                return False
            unknown = True
        elif found and value not in found:
            return False
        elif len(found) != 1:
            unknown = True
    return None if unknown else True


def _spec(subject: Object) -> dict[str, Any]:
    spec: dict[str, Any] = subject.data.get("spec") or {}
    return spec
