"""What an API server asks of claims, budgets, config maps, Services, scalers and workloads beyond their schemas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.diagnostics import KeyPath, path_text
from dynagen.text.names import subdomain_problem

MAX_DATA = 1024 * 1024


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG443. Words that a field does not know are left to DG444.

    Sources: pkg/apis/core/validation/validation.go (ValidatePersistentVolumeClaimSpec, ValidateConfigMap, ValidateService),
    pkg/apis/{policy,autoscaling,apps}/validation/validation.go of kubernetes/kubernetes.
    """
    checks = {
        ("", "PersistentVolumeClaim"): _claim,
        ("policy", "PodDisruptionBudget"): _budget,
        ("", "ConfigMap"): _config,
        ("", "Service"): _service,
        ("autoscaling", "HorizontalPodAutoscaler"): _scaler,
        **{("apps", kind): _workload for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")},
    }
    for subject in objects:
        for path, problem in checks.get((subject.group, subject.kind), _nothing)(subject.data):
            findings.add("DG443", subject, path, f"{path_text(path)}: {problem}")


Problems = Iterator[tuple[KeyPath, str]]


def _nothing(data: dict[str, Any]) -> Problems:
    yield from ()


def _claim(data: dict[str, Any]) -> Problems:
    spec = data.get("spec") or {}
    modes = spec.get("accessModes", [])
    if not modes:
        yield ("spec", "accessModes"), "a claim needs an access mode"
    if "" in modes:  # elsewhere an empty word stands for the default
        yield ("spec", "accessModes", modes.index("")), "may not be empty"
    if "ReadWriteOncePod" in modes and set(modes) != {"ReadWriteOncePod"}:
        yield ("spec", "accessModes"), "ReadWriteOncePod goes with no other access mode"
    size = (spec.get("resources") or {}).get("requests", {}).get("storage")
    path: KeyPath = ("spec", "resources", "requests", "storage")
    if size is None:
        yield path, "a claim needs a size"
    elif not set("123456789") & set(str(size).upper().partition("E")[0]) or str(size).startswith("-"):
        yield path, f"'{size}' is not more than zero"
    if spec.get("storageClassName") and (problem := subdomain_problem(spec["storageClassName"])):
        yield ("spec", "storageClassName"), f"'{spec['storageClassName']}' {problem}"


def _budget(data: dict[str, Any]) -> Problems:
    spec = data.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield ("spec", "maxUnavailable"), "a budget has either minAvailable or maxUnavailable"
    for key in ("minAvailable", "maxUnavailable"):
        value = spec.get(key)
        if isinstance(value, str):
            if not (value.isascii() and value[-1:] == "%" and value[:-1].isdecimal()):
                yield ("spec", key), f"'{value}' is no percentage; a number is written without quotes"
            elif int(value[:-1]) > 100:
                yield ("spec", key), f"'{value}' is more than 100%"
        elif value is not None and value < 0:
            yield ("spec", key), f"{value} is less than zero"
    if spec.get("unhealthyPodEvictionPolicy") == "":  # elsewhere an empty word stands for the default
        yield ("spec", "unhealthyPodEvictionPolicy"), "may not be empty"


def _config(data: dict[str, Any]) -> Problems:
    texts, binary = data.get("data", {}), data.get("binaryData", {})
    for key in texts.keys() & binary.keys():
        yield ("data", key), "is in binaryData as well"
    size = sum(len(text.encode("utf-8", "replace")) for text in texts.values()) + sum(
        len(text) * 3 // 4 - text.count("=") for text in binary.values()
    )
    if size > MAX_DATA:
        yield ("data",), f"{size} bytes, {MAX_DATA} are possible"


def _service(data: dict[str, Any]) -> Problems:
    spec = data.get("spec") or {}
    ports = spec.get("ports") or ()
    for index, port in enumerate(ports):
        path: KeyPath = ("spec", "ports", index)
        for key in ("port", "targetPort", "nodePort"):
            number = port.get(key)
            if isinstance(number, int) and not (1 <= number <= 65535 or (key == "nodePort" and number == 0)):
                yield (*path, key), f"{number} is no port: they are from 1 to 65535"
        if len(ports) > 1 and not port.get("name"):
            yield path, "a Service of several ports gives each a name"
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield ("spec", "ports"), "a Service needs a port, unless it is headless"


def _scaler(data: dict[str, Any]) -> Problems:
    spec = data.get("spec") or {}
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 1)
    if most < 1:
        yield ("spec", "maxReplicas"), f"{most} is not more than zero"
    elif least < 0:
        yield ("spec", "minReplicas"), f"{least} is less than zero"
    elif least > most:
        yield ("spec", "minReplicas"), f"{least} is more than maxReplicas ({most})"


def _workload(data: dict[str, Any]) -> Problems:
    spec = data.get("spec") or {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    for key, value in wanted.items():
        if labels.get(key) != value:
            has = f"has '{labels[key]}'" if key in labels else "does not have it"
            yield ("spec", "selector", "matchLabels", key), f"'{value}' is not what the pod template says: it {has}"
