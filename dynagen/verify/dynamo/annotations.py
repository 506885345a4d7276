"""Annotations that Dynamo's operator reads.

Source: validateObjectMeta and validateDGDComponentPowerAnnotation in
deploy/operator/internal/webhook/validation/dynamographdeployment.go, dgdDRAPath in dynamographdeployment_helpers.go,
invalidVLLMDistributedExecutorBackendAnnotation in shared_helpers.go, deploy/operator/internal/consts/consts.go of
ai-dynamo/dynamo.
"""

from __future__ import annotations

import re

from dynagen.cluster.graphs import Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import KeyPath, closest

_ORIGIN, _EXECUTOR = "nvidia.com/dynamo-operator-origin-version", "nvidia.com/vllm-distributed-executor-backend"
_DISCOVERY, _POWER = "nvidia.com/dynamo-kube-discovery-mode", "dynamo.nvidia.com/gpu-power-limit"

# The words, and the release from which a wrong one is refused; before, it is passed over.
_WORDS = {
    "nvidia.com/grove-update-strategy": (("RollingRecreate", "OnDelete", "Coherent"), (1, 4, 0)),
    _DISCOVERY: (("pod", "container"), (1, 2, 0)),
    "nvidia.com/workload-provider": (("component", "grove", "disaggregatedset"), (1, 5, 0)),
}
# semver.NewVersion of github.com/Masterminds/semver/v3: parts may be missing.
_IDENTIFIERS = r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*"
_SEMVER = rf"v?[0-9]+(\.[0-9]+)?(\.[0-9]+)?(-{_IDENTIFIERS})?(\+{_IDENTIFIERS})?"


def check_annotations(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    """Reports DG457: rules 12 and 18."""
    if not graph.alone:
        _check_graph(graph, cluster, findings)
    for component in graph.components:
        annotations = (component.template.get("metadata") or {}).get("annotations") or {}
        path: KeyPath = ("podTemplate", "metadata", "annotations")
        executor = annotations.get(_EXECUTOR)
        # For v1beta1 the CRD says so itself from 1.4 on.
        if executor is not None and _is_wrong(executor) and (graph.is_alpha or cluster.release < (1, 4, 0)):
            component.report(findings, "DG457", (*path, _EXECUTOR), _text(_EXECUTOR, executor), "mp or ray")
        if _POWER in annotations and not graph.alone and cluster.release >= (1, 5, 0):
            _check_power(component, str(annotations[_POWER]), (*path, _POWER), findings)


def _check_graph(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    annotations, path = graph.annotations, ("metadata", "annotations")
    origin, executor = annotations.get(_ORIGIN), annotations.get(_EXECUTOR)
    if origin is not None and not re.fullmatch(_SEMVER, origin):
        hint = "leave it out: the operator writes it, as a version"
        graph.report(findings, "DG457", (*path, _ORIGIN), _text(_ORIGIN, origin), hint)
    if executor is not None and _is_wrong(executor):
        graph.report(findings, "DG457", (*path, _EXECUTOR), _text(_EXECUTOR, executor), "mp or ray")
    for key, (words, since) in _WORDS.items():
        value = annotations.get(key)
        if value is not None and value not in words and cluster.release >= since:
            near = closest(value, words)
            hint = f"did you mean '{near}'?" if near else "one of " + ", ".join(words)
            graph.report(findings, "DG457", (*path, key), _text(key, value), hint)
    if cluster.release < (1, 2, 0) or annotations.get(_DISCOVERY) == "container":
        return
    for component in graph.components:
        failover = component.experimental.get("failover")
        if failover is not None and failover.get("mode") != "InterPod":
            message = f"'failover' of mode IntraPod needs the annotation '{_DISCOVERY}: container' on the graph"
            component.report(findings, "DG457", ("experimental", "failover"), message, "set it, or mode InterPod")


def _check_power(component: Component, value: str, path: KeyPath, findings: Findings) -> None:
    if not re.fullmatch(r"[+-]?[0-9]+", value) or int(value) <= 0:
        component.report(findings, "DG457", path, _text(_POWER, value), "watts, a whole number above 0")
    claims = any(
        (container.get("resources") or {}).get("claims")
        for field in ("containers", "initContainers")
        for container in component.pod.get(field) or ()
    )
    if claims or "gpuMemoryService" in component.experimental:
        message = f"'{_POWER}' does not go together with devices that are claimed"
        component.report(findings, "DG457", path, message, "leave it out, or ask for nvidia.com/gpu")


def _is_wrong(executor: str) -> bool:
    return executor.lower() not in ("mp", "ray")


def _text(key: str, value: str) -> str:
    return f"the annotation '{key}' is '{value}'"
