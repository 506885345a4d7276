"""A first profile, as far as it is not there yet."""

from __future__ import annotations

from typing import Any

_LINES = {
    "apiVersion": "dynagen.dev/v1alpha1",
    "kind": "Profile",
    "metadata": "{name: chat, namespace: inference}",
    "backend": "vllm",
    "model": "Qwen/Qwen3-0.6B",
    "gpu": "nvidia-l4",
    "agg": "{replicas: 2, gpus: 1}",
    "overlays": "[gke]",
}


def skeleton(data: Any = None) -> str:
    """What has to be added to a profile that says nearly nothing, so that it builds, as a hint of several lines."""
    said = data if isinstance(data, dict) else {}
    keys = [key for key in _LINES if key not in said and not (key == "agg" and "disagg" in said)]
    return "\n".join(["begin with" if not said else "add", *(f"{key}: {_LINES[key]}" for key in keys)])
