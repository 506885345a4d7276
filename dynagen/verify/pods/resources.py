"""Requests and limits of containers.

Source: validateResourceRequirements in pkg/apis/core/validation/validation.go and IsOvercommitAllowed in
pkg/apis/core/helper/helpers.go of k8s.io/kubernetes v1.37.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from dynagen.cluster.objects import Cluster, Findings
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import Finding, KeyPath, closest
from dynagen.text.names import is_qualified
from dynagen.text.quantities import amount
from dynagen.verify.pods.gke import accelerator_of, most_gpus

_GPU = "nvidia.com/gpu"
# Of any machine: a2-megagpu-16g.
_MANY = 16
_STANDARD = ("cpu", "memory", "ephemeral-storage")


def check_resources(template: PodTemplate, cluster: Cluster, findings: Findings) -> None:
    """Reports DG447, and DG675 for more GPUs than a machine has."""
    _check_gpus(template, cluster, findings)
    claims = {str(claim.get("name")) for claim in template.spec.get("resourceClaims") or ()}
    for path, container in template.containers():
        resources = container.get("resources")
        if resources:
            for finding in (
                *_amounts(resources, (*path, "resources")),
                *_claims(resources, claims, (*path, "resources", "claims")),
            ):
                template.report(findings, "DG447", *finding)


def _check_gpus(template: PodTemplate, cluster: Cluster, findings: Findings) -> None:
    """Reports DG675: no node has as many GPUs. Where a node selector says which GPU, those of its machines count."""
    wanted, where = Decimal(0), None
    for path, container in template.containers():
        number = amount(((container.get("resources") or {}).get("limits") or {}).get(_GPU))
        if path[1] == "containers" and number:
            wanted, where = wanted + number, (*path, "resources", "limits", _GPU)
    accelerator = accelerator_of(template.spec)
    most = (most_gpus(accelerator, cluster) or 8) if accelerator else _MANY
    if where is not None and wanted > most:
        kind = f"with {accelerator} " if accelerator else ""
        message = f"the pod asks for {wanted:f} GPUs, and no machine {kind}has more than {most}"
        hint = "spread it over several nodes: 'multinode' of a component, or fewer GPUs and more replicas"
        template.report(findings, "DG675", where, message, hint)


def _amounts(resources: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for section, quantities in (("limits", limits), ("requests", requests)):
        for name, quantity in quantities.items():
            at = (*path, section, name)
            known = name in _STANDARD or name.startswith("hugepages-") or "/" in name
            if not is_qualified(name) or not known:
                near = closest(name, [*_STANDARD, "nvidia.com/gpu"])
                hint = f"did you mean '{near}'?" if near else "others than cpu, memory and storage have a domain"
                yield Finding(at, f"'{name}' is no resource of a container", hint)
            value = amount(quantity)
            if value is None:
                continue
            if value < 0:
                yield Finding(at, f"'{name}' is negative: {quantity}")
            elif not _overcommits(name) and not name.startswith("hugepages-") and value != value.to_integral_value():
                yield Finding(at, f"'{name}' is {quantity}", "such resources are counted in whole numbers")
    for name, quantity in requests.items():
        at, request, limit = (*path, "requests", name), amount(quantity), amount(limits.get(name))
        if name not in limits:
            if not _overcommits(name):
                hint = f"a limit of {quantity} is enough: it is the request too"
                yield Finding(at, f"'{name}' has a request and no limit", hint)
        elif request is not None and limit is not None:
            if request > limit:
                yield Finding(at, f"the request of '{name}' ({quantity}) is above its limit ({limits[name]})")
            elif request != limit and not _overcommits(name):
                message = f"the request of '{name}' ({quantity}) is not its limit ({limits[name]})"
                yield Finding(at, message, "such resources are not shared: leave out the request")
    names = {*limits, *requests}
    if any(name.startswith("hugepages-") for name in names) and not names & {"cpu", "memory"}:
        yield Finding(path, "huge pages need an amount of cpu or memory beside them")


def _overcommits(name: str) -> bool:
    """Whether a request may be lower than the limit: so of what Kubernetes itself counts, but huge pages."""
    native = "/" not in name or "kubernetes.io/" in name
    return native and not name.startswith("hugepages-")


def _claims(resources: dict[str, Any], known: set[str], path: KeyPath) -> Iterator[Finding]:
    for index, claim in enumerate(resources.get("claims") or ()):
        name = str(claim.get("name", ""))
        if name not in known:
            near = closest(name, known)
            hint = f"did you mean '{near}'?" if near else "name it in 'resourceClaims' of the pod"
            yield Finding((*path, index, "name"), f"there is no resource claim '{name}' in this pod", hint)
