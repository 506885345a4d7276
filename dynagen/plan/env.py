"""Environment variables: a map of names as people write it -> Kubernetes' list of EnvVar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.plan.values import ModelCache


def env_vars(env: Mapping[str, Any]) -> list[dict[str, Any]]:
    """In the order written. A value is a text, or one of Kubernetes' sources such as `{secretKeyRef: ...}`."""
    return [
        {"name": name, "value": value} if isinstance(value, str) else {"name": name, "valueFrom": value}
        for name, value in env.items()
    ]


def hugging_face_env(data: Mapping[str, Any]) -> dict[str, Any]:
    """The token, by reference: a secret's value is never read."""
    secret = data.get("huggingFaceSecret")
    return {"HF_TOKEN": {"secretKeyRef": {"name": secret, "key": data["huggingFaceSecretKey"]}}} if secret else {}


def component_env(data: Mapping[str, Any], cache: ModelCache | None) -> dict[str, Any]:
    """What dynagen sets for a component that reads the model, or its tokenizer, through `cache`. Who is offline needs no token."""
    if cache is None:
        return hugging_face_env(data)
    if cache.is_offline:
        return {"HF_HOME": cache.mount_path, "HF_HUB_OFFLINE": "1"}
    return {**hugging_face_env(data), "HF_HOME": cache.mount_path}
