"""The container that a component says is its frontend.

Source: validateDynamoComponentDeploymentSharedSpec in deploy/operator/internal/webhook/validation/shared_v1beta1.go of
ai-dynamo/dynamo.
"""

from __future__ import annotations

from dynagen.cluster.graphs import Graph
from dynagen.cluster.objects import Findings
from dynagen.diagnostics import closest


def check_sidecars(graph: Graph, findings: Findings) -> None:
    """Reports DG459."""
    for component in graph.components:
        name = component.data.get("frontendSidecar")
        names = [str(container.get("name")) for container in component.pod.get("containers") or ()]
        if name is not None and name not in names:
            near = closest(name, names)
            hint = f"did you mean '{near}'?" if near else "the name of a container in 'podTemplate'"
            message = f"'frontendSidecar' is '{name}', and there is no such container"
            component.report(findings, "DG459", ("frontendSidecar",), message, hint)
