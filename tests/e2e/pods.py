"""A DynamoGraphDeployment in, the plain Pods out that Dynamo's operator would have made: what the scheduler sees.

source of what the operator adds: internal/dynamo/graph.go and internal/consts/consts.go in deploy/operator of
ai-dynamo/dynamo
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.e2e.nodes import ACCELERATOR, SPOT

Object = dict[str, Any]

GPU = "nvidia.com/gpu"


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a graph: its name as written, its type, and the pods of all replicas and nodes."""

    name: str
    type: str
    pods: list[Object]

    @property
    def is_worker(self) -> bool:
        return self.type in ("worker", "prefill", "decode")


def components_of(graph: Object) -> list[Component]:
    spec = graph["spec"]
    written = spec["components"] if "components" in spec else [_to_v1beta1(*item) for item in spec["services"].items()]
    return [Component(each["name"], each.get("type", ""), list(_pods(graph, each))) for each in written]


def service_account_of(graph: Object) -> str:
    return f"{graph['metadata']['name']}-k8s-service-discovery"


def _pods(graph: Object, component: Object) -> Iterator[Object]:
    metadata = graph["metadata"]
    template = component["podTemplate"]
    base = f"{metadata['name']}-{component['name'].lower()}"
    count = component.get("replicas", 1) * component.get("multinode", {}).get("nodeCount", 1)
    for number in range(count):
        written = copy.deepcopy(template)
        labels = {
            "nvidia.com/dynamo-graph-deployment-name": metadata["name"],
            "nvidia.com/dynamo-component": component["name"],
            "nvidia.com/dynamo-component-type": component.get("type", "default"),
            "nvidia.com/dynamo-namespace": f"{metadata['namespace']}-{metadata['name']}",
        }
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{base}-{number}",
                "namespace": metadata["namespace"],
                "labels": written.get("metadata", {}).get("labels", {}) | labels,
                "annotations": written.get("metadata", {}).get("annotations", {}),
            },
            "spec": _pod_spec(graph, component, written["spec"]),
        }


def _pod_spec(graph: Object, component: Object, spec: Object) -> Object:
    spec.setdefault("serviceAccountName", service_account_of(graph))
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 60)
    spec.setdefault("securityContext", {"fsGroup": 1000})
    main = next(container for container in spec["containers"] if container["name"] == "main")
    volumes, mounts = spec.setdefault("volumes", []), main.setdefault("volumeMounts", [])
    size = component.get("sharedMemorySize", "8Gi")
    if str(size) != "0":
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": size}})
        mounts.append({"name": "shared-memory", "mountPath": "/dev/shm"})
    cache = component.get("compilationCache")
    if cache:
        mounts.append({"name": cache["pvcName"], "mountPath": cache.get("mountPath", "/root/.cache/vllm")})
    # The operator takes a mount without a volume for one of a claim with its name.
    known = {volume["name"] for volume in volumes}
    for name in sorted({mount["name"] for mount in mounts} - known):
        volumes.append({"name": name, "persistentVolumeClaim": {"claimName": name}})
    return spec


def _to_v1beta1(name: str, service: Object) -> Object:
    """One service of v1alpha1 as a component. source: api/v1alpha1/shared_spec_conversion.go of the operator"""
    service = copy.deepcopy(service)
    extra = service.get("extraPodSpec", {})
    main = {"name": "main", **extra.pop("mainContainer", {})}
    main["resources"] = main.get("resources", {}) | {
        kind: _quantities(amounts) for kind, amounts in service.get("resources", {}).items() if kind != "claims"
    }
    mounts = [{"name": each["name"], "mountPath": each["mountPoint"]} for each in service.get("volumeMounts", ())]
    main["volumeMounts"] = main.get("volumeMounts", []) + mounts
    component = {
        "name": name,
        "type": service.get("subComponentType", service.get("componentType", "")),
        "podTemplate": {
            "metadata": service.get("extraPodMetadata", {}),
            "spec": {**extra, "containers": [main, *extra.get("containers", ())]},
        },
    }
    shared = service.get("sharedMemory", {})
    if shared:
        component["sharedMemorySize"] = "0" if shared.get("disabled") else shared["size"]
    return component | {key: service[key] for key in ("replicas", "multinode") if key in service}


def _quantities(amounts: Object) -> Object:
    named = {key: amounts[key] for key in ("cpu", "memory", "ephemeral-storage") if key in amounts}
    if "gpu" in amounts:
        named[amounts.get("gpuType", GPU)] = amounts["gpu"]
    return {**named, **amounts.get("custom", {})}


def gpus_of(pod: Object) -> int:
    return sum(
        int(container.get("resources", {}).get("limits", {}).get(GPU, 0)) for container in pod["spec"]["containers"]
    )


def probe(pod: Object, name: str, key: str, operator: str, *values: str) -> Object:
    """A copy of a pod, no matter how big, that may only go where this requirement on the node holds as well."""
    copied = copy.deepcopy({key: pod[key] for key in ("apiVersion", "kind", "spec")})
    copied["metadata"] = {
        "name": f"{pod['metadata']['name']}-{name}",
        "namespace": pod["metadata"]["namespace"],
        "labels": {"dynagen.dev/probe": name},
    }
    spec = copied["spec"]
    if gpus_of(pod):  # what admission adds to the original
        spec.setdefault("tolerations", []).append({"key": GPU, "operator": "Exists", "effect": "NoSchedule"})
    for container in [*spec["containers"], *spec.get("initContainers", ())]:
        container.pop("resources", None)
    affinity = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    required = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {"nodeSelectorTerms": [{}]})
    for term in required["nodeSelectorTerms"]:  # any one of the terms is enough, so each gets the requirement
        requirement = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
        term.setdefault("matchExpressions", []).append(requirement)
    return copied


def forbidden_places(component: Component, accelerator: str, spot: bool) -> Iterator[Object]:
    """Copies of a component's first pod that must not find a node, one for each kind of node it may not be on."""
    if not component.pods:
        return
    pod = component.pods[0]
    if component.is_worker:
        yield probe(pod, "on-other-accelerator", ACCELERATOR, "NotIn", accelerator)
        if spot:
            yield probe(pod, "on-demand", SPOT, "DoesNotExist")
        else:
            yield probe(pod, "on-spot", SPOT, "Exists")
    else:
        yield probe(pod, "on-gpu-node", ACCELERATOR, "Exists")
        yield probe(pod, "on-spot", SPOT, "Exists")
