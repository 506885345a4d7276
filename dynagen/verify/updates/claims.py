"""Claims beside their storage classes: the class that a claim got by default, and whether it may grow.

Source: plugin/pkg/admission/storage/storageclass/setdefault and .../persistentvolume/resize of k8s.io/kubernetes v1.37.2.
"""

from __future__ import annotations

from collections.abc import Iterable

from dynagen.cluster.objects import Findings, Object, mapping
from dynagen.diagnostics import KeyPath
from dynagen.text.quantities import amount
from dynagen.verify.updates.update import Update

CLAIM = "PersistentVolumeClaim"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_CLASS: KeyPath = ("spec", "storageClassName")
_SIZE: KeyPath = ("spec", "resources", "requests", "storage")


class Classes:
    """The storage classes that are known, by their names: those that are fully known, and the one by default."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self.known: dict[str, Object] = {}
        self.default, self.is_sure = "", False
        for each in objects:
            if each.kind != "StorageClass":
                continue
            is_whole = "provisioner" in each.data
            if is_whole:
                self.known.setdefault(each.name, each)
            annotations = mapping(mapping(each.data.get("metadata")).get("annotations"))
            if annotations.get(_DEFAULT) == "true" and not self.is_sure:
                self.default, self.is_sure = each.name, is_whole


def check_claim(update: Update, classes: Classes, findings: Findings) -> None:
    """Reports DG670 for a class that is not the default one a claim without a class got, DG671 for one that cannot grow."""
    old, new = mapping(update.before.get("spec")), mapping(update.after.get("spec"))
    was, now = old.get("storageClassName"), new.get("storageClassName")
    if was is None and now is not None and classes.default and now != classes.default:
        whose = "the cluster" if classes.is_sure else "GKE"
        message = f"'spec.storageClassName' cannot change to '{now}': without one the claim got '{classes.default}', the default of {whose}"
        hint = f"say '{classes.default}', leave it out as before, or give the claim another name"
        update.report(findings, "DG670", _CLASS, message, hint, "error" if classes.is_sure else "warning")
    sizes = [amount(mapping(mapping(spec.get("resources")).get("requests")).get("storage")) for spec in (old, new)]
    known = classes.known.get(str(now or was or classes.default))
    if sizes[0] is None or sizes[1] is None or sizes[1] <= sizes[0]:
        return
    phase = mapping(update.old.data.get("status")).get("phase")
    if phase not in (None, "Bound"):
        message = f"the claim cannot grow while it is {phase}: only claims that are bound do"
        update.report(findings, "DG671", _SIZE, message, "delete it and make it anew, or wait until a pod uses it")
    elif known is not None and not known.data.get("allowVolumeExpansion"):
        message = f"the claim cannot grow: storage class '{known.name}' does not say 'allowVolumeExpansion: true'"
        update.report(
            findings, "DG671", _SIZE, message, "set it in the class, which may change at any time, or keep the size"
        )
