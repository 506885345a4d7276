"""Claims of storage classes that make disks: access modes that these disks do not have, and pods on more than one node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object, mapping
from dynagen.verify.disks.classes import Claim, Disks, claims_in

_FILE_STORAGE = (
    "use storage for files, such as 'storageClassName: standard-rwx' (Filestore), or ReadWriteOnce for pods on one node"
)


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG682 for access modes, DG683 for pods that share a disk."""
    claims = list(claims_in(objects))
    volumes = [each for each in objects if each.kind == "PersistentVolume"]
    if not claims and not volumes:
        return
    disks = Disks(objects, cluster)
    for claim in claims:
        if disk := disks.of(claim):
            _check_modes(claim, disk, disks, findings)
    for volume in volumes:
        _check_volume(volume, disks.facts, findings)
    alone = {
        (each.subject.namespace, each.name): each
        for each in claims
        if each.name and disks.of(each) and set(each.modes) <= {"ReadWriteOnce", "ReadWriteOncePod"} and each.modes
    }
    if alone:
        from dynagen.verify.disks.sharing import check_sharing

        check_sharing(objects, alone, disks, cluster, findings)


def _check_modes(claim: Claim, disk: str, disks: Disks, findings: Findings) -> None:
    facts, name = disks.facts, disks.class_of(claim)
    default = " (GKE's default)" if "storageClassName" not in claim.spec else ""
    kind = f"storage class '{name}'{default} makes {disk} disks"
    # Somebody may have made another class the default.
    severity = "warning" if default else "error"
    if "ReadWriteMany" in claim.modes:
        if not claim.is_block:
            message, hint = f"{kind}, and one node at a time mounts the file system of a disk", _FILE_STORAGE
        elif disk in facts["writtenByOne"]:
            message, hint = (
                f"{kind}, and one node at a time writes to such a disk",
                "use hyperdisk-balanced, or ReadWriteOnce",
            )
        else:
            return
        _report(claim, "ReadWriteMany", message, hint, severity, findings)
    elif "ReadOnlyMany" in claim.modes:
        if disk in facts["readByOne"]:
            message, hint = (
                f"{kind}, and one node at a time attaches such a disk",
                "use hyperdisk-ml, or a class of Filestore",
            )
        elif claim.source is None and disk not in facts["filledLater"]:
            message = f"{kind}, and a new one that can only be read is empty: its driver refuses it"
            hint = "name what fills it in 'dataSource', such as a VolumeSnapshot"
        else:
            return
        _report(claim, "ReadOnlyMany", message, hint, severity, findings)


def _report(claim: Claim, mode: str, message: str, hint: str, severity: str, findings: Findings) -> None:
    path = (*claim.at, claim.modes.index(mode)) if claim.at[-1] == "accessModes" else claim.at
    findings.add("DG682", claim.subject, path, f"{claim.what}{mode}: {message}", hint, severity)


def _check_volume(volume: Object, facts: dict[str, Any], findings: Findings) -> None:
    """One that somebody made by hand."""
    spec = mapping(volume.data.get("spec"))
    modes = list(spec.get("accessModes") or ())
    driver = mapping(spec.get("csi")).get("driver")
    if driver in facts["provisioners"] and "ReadWriteMany" in modes and spec.get("volumeMode") != "Block":
        message = "ReadWriteMany: one node at a time mounts the file system of a disk"
        path = ("spec", "accessModes", modes.index("ReadWriteMany"))
        findings.add("DG682", volume, path, message, "use ReadOnlyMany with 'csi.readOnly: true', or ReadWriteOnce")
