"""A DynamoGraphDeployment in, what Dynamo's operator makes of it out: pods with labels and ports, Services, accounts.

Source of names, labels and ports: deploy/operator/internal/dynamo/graph.go, internal/consts/consts.go and
internal/dynamo/component_*.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.verify.objects import Object, Version

PREFIX = "nvidia.com/"
HASH = "nvidia.com/dynamo-worker-hash"
WORKERS = ("worker", "prefill", "decode")

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


class Component(NamedTuple):
    """A component of a graph in either version of its API. `role` is its type as v1beta1 calls it."""

    name: str
    path: KeyPath
    role: str
    labels: Labels
    ports: frozenset[str] | None
    pod: KeyPath
    has_adapter: bool


class Made(NamedTuple):
    """An object that the operator makes. `always` is False when that depends on how the operator is set up."""

    group: str
    kind: str
    name: str
    path: KeyPath
    data: dict[str, Any] | None = None
    always: bool = True


def is_graph(subject: Object) -> bool:
    return subject.kind == "DynamoGraphDeployment" and subject.group == "nvidia.com"


def components(graph: Object, release: Version) -> list[Component]:
    """The components of a graph, as the operator of `release` will run them."""
    spec = mapping(graph.data.get("spec"))
    found: list[tuple[str, KeyPath, dict[str, Any], str]] = []
    for index, each in enumerate(listing(spec.get("components"))):
        role = str(each.get("type") or "default")
        found.append((str(each.get("name", "")), ("spec", "components", index), each, role))
    for name, each in mapping(spec.get("services")).items():
        each = mapping(each)
        role = str(each.get("subComponentType") or each.get("componentType") or "default")
        found.append((name, ("spec", "services", name), each, role))
    picks = any(role == "epp" for _, _, _, role in found)
    return [_component(graph, spec, *each, picks, release) for each in found]


def _component(
    graph: Object, spec: dict[str, Any], name: str, path: KeyPath, given: dict[str, Any], role: str, picks: bool,
    release: Version,
) -> Component:  # fmt: skip
    old = path[1] == "services"
    template = mapping(given.get("podTemplate"))
    metadata = mapping(given.get("extraPodMetadata") if old else template.get("metadata"))
    labels: Labels = {
        "nvidia.com/dynamo-graph-deployment-name": (graph.name,),
        "nvidia.com/dynamo-component": (name,),
        "nvidia.com/dynamo-component-type": _types(role, old, release),
        "nvidia.com/dynamo-namespace": _dynamo_namespace(graph, given),
        "nvidia.com/selector": (),
        "nvidia.com/dynamo-discovery-backend": (),
        "nvidia.com/dynamo-discovery-enabled": (),
    }
    if role in WORKERS:
        labels[HASH] = ()
        if picks:
            labels["nvidia.com/dynamo-component-class"] = ("worker",)
        if role != "worker" and (old or release < (1, 5, 0)):
            labels["nvidia.com/dynamo-sub-component-type"] = (role,)
    if given.get("modelRef"):
        labels["nvidia.com/dynamo-base-model"] = labels["nvidia.com/dynamo-base-model-hash"] = ()
    metrics = _metrics(graph, spec, given, metadata)
    if metrics is not None:
        labels["nvidia.com/metrics-enabled"] = metrics
    for source in (spec.get("labels"), given.get("labels"), metadata.get("labels")):
        labels |= {key: (str(value),) for key, value in mapping(source).items()}
    pod = mapping(given.get("extraPodSpec") if old else template.get("spec"))
    ports = _ports(role, given, pod)
    adapter = mapping(given.get("scalingAdapter")).get("enabled") is True if old else "scalingAdapter" in given
    # source: autoscaling page of Dynamo 0.8: every service had an adapter then
    has_adapter = adapter or release < (0, 9, 0)
    return Component(
        name, path, role, labels, ports, (*path, *(("extraPodSpec",) if old else ("podTemplate", "spec"))), has_adapter
    )


def _types(role: str, old: bool, release: Version) -> tuple[str, ...]:
    """The component type on the pods: prefill and decode are types of their own in v1beta1, and were `worker` before.

    Where both are thinkable (an operator that stores v1alpha1, a graph written in it), both count.
    """
    if role not in ("prefill", "decode"):
        return (role,)
    if release < (1, 2, 0):
        return ("worker",)
    return (role, "worker") if old or release < (1, 5, 0) else (role,)


def _dynamo_namespace(graph: Object, given: dict[str, Any]) -> tuple[str, ...]:
    if given.get("globalDynamoNamespace"):
        return ("dynamo",)
    return (f"{graph.namespace}-{graph.name}",) if graph.namespace and "dynamoNamespace" not in given else ()


def _metrics(graph: Object, spec: dict[str, Any], given: dict[str, Any], metadata: dict[str, Any]) -> Any:
    """The value of nvidia.com/metrics-enabled: the annotation of the graph takes it away, that of a part may."""
    key = "nvidia.com/enable-metrics"
    own = mapping(mapping(graph.data.get("metadata")).get("annotations"))
    if own.get(key) == "false":
        return None
    parts = (spec.get("annotations"), given.get("annotations"), metadata.get("annotations"))
    return () if any(mapping(part).get(key) == "false" for part in parts) else ("true",)


def _ports(role: str, given: dict[str, Any], pod: dict[str, Any]) -> frozenset[str] | None:
    """Names of container ports: those of the operator, and those of the template. None when nobody knows."""
    if role not in PORTS:
        return None
    containers = [
        *listing(pod.get("containers")),
        *listing(pod.get("initContainers")),
        mapping(pod.get("mainContainer")),
    ]
    own = {str(port["name"]) for each in containers for port in listing(each.get("ports")) if "name" in port}
    sidecar = PORTS["frontend"] if given.get("frontendSidecar") else ()
    return frozenset((*PORTS[role], *sidecar, *own))


def made(graph: Object, found: list[Component]) -> Iterator[Made]:
    """What the operator makes of a graph and its components."""
    account = f"{graph.name}-k8s-service-discovery"
    yield Made("", "ServiceAccount", account, ("metadata", "name"))
    for kind in ("Role", "RoleBinding"):
        yield Made("rbac.authorization.k8s.io", kind, account, ("metadata", "name"))
    yield Made("gateway.networking.k8s.io", "HTTPRoute", f"{graph.name}-route", ("metadata", "name"), always=False)
    for each in found:
        name = service_name(graph, each)
        port, number = _SERVICE_PORTS.get(each.role, ("system", 9090))
        data = {"spec": {"ports": [{"name": port, "port": number}]}}
        yield Made("", "Service", name, each.path, data)
        if each.has_adapter:
            yield Made("nvidia.com", "DynamoGraphDeploymentScalingAdapter", name, each.path)
        if each.role not in WORKERS:  # names of workers carry a hash
            yield Made("apps", "Deployment", name, each.path)
            yield Made("nvidia.com", "DynamoComponentDeployment", name, each.path)
        if each.role == "frontend":
            yield Made("networking.k8s.io", "Ingress", name, each.path, always=False)
            yield Made("networking.istio.io", "VirtualService", name, each.path, always=False)
        elif each.role == "epp":
            yield Made("inference.networking.k8s.io", "InferencePool", f"{graph.name}-pool", each.path)
            yield Made("networking.istio.io", "DestinationRule", name, each.path, always=False)
            yield Made("", "ServiceAccount", "epp-serviceaccount", each.path, always=False)
        elif each.role == "planner":
            yield Made("", "ServiceAccount", "planner-serviceaccount", each.path, always=False)
    for index, claim in enumerate(listing(mapping(graph.data.get("spec")).get("pvcs"))):
        if claim.get("create"):
            yield Made("", "PersistentVolumeClaim", str(claim.get("name")), ("spec", "pvcs", index))


def service_name(graph: Object, component: Component) -> str:
    return f"{graph.name}-{component.name}".lower().replace(".", "-")


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a map: what is in the cluster already is not held against a schema."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[dict[str, Any]]:
    """The maps in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
