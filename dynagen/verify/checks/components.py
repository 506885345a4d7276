"""Every component of a graph has an image: what a misspelt name in a patch makes has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynagen.diagnostics import closest
from dynagen.verify.objects import Cluster, Findings, Object


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG416 for a component without an image: rule 3 of the webhook.

    Source: deploy/operator/internal/webhook/validation/shared_v1beta1.go of ai-dynamo/dynamo.
    """
    for graph in objects:
        if graph.api_version != "nvidia.com/v1beta1" or graph.kind != "DynamoGraphDeployment":
            continue
        components = graph.data.get("spec", {}).get("components", [])
        whole = [component["name"] for component in components if _has_image(component)]
        for index, component in enumerate(components):
            if component["name"] not in whole:
                near = closest(component["name"], whole)
                hint = f"did you mean '{near}'?" if near else "components of this graph: " + ", ".join(whole)
                message = f"component '{component['name']}' has no container 'main' with an image"
                findings.add("DG416", graph, ("spec", "components", index), message, hint)


def _has_image(component: dict[str, Any]) -> bool:
    containers = component.get("podTemplate", {}).get("spec", {}).get("containers", [])
    return any(container.get("name") == "main" and container.get("image") for container in containers)
