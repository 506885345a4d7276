"""What an API server asks of claims, budgets, config maps, Services, scalers, workloads and Ingresses beyond their schemas.

Sources: pkg/apis/core/validation/validation.go (ValidatePersistentVolumeClaimSpec, ValidateConfigMap, ValidateService),
pkg/apis/{policy,autoscaling,apps}/validation/validation.go of kubernetes/kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.diagnostics import Finding, KeyPath, path_text
from dynagen.text.names import key_problem
from dynagen.verify.predicates import Form
from dynagen.verify.table import Rules

MAX_DATA = 1024 * 1024


def _amount_problem(value: Any) -> str:
    """Of a number, or a percentage."""
    if not isinstance(value, str):
        return f"{value} is less than zero" if value < 0 else ""
    if not (value.isascii() and value[-1:] == "%" and value[:-1].isdecimal()):
        return f"'{value}' is no percentage; a number is written without quotes"
    return f"'{value}' is more than 100%" if int(value[:-1]) > 100 else ""


_FORMS: dict[str, Form] = {
    "amount": _amount_problem,
    "provisioner": lambda name: key_problem(name.lower()),
    "port-number": lambda port: isinstance(port, int) and not 1 <= port <= 65535,
}


def prepared() -> Rules:
    return Rules("workloads", _FORMS)


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG443. What can be said of one map is in `rules.yaml`; the rest is by the same sources."""
    checks = {
        "PersistentVolumeClaim": _claim,
        "policy/PodDisruptionBudget": _budget,
        "ConfigMap": _config,
        "Namespace": _namespace,
        "networking.k8s.io/NetworkPolicy": _policy,
        "Service": _service,
        "autoscaling/HorizontalPodAutoscaler": _scaler,
        **{f"apps/{kind}": _workload for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")},
    }
    for subject in objects:
        scope = f"{subject.group}/{subject.kind}" if subject.group else subject.kind
        found = [
            each for _, each in cluster.memory.once(prepared).judge(scope, subject.data, (), cluster.kubernetes_version)
        ]
        if scope in checks:
            found += checks[scope](subject.data)
        for each in found:
            findings.add("DG443", subject, each.path, f"{path_text(each.path)}: {each.message}", each.hint)


# source: api/helpers.go and api/constants.go of kubernetes/pod-security-admission
_POD_SECURITY = "pod-security.kubernetes.io/"


def _namespace(data: dict[str, Any]) -> Iterator[Finding]:
    labels = (data.get("metadata") or {}).get("labels") or {}
    for mode in ("enforce", "audit", "warn"):
        value = labels.get(_POD_SECURITY + mode)
        if value is not None and value not in ("privileged", "baseline", "restricted"):
            path: KeyPath = ("metadata", "labels", _POD_SECURITY + mode)
            yield Finding(path, f"'{value}' is no level; privileged, baseline and restricted are possible")


def _policy(data: dict[str, Any]) -> Iterator[Finding]:
    """source: ValidateNetworkPolicyPort in pkg/apis/networking/validation/validation.go"""
    spec = data.get("spec") or {}
    for way in ("ingress", "egress"):
        for number, rule in enumerate(spec.get(way) or ()):
            for index, port in enumerate((rule or {}).get("ports") or ()):
                end, first = port.get("endPort"), port.get("port")
                path: KeyPath = ("spec", way, number, "ports", index, "endPort")
                if end is None:
                    continue
                if not isinstance(first, int):
                    yield Finding(path, "needs a 'port' that is a number")
                elif not first <= end <= 65535:
                    yield Finding(path, f"{end} is not between {first} and 65535")


def _claim(data: dict[str, Any]) -> Iterator[Finding]:
    spec = data.get("spec") or {}
    modes, size = spec.get("accessModes", []), (spec.get("resources") or {}).get("requests", {}).get("storage")
    if "" in modes:  # elsewhere an empty word stands for the default
        yield Finding(("spec", "accessModes", modes.index("")), "may not be empty")
    if "ReadWriteOncePod" in modes and set(modes) != {"ReadWriteOncePod"}:
        yield Finding(("spec", "accessModes"), "ReadWriteOncePod goes with no other access mode")
    if size is not None and (
        not set("123456789") & set(str(size).upper().partition("E")[0]) or str(size).startswith("-")
    ):
        yield Finding(("spec", "resources", "requests", "storage"), f"'{size}' is not more than zero")


def _budget(data: dict[str, Any]) -> Iterator[Finding]:
    spec = data.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield Finding(("spec", "maxUnavailable"), "a budget has either minAvailable or maxUnavailable")


def _config(data: dict[str, Any]) -> Iterator[Finding]:
    texts, binary = data.get("data", {}), data.get("binaryData", {})
    for key in texts.keys() & binary.keys():
        yield Finding(("data", key), "is in binaryData as well")
    size = sum(len(text.encode("utf-8", "replace")) for text in texts.values()) + sum(
        len(text) * 3 // 4 - text.count("=") for text in binary.values()
    )
    if size > MAX_DATA:
        yield Finding(("data",), f"{size} bytes, {MAX_DATA} are possible")


def _service(data: dict[str, Any]) -> Iterator[Finding]:
    ports = (data.get("spec") or {}).get("ports") or ()
    for index, port in enumerate(ports if len(ports) > 1 else ()):
        if not port.get("name"):
            yield Finding(("spec", "ports", index), "a Service of several ports gives each a name")


def _scaler(data: dict[str, Any]) -> Iterator[Finding]:
    spec = data.get("spec") or {}
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 1)
    if least > most >= 1:
        yield Finding(("spec", "minReplicas"), f"{least} is more than maxReplicas ({most})")


def _workload(data: dict[str, Any]) -> Iterator[Finding]:
    spec = data.get("spec") or {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    for key, value in wanted.items():
        if labels.get(key) != value:
            has = f"has '{labels[key]}'" if key in labels else "does not have it"
            path: KeyPath = ("spec", "selector", "matchLabels", key)
            yield Finding(path, f"'{value}' is not what the pod template says: it {has}")
