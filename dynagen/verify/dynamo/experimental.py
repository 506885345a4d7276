"""GPU memory service and checkpoints of a component: the containers and the operator that they name are there.

Source: validateExperimentalSpec and what it calls in deploy/operator/internal/webhook/validation/shared_v1beta1.go,
internal/features/gates.go (Checkpoint) of ai-dynamo/dynamo.
"""

from __future__ import annotations

from dynagen.cluster.apis import SNAPSHOT, Apis
from dynagen.cluster.graphs import Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import closest
from dynagen.verify.dynamo.grove import is_inter_pod


def check_experimental(graph: Graph, apis: Apis, cluster: Cluster, findings: Findings) -> None:
    """Reports DG460."""
    for component in graph.components:
        _check_clients(component, findings)
        enabled = (component.experimental.get("checkpoint") or {}).get("enabled")
        if enabled and cluster.release >= (1, 5, 0) and SNAPSHOT not in apis.definitions:
            message = "checkpoints need the snapshot operator, which the cluster is not known to have"
            way = cluster.declaring.format(f"CustomResourceDefinition/{SNAPSHOT}")
            hint = f"if it has, and the operator's 'checkpoint.enabled' is true, say so: {way}"
            component.report(findings, "DG460", ("experimental", "checkpoint", "enabled"), message, hint)


def _check_clients(component: Component, findings: Findings) -> None:
    service = component.experimental.get("gpuMemoryService") or {}
    names = [str(container.get("name")) for container in component.pod.get("containers") or ()]
    for index, name in enumerate(() if is_inter_pod(service) else service.get("extraClientContainers") or ()):
        if name not in names:
            near = closest(name, names)
            hint = f"did you mean '{near}'?" if near else ""
            path = ("experimental", "gpuMemoryService", "extraClientContainers", index)
            component.report(findings, "DG460", path, f"there is no container '{name}'", hint)
