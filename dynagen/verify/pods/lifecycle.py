"""Probes, hooks and restarts: when containers of a pod template start and stop.

Source: validateProbe, validateHandler, validateInitContainers and validateContainers in
pkg/apis/core/validation/validation.go; ValidatePodTemplateSpecForReplicaSet in pkg/apis/apps/validation/validation.go,
validatePodTemplateSpec in pkg/apis/batch/validation/validation.go; all of k8s.io/kubernetes v1.37.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.graphs import MAIN
from dynagen.cluster.objects import Findings
from dynagen.cluster.operator import PORTS
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath, closest
from dynagen.text.names import is_port_name, minor

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_ALWAYS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController")

Problem = tuple[KeyPath, str, str]


def check_lifecycle(template: PodTemplate, kubernetes: str, findings: Findings) -> None:
    """Reports DG448."""
    for problem in (*_pod(template), *_containers(template, kubernetes)):
        template.report(findings, "DG448", *problem)
    for path, container in template.containers():
        for probe in _PROBES if template.operator_fills(container) else ():
            # NVIDIA's own examples have such a probe; mergeContainerByName in deploy/operator/internal/dynamo/graph.go
            # of ai-dynamo/dynamo puts it in the place of the whole default.
            if container.get(probe) is not None and not _handlers(container[probe]):
                message = f"'{probe}' says nothing to ask or to do"
                hint = "the operator may take it instead of its own, which asks: write all of it, or leave it out"
                template.report(findings, "DG448", (*path, probe), message, hint, "note")


def _pod(template: PodTemplate) -> Iterator[Problem]:
    kind, policy = template.subject.kind, template.spec.get("restartPolicy") or ""
    if template.component is None and kind in _ALWAYS and policy in ("OnFailure", "Never"):
        yield ("spec", "restartPolicy"), f"pods of a {kind} restart always, not '{policy}'", "leave it out"
    if kind in ("Job", "CronJob") and policy in ("", "Always"):
        message = "'restartPolicy' is not set, which means Always" if not policy else "'restartPolicy' is 'Always'"
        yield ("spec", "restartPolicy"), f"{message}: a job would not end", "OnFailure or Never"
    deadline = template.spec.get("activeDeadlineSeconds")
    if deadline is not None and (kind in _ALWAYS or deadline < 1):
        hint = "pods of a job have it, the others live on" if kind in _ALWAYS else "1 or more"
        yield ("spec", "activeDeadlineSeconds"), f"'activeDeadlineSeconds' is {deadline}", hint


def _containers(template: PodTemplate, kubernetes: str) -> Iterator[Problem]:
    for path, container in template.containers():
        name, policy = container.get("name"), container.get("restartPolicy")
        init, fields = path[1] == "initContainers", [*_PROBES, "lifecycle"]
        if init and policy != "Always":
            for field in fields:
                if container.get(field) is not None:
                    hint = "only those with 'restartPolicy: Always' are watched"
                    yield (*path, field), f"init container '{name}' has '{field}'", hint
            # ContainerRestartRules is on by default from 1.35 (pkg/features/kube_features.go).
            if policy in ("OnFailure", "Never") and minor(kubernetes) < 35:
                yield (
                    (*path, "restartPolicy"),
                    f"init container '{name}' has 'restartPolicy: {policy}'",
                    "Always, or none",
                )
            continue
        if not init and policy and minor(kubernetes) < 35:
            yield (
                (*path, "restartPolicy"),
                f"container '{name}' has 'restartPolicy'",
                "only init containers have their own",
            )
        filled = template.operator_fills(container)
        for field in _PROBES:
            if container.get(field) is not None:
                yield from _probe(container[field], field, (*path, field), filled)
        yield from _named_ports(template, container, path)
        for hook, handler in (container.get("lifecycle") or {}).items():
            if isinstance(handler, dict):
                yield from _handler(handler, hook, (*path, "lifecycle", hook), False)


def _named_ports(template: PodTemplate, container: dict[str, Any], path: KeyPath) -> Iterator[Problem]:
    """The kubelet looks for the name among the ports of the container itself, and fails the probe when there is none.

    Source: ResolveContainerPort in pkg/probe/util.go of k8s.io/kubernetes v1.37.2.
    """
    known = {str(port["name"]) for port in container.get("ports") or () if port.get("name")}
    if template.component is not None:
        role = "frontend" if container.get("name") != MAIN else template.component.type
        if role not in PORTS and template.operator_fills(container):
            return
        known |= set(PORTS[role]) if template.operator_fills(container) else set()
    handlers = [((*path, field), container.get(field)) for field in _PROBES]
    handlers += [((*path, "lifecycle", hook), each) for hook, each in (container.get("lifecycle") or {}).items()]
    for at, handler in handlers:
        for kind in ("httpGet", "tcpSocket"):
            name = ((handler or {}).get(kind) or {}).get("port") if isinstance(handler, dict) else None
            if isinstance(name, str) and is_port_name(name) and name not in known:
                near = closest(name, known)
                hint = (
                    f"did you mean '{near}'?" if near else "ports with a name: " + (", ".join(sorted(known)) or "none")
                )
                yield (
                    (*at, kind, "port"),
                    f"'{at[-1]}' asks port '{name}', which container '{container.get('name')}' has not",
                    hint,
                )


def _probe(probe: dict[str, Any], name: str, path: KeyPath, filled: bool) -> Iterator[Problem]:
    yield from _handler(probe, name, path, filled)
    for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        if (probe.get(field) or 0) < 0:
            yield (*path, field), f"'{field}' of '{name}' is {probe[field]}", "0 or more"
    if name != "readinessProbe" and (probe.get("successThreshold") or 1) > 1:
        message = f"'successThreshold' of '{name}' is {probe['successThreshold']}"
        yield (*path, "successThreshold"), message, "1: only readiness counts successes"
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and (name == "readinessProbe" or grace < 1):
        hint = "a failed readiness probe ends nothing" if name == "readinessProbe" else "1 or more"
        message = f"'terminationGracePeriodSeconds' of '{name}' is {grace}"
        yield (*path, "terminationGracePeriodSeconds"), message, hint


def _handler(holder: dict[str, Any], name: str, path: KeyPath, filled: bool) -> Iterator[Problem]:
    found = _handlers(holder)
    if not found and not filled:
        yield (
            path,
            f"'{name}' says nothing to ask or to do",
            "one of exec, httpGet, tcpSocket" + (", grpc" if name in _PROBES else ", sleep"),
        )
    if len(found) > 1:
        yield (*path, found[1]), f"'{name}' has two handlers: " + ", ".join(found), "keep one of them"
    if "exec" in found and not holder["exec"].get("command"):
        yield (*path, "exec"), f"'exec' of '{name}' has no command", ""
    for handler in ("httpGet", "tcpSocket", "grpc"):
        port = (holder.get(handler) or {}).get("port")
        wrong = isinstance(port, int) and not 1 <= port <= 65535
        if wrong or (isinstance(port, str) and not is_port_name(port)):
            yield (*path, handler, "port"), f"'{port}' is no port", "1 to 65535, or the name of a port"


def _handlers(holder: dict[str, Any]) -> list[str]:
    return [handler for handler in _HANDLERS if holder.get(handler) is not None]
