"""Containers of a pod template: names and host ports that only one may have.

Source: validateInitContainers and checkHostPortConflicts in pkg/apis/core/validation/validation.go of k8s.io/kubernetes
v1.37.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Findings
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.text.names import is_dns_label
from dynagen.verify.finding import Finding


def check_containers(template: PodTemplate, findings: Findings) -> None:
    """Reports DG445."""
    for finding in (*_names(template), *_host_ports(template)):
        template.report(findings, "DG445", *finding)


def _names(template: PodTemplate) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for path, container in template.containers():
        name, kind = str(container.get("name", "")), str(path[1])
        if is_dns_label(name) and seen.setdefault(name, kind) != kind:  # twice in one list is DG213
            message = f"there is an init container '{name}' already"
            yield Finding((*path, "name"), message, "names are unique in a pod")


def _host_ports(template: PodTemplate) -> Iterator[Finding]:
    host_network = template.spec.get("hostNetwork", False)
    used: set[tuple[Any, ...]] = set()
    for index, container in enumerate(template.spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort") or 0
            at = ("spec", "containers", index, "ports", number, "hostPort")
            if host_network and host not in (0, port.get("containerPort")):
                message = f"'hostPort' is {host}, 'containerPort' is {port.get('containerPort')}"
                yield Finding(at, message, "with 'hostNetwork' they are the same")
            key = (port.get("protocol") or "TCP", port.get("hostIP"), host)
            if host and key in used:
                yield Finding(at, f"host port {host} is taken by another port of this pod")
            used.add(key)
