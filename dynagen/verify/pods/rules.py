"""A pod template in, what the table of its package says about it out: `rules.yaml`."""

from __future__ import annotations

import re
from typing import Any

from dynagen.cluster.apis import Apis
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.text.names import is_env_name, is_port_name, is_subdomain
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


def _is_no_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return True
    return "%" in text


def _is_no_search(domain: str) -> bool:
    """Source: ValidateDNS1123SubdomainWithUnderScore in pkg/apis/core/validation/validation.go."""
    return domain != "." and not is_subdomain(domain.removesuffix(".").replace("_", "a"))


# source: IsValidSysctlName as above; GetNamespace in staging/src/k8s.io/component-helpers/node/util/sysctl/namespace.go
_SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_IPC = ("kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue.")


_FORMS: dict[str, Form] = {
    "absolute-path": lambda path: not path.startswith("/"),
    "env-field": _is_no_field,
    "header": lambda name: not re.fullmatch(r"[-A-Za-z0-9]+", name),
    "ip-address": _is_no_address,
    "ipc-sysctl": lambda name: name.replace("/", ".").startswith(_IPC),
    "network-sysctl": lambda name: name.replace("/", ".").startswith("net."),
    "no-blanks": lambda text: text != text.strip(),
    "search-domain": _is_no_search,
    "subdomain-or-none": lambda text: bool(text) and not is_subdomain(text),
    "sysctl": lambda name: len(name) > 253 or not re.fullmatch(_SYSCTL, name),
    "without-dots": lambda path: ".." in path.split("/"),
    "env-name": lambda text: not is_env_name(text, "1.32"),
    "env-resource": _is_no_resource,
    "inner-path": lambda path: path.startswith("/") or ".." in path.split("/"),
    "older-env-name": lambda text: not is_env_name(text, "1.31"),
    "port": _is_no_port,
}


def prepared() -> Rules:
    return Rules("pods", _FORMS)


def check_rules(template: PodTemplate, apis: Apis, cluster: Cluster, findings: Findings) -> None:
    """Reports DG445 to DG449, DG672 and DG673."""
    rules = cluster.memory.once(prepared)
    words = {"kind": _kind(template, apis), "component": template.component is not None}
    for code, finding in rules.judge("pod", template.spec, ("spec",), cluster.kubernetes_version, **words):
        template.report(findings, code, *finding)


def _kind(template: PodTemplate, apis: Apis) -> str:
    """The pods of a graph are those of Deployments, unless Grove makes them, which has a word of its own about restarts."""
    if template.component is None:
        return template.subject.kind
    return "PodCliqueSet" if apis.has_grove(template.component.graph) else "graph"


def check_variables(graph: Object, cluster: Cluster, findings: Findings) -> None:
    """Reports DG445 for the variables of a graph, which are for all of its components."""
    for code, finding in cluster.memory.once(prepared).judge("graph", graph.data, (), cluster.kubernetes_version):
        findings.add(code, graph, *finding)
