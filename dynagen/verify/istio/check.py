"""Istio's objects, and Istio's annotations on others: what its webhook refuses, and what `istioctl analyze` complains of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import pod_templates

if TYPE_CHECKING:
    from dynagen.verify.istio.mesh import Mesh


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG479 to DG499 and DG650. A stream in which nothing speaks of Istio costs a look at its labels and annotations."""
    if not any(_speaks_of_istio(subject) for subject in objects):
        return
    from dynagen.verify.istio.annotations import check_annotations
    from dynagen.verify.istio.mesh import Mesh

    mesh = Mesh(objects, cluster, findings)
    check_annotations(mesh)
    if any(subject.group.endswith(".istio.io") for subject in objects):
        _check_kinds(mesh)


def _check_kinds(mesh: Mesh) -> None:
    """Istio's own objects. What looks at a kind is read when there is one."""
    from dynagen.verify.istio.webhook import check_webhook

    check_webhook(mesh)
    if len(mesh.of_kind("VirtualService")) > 1 or mesh.has("Gateway", "Telemetry"):
        from dynagen.verify.istio.conflicts import check_gateways, check_hosts, check_selectors

        check_hosts(mesh)
        check_gateways(mesh)
        check_selectors(mesh)
    if len(mesh.of_kind("VirtualService")) > 1:
        from dynagen.verify.istio.merging import check_merged

        check_merged(mesh)
    if mesh.has("VirtualService", "AuthorizationPolicy", "Telemetry"):
        from dynagen.verify.istio.resolution import check_destinations, check_providers

        check_destinations(mesh)
        check_providers(mesh)
    if mesh.has("VirtualService", "Gateway"):
        from dynagen.verify.istio.serving import check_serving

        check_serving(mesh)
    if mesh.has("PeerAuthentication"):
        from dynagen.verify.istio.strictness import check_strictness

        check_strictness(mesh)
    if mesh.has("DestinationRule", "EnvoyFilter"):
        from dynagen.verify.istio.idle_rules import check_rules

        check_rules(mesh)


def _speaks_of_istio(subject: Object) -> bool:
    if subject.group.endswith(".istio.io"):
        return True
    parts = [subject.data, *(template.data for template in pod_templates([subject]))]
    return any(_names_istio(data.get("metadata")) for data in parts)


def _names_istio(metadata: dict[str, Any] | None) -> bool:
    return any("istio" in name for key in ("labels", "annotations") for name in (metadata or {}).get(key) or ())
