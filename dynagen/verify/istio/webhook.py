"""Each of Istio's objects by itself, as its webhook sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding
from dynagen.verify.istio.mesh import Mesh

# For each kind the code, and the function that finds them: a module is read when there is an object for it.
_KINDS = {
    "Gateway": ("DG480", "gateways", "gateway_findings"),
    "VirtualService": ("DG481", "routes", "virtual_service_findings"),
    "DestinationRule": ("DG482", "destination_rules", "destination_rule_findings"),
    "AuthorizationPolicy": ("DG483", "policies", "authorization_findings"),
    "PeerAuthentication": ("DG483", "policies", "peer_authentication_findings"),
    "RequestAuthentication": ("DG483", "policies", "request_authentication_findings"),
    "Telemetry": ("DG485", "extensions", "telemetry_findings"),
    "EnvoyFilter": ("DG485", "extensions", "envoy_filter_findings"),
}


def check_webhook(mesh: Mesh) -> None:
    """Reports DG480 to DG485 for what the webhook refuses, DG486 for what it warns of, DG487 for dead routes."""
    for kind, (code, module, function) in _KINDS.items():
        subjects = mesh.of_kind(kind)
        if not subjects:
            continue
        find: Callable[[Object], Iterator[Finding]] = getattr(import_module(f"dynagen.verify.istio.{module}"), function)
        for subject in subjects:
            for finding in (*_metadata_findings(subject), *find(subject)):
                if finding.severity == "error":
                    mesh.refuse(code, subject, finding.path, finding.message, finding.hint)
                else:
                    mesh.report(
                        "DG486", "IST0133", subject, finding.path, finding.message, finding.hint, finding.severity
                    )
    if not mesh.of_kind("VirtualService"):
        return
    from dynagen.verify.istio.reach import unreached

    for subject in mesh.of_kind("VirtualService"):
        for found in unreached(subject.data.get("spec") or {}):
            analyser, severity = ("IST0130", "warning") if found.whole else ("IST0131", "note")
            mesh.report("DG487", analyser, subject, found.path, found.message, found.hint, severity)


def _metadata_findings(subject: Object) -> Iterator[Finding]:
    """Source: validateMetadata in pkg/config/validation/validation.go and pkg/config/constants of istio/istio."""
    annotations = (subject.data.get("metadata") or {}).get("annotations") or {}
    for name in annotations:
        path = ("metadata", "annotations", name)
        if name == "istio.io/dry-run" and subject.kind != "AuthorizationPolicy":
            yield Finding(
                path, f"dry-run is for an AuthorizationPolicy, not for a {subject.kind}", "drop the annotation"
            )
        elif name in (
            "internal.istio.io/webhook-always-reject",
            "internal.istio.io/parent-namespace",
            "internal.istio.io/parents",
        ):
            yield Finding(path, f"'{name}' is for Istio itself", "drop the annotation")
