"""Pods that use one disk of one node, and must or may be on several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dynagen.cluster.objects import Cluster, Findings, Object, listing, mapping
from dynagen.cluster.pod_templates import PodTemplate, pod_templates
from dynagen.diagnostics import KeyPath
from dynagen.verify.disks.classes import Claim, Disks

_HOST, _GPU = "kubernetes.io/hostname", "nvidia.com/gpu"
# The largest machine of Google has as many (a2-megagpu-16g).
_MOST_GPUS = 16
# They end, and others start where they were; or nobody knows how many there are.
_PASSING = ("Job", "CronJob", "PodTemplate")


class _User(NamedTuple):
    """Pods of one template, `pods` of them, that mount a claim at `path`. `apart` says why they are on several nodes."""

    template: PodTemplate
    path: KeyPath
    pods: int
    apart: str


def check_sharing(
    objects: Sequence[Object],
    claims: Mapping[tuple[str, str], Claim],
    disks: Disks,
    cluster: Cluster,
    findings: Findings,
) -> None:
    """Reports DG683: an error where pods surely are on several nodes, a warning where they may be."""
    users: dict[tuple[str, str], list[_User]] = {}
    for template in pod_templates(objects):
        if template.subject.kind in _PASSING:
            continue
        for name, path in _claims_of(template):
            key = (template.subject.namespace, name)
            if key in claims and (pods := _pods(template)):
                users.setdefault(key, []).append(_User(template, path, pods, _apart(template, pods, cluster)))
    for key, found in users.items():
        _judge(claims[key], found, disks.of(claims[key]), findings)


def _judge(claim: Claim, users: Sequence[_User], disk: str, findings: Findings) -> None:
    pods = sum(user.pods for user in users)
    user = next((each for each in users if each.apart), max(users, key=lambda each: each.pods))
    if pods < 2:
        return
    # Of a class that is only the default nobody is sure.
    sure = bool(user.apart) and "storageClassName" in claim.spec
    mode = claim.modes[0]
    reason = f": {user.apart}" if user.apart else ", which run only as long as all are on one node"
    message = f"claim '{claim.name}' is {mode}, a {disk} disk that one node at a time attaches, and {pods} pods use it{reason}"
    hint = "use storage for files with ReadWriteMany, such as 'storageClassName: standard-rwx' (Filestore)"
    user.template.report(findings, "DG683", user.path, message, hint, "error" if sure else "warning")


def _claims_of(template: PodTemplate) -> Iterator[tuple[str, KeyPath]]:
    """The claims that a pod mounts, each once, by name; paths are below the template."""
    found: dict[str, KeyPath] = {}
    for index, volume in enumerate(listing(template.spec.get("volumes"))):
        name = mapping(volume.get("persistentVolumeClaim")).get("claimName")
        if name:
            found.setdefault(str(name), ("spec", "volumes", index, "persistentVolumeClaim", "claimName"))
    if template.component is not None and template.component.graph.is_alpha:
        for mount in listing(template.component.written.get("volumeMounts")):
            found.setdefault(str(mount.get("name")), ("spec",))
    yield from found.items()


def _pods(template: PodTemplate) -> int:
    """How many there are. Of a DaemonSet nobody knows; that is more than one."""
    if template.component is not None:
        return int(template.component.data.get("replicas", 1)) * template.component.nodes
    spec, kind = mapping(template.subject.data.get("spec")), template.subject.kind
    if kind == "DaemonSet":
        return 2
    if kind == "LeaderWorkerSet":
        size = int(mapping(spec.get("leaderWorkerTemplate")).get("size", 1))
        is_worker = template.path[-1:] == ("workerTemplate",)
        return int(spec.get("replicas", 1)) * (size if is_worker else 1)
    return 1 if kind == "Pod" else int(spec.get("replicas", 1))


def _apart(template: PodTemplate, pods: int, cluster: Cluster) -> str:
    """Why pods of a template cannot be on one node; nothing if they may."""
    if template.component is not None and template.component.nodes > 1:
        return f"each replica takes {template.component.nodes} nodes"
    if template.subject.kind == "DaemonSet":
        return "a DaemonSet has one on each node"
    accelerator = mapping(template.spec.get("nodeSelector")).get("cloud.google.com/gke-accelerator")
    most = mapping(cluster.gpus.get(str(accelerator))).get("maxPerNode", _MOST_GPUS)
    gpus = sum(_gpus(container) for path, container in template.containers() if path[1] == "containers")
    if pods * gpus > most:
        return f"they have {pods * gpus} GPUs, and no machine has more than {most}"
    if pods > 1 and any(_keeps_away(term, template) for term in _anti_affinity(template.spec)):
        return "their anti-affinity puts them on different nodes"
    return ""


def _gpus(container: Mapping[str, Any]) -> int:
    given = str(mapping(mapping(container.get("resources")).get("limits")).get(_GPU, ""))
    return int(given) if given.isdecimal() else 0


def _anti_affinity(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    affinity = mapping(mapping(spec.get("affinity")).get("podAntiAffinity"))
    return listing(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))


def _keeps_away(term: Mapping[str, Any], template: PodTemplate) -> bool:
    """Whether a term surely means pods of the template itself."""
    selector = mapping(term.get("labelSelector"))
    wanted = mapping(selector.get("matchLabels"))
    labels = mapping(mapping(template.data.get("metadata")).get("labels"))
    return bool(
        term.get("topologyKey") == _HOST
        and wanted
        and not selector.get("matchExpressions")
        and all(labels.get(key) == value for key, value in wanted.items())
    )
