"""GatewayClasses by name: those of GKE and of Istio are there, and a name that is nearly one of them is a slip.

source: docs.cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities, and
docs/concepts/about-persistent-ip-addresses-for-gke-pods there; pkg/config/constants/constants.go
and pilot/pkg/config/kube/gateway of istio/istio
"""

from __future__ import annotations

from dynagen.cluster.objects import Findings, mapping
from dynagen.verify.references.known import Known

_GROUP = "gateway.networking.k8s.io"
_CLASSES = (
    "gke-l7-cross-regional-internal-managed-mc", "gke-l7-global-external-managed",
    "gke-l7-global-external-managed-mc", "gke-l7-gxlb", "gke-l7-gxlb-mc", "gke-l7-regional-external-managed",
    "gke-l7-regional-external-managed-mc", "gke-l7-rilb", "gke-l7-rilb-mc", "istio", "istio-agentgateway",
    "istio-east-west", "istio-remote", "istio-waypoint",
)  # fmt: skip
# More of GKE's, of which new ones come: of static addresses, and of load balancers that pass packets through.
_FAMILIES = ("gke-persistent-", "gke-passthrough-")


def check_classes(known: Known, findings: Findings) -> None:
    """Reports DG470, as a warning: a cluster may have classes that nobody told us of."""
    for subject in known.objects:
        if (subject.group, subject.kind) != (_GROUP, "Gateway"):
            continue
        name = str(mapping(subject.data.get("spec")).get("gatewayClassName") or "")
        if (
            not name
            or name in _CLASSES
            or name.startswith(_FAMILIES)
            or known.find(_GROUP, "GatewayClass", None, name)
            or not known.may_search()
        ):
            continue
        import difflib

        near = difflib.get_close_matches(name.lower(), _CLASSES, 1, 0.85)
        if near:
            said = known.cluster.declaring.format(f"GatewayClass/{name}")
            message = f"neither GKE nor Istio has a GatewayClass '{name}'"
            hint = f"did you mean '{near[0]}'? else say that the cluster has it: {said}"
            path = ("spec", "gatewayClassName")
            findings.add("DG470", subject, path, message, hint, "warning", cause=message)
