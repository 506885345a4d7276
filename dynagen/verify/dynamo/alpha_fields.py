"""Fields that v1alpha1 alone has.

Source: deploy/operator/internal/webhook/validation/{shared_v1alpha1,dynamographdeployment_v1alpha1}.go of
ai-dynamo/dynamo.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.graphs import Graph
from dynagen.cluster.objects import Findings
from dynagen.diagnostics import KeyPath

_SIDECAR = "sidecar-frontend"
_IGNORED = {
    "dynamoNamespace": "leave it out: the namespace and the name of the graph make it",
    "autoscaling": "leave it out: set 'scalingAdapter', and scale that",
}


def check_alpha_fields(graph: Graph, findings: Findings) -> None:
    """Reports DG461: rule 22."""
    if not graph.is_alpha:
        return
    spec: dict[str, Any] = graph.source.data.get("spec") or {}
    for index, claim in enumerate(spec.get("pvcs") or ()):
        if not claim.get("name"):
            findings.add("DG461", graph.source, ("spec", "pvcs", index), "a claim in 'pvcs' has no name")
    services = {"": spec} if graph.alone else spec.get("services") or {}
    for name, service in services.items():
        path: KeyPath = ("spec",) if graph.alone else ("spec", "services", name)
        where = f"service '{name}': " if name else ""
        for here, message, hint in _service(service or {}):
            findings.add("DG461", graph.source, (*path, *here), where + message, hint)
        for field, hint in _IGNORED.items():
            if (service or {}).get(field):
                message = f"{where}'{field}' is passed over"
                findings.add("DG461", graph.source, (*path, field), message, hint, severity="warning")


def _service(service: dict[str, Any]) -> Iterator[tuple[KeyPath, str, str]]:
    ingress = service.get("ingress") or {}
    if ingress.get("enabled") and not ingress.get("host"):
        yield ("ingress",), "'ingress' is enabled and has no 'host'", "set 'host'"
    for index, mount in enumerate(service.get("volumeMounts") or ()):
        if not mount.get("mountPoint") and not mount.get("useAsCompilationCache"):
            message = f"the mount of '{mount.get('name')}' has no 'mountPoint'"
            yield ("volumeMounts", index), message, "set it, or 'useAsCompilationCache: true'"
    if service.get("frontendSidecar") is not None:
        for index, container in enumerate((service.get("extraPodSpec") or {}).get("containers") or ()):
            if container.get("name") == _SIDECAR:
                message = f"there is a container '{_SIDECAR}' beside 'frontendSidecar', which makes one"
                yield ("extraPodSpec", "containers", index, "name"), message, "call it something else"
