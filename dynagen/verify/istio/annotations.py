"""Annotations and labels of Istio on Namespaces, Services and pods.

Source: pkg/config/analysis/analyzers/{annotations,injection,deployment} and pkg/kube/inject/validate.go of istio/istio.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from dynagen.cluster.objects import Object
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath, Report, closest
from dynagen.verify.istio.common import items
from dynagen.verify.istio.hosts import is_block
from dynagen.verify.istio.mesh import Mesh

_IGNORED = ("sidecar.istio.io/status", "gateway.istio.io/controller-version", "istio.io/rev")
_LABEL = "sidecar.istio.io/inject"
_PROXY_USER = 1337
_WORKLOADS = ("Namespace", "Service", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
_QUANTITY = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?"
_BOOLEANS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")


def _known() -> dict[str, tuple[tuple[str, ...], bool]]:
    """For each annotation the kinds that may have it, and whether it is deprecated."""
    lines = (Path(__file__).parent / "annotations.txt").read_text("utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return {name: (tuple(kinds.split(",")), bool(more)) for name, kinds, *more in rows}


def check_annotations(mesh: Mesh) -> None:
    """Reports DG499 for annotations that do nothing or are wrong, for double injection labels, and for the proxy's user."""
    for subject in mesh.objects:
        metadata = subject.data.get("metadata") or {}
        if subject.kind in _WORKLOADS:
            _check(
                mesh,
                subject,
                subject.kind,
                metadata.get("annotations") or {},
                metadata.get("labels") or {},
                ("metadata",),
            )
        if subject.kind == "Namespace":
            _check_namespace(mesh, subject, metadata.get("labels") or {})
    for pod in mesh.pods:
        if pod.template is not None:
            labels = {key: values[0] for key, values in pod.labels.items() if len(values) == 1}
            path = (*pod.template.path, "metadata")
            _check(mesh, pod.template.subject, "Pod", pod.template.annotations, labels, path)
            _check_user(mesh, pod.template)


def _check(
    mesh: Mesh, subject: Object, kind: str, annotations: Mapping[str, str], labels: Mapping[str, str], path: KeyPath
) -> None:
    for name, value in annotations.items():
        if (
            not (name.partition("/")[0].endswith("istio.io") or name == "kubernetes.io/ingress.class")
            or name in _IGNORED
        ):
            continue
        at = (*path, "annotations", name)
        found = mesh.memory.once(_known).get(name)
        if found is None:
            near = closest(name, mesh.memory.once(_known))
            hint = f"did you mean '{near}'?" if near else "drop it"
            mesh.report("DG499", "IST0108", subject, at, f"Istio knows no annotation '{name}'", hint, "warning")
            continue
        kinds, deprecated = found
        if deprecated and not (name == _LABEL and _LABEL in labels):
            hint = f"use the label {_LABEL}" if name == _LABEL else "drop it"
            mesh.report("DG499", "IST0135", subject, at, f"annotation '{name}' is deprecated", hint, "note")
        if "Any" in kinds:
            continue
        if kind not in kinds:
            hint = "put it on " + ("the pod template" if kinds == ("Pod",) else " or ".join(kinds))
            message = f"annotation '{name}' does nothing on a {kind}"
            mesh.report("DG499", "IST0107", subject, at, message, hint, "warning")
        elif (problem := _value_problem(name, str(value))) is not None:
            # The injector refuses such a pod: it is never created.
            severity = "error" if kind == "Pod" and labels.get(_LABEL) == "true" else "warning"
            mesh.report("DG499", "IST0125", subject, at, f"annotation '{name}': {problem}", "", severity)


def _check_namespace(mesh: Mesh, subject: Object, labels: Mapping[str, str]) -> None:
    """Source: analyzers/injection/injection.go."""
    old = labels.get("istio-injection")
    found = [] if old is None else ["istio-injection"]
    if old in (None, "enabled"):
        found += [key for key in ("istio.io/rev", "istio.io/dataplane-mode") if key in labels]
    if len(found) > 1 and subject.name != "istio-system":
        message = f"labels {' and '.join(found)} both say who injects"
        mesh.report(
            "DG499", "IST0123", subject, ("metadata", "labels", found[1]), message, "keep one of them", "warning"
        )


def _check_user(mesh: Mesh, pod: PodTemplate) -> None:
    owner = (pod.subject.data.get("metadata") or {}).get("labels") or {}
    if "istio" in owner or owner.get("release") == "istio":
        return  # parts of Istio itself
    spec = (*pod.path, "spec")
    places = [((*spec, "securityContext"), pod.spec.get("securityContext") or {})]
    for path, container in items(pod.spec, "containers", spec):
        if container.get("name") not in ("istio-proxy", "istio-operator"):
            places.append(((*path, "securityContext"), container.get("securityContext") or {}))
    for path, context in places:
        if context.get("runAsUser") == _PROXY_USER:
            message = f"user {_PROXY_USER} is that of the proxy, whose connections pass by the mesh"
            mesh.report("DG499", "IST0144", pod.subject, (*path, "runAsUser"), message, "use another one", "warning")


def _value_problem(name: str, value: str) -> str | None:
    check = _CHECKS.get(name)
    return check(value) if check else None


def _ports_problem(value: str) -> str | None:
    for part in value.strip().split(",") if value.strip() else ():
        if not _is_number(part.strip(), 9) or int(part) > 65535:
            return f"'{part.strip()}' is no port: the list has single ports, no ranges"
    return None


def _blocks_problem(value: str) -> str | None:
    wrong = [part for part in value.split(",") if not is_block(part)] if value else []
    return f"'{wrong[0]}' is no block of addresses" if wrong else None


def _any_or(check: Callable[[str], str | None]) -> Callable[[str], str | None]:
    return lambda value: None if value == "*" else check(value)


def _one_of(*words: str) -> Callable[[str], str | None]:
    shown = ", ".join(words[-3:])
    return lambda value: None if value in words else f"'{value}' is none of {shown}"


def _is_number(text: str, digits: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= digits


def _number_problem(value: str) -> str | None:
    return None if _is_number(value, 9) else f"'{value}' is no number"


def _port_problem(value: str) -> str | None:
    return None if _is_number(value.strip(), 5) and int(value) <= 65535 else f"'{value}' is no port"


def _interfaces_problem(value: str) -> str | None:
    for part in value.split(",") if value else ():
        if not re.fullmatch("[-a-zA-Z0-9_.:@]{1,15}", part.strip()):
            return f"'{part.strip()}' is no network interface"
    return None


def _quantity_problem(value: str) -> str | None:
    return None if re.fullmatch(_QUANTITY, value) else f"'{value}' is no quantity"


def _config_problem(value: str) -> str | None:
    if not value.strip():
        return None
    from dynagen.text.source import parse

    report = Report()
    documents = parse(value, "proxy.istio.io/config", report)
    if report.failed or len(documents) != 1:
        first = next(iter(report.diagnostics), None)
        return f"no YAML of a ProxyConfig{f': {first.message}' if first else ''}"
    return None if isinstance(documents[0].data, dict) else "no YAML of a ProxyConfig: expected a map"


_CHECKS: dict[str, Callable[[str], str | None]] = {
    "sidecar.istio.io/interceptionMode": _one_of("REDIRECT", "TPROXY", "NONE"),
    "status.sidecar.istio.io/port": _port_problem,
    "readiness.status.sidecar.istio.io/initialDelaySeconds": _number_problem,
    "readiness.status.sidecar.istio.io/periodSeconds": _number_problem,
    "readiness.status.sidecar.istio.io/failureThreshold": _number_problem,
    "traffic.sidecar.istio.io/includeOutboundIPRanges": _any_or(_blocks_problem),
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": _blocks_problem,
    "traffic.sidecar.istio.io/includeInboundPorts": _any_or(_ports_problem),
    "traffic.sidecar.istio.io/excludeInboundPorts": _ports_problem,
    "traffic.sidecar.istio.io/excludeOutboundPorts": _ports_problem,
    "traffic.sidecar.istio.io/excludeInterfaces": _interfaces_problem,
    "traffic.sidecar.istio.io/kubevirtInterfaces": _interfaces_problem,
    "istio.io/reroute-virtual-interfaces": _interfaces_problem,
    "prometheus.istio.io/merge-metrics": _one_of(*_BOOLEANS, "true", "false"),
    "proxy.istio.io/config": _config_problem,
    "sidecar.istio.io/proxyCPU": _quantity_problem,
    "sidecar.istio.io/proxyMemory": _quantity_problem,
    "sidecar.istio.io/proxyCPULimit": _quantity_problem,
    "sidecar.istio.io/proxyMemoryLimit": _quantity_problem,
}
