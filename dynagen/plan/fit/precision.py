"""Whether a GPU can compute in the precision of a model's weights, or only unpack it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import Report
from dynagen.engine.arguments import value_of
from dynagen.plan.fit.shape import Shape
from dynagen.profile import Profile

# What vLLM does not run in FP16 (_FLOAT16_NOT_SUPPORTED_MODELS in vllm/config/model.py of 0.31).
_NEVER_IN_HALF = ("gemma2", "gemma3", "gemma3_text", "glm4")


class Unsupported(NamedTuple):
    """What an engine refuses: the argument that asks for it, empty for the model itself; words; what helps at once, and what would
    help besides."""

    flag: str
    message: str
    hint: str = ""
    besides: str = ""


def check_precision(
    profile: Profile, shape: Shape | None, gpu: Mapping[str, Any], known: Mapping[str, Any],
    other: Callable[[str, str], str], report: Report,
) -> None:  # fmt: skip
    """Reports DG428 for what an engine refuses, DG429 for what it does the slow way.

    `known` is `facts.precision`; `other` gives what helps, for a flag and what to do about it.
    """
    backend, arguments, at = profile.data["backend"], profile.data["engineArgs"], profile.at(("gpu",))
    refused = unsupported(shape, arguments, backend, gpu, known)
    if refused:
        message = refused.message.replace("of this model", f"of model '{profile.data['model']}'")
        helps = [each for each in (other(refused.flag, refused.hint), refused.besides) if each]
        hint = ", or ".join(helps) if helps != [refused.besides] else f"use {refused.besides}"
        place = _at_argument(profile, refused.flag) if refused.flag else at
        report.add("DG428", message, place, hint or "use a newer GPU")
        return
    capability, where = float(gpu["computeCapability"]), _where(gpu)
    if backend == "vllm" and shape and shape.type in _NEVER_IN_HALF and capability < 8 and not _dtype(arguments):
        report.add(
            "DG429", f"{where} has no BF16, and '{shape.type}' models do not run in FP16: vLLM takes 32 bits", at,
            hint="use a GPU with compute capability 8.0 or higher", severity="warning",
        )  # fmt: skip
    family, limits, flag = _limits(shape, arguments, backend, known)
    if limits and capability < limits.get("native", 0):
        weights = "weights" if flag else f"weights of model '{profile.data['model']}'"
        report.add(
            "DG429", f"{where} does not compute in {family.upper()}: {weights} are unpacked to 16 bits on the fly",
            _at_argument(profile, flag) if flag else at,
            hint=f"this saves memory, not time; GPUs with {limits['native']} or higher do both", severity="warning",
        )  # fmt: skip


def unsupported(
    shape: Shape | None, arguments: Sequence[str], backend: str, gpu: Mapping[str, Any], known: Mapping[str, Any]
) -> Unsupported | None:
    """The first thing about precision that an engine refuses on this GPU."""
    capability, where = float(gpu["computeCapability"]), _where(gpu)
    never_half = backend == "vllm" and shape is not None and shape.type in _NEVER_IN_HALF
    if never_half and shape is not None and _dtype(arguments) in ("half", "float16"):
        return Unsupported("--dtype", f"vLLM does not run '{shape.type}' models in FP16", "leave out --dtype")
    if _dtype(arguments) == "bfloat16" and capability < 8:
        hint = "leave out --dtype" if never_half else "use --dtype half"
        return Unsupported("--dtype", f"{where} has no BF16", hint)
    least = known.get(backend, {}).get("any", {}).get("least", 0)
    if capability < least:
        return Unsupported("", f"{backend} does not run on {where}: it needs {least}")
    family, limits, flag = _limits(shape, arguments, backend, known)
    if not limits or capability >= limits["least"]:
        return None
    if flag:
        message = f"{where} cannot serve weights in FP8: {backend} needs {limits['least']}"
        return Unsupported(flag, message, "leave out --quantization")
    needs = f"{backend} needs {limits['least']}"
    message = f"{where} cannot serve the weights of this model, which are in {family.upper()}: {needs}"
    return Unsupported("", message, besides="the model in another precision")


def _limits(
    shape: Shape | None, arguments: Sequence[str], backend: str, known: Mapping[str, Any]
) -> tuple[str, Mapping[str, float], str]:
    """The precision of the weights, what it needs of a GPU, and the flag that asks for it if the model does not."""
    families: Mapping[str, Any] = known.get(backend, {})
    found = shape.quantization if shape else None
    if found:
        limits = families.get(f"{found.method}-{found.family}") or families.get(found.family) or {}
        return found.family, limits, ""
    # What the engine quantizes itself, when it loads a model in 16 bits.
    if value_of(arguments, "--quantization", "-q") == "fp8":
        return "fp8", families.get("fp8", {}), "--quantization"
    return "", {}, ""


def _dtype(arguments: Sequence[str]) -> str:
    return value_of(arguments, "--dtype") or ""


def _where(gpu: Mapping[str, Any]) -> str:
    return f"{gpu['name']} (compute capability {gpu['computeCapability']})"


def widened(shape: Shape, backend: str, gpu: Mapping[str, Any]) -> Shape:
    """The shape as the engine loads it: in 32 bits where it has no other way."""
    if backend == "vllm" and shape.type in _NEVER_IN_HALF and float(gpu["computeCapability"]) < 8:
        return shape._replace(dtype="float32")
    return shape._replace(dtype="bfloat16") if shape.dtype == "float32" else shape


def _at_argument(profile: Profile, flag: str) -> Any:
    for index, argument in enumerate(profile.data["engineArgs"]):
        if argument.startswith(flag) or (flag == "--quantization" and argument.startswith("-q")):
            return profile.at(("engineArgs", index))
    return profile.at(("engineArgs",))
