"""Objects that are not there: whether that is a mistake, and what to say about it."""

from __future__ import annotations

from dynagen.cluster.graphs import WORKERS
from dynagen.cluster.objects import Findings, Object, listing, mapping
from dynagen.cluster.operator import service_name
from dynagen.diagnostics import KeyPath
from dynagen.trees.nodes import value_at
from dynagen.verify.references.known import Known, where
from dynagen.verify.references.rows import Found


def may_be_elsewhere(known: Known, kind: str, space: str | None, name: str) -> bool:
    """Whether other files of the call have it, and may be for the same cluster."""
    elsewhere = known.cluster.elsewhere
    return elsewhere is not None and elsewhere.has(kind, name, space, known.is_cluster_kind(kind))


def is_excused(
    known: Known, subject: Object, found: Found, group: str, kind: str, space: str | None, name: str
) -> bool:
    """Whether a missing object is none: its kind is not known, or something else takes its place."""
    if may_be_elsewhere(known, kind, space, name):
        return True
    if kind == "StorageClass":
        claim = mapping(value_at(subject.data, found.path[:-1]))
        # A volume that is bound by hand needs no class of that name.
        # source: kubernetes.io/docs/concepts/storage/persistent-volumes/#reserving-a-persistentvolume
        return bool(claim.get("volumeName")) or not known.has_any(group, kind) or name in known.classes_of_volumes
    if known.may_be_of_a_graph(kind, name):
        return True
    if found.row.form == "host":
        return (found.value if isinstance(found.value, str) else found.value["host"]) in known.mesh_hosts
    pool, ips, _ = name.rpartition("-ips-")
    if kind == "Service" and ips and known.find("inference.networking.k8s.io", "InferencePool", None, pool):
        return True  # GKE makes it for the pool. source: examples/deployments/GKE/sglang/gaie of ai-dynamo/dynamo
    if known.graphs and (group in known.table.data["hidden"] or kind == "DynamoComponentDeployment"):
        return True
    if kind == "Secret" and subject.kind in ("Ingress", "Gateway"):
        # source: cert-manager.io/docs/usage/ingress and /usage/gateway: it makes the Secret that they name
        annotations = mapping(subject.data["metadata"].get("annotations"))
        return any(key.startswith("cert-manager.io/") or key == "kubernetes.io/tls-acme" for key in annotations)
    if kind == "PersistentVolumeClaim" and "volumeMounts" in found.path:
        volumes = listing(value_at(subject.data, (*found.path[:3], "extraPodSpec", "volumes")))
        return any(volume.get("name") == name for volume in volumes)
    return found.row.to == "any" and not known.knows(group, kind)


def report_missing(
    known: Known, findings: Findings, subject: Object, path: KeyPath, group: str, kind: str, space: str | None,
    name: str, severity: str = "error",
) -> None:  # fmt: skip
    """Reports DG470."""
    space = None if known.is_cluster_kind(kind) else space
    others = [each for each in known.namespaces(group, kind, name) if each and each != space]
    near = known.near(group, kind, space, name)
    adapter = _adapter_hint(known, kind, space, name)
    if others:
        hint = f"there is one in '{others[0]}'"
    elif adapter:
        hint = adapter
    else:
        full = f"{kind}/{space}/{name}" if space and space != subject.namespace else f"{kind}/{name}"
        hint = f"add it, or say that the cluster has it: {known.cluster.declaring.format(full)}"
        if near:
            # A name that goes on for long where this one ends may just as well be of something else.
            is_longer = near.lower().startswith(name.lower()) and len(near) > len(name) + 2
            hint = f"did you mean '{near}'?" + (f" else {hint}" if is_longer else "")
    if known.cluster.is_open and severity == "error":
        severity, hint = (
            "note",
            "charts and repositories that are not here may bring it" + (f"; {hint}" if near else ""),
        )
    shown = f"{kind} '{name}'" if group != "networking.istio.io" or kind != "Gateway" else f"Istio Gateway '{name}'"
    message = f"there is no {shown}{where(space)}"
    findings.add("DG470", subject, path, message, hint, severity, cause=message)


def _adapter_hint(known: Known, kind: str, space: str | None, name: str) -> str:
    """For who wants to scale workers: their Deployments change names, and an adapter has to be asked for."""
    if kind not in ("Deployment", "DynamoGraphDeploymentScalingAdapter"):
        return ""
    for graph in known.graphs:
        for each in graph.components if not space or graph.source.namespace in (space, "") else ():
            adapter = service_name(each)
            if name == adapter or (kind == "Deployment" and each.role in WORKERS and name.startswith(f"{adapter}-")):
                asked = f"which component '{each.name}' gets with 'scalingAdapter: {{}}'"
                what = f"scale the DynamoGraphDeploymentScalingAdapter '{adapter}', {asked}"
                return what if kind == "Deployment" else f"component '{each.name}' gets one with 'scalingAdapter: {{}}'"
    return ""
