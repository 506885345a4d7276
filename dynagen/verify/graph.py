"""What Dynamo's webhook would say of a graph, as far as no schema says it."""

from __future__ import annotations

from collections.abc import Iterable

from dynagen.diagnostics import Report, closest
from dynagen.manifests import Manifest


def check_components(manifests: Iterable[Manifest], report: Report) -> None:
    """Reports DG416 for a component without an image: rule 3 of the webhook, and what a misspelt name in a patch makes.

    Source: deploy/operator/internal/webhook/validation/shared_v1beta1.go of ai-dynamo/dynamo.
    """
    for manifest in manifests:
        if manifest.kind != "DynamoGraphDeployment":
            continue
        components = manifest.to_data().get("spec", {}).get("components", [])
        whole = [component["name"] for component in components if _has_image(component)]
        for index, component in enumerate(components):
            if component["name"] not in whole:
                near = closest(component["name"], whole)
                report.add(
                    "DG416",
                    f"component '{component['name']}' has no container 'main' with an image",
                    manifest.origin(("spec", "components", index)).written,
                    hint=f"did you mean '{near}'?" if near else "components of this graph: " + ", ".join(whole),
                )


def _has_image(component: dict) -> bool:  # type: ignore[type-arg]
    containers = component.get("podTemplate", {}).get("spec", {}).get("containers", [])
    return any(container.get("name") == "main" and container.get("image") for container in containers)
