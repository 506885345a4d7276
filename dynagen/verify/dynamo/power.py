"""A limit of power beside devices that are claimed.

Source: validateDGDComponentPowerAnnotation in deploy/operator/internal/webhook/validation/dynamographdeployment.go,
dgdDRAPath in dynamographdeployment_helpers.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from dynagen.cluster.graphs import Graph
from dynagen.cluster.objects import Cluster, Findings

POWER = "dynamo.nvidia.com/gpu-power-limit"


def check_power(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    """Reports DG457."""
    for component in graph.components if not graph.alone and cluster.release >= (1, 5, 0) else ():
        if POWER not in ((component.template.get("metadata") or {}).get("annotations") or {}):
            continue
        containers = [each for field in ("containers", "initContainers") for each in component.pod.get(field) or ()]
        claims = any((container.get("resources") or {}).get("claims") for container in containers)
        if claims or "gpuMemoryService" in component.experimental:
            path = ("podTemplate", "metadata", "annotations", POWER)
            message = f"'{POWER}' does not go together with devices that are claimed"
            component.report(findings, "DG457", path, message, "leave it out, or ask for nvidia.com/gpu")
