"""Pods that GKE leaves Pending, and a volume that Dynamo's operator takes away.

source: cloud.google.com/kubernetes-engine/docs/how-to/gpus and /concepts/gpus (labels, the taint of GPU nodes, and the admission
that tolerates it for pods with a GPU alone); ApplySharedMemoryVolumeAndMount in deploy/operator of ai-dynamo/dynamo
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.cluster.graphs import MAIN
from dynagen.cluster.objects import Cluster, Findings, listing, mapping
from dynagen.cluster.pod_templates import PodTemplate

_LABEL = "cloud.google.com/gke-accelerator"
# Of those that no release of Dynamo runs on, and facts therefore do not know: GPUs of the largest machine.
# source: https://cloud.google.com/compute/docs/gpus
_OLD = {"nvidia-tesla-p4": 4, "nvidia-tesla-p100": 4, "nvidia-tesla-v100": 8}


def accelerator_of(spec: Mapping[str, Any]) -> str:
    """The GPU whose nodes a pod selects; nothing if it does not say."""
    selector = spec.get("nodeSelector")
    return str(selector.get(_LABEL, "")) if isinstance(selector, Mapping) else ""


def most_gpus(accelerator: str, cluster: Cluster) -> int | None:
    """How many a machine has at most; None for an accelerator that GKE does not have."""
    known = cluster.gpus.get(accelerator)
    return known["maxPerNode"] if known else _OLD.get(accelerator)


def check_gke(template: PodTemplate, cluster: Cluster, findings: Findings) -> None:
    """Reports DG614 for an accelerator that GKE does not have, DG615 for pods that GPU nodes keep away, DG616 for /dev/shm."""
    accelerator, path = accelerator_of(template.spec), ("spec", "nodeSelector", _LABEL)
    if accelerator and most_gpus(accelerator, cluster) is None:
        known = (*cluster.gpus, *_OLD)
        near = [each for each in known if accelerator.removeprefix("nvidia-") in each]
        hint = f"did you mean {' or '.join(near)}?" if 0 < len(near) < 4 else "GKE has " + ", ".join(known)
        template.report(findings, "DG614", path, f"GKE has no nodes with '{accelerator}'", hint, "warning")
    elif accelerator and not _asks_for_gpus(template) and not _tolerates_gpus(template.spec):
        message = "selects nodes with GPUs, asks for none, and does not tolerate their taint"
        hint = "ask for 'nvidia.com/gpu', or tolerate {key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}"
        template.report(findings, "DG615", path, message, hint, "warning")
    if template.component is not None and str(template.component.data.get("sharedMemorySize", "")) != "0":
        _check_shared_memory(template, findings)


def _asks_for_gpus(template: PodTemplate) -> bool:
    if template.spec.get("resourceClaims"):
        return True
    resources = [mapping(container.get("resources")) for _, container in template.containers()]
    asked = [mapping(each.get(kind)) for each in resources for kind in ("limits", "requests")]
    return any(name.startswith("nvidia.com/") for found in asked for name in found)


def _tolerates_gpus(spec: Mapping[str, Any]) -> bool:
    return any(each.get("key") in (None, "", "nvidia.com/gpu") for each in listing(spec.get("tolerations")))


def _check_shared_memory(template: PodTemplate, findings: Findings) -> None:
    for path, container in template.containers():
        if path[1] != "containers" or container.get("name", MAIN) != MAIN:
            continue
        for number, mount in enumerate(listing(container.get("volumeMounts"))):
            if str(mount.get("mountPath", "")).rstrip("/") == "/dev/shm":
                message = "Dynamo's operator mounts /dev/shm itself, and drops this mount"
                hint = "say how large it is: 'sharedMemorySize' of the component, 'sharedMemory' in a profile"
                template.report(
                    findings, "DG616", (*path, "volumeMounts", number, "mountPath"), message, hint, "warning"
                )
