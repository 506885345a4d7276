"""GPU memory service and checkpoints of a component: the containers and the operator that they name are there.

Source: validateExperimentalSpec and what it calls in deploy/operator/internal/webhook/validation/shared_v1beta1.go,
internal/features/gates.go (Checkpoint), internal/controller/dgd_gms_resource_claims_reconciler.go and
internal/dra/dra.go (device class) of ai-dynamo/dynamo.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.apis import SNAPSHOT, Apis
from dynagen.cluster.graphs import Component, Graph
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.diagnostics import closest
from dynagen.verify.dynamo.grove import is_inter_pod

_CLASS, _DEVICES = "gpu.nvidia.com", (1, 34)


def check_experimental(
    graph: Graph, apis: Apis, objects: Sequence[Object], cluster: Cluster, findings: Findings
) -> None:
    """Reports DG460."""
    classes = {each.name for each in (*objects, *cluster.external) if each.kind == "DeviceClass"}
    for component in graph.components:
        _check_clients(component, findings)
        _check_devices(component, classes, cluster, findings)
        enabled = (component.experimental.get("checkpoint") or {}).get("enabled")
        if enabled and cluster.release >= (1, 5, 0) and SNAPSHOT not in apis.definitions:
            message = "checkpoints need the snapshot operator, which the cluster is not known to have"
            way = cluster.declaring.format(f"CustomResourceDefinition/{SNAPSHOT}")
            hint = f"if it has, and the operator's 'checkpoint.enabled' is true, say so: {way}"
            component.report(findings, "DG460", ("experimental", "checkpoint", "enabled"), message, hint)


def _check_devices(component: Component, classes: set[str], cluster: Cluster, findings: Findings) -> None:
    """The operator claims the GPUs of such pods by Dynamic Resource Allocation, which GKE has when somebody installs the driver."""
    service = component.experimental.get("gpuMemoryService")
    field = "gpuMemoryService" if service is not None else "failover"
    if service is None and not is_inter_pod(component.experimental.get("failover")):
        return
    name = (service or {}).get("deviceClassName") or _CLASS
    if cluster.kubernetes_version < _DEVICES:
        message = f"'{field}' needs resource.k8s.io/v1, which Kubernetes {cluster.kubernetes} does not have"
        component.report(
            findings, "DG460", ("experimental", field), message, "Kubernetes 1.34 or later, or leave it out"
        )
    elif name not in classes:
        message = f"'{field}' claims GPUs of device class '{name}', which the cluster is not known to have"
        way = cluster.declaring.format(f"DeviceClass/{name}")
        hint = f"if the nodes have NVIDIA's driver for Dynamic Resource Allocation, say so: {way}"
        component.report(findings, "DG460", ("experimental", field), message, hint)


def _check_clients(component: Component, findings: Findings) -> None:
    service = component.experimental.get("gpuMemoryService") or {}
    names = [str(container.get("name")) for container in component.pod.get("containers") or ()]
    for index, name in enumerate(() if is_inter_pod(service) else service.get("extraClientContainers") or ()):
        if name not in names:
            near = closest(name, names)
            hint = f"did you mean '{near}'?" if near else ""
            path = ("experimental", "gpuMemoryService", "extraClientContainers", index)
            component.report(findings, "DG460", path, f"there is no container '{name}'", hint)
