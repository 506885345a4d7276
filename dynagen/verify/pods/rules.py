"""A pod template in, what the table of its package says about it out: `rules.yaml`."""

from __future__ import annotations

from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.text.names import is_env_name, is_port_name
from dynagen.verify.predicates import Form
from dynagen.verify.table import Rules

_FIELDS = {
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
}  # fmt: skip


def _is_no_field(field: str) -> bool:
    bare, bracket, _ = field.partition("[")
    return field not in _FIELDS and not (bracket and bare in ("metadata.labels", "metadata.annotations"))


def _is_no_resource(resource: str) -> bool:
    section, _, name = resource.partition(".")
    known = name in ("cpu", "memory", "ephemeral-storage") or name.startswith("hugepages-")
    return section not in ("limits", "requests") or not known


def _is_no_port(port: Any) -> bool:
    return not is_port_name(port) if isinstance(port, str) else isinstance(port, int) and not 1 <= port <= 65535


_FORMS: dict[str, Form] = {
    "env-field": _is_no_field,
    "env-name": lambda text: not is_env_name(text, "1.32"),
    "env-resource": _is_no_resource,
    "inner-path": lambda path: path.startswith("/") or ".." in path.split("/"),
    "older-env-name": lambda text: not is_env_name(text, "1.31"),
    "port": _is_no_port,
}


def prepared() -> Rules:
    return Rules("pods", _FORMS)


def check_rules(template: PodTemplate, cluster: Cluster, findings: Findings) -> None:
    """Reports DG445, DG446, DG448 and DG449."""
    rules = cluster.memory.once(prepared)
    words = {"kind": template.subject.kind, "component": template.component is not None}
    for code, finding in rules.judge("pod", template.spec, ("spec",), cluster.kubernetes_version, **words):
        template.report(findings, code, *finding)


def check_variables(graph: Object, cluster: Cluster, findings: Findings) -> None:
    """Reports DG445 for the variables of a graph, which are for all of its components."""
    for code, finding in cluster.memory.once(prepared).judge("graph", graph.data, (), cluster.kubernetes_version):
        findings.add(code, graph, *finding)
