"""A graph in, what Dynamo's operator makes of it out: labels and ports of its pods, Services, accounts.

Source of names, labels and ports: deploy/operator/internal/dynamo/graph.go, internal/consts/consts.go and
internal/dynamo/component_*.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.graphs import WORKERS, Component, Graph
from dynagen.cluster.names import dynamo_namespace, name_of
from dynagen.cluster.objects import Object, listing, mapping
from dynagen.diagnostics import KeyPath
from dynagen.text.versions import Version

PREFIX = "nvidia.com/"
HASH = "nvidia.com/dynamo-worker-hash"

# Values that a label may have; none means that it is there, with a value that nobody knows beforehand.
Labels = dict[str, tuple[str, ...]]

# The port of the Service of a component: its name and number.
_SERVICE_PORTS = {"frontend": ("http", 8000), "epp": ("grpc", 9002)}
# The named ports of a component's pods.
PORTS = {
    "frontend": ("http",),
    "planner": ("metrics", "system"),
    "epp": ("grpc", "grpc-health", "metrics", "system"),
    **dict.fromkeys(WORKERS, ("system", "system-0", "system-1", "nixl", "nixl-1")),
}


class Made:
    """An object that the operator makes. `always` is False when that depends on how the operator is set up.

    `place` is what it is made for: an object, and a path in that.
    """

    __slots__ = ("always", "data", "group", "kind", "name", "place")

    def __init__(
        self, group: str, kind: str, name: str, place: tuple[Object, KeyPath], data: dict[str, Any] | None = None,
        always: bool = True,
    ) -> None:  # fmt: skip
        self.group, self.kind, self.name, self.place = group, kind, name, place
        self.data, self.always = data, always


def labels_of(component: Component, release: Version) -> Labels:
    """The labels of the pods of a component, as the operator of `release` runs them."""
    graph, given, role = component.graph, component.written, component.role
    metadata = mapping(component.template.get("metadata"))
    labels: Labels = {
        "nvidia.com/dynamo-graph-deployment-name": (graph.source.name,),
        "nvidia.com/dynamo-component": (component.name,),
        "nvidia.com/dynamo-component-type": _types(role, graph.is_alpha, release),
        "nvidia.com/dynamo-namespace": _dynamo_namespace(graph, given),
        "nvidia.com/selector": (),
        "nvidia.com/dynamo-discovery-backend": (),
        "nvidia.com/dynamo-discovery-enabled": (),
    }
    if role in WORKERS:
        labels[HASH] = ()
        if any(each.role == "epp" for each in graph.components):
            labels["nvidia.com/dynamo-component-class"] = ("worker",)
        if role != "worker" and (graph.is_alpha or release < (1, 5, 0)):
            labels["nvidia.com/dynamo-sub-component-type"] = (role,)
    if given.get("modelRef"):
        labels["nvidia.com/dynamo-base-model"] = labels["nvidia.com/dynamo-base-model-hash"] = ()
    metrics = _metrics(graph, given, metadata)
    if metrics is not None:
        labels["nvidia.com/metrics-enabled"] = metrics
    for source in (graph.spec.get("labels"), given.get("labels"), metadata.get("labels")):
        labels |= {key: (str(value),) for key, value in mapping(source).items()}
    return labels


def _types(role: str, is_alpha: bool, release: Version) -> tuple[str, ...]:
    """The component type on the pods: prefill and decode are types of their own in v1beta1, and were `worker` before.

    Where both are thinkable (an operator that stores v1alpha1, a graph written in it), both count.
    """
    if role not in ("prefill", "decode"):
        return (role,)
    if release < (1, 2, 0):
        return ("worker",)
    return (role, "worker") if is_alpha or release < (1, 5, 0) else (role,)


def _dynamo_namespace(graph: Graph, given: dict[str, Any]) -> tuple[str, ...]:
    if given.get("globalDynamoNamespace"):
        return ("dynamo",)
    name, space = graph.source.name, graph.source.namespace
    return (dynamo_namespace(name, space),) if space and "dynamoNamespace" not in given else ()


def _metrics(graph: Graph, given: dict[str, Any], metadata: dict[str, Any]) -> tuple[str, ...] | None:
    """The value of nvidia.com/metrics-enabled: the annotation of the graph takes it away, that of a part may."""
    key = "nvidia.com/enable-metrics"
    if graph.annotations.get(key) == "false":
        return None
    parts = (graph.spec.get("annotations"), given.get("annotations"), metadata.get("annotations"))
    return () if any(mapping(part).get(key) == "false" for part in parts) else ("true",)


def ports_of(component: Component) -> frozenset[str] | None:
    """Names of container ports: those of the operator, and those of the template. None when nobody knows."""
    if component.role not in PORTS:
        return None
    containers = [*listing(component.pod.get("containers")), *listing(component.pod.get("initContainers"))]
    own = {str(port["name"]) for each in containers for port in listing(each.get("ports")) if "name" in port}
    sidecar = PORTS["frontend"] if component.data.get("frontendSidecar") else ()
    return frozenset((*PORTS[component.role], *sidecar, *own))


def has_adapter(component: Component, release: Version) -> bool:
    """Whether a component is scaled by an adapter."""
    # source: autoscaling page of Dynamo 0.8: every service had an adapter then
    return "scalingAdapter" in component.data or release < (0, 9, 0)


def made(graph: Graph, release: Version) -> Iterator[Made]:
    """What the operator makes of a graph."""
    graph_name = graph.source.name
    whole: tuple[Object, KeyPath] = (graph.source, ("metadata", "name"))
    account = f"{graph_name}-k8s-service-discovery"
    yield Made("", "ServiceAccount", account, whole)
    for kind in ("Role", "RoleBinding"):
        yield Made("rbac.authorization.k8s.io", kind, account, whole)
    yield Made("gateway.networking.k8s.io", "HTTPRoute", f"{graph_name}-route", whole, always=False)
    for each in graph.components:
        name, place = service_name(each), (graph.subject, each.path)
        port, number = _SERVICE_PORTS.get(each.role, ("system", 9090))
        data = {"spec": {"ports": [{"name": port, "port": number}]}}
        yield Made("", "Service", name, place, data)
        if has_adapter(each, release):
            yield Made("nvidia.com", "DynamoGraphDeploymentScalingAdapter", name, place)
        if each.role not in WORKERS:  # names of workers carry a hash
            yield Made("apps", "Deployment", name, place)
            yield Made("nvidia.com", "DynamoComponentDeployment", name, place)
        if each.role == "frontend":
            yield Made("networking.k8s.io", "Ingress", name, place, always=False)
            yield Made("networking.istio.io", "VirtualService", name, place, always=False)
        elif each.role == "epp":
            yield Made("inference.networking.k8s.io", "InferencePool", f"{graph_name}-pool", place)
            yield Made("networking.istio.io", "DestinationRule", name, place, always=False)
            yield Made("", "ServiceAccount", "epp-serviceaccount", place, always=False)
        elif each.role == "planner":
            yield Made("", "ServiceAccount", "planner-serviceaccount", place, always=False)
    for index, claim in enumerate(listing(mapping(graph.source.data.get("spec")).get("pvcs"))):  # v1alpha1 has it
        if claim.get("create"):
            place = (graph.source, ("spec", "pvcs", index))
            yield Made("", "PersistentVolumeClaim", str(claim.get("name")), place)


def service_name(component: Component) -> str:
    return name_of(component.graph.source.name, component.name)
