"""Objects in, the claims in them and the disks of their storage classes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.cluster.graphs import is_graph
from dynagen.cluster.objects import Cluster, Object, listing, mapping
from dynagen.cluster.pod_templates import pod_templates
from dynagen.compiled.reading import table
from dynagen.diagnostics import KeyPath

_DEFAULT = "storageclass.kubernetes.io/is-default-class"
# Templates of claims, by kind. source: kubernetes/api, apps/v1/types.go; kubernetes-sigs/lws, api/leaderworkerset/v1
_TEMPLATES: dict[tuple[str, str], KeyPath] = {
    ("apps", "StatefulSet"): ("spec", "volumeClaimTemplates"),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): ("spec", "leaderWorkerTemplate", "volumeClaimTemplates"),
}


class Claim:
    """A claim for a volume. `at` leads to its access modes; `what` is how a finding calls it, `name` is that of an object."""

    __slots__ = ("at", "modes", "name", "spec", "subject", "what")

    def __init__(self, subject: Object, at: KeyPath, spec: Mapping[str, Any], name: str = "", what: str = "") -> None:
        self.subject, self.at, self.spec, self.name, self.what = subject, at, spec, name, what
        self.modes: list[str] = list(spec.get("accessModes") or ())

    @property
    def is_block(self) -> bool:
        return self.spec.get("volumeMode") == "Block"

    @property
    def source(self) -> Any:
        return self.spec.get("dataSource") or self.spec.get("dataSourceRef")

    @property
    def is_bound_by_hand(self) -> bool:
        """To a volume that somebody made."""
        return bool(self.spec.get("volumeName") or self.spec.get("selector")) or self.spec.get("storageClassName") == ""


def claims_in(objects: Sequence[Object]) -> Iterator[Claim]:
    """All that something is made for: claims, those that a graph of v1alpha1 makes, and templates of claims."""
    for subject in objects:
        spec = mapping(subject.data.get("spec"))
        if (subject.group, subject.kind) == ("", "PersistentVolumeClaim"):
            yield Claim(subject, ("spec", "accessModes"), spec, subject.name)
        elif is_graph(subject):
            yield from _of_graph(subject, listing(spec.get("pvcs")))
        elif path := _TEMPLATES.get((subject.group, subject.kind)):
            yield from _of_templates(subject, path)
    for template in pod_templates(objects):
        for index, volume in enumerate(listing(template.spec.get("volumes"))):
            made = mapping(mapping(volume.get("ephemeral")).get("volumeClaimTemplate"))
            if made:
                path = (
                    *template.path,
                    "spec",
                    "volumes",
                    index,
                    "ephemeral",
                    "volumeClaimTemplate",
                    "spec",
                    "accessModes",
                )
                yield Claim(template.subject, path, mapping(made.get("spec")), "", f"volume '{volume.get('name')}': ")


def _of_graph(subject: Object, claims: Sequence[dict[str, Any]]) -> Iterator[Claim]:
    """Source: generatePVCForDGD in deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo."""
    for index, each in enumerate(claims):
        if each.get("create"):
            spec = {"accessModes": [each.get("volumeAccessMode")], "storageClassName": each.get("storageClass")}
            name = str(each.get("name"))
            yield Claim(subject, ("spec", "pvcs", index, "volumeAccessMode"), spec, name, f"claim '{name}': ")


def _of_templates(subject: Object, path: KeyPath) -> Iterator[Claim]:
    found: Any = subject.data
    for step in path:
        found = mapping(found).get(str(step))
    for index, each in enumerate(listing(found)):
        name = mapping(each.get("metadata")).get("name", "")
        yield Claim(subject, (*path, index, "spec", "accessModes"), mapping(each.get("spec")), "", f"claim '{name}': ")


class Disks:
    """What the storage classes of a stream, and of its cluster, make."""

    def __init__(self, objects: Sequence[Object], cluster: Cluster) -> None:
        self.facts: dict[str, Any] = table("verify/disks/table.yaml")
        self._classes: dict[str, dict[str, Any]] = {}
        for subject in (*cluster.external, *objects):
            if subject.kind == "StorageClass" and subject.group == "storage.k8s.io":
                self._classes[subject.name] = subject.data
        volumes = (each for each in (*cluster.external, *objects) if each.kind == "PersistentVolume")
        self._by_hand = {str(mapping(each.data.get("spec")).get("storageClassName")) for each in volumes}
        chosen = [name for name, data in self._classes.items() if _is_default(data)]
        # Where GKE is known, so is its default; one of the stream's own wins.
        own = [each for each in chosen if each != self.facts["defaultClass"]]
        self.default = next(iter((*own, *chosen)), "")

    def class_of(self, claim: Claim) -> str:
        """The class that makes a volume for a claim; nothing when one that is there may be taken."""
        name = str(claim.spec.get("storageClassName", self.default))
        return "" if claim.is_bound_by_hand or name in self._by_hand else name

    def of(self, claim: Claim) -> str:
        """The disk that is made for a claim; nothing for other storage, and where nobody knows."""
        name = self.class_of(claim)
        made = self._classes.get(name, {})
        if "provisioner" not in made:
            return str(self.facts["classes"].get(name, ""))
        if made.get("provisioner") not in self.facts["provisioners"]:
            return ""
        return str(mapping(made.get("parameters")).get("type") or self.facts["default"])


def _is_default(data: Mapping[str, Any]) -> bool:
    return mapping(mapping(data.get("metadata")).get("annotations")).get(_DEFAULT) == "true"
