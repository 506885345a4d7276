"""Whether a GPU can compute in the precision of a model's weights, or only unpack it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.diagnostics import Report
from dynagen.engine.arguments import value_of
from dynagen.plan.fit.shape import Shape
from dynagen.profile import Profile

# What vLLM does not run in FP16 (_FLOAT16_NOT_SUPPORTED_MODELS in vllm/config/model.py of 0.31).
_NEVER_IN_HALF = ("gemma2", "gemma3", "gemma3_text", "glm4")


def check_precision(
    profile: Profile, shape: Shape | None, gpu: Mapping[str, Any], known: Mapping[str, Any], report: Report
) -> None:
    """Reports DG428 for what an engine refuses, DG429 for what it does the slow way. `known` is `facts.precision`."""
    capability = float(gpu["computeCapability"])
    where = f"{gpu['name']} (compute capability {gpu['computeCapability']})"
    backend, at = profile.data["backend"], profile.at(("gpu",))
    asked = value_of(profile.data["engineArgs"], "--dtype")
    if asked == "bfloat16" and capability < 8:
        report.add(
            "DG428", f"{where} has no BF16", _at_argument(profile, "--dtype"), hint="use --dtype half, or a newer GPU"
        )
    elif backend == "vllm" and shape and shape.type in _NEVER_IN_HALF and capability < 8 and not asked:
        report.add(
            "DG429", f"{where} has no BF16, and '{shape.type}' models do not run in FP16: vLLM takes 32 bits", at,
            hint="use a GPU with compute capability 8.0 or higher", severity="warning",
        )  # fmt: skip
    found, families = shape.quantization if shape else None, known.get(backend, {})
    if found is None:
        # What the engine quantizes itself, when it loads a model in 16 bits.
        if value_of(profile.data["engineArgs"], "--quantization", "-q") == "fp8":
            _check_online(profile, where, capability, families.get("fp8", {}), report)
        return
    limits = families.get(f"{found.method}-{found.family}") or families.get(found.family)
    if not limits:
        return
    name, model = found.family.upper(), profile.data["model"]
    if capability < limits["least"]:
        report.add(
            "DG428", f"{where} cannot serve weights in {name}, as model '{model}' has them: {backend} needs {limits['least']}", at,
            hint="use a newer GPU, or the model in another precision",
        )  # fmt: skip
    elif capability < limits.get("native", 0):
        report.add(
            "DG429", f"{where} does not compute in {name}: weights of model '{model}' are unpacked to 16 bits on the fly", at,
            hint=f"this saves memory, not time; GPUs with {limits['native']} or higher do both", severity="warning",
        )  # fmt: skip


def _check_online(profile: Profile, where: str, capability: float, limits: Mapping[str, float], report: Report) -> None:
    at = _at_argument(profile, "--quantization")
    if capability < limits.get("least", 0):
        message = f"{where} cannot serve weights in FP8: {profile.data['backend']} needs {limits['least']}"
        report.add("DG428", message, at, hint="use a newer GPU, or leave out --quantization")
    elif capability < limits.get("native", 0):
        message = f"{where} does not compute in FP8: weights are unpacked to 16 bits on the fly"
        hint = f"this saves memory, not time; GPUs with {limits['native']} or higher do both"
        report.add("DG429", message, at, hint, severity="warning")


def widened(shape: Shape, backend: str, gpu: Mapping[str, Any]) -> Shape:
    """The shape as the engine loads it: in 32 bits where it has no other way."""
    if backend == "vllm" and shape.type in _NEVER_IN_HALF and float(gpu["computeCapability"]) < 8:
        return shape._replace(dtype="float32")
    return shape._replace(dtype="bfloat16") if shape.dtype == "float32" else shape


def _at_argument(profile: Profile, flag: str) -> Any:
    for index, argument in enumerate(profile.data["engineArgs"]):
        if argument.startswith(flag):
            return profile.at(("engineArgs", index))
    return profile.at(("engineArgs",))
