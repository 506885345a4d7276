"""Containers beside the main one.

Source: validateDynamoComponentDeploymentSharedSpec in deploy/operator/internal/webhook/validation/shared_v1beta1.go,
ValidateDynamoSidecar in deploy/operator/internal/dynamo (since 1.6) of ai-dynamo/dynamo.
"""

from __future__ import annotations

from dynagen.cluster.graphs import MAIN, RUNTIME, WORKERS, Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import closest


def check_sidecars(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    """Reports DG459: rules 14 and 15."""
    for component in graph.components:
        _check_frontend(component, findings)
        # For v1beta1 the CRD says so itself from 1.4 on.
        if graph.is_alpha or cluster.release < (1, 4, 0):
            _check_images(component, findings)
        if cluster.release >= (1, 6, 0):
            _check_runtime(component, findings)


def _check_frontend(component: Component, findings: Findings) -> None:
    name = component.data.get("frontendSidecar")
    names = [str(container.get("name")) for container in component.pod.get("containers") or ()]
    if name is not None and name not in names:
        near = closest(name, names)
        hint = f"did you mean '{near}'?" if near else "the name of a container in 'podTemplate'"
        message = f"'frontendSidecar' is '{name}', and there is no such container"
        component.report(findings, "DG459", ("frontendSidecar",), message, hint)


def _check_images(component: Component, findings: Findings) -> None:
    for field in ("containers", "initContainers"):
        for index, container in enumerate(component.pod.get(field) or ()):
            if not container.get("image") and (field != "containers" or container.get("name") != MAIN):
                message = f"container '{container.get('name')}' has no image"
                hint = "the operator fills in the container 'main' only: is the name right?"
                component.report(findings, "DG459", ("podTemplate", "spec", field, index), message, hint)


def _check_runtime(component: Component, findings: Findings) -> None:
    """An init container `runtime` runs Dynamo beside an engine of another image."""
    path, runtime = component.container(RUNTIME, "initContainers")
    if runtime is None:
        return
    another = f"'{RUNTIME}' is Dynamo's own name for a container: call another one differently"
    if not component.is_worker:
        message = f"init container '{RUNTIME}' in a component of type '{component.type}'"
        hint = "it is for components of type " + ", ".join(WORKERS) + "; " + another
        component.report(findings, "DG459", (*path, "name"), message, hint)
    if runtime.get("restartPolicy") != "Always":
        message = f"init container '{RUNTIME}' does not have 'restartPolicy: Always'"
        component.report(findings, "DG459", path, message, another)
    section = component.experimental
    checkpoint = (section.get("checkpoint") or {}).get("enabled")
    for here, used in (
        (("multinode",), "multinode" in component.data),
        (("experimental", "checkpoint"), checkpoint),
        (("experimental", "gpuMemoryService"), "gpuMemoryService" in section),
        (("experimental", "failover"), "failover" in section),
    ):
        if used:
            message = f"'{here[-1]}' and an init container '{RUNTIME}' do not go together"
            component.report(findings, "DG459", here, message, "leave out one of them; " + another)
