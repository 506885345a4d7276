"""Pods that GKE leaves Pending, and a volume that Dynamo's operator takes away.

source: cloud.google.com/kubernetes-engine/docs/how-to/gpus and /concepts/gpus (labels, the taint of GPU nodes, and the admission
that tolerates it for pods with a GPU alone); ApplySharedMemoryVolumeAndMount in deploy/operator of ai-dynamo/dynamo
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.cluster.objects import Findings
from dynagen.cluster.pod_templates import PodTemplate

_LABEL = "cloud.google.com/gke-accelerator"
_ACCELERATORS = (
    "nvidia-tesla-t4", "nvidia-tesla-p4", "nvidia-tesla-p100", "nvidia-tesla-v100", "nvidia-tesla-a100", "nvidia-a100-80gb",
    "nvidia-l4", "nvidia-h100-80gb", "nvidia-h100-mega-80gb", "nvidia-h200-141gb", "nvidia-b200", "nvidia-gb200", "nvidia-gb300",
    "nvidia-rtx-pro-6000",
)  # fmt: skip


def check_gke(template: PodTemplate, findings: Findings) -> None:
    """Reports DG614 for an accelerator that GKE does not have, DG615 for pods that GPU nodes keep away, DG616 for /dev/shm."""
    selector = template.spec.get("nodeSelector")
    accelerator = selector.get(_LABEL) if isinstance(selector, Mapping) else None
    path = ("spec", "nodeSelector", _LABEL)
    if isinstance(accelerator, str):
        if accelerator not in _ACCELERATORS:
            near = (
                [each for each in _ACCELERATORS if accelerator.removeprefix("nvidia-") in each] if accelerator else []
            )
            hint = f"did you mean {' or '.join(near)}?" if 0 < len(near) < 4 else "GKE has " + ", ".join(_ACCELERATORS)
            template.report(findings, "DG614", path, f"GKE has no nodes with '{accelerator}'", hint, "warning")
        elif not _asks_for_gpus(template.spec) and not _tolerates_gpus(template.spec):
            message = "selects nodes with GPUs, asks for none, and does not tolerate their taint"
            hint = "ask for 'nvidia.com/gpu', or tolerate {key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}"
            template.report(findings, "DG615", path, message, hint, "warning")
    if template.component is not None and str(template.component.data.get("sharedMemorySize", "")) != "0":
        _check_shared_memory(template, findings)


def _containers(spec: Mapping[str, Any]) -> list[tuple[tuple[str, int], Mapping[str, Any]]]:
    return [
        ((key, number), each)
        for key in ("containers", "initContainers")
        for number, each in enumerate(spec.get(key) or ())
        if isinstance(each, Mapping)
    ]


def _asks_for_gpus(spec: Mapping[str, Any]) -> bool:
    if spec.get("resourceClaims"):
        return True
    asked = [
        (each.get("resources") or {}).get(kind) or {}
        for _, each in _containers(spec)
        for kind in ("limits", "requests")
    ]
    return any(str(name).startswith("nvidia.com/") for found in asked for name in found)


def _tolerates_gpus(spec: Mapping[str, Any]) -> bool:
    found = [each for each in spec.get("tolerations") or () if isinstance(each, Mapping)]
    return any(each.get("key") in (None, "", "nvidia.com/gpu") for each in found)


def _check_shared_memory(template: PodTemplate, findings: Findings) -> None:
    for path, container in _containers(template.spec):
        if path[0] != "containers" or container.get("name", "main") != "main":
            continue
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            if isinstance(mount, Mapping) and str(mount.get("mountPath", "")).rstrip("/") == "/dev/shm":
                where = ("spec", *path, "volumeMounts", number, "mountPath")
                message = "Dynamo's operator mounts /dev/shm itself, and drops this mount"
                hint = "say how large it is: 'sharedMemorySize' of the component, 'sharedMemory' in a profile"
                template.report(findings, "DG616", where, message, hint, "warning")
