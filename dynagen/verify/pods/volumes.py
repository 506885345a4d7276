"""Volumes of a pod template and where containers mount them: what is mounted is there, and has one source.

Source: validateVolumeSource and ValidateVolumeMounts in pkg/apis/core/validation/validation.go of k8s.io/kubernetes
v1.37.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from dynagen.cluster.graphs import MAIN
from dynagen.cluster.objects import Findings
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import closest
from dynagen.text.names import is_dns_label
from dynagen.verify.finding import Finding


def check_volumes(template: PodTemplate, findings: Findings) -> None:
    """Reports DG446."""
    for finding in (*_volumes(template), *_mounts(template)):
        template.report(findings, "DG446", *finding)


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
        claims = template.subject.data.get("spec", {}).get("volumeClaimTemplates") if template.path else None
        return volumes | {str(claim.get("metadata", {}).get("name")) for claim in claims or ()}
    if component.experimental or component.graph.spec.get("experimental"):
        return None
    main = component.main or {}
    mounted = {str(mount.get("name")) for mount in main.get("volumeMounts") or ()}
    cache = (component.data.get("compilationCache") or {}).get("pvcName")
    return volumes | mounted | {"shared-memory"} | ({cache} if cache else set())
