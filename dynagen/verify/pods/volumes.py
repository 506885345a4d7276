"""Volumes of a pod template and where containers mount them.

Source: ValidateVolumes, validateVolumeSource and ValidateVolumeMounts in pkg/apis/core/validation/validation.go of
k8s.io/kubernetes v1.37.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.graphs import MAIN
from dynagen.cluster.objects import Findings
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath, closest
from dynagen.text.names import is_dns_label
from dynagen.text.quantities import amount

_REQUIRED = {
    "hostPath": "path", "nfs": "path", "persistentVolumeClaim": "claimName", "secret": "secretName",
    "configMap": "name", "csi": "driver", "ephemeral": "volumeClaimTemplate",
}  # fmt: skip

Problem = tuple[KeyPath, str, str]


def check_volumes(template: PodTemplate, findings: Findings) -> None:
    """Reports DG446."""
    for problem in (*_volumes(template), *_mounts(template)):
        template.report(findings, "DG446", *problem)


def _volumes(template: PodTemplate) -> Iterator[Problem]:
    for index, volume in enumerate(template.spec.get("volumes") or ()):
        at, name = ("spec", "volumes", index), str(volume.get("name", ""))
        if not is_dns_label(name):
            hint = "lower-case letters, digits and inner hyphens, at most 63"
            yield (*at, "name"), f"'{name}' is no name of a volume", hint
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if len(sources) > 1:  # without one it is an emptyDir
            yield (*at, sources[1]), f"volume '{name}' has two sources: " + ", ".join(sources), "keep one of them"
        for source in sources:
            needed = _REQUIRED.get(source)
            if needed and not volume[source].get(needed):
                yield (*at, source), f"volume '{name}': '{source}' has no '{needed}'", ""
            for field in ("defaultMode", "mode"):
                mode = volume[source].get(field)
                if source in ("secret", "configMap", "projected", "downwardAPI") and mode is not None:
                    yield from _mode(mode, (*at, source, field), name)
        limit = amount((volume.get("emptyDir") or {}).get("sizeLimit", 0))
        if limit is not None and limit < 0:
            yield (*at, "emptyDir", "sizeLimit"), f"volume '{name}': 'sizeLimit' is negative", ""


def _mode(mode: Any, path: KeyPath, name: str) -> Iterator[Problem]:
    if not 0 <= mode <= 0o777:
        hint = "files have modes from 0 to 0777 (511): YAML 1.2 reads 0644 as decimal, write 420 or 0o644"
        yield path, f"volume '{name}': '{path[-1]}' is {mode}", hint


def _mounts(template: PodTemplate) -> Iterator[Problem]:
    known = _known(template)
    for path, container in template.containers():
        for index, mount in enumerate(container.get("volumeMounts") or ()):
            at, name = (*path, "volumeMounts", index), str(mount.get("name", ""))
            where = str(mount.get("mountPath", ""))
            implied = template.component is not None and container.get("name") == MAIN and is_dns_label(name)
            if known is not None and name not in known and not implied:
                near = closest(name, known)
                hint = (
                    f"did you mean '{near}'?"
                    if near
                    else "volumes of this pod: " + (", ".join(sorted(known)) or "none")
                )
                yield (*at, "name"), f"there is no volume '{name}'", hint
            if not where:
                yield (*at, "mountPath"), f"the mount of '{name}' has no path", ""
            if mount.get("subPath") and mount.get("subPathExpr"):
                yield (*at, "subPathExpr"), f"the mount of '{name}' has 'subPath' and 'subPathExpr'", "keep one of them"
            privileged = (container.get("securityContext") or {}).get("privileged")
            if mount.get("mountPropagation") == "Bidirectional" and not privileged:
                message = f"'mountPropagation: Bidirectional' of '{name}' in a container without privileges"
                yield (*at, "mountPropagation"), message, "HostToContainer, or 'privileged: true'"
            for field in ("subPath", "subPathExpr"):
                inner = mount.get(field) or ""
                if inner.startswith("/") or ".." in inner.split("/"):
                    yield (*at, field), f"'{inner}' leaves the volume", "a relative path without '..'"


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
