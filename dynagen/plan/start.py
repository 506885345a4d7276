"""What keeps a worker from starting that no schema knows: a model that needs a token, too little shared memory."""

from __future__ import annotations

from dynagen.diagnostics import KeyPath, Report
from dynagen.profile import Profile
from dynagen.text.quantities import amount
from dynagen.trees.nodes import value_at

# Repositories whose licence has to be accepted on the Hugging Face Hub: without a token the download ends with 401.
# source: the notice on the pages huggingface.co/meta-llama/Llama-3.3-70B-Instruct and /google/gemma-3-27b-it
_GATED = ("meta-llama/", "google/gemma-2", "google/gemma-3", "google/codegemma", "google/paligemma")
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_LEAST_SHARED = 1024**3


def check_start(profile: Profile, parts: list[KeyPath], report: Report) -> None:
    """Reports DG617 for a gated model without a token, DG618 for shared memory in which NIXL or NCCL does not start."""
    data = profile.data
    cache = data.get("modelCache") or {}
    given = {*data["env"], *(name for part in parts for name in profile.value((*part, "env")))}
    if cache.get("download") and cache.get("accessMode") == "ReadWriteMany":
        given = set()  # variables of workers are not those of the Job
    has_token = "huggingFaceSecret" in data or "claimName" in cache or not given.isdisjoint(_TOKENS)
    for path in () if has_token else (("model",), ("speculative", "model")):
        model = value_at(data, path)
        if not str(model).startswith(_GATED):
            continue
        report.add(
            "DG617", f"model '{model}' is gated: without a token its download ends with 401", profile.at(path),
            hint="add 'huggingFaceSecret: NAME', a Secret with the key HF_TOKEN (else 'huggingFaceSecretKey') of somebody who has accepted the licence",
            severity="warning",
        )  # fmt: skip
    for part in parts:
        shared = profile.written((*part, "sharedMemory"))
        size = amount(profile.value(part).get("sharedMemory")) if shared else None
        many = "disagg" in data or profile.value(part)["gpus"] > 1
        if shared and size is not None and size < _LEAST_SHARED and many:
            report.add(
                "DG618", f"'sharedMemory: {profile.value(part)['sharedMemory']}' is too small for GPUs or workers that talk to each other",
                shared, hint="leave it out (16Gi and more), or say at least 1Gi", severity="warning",
            )  # fmt: skip
