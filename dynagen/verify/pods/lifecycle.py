"""Probes and hooks of a pod template that say nothing, or ask a port that is not there.

Source: validateHandler in pkg/apis/core/validation/validation.go of k8s.io/kubernetes v1.37.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.graphs import MAIN
from dynagen.cluster.objects import Findings
from dynagen.cluster.operator import PORTS
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import Finding, KeyPath, closest
from dynagen.text.names import is_port_name

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def check_lifecycle(template: PodTemplate, findings: Findings) -> None:
    """Reports DG448."""
    for path, container in template.containers():
        watched = path[1] == "containers" or container.get("restartPolicy") == "Always"
        handlers = list(_handlers(container, path))
        found = list(_idle(handlers, template.operator_fills(container), watched))
        for finding in (*found, *(_named_ports(handlers, template, container) if watched else ())):
            template.report(findings, "DG448", *finding)


def _handlers(container: dict[str, Any], path: KeyPath) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    hooks = (container.get("lifecycle") or {}).items()
    for at, handler in (
        *(((*path, probe), container.get(probe)) for probe in _PROBES),
        *(((*path, "lifecycle", hook), handler) for hook, handler in hooks),
    ):
        if isinstance(handler, dict):
            yield at, handler


def _idle(handlers: list[tuple[KeyPath, dict[str, Any]]], filled: bool, watched: bool) -> Iterator[Finding]:
    for path, handler in handlers:
        if any(handler.get(each) is not None for each in _HANDLERS):
            continue
        message, is_probe = f"'{path[-1]}' says nothing to ask or to do", path[-1] in _PROBES
        if filled and is_probe:
            # NVIDIA's own examples have such a probe; mergeContainerByName in deploy/operator/internal/dynamo/graph.go
            # of ai-dynamo/dynamo puts it in the place of the whole default.
            hint = "the operator may take it instead of its own, which asks: write all of it, or leave it out"
            yield Finding(path, message, hint, "note")
        elif watched:
            yield Finding(path, message, "one of exec, httpGet, tcpSocket" + (", grpc" if is_probe else ", sleep"))


def _named_ports(
    handlers: list[tuple[KeyPath, dict[str, Any]]], template: PodTemplate, container: dict[str, Any]
) -> Iterator[Finding]:
    """The kubelet looks for the name among the ports of the container itself, and fails the probe when there is none.

    Source: ResolveContainerPort in pkg/probe/util.go of k8s.io/kubernetes v1.37.2.
    """
    known = {str(port["name"]) for port in container.get("ports") or () if port.get("name")}
    if template.component is not None and template.operator_fills(container):
        role = "frontend" if container.get("name") != MAIN else template.component.type
        if role not in PORTS:
            return
        known |= set(PORTS[role])
    for at, handler in handlers:
        for kind in ("httpGet", "tcpSocket"):
            name = (handler.get(kind) or {}).get("port")
            if isinstance(name, str) and is_port_name(name) and name not in known:
                near = closest(name, known)
                there = "ports with a name: " + (", ".join(sorted(known)) or "none")
                message = f"'{at[-1]}' asks port '{name}', which container '{container.get('name')}' has not"
                yield Finding((*at, kind, "port"), message, f"did you mean '{near}'?" if near else there)
