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
from dynagen.text.versions import Version

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def check_lifecycle(template: PodTemplate, release: Version, findings: Findings) -> None:
    """Reports DG448."""
    for path, container in template.containers():
        watched = path[1] == "containers" or container.get("restartPolicy") == "Always"
        handlers = list(_handlers(container, path))
        found = list(_idle(handlers, _filling(template, container, release), watched))
        for finding in (
            *found,
            *_sleeps(handlers, template),
            *(_named_ports(handlers, template, container) if watched else ()),
        ):
            template.report(findings, "DG448", *finding)


def _handlers(container: dict[str, Any], path: KeyPath) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    hooks = (container.get("lifecycle") or {}).items()
    for at, handler in (
        *(((*path, probe), container.get(probe)) for probe in _PROBES),
        *(((*path, "lifecycle", hook), handler) for hook, handler in hooks),
    ):
        if isinstance(handler, dict):
            yield at, handler


def _filling(template: PodTemplate, container: dict[str, Any], release: Version) -> str:
    """What the operator does with a probe that asks nothing: `keeps` it, takes what is set over its own, or is `unsure`.

    Source: mergeContainerByName in deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo, which puts a probe of the
    container `main` in the place of the whole default since it works with v1beta1 (commit d50a02f75, release 1.2).
    """
    if not template.operator_fills(container):
        return "keeps"
    return "replaces" if container.get("name") == MAIN and release >= (1, 2, 0) else "unsure"


def _sleeps(handlers: list[tuple[KeyPath, dict[str, Any]]], template: PodTemplate) -> Iterator[Finding]:
    """Source: validateSleepAction in pkg/apis/core/validation/validation.go of k8s.io/kubernetes v1.37.2."""
    given = template.spec.get("terminationGracePeriodSeconds")
    grace = given if isinstance(given, int) else 60 if template.component else 30
    for path, handler in handlers:
        seconds = (handler.get("sleep") or {}).get("seconds")
        if isinstance(seconds, int) and seconds > grace:
            message = f"'{path[-1]}' sleeps {seconds} seconds, and the pod has {grace} to end"
            yield Finding(
                (*path, "sleep", "seconds"), message, "a larger 'terminationGracePeriodSeconds', or a shorter sleep"
            )


def _idle(handlers: list[tuple[KeyPath, dict[str, Any]]], filling: str, watched: bool) -> Iterator[Finding]:
    for path, handler in handlers:
        if any(handler.get(each) is not None for each in _HANDLERS):
            continue
        message, is_probe = f"'{path[-1]}' says nothing to ask or to do", path[-1] in _PROBES
        if filling == "replaces" and is_probe:
            hint = "it takes the place of the operator's own as a whole, and the pod is refused: write all of it, or leave it out"
            yield Finding(path, message, hint)
        elif filling == "unsure" and is_probe:
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
