"""GPU memory service, failover and checkpoints of a component.

Source: validateExperimentalSpec and what it calls in deploy/operator/internal/webhook/validation/shared_v1beta1.go,
validateFailoverSpecV1alpha1 in shared_v1alpha1.go, ValidateCheckpointCompatibility in internal/checkpoint,
internal/dra, internal/features/gates.go (Checkpoint) of ai-dynamo/dynamo.
"""

from __future__ import annotations

from typing import Any

from dynagen.cluster.apis import SNAPSHOT, Apis
from dynagen.cluster.graphs import WORKERS, Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import closest
from dynagen.text.quantities import amount
from dynagen.verify.dynamo.grove import is_inter_pod

_GPU_HINT = "a limit of nvidia.com/gpu on the container 'main'"


def check_experimental(graph: Graph, apis: Apis, cluster: Cluster, findings: Findings) -> None:
    """Reports DG460: rule 16."""
    for component in graph.components:
        service, failover = (component.experimental.get(key) for key in ("gpuMemoryService", "failover"))
        if service is not None:
            _check_memory_service(component, service, findings)
        if failover is not None:
            _check_failover(component, failover, service, findings)
        checkpoint = component.experimental.get("checkpoint")
        if checkpoint is not None:
            _check_checkpoint(component, checkpoint, service, apis, cluster, findings)


def _check_memory_service(component: Component, service: dict[str, Any], findings: Findings) -> None:
    path = ("experimental", "gpuMemoryService")
    if not component.is_worker:
        message = f"'gpuMemoryService' in a component of type '{component.type}'"
        component.report(findings, "DG460", path, message, "only for " + ", ".join(WORKERS))
    if not _gpus(component):
        component.report(findings, "DG460", path, "'gpuMemoryService' without a GPU", _GPU_HINT)
    if is_inter_pod(service):
        backend = component.graph.spec.get("backendFramework")
        if not component.graph.alone and backend != "vllm":
            message = f"'gpuMemoryService' of mode InterPod with 'backendFramework' {backend or 'not set'}"
            component.report(
                findings, "DG460", (*path, "mode"), message, "it is for vllm; set 'backendFramework: vllm'"
            )
        return
    names = [str(container.get("name")) for container in component.pod.get("containers") or ()]
    for index, name in enumerate(service.get("extraClientContainers") or ()):
        if name not in names:
            near = closest(name, names)
            hint = f"did you mean '{near}'?" if near else ""
            here = (*path, "extraClientContainers", index)
            component.report(findings, "DG460", here, f"there is no container '{name}'", hint)


def _check_failover(component: Component, failover: dict[str, Any], service: Any, findings: Findings) -> None:
    path, mode = ("experimental", "failover"), failover.get("mode") or "IntraPod"
    if service is None:
        component.report(findings, "DG460", path, "'failover' without 'gpuMemoryService'", "set both")
    elif (service.get("mode") or "IntraPod") != mode:
        message = f"'failover' is of mode {mode}, 'gpuMemoryService' of mode {service.get('mode') or 'IntraPod'}"
        component.report(findings, "DG460", (*path, "mode"), message, "both need the same mode")
    shadows = failover.get("numShadows") or 1
    if mode == "IntraPod" and shadows != 1:
        message = f"'numShadows' is {shadows} with mode IntraPod"
        component.report(findings, "DG460", (*path, "numShadows"), message, "1, or mode InterPod")
    if mode == "InterPod":
        if not _gpus(component):
            component.report(findings, "DG460", path, "'failover' without a GPU", _GPU_HINT)
        if component.type in ("epp", "frontend", "planner"):
            message = f"'failover' in a component of type '{component.type}'"
            component.report(findings, "DG460", path, message, "only for " + ", ".join(WORKERS))


def _check_checkpoint(
    component: Component, checkpoint: dict[str, Any], service: Any, apis: Apis, cluster: Cluster, findings: Findings
) -> None:
    path = ("experimental", "checkpoint")
    if checkpoint.get("enabled"):
        if cluster.release >= (1, 5, 0) and SNAPSHOT not in apis.definitions:
            message = "checkpoints need the snapshot operator, which the cluster is not known to have"
            way = cluster.declaring.format(f"CustomResourceDefinition/{SNAPSHOT}")
            hint = f"if it has, and the operator's 'checkpoint.enabled' is true, say so: {way}"
            component.report(findings, "DG460", (*path, "enabled"), message, hint)
        if cluster.release >= (1, 6, 0) and not component.is_worker:
            what = f"of type '{component.type}'" if component.type else "without a type"
            component.report(
                findings, "DG460", path, f"a checkpoint of a component {what}", "only for " + ", ".join(WORKERS)
            )
        if cluster.release >= (1, 5, 0) and is_inter_pod(service):
            message = "a checkpoint with 'gpuMemoryService' of mode InterPod"
            component.report(findings, "DG460", path, message, "mode IntraPod, or no checkpoint")
    if (checkpoint.get("job") or {}).get("gmsClientContainers"):
        here = (*path, "job", "gmsClientContainers")
        if service is None:
            message = "'gmsClientContainers' without 'gpuMemoryService'"
            component.report(findings, "DG460", here, message, "set both")
        elif is_inter_pod(service):
            message = "'gmsClientContainers' with 'gpuMemoryService' of mode InterPod"
            component.report(findings, "DG460", here, message, "mode IntraPod")


def _gpus(component: Component) -> int:
    """What the main container has of GPUs; limits count before requests (internal/dra)."""
    resources = (component.main or {}).get("resources") or {}
    for section in ("limits", "requests"):
        amounts = resources.get(section) or {}
        for name in sorted(amounts):
            lower = name.lower()
            if (
                lower in ("gpu", "nvidia.com/gpu")
                or lower.endswith("/gpu")
                or "/mig-" in lower
                or lower.startswith("gpu.")
            ):
                count = amount(amounts[name])
                return int(count) if count is not None and count >= 1 else 0
    return 0
