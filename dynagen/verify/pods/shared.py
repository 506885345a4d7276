"""What containers of a pod template share: names, host ports, volumes.

Source: validateInitContainers, checkHostPortConflicts, validateVolumeSource and ValidateVolumeMounts in
pkg/apis/core/validation/validation.go of k8s.io/kubernetes v1.37.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.graphs import MAIN
from dynagen.cluster.objects import Findings
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import Finding, closest
from dynagen.text.names import is_dns_label


def check_shared(template: PodTemplate, findings: Findings) -> None:
    """Reports DG445 for containers and ports, DG446 for volumes."""
    for finding in (*_names(template), *_host_ports(template)):
        template.report(findings, "DG445", *finding)
    for finding in (*_volumes(template), *_mounts(template)):
        template.report(findings, "DG446", *finding)


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


def _volumes(template: PodTemplate) -> Iterator[Finding]:
    for index, volume in enumerate(template.spec.get("volumes") or ()):
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if len(sources) > 1:  # without one it is an emptyDir
            message = f"volume '{volume.get('name', '')}' has two sources: " + ", ".join(sources)
            yield Finding(("spec", "volumes", index, sources[1]), message, "keep one of them")


def _mounts(template: PodTemplate) -> Iterator[Finding]:
    known = _known(template)
    for path, container in template.containers():
        privileged = (container.get("securityContext") or {}).get("privileged")
        for index, mount in enumerate(container.get("volumeMounts") or ()):
            at, name = (*path, "volumeMounts", index), str(mount.get("name", ""))
            implied = template.component is not None and container.get("name") == MAIN and is_dns_label(name)
            if known is not None and name not in known and not implied:
                near = closest(name, known)
                there = "volumes of this pod: " + (", ".join(sorted(known)) or "none")
                hint = f"did you mean '{near}'?" if near else there
                yield Finding((*at, "name"), f"there is no volume '{name}'", hint)
            if mount.get("mountPropagation") == "Bidirectional" and not privileged:
                message = f"'mountPropagation: Bidirectional' of '{name}' in a container without privileges"
                yield Finding((*at, "mountPropagation"), message, "HostToContainer, or 'privileged: true'")


def _known(template: PodTemplate) -> set[str] | None:
    """The volumes that the pod will have; None when Dynamo's operator may add more than can be told.

    What the main container of a component mounts becomes a claim of that name if there is no such volume
    (appendMissingPVCVolumesForMounts in deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo).
    """
    volumes = {str(volume.get("name")) for volume in template.spec.get("volumes") or ()}
    component = template.component
    if component is None:
        # Beside the template: of a StatefulSet, of a LeaderWorkerSet (kubernetes-sigs/lws, leaderworkerset_types.go)
        beside: Any = template.subject.data
        for step in template.path[:-1]:
            beside = beside.get(step, {})
        claims = beside.get("volumeClaimTemplates") if template.path else None
        return volumes | {str(claim.get("metadata", {}).get("name")) for claim in claims or ()}
    if component.experimental or component.graph.spec.get("experimental"):
        return None
    main = component.main or {}
    mounted = {str(mount.get("name")) for mount in main.get("volumeMounts") or ()}
    cache = (component.data.get("compilationCache") or {}).get("pvcName")
    return volumes | mounted | {"shared-memory"} | ({cache} if cache else set())
