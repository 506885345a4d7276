"""Each of Istio's objects by itself, as its webhook sees it."""

from __future__ import annotations

from collections.abc import Callable

from dynagen.verify.istio.destination_rules import destination_rule_faults
from dynagen.verify.istio.entries import service_entry_faults, workload_entry_faults, workload_group_faults
from dynagen.verify.istio.extensions import (
    envoy_filter_faults,
    proxy_config_faults,
    telemetry_faults,
    traffic_extension_faults,
    wasm_plugin_faults,
)
from dynagen.verify.istio.faults import Fault, Faults
from dynagen.verify.istio.gateways import gateway_faults
from dynagen.verify.istio.mesh import Mesh
from dynagen.verify.istio.policies import (
    authorization_faults,
    peer_authentication_faults,
    request_authentication_faults,
)
from dynagen.verify.istio.reach import unreached
from dynagen.verify.istio.routes import virtual_service_faults
from dynagen.verify.istio.sidecars import sidecar_faults
from dynagen.verify.objects import Object

_KINDS: dict[str, tuple[str, Callable[[Object], Faults]]] = {
    "Gateway": ("DG480", gateway_faults),
    "VirtualService": ("DG481", virtual_service_faults),
    "DestinationRule": ("DG482", destination_rule_faults),
    "AuthorizationPolicy": ("DG483", authorization_faults),
    "PeerAuthentication": ("DG483", peer_authentication_faults),
    "RequestAuthentication": ("DG483", request_authentication_faults),
    "ServiceEntry": ("DG484", service_entry_faults),
    "WorkloadEntry": ("DG484", workload_entry_faults),
    "WorkloadGroup": ("DG484", workload_group_faults),
    "Sidecar": ("DG485", sidecar_faults),
    "Telemetry": ("DG485", telemetry_faults),
    "ProxyConfig": ("DG485", proxy_config_faults),
    "EnvoyFilter": ("DG485", envoy_filter_faults),
    "WasmPlugin": ("DG485", wasm_plugin_faults),
    "TrafficExtension": ("DG485", traffic_extension_faults),
}


def check_webhook(mesh: Mesh) -> None:
    """Reports DG480 to DG485 for what the webhook refuses, DG486 for what it warns of, DG487 for dead routes."""
    for kind, (code, faults) in _KINDS.items():
        for subject in mesh.of_kind(kind):
            for fault in (*_metadata_faults(subject), *faults(subject)):
                if fault.severity == "error":
                    mesh.refuse(code, subject, fault.path, fault.message, fault.hint)
                else:
                    mesh.report("DG486", "IST0133", subject, fault.path, fault.message, fault.hint, fault.severity)
    for subject in mesh.of_kind("VirtualService"):
        for found in unreached(subject.data.get("spec") or {}):
            analyser, severity = ("IST0130", "warning") if found.whole else ("IST0131", "note")
            mesh.report("DG487", analyser, subject, found.path, found.message, found.hint, severity)


def _metadata_faults(subject: Object) -> Faults:
    """Source: validateMetadata in pkg/config/validation/validation.go and pkg/config/constants of istio/istio."""
    annotations = (subject.data.get("metadata") or {}).get("annotations") or {}
    for name in annotations:
        path = ("metadata", "annotations", name)
        if name == "istio.io/dry-run" and subject.kind != "AuthorizationPolicy":
            yield Fault(path, f"dry-run is for an AuthorizationPolicy, not for a {subject.kind}", "drop the annotation")
        elif name in (
            "internal.istio.io/webhook-always-reject",
            "internal.istio.io/parent-namespace",
            "internal.istio.io/parents",
        ):
            yield Fault(path, f"'{name}' is for Istio itself", "drop the annotation")
