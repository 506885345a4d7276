"""DestinationRules and EnvoyFilters that do nothing, or not what they seem to.

Source: pkg/config/analysis/analyzers/{destinationrule,envoyfilter} of istio/istio.
"""

from __future__ import annotations

from typing import Any

from dynagen.cluster.objects import Object
from dynagen.cluster.operator import service_name
from dynagen.cluster.pods import Pod
from dynagen.verify.istio.common import items
from dynagen.verify.istio.hosts import CLUSTER_DOMAIN, full_name
from dynagen.verify.istio.mesh import Mesh, is_selected

_RELATIVE = ("REMOVE", "REPLACE", "INSERT_BEFORE", "INSERT_AFTER")
_WITHOUT_ADD = ("ROUTE_CONFIGURATION", "HTTP_ROUTE")
_WITH_REPLACE = ("NETWORK_FILTER", "HTTP_FILTER", "VIRTUAL_HOST")


def check_rules(mesh: Mesh) -> None:
    """Reports DG494, DG497 and DG498."""
    for rule in mesh.of_kind("DestinationRule"):
        _check_host(mesh, rule)
        _check_verification(mesh, rule)
    for patches in mesh.of_kind("EnvoyFilter"):
        _check_operations(mesh, patches)


def _check_host(mesh: Mesh, rule: Object) -> None:
    """Reports DG497: a host that is none, subsets that no pod of the host is in."""
    spec = rule.data.get("spec") or {}
    host = spec.get("host", "")
    meant = mesh.misread(host)
    if meant:
        message = f"'{host}' is no host of the mesh: a name with a dot is taken as it stands"
        mesh.report("DG497", "IST0174", rule, ("spec", "host"), message, f"write '{meant}'", "warning")
        return
    pods = _pods_of_host(mesh, full_name(host, rule.namespace))
    for path, subset in items(spec, "subsets", ("spec",)) if pods else ():
        labels = subset.get("labels") or {}
        if all(is_selected(pod, labels) is False for pod in pods):
            wrong = next(iter(sorted(key for key, value in labels.items() if _nowhere(pods, key, value))), None)
            shown = f": none has {wrong}={labels[wrong]}" if wrong else ""
            message = f"subset '{subset.get('name', '')}' selects no pod of '{host}'{shown}"
            values = sorted({value for pod in pods for value in pod.labels.get(wrong, ())}) if wrong else []
            hint = f"there is {', '.join(values)}" if values else "requests to it get 503"
            mesh.report("DG497", "IST0173", rule, (*path, "labels", *([wrong] if wrong else [])), message, hint)


def _nowhere(pods: list[Pod], key: str, value: str) -> bool:
    return all(is_selected(pod, {key: value}) is False for pod in pods)


def _pods_of_host(mesh: Mesh, host: str) -> list[Pod]:
    """The pods behind a Service; none when they are not all known."""
    service = mesh.services.get(host)
    if service is None or not host.endswith(CLUSTER_DOMAIN):
        return []
    if service.selector is None and service.ports is None:  # made by Dynamo's operator, for one component
        return [
            pod for pod in mesh.pods
            if pod.source is service.owner and pod.template and pod.template.component
            and full_name(service_name(pod.template.component), service.namespace) == host
        ]  # fmt: skip
    if not service.selector or any(each.namespace == service.namespace for each in mesh.workloads):
        return []
    return [
        pod
        for pod in mesh.pods
        if pod.namespace == service.namespace and is_selected(pod, service.selector) is not False
    ]


def _check_verification(mesh: Mesh, rule: Object) -> None:
    """Reports DG498 for TLS that takes any certificate."""
    spec = rule.data.get("spec") or {}
    policy = spec.get("trafficPolicy") or {}
    ports = [
        ((*path, "tls"), each.get("tls"))
        for path, each in items(policy, "portLevelSettings", ("spec", "trafficPolicy"))
    ]
    for path, tls in ((("spec", "trafficPolicy", "tls"), policy.get("tls")), *ports):
        if not tls or tls.get("mode") not in ("SIMPLE", "MUTUAL") or tls.get("caCertificates"):
            continue
        if tls.get("credentialName") and "workloadSelector" in spec:
            continue
        analyser = "IST0129" if "portLevelSettings" in path else "IST0128"
        message = f"{tls['mode']} without caCertificates does not say which servers to trust"
        hint = "name the file, or 'system' for the certificates of the image"
        mesh.report("DG498", analyser, rule, path, message, hint, "warning")


def _check_operations(mesh: Mesh, subject: Object) -> None:
    """Reports DG494 for an operation that is ignored, and for one whose order nobody knows."""
    spec = subject.data.get("spec") or {}
    seen: set[str] = set()
    for path, patch in items(spec, "configPatches", ("spec",)):
        change, match = patch.get("patch"), patch.get("match") or {}
        if change is None:
            return
        operation, kind = change.get("operation", "INVALID"), patch.get("applyTo", "INVALID")
        at = (*path, "patch", "operation")
        ignored = {
            "ADD": ("IST0153", kind in _WITHOUT_ADD),
            "REMOVE": ("IST0154", kind in _WITHOUT_ADD),
            "REPLACE": ("IST0152", kind not in _WITH_REPLACE),
        }.get(operation, ("", False))
        name = _filter_name(change, match)
        if ignored[1]:
            message = f"Istio ignores {operation} for {kind}"
            hint = "use MERGE, or INSERT_FIRST for HTTP_ROUTE" if operation != "REPLACE" else "use MERGE"
            mesh.report("DG494", ignored[0], subject, at, message, hint)
        elif operation in _RELATIVE and not spec.get("priority"):
            analyser = "IST0155" if name in seen else "IST0151"
            message = f"{operation} depends on what other EnvoyFilters did before, and their order is not known"
            mesh.report(
                "DG494", analyser, subject, at, message, "set spec.priority, or use INSERT_FIRST or ADD", "warning"
            )
        if (match.get("proxy") or {}).get("proxyVersion"):
            seen.add(name)


def _filter_name(change: dict[str, Any], match: dict[str, Any]) -> str:
    value = change.get("value") or {}
    if not value:
        return ""
    if "name" in value:
        return str(value["name"])
    chain = (match.get("listener") or {}).get("filterChain") or {}
    return str((chain.get("filter") or {}).get("name", ""))
