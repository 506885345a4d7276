"""How the weights of a model are stored: `quantization_config` of its config.json, or modelopt's hf_quant_config.json."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Quantization(NamedTuple):
    """`family` is what a GPU must be able to do: fp8, nvfp4, mxfp4, int4, int8. `method` is the loader's name for it.

    `bits` of a weight include its share of the scales. What is false is stored in 16 bits, as embeddings always are.
    `experts` are the bits of routed experts, if they have others. Weights come in blocks of `block` by `block`, or in groups of `group` with one scale; 0 if a scale is for more.
    """

    family: str
    method: str
    bits: float
    attention: bool = True
    mlp: bool = True
    shared: bool = True
    block: int = 0
    group: int = 0
    experts: float = 0


# Names of attention's matrices, or of attention as a whole; not of its norms.
_ATTENTION = r"(attn|mixer)\*?$|(^|[._])([qkvo]|qkv|q_[ab]|kv_[ab]|in)_proj"


def quantization_of(config: Mapping[str, Any]) -> Quantization | None:
    """None for weights in 16 bits, and for a method that is not known: then the weights count in 16 bits."""
    found = config.get("quantization_config") or config.get("compression_config") or config.get("quantization")
    if not isinstance(found, Mapping):
        return None
    method = str(found.get("quant_method") or "modelopt").replace("_", "-").lower()
    ignored = found.get("modules_to_not_convert") or found.get("ignore") or found.get("exclude_modules") or ()
    kept = [str(name).removeprefix("re:").removesuffix(".*").replace("\\", "") for name in ignored]
    weights = _weights(found)
    group = int(found.get("group_size") or weights.get("group_size") or 0)
    group = max(group, 0)  # -1: one scale a column
    algorithm = str(found.get("quant_algo") or found.get("quantization") or "").upper()
    bits = int(found.get("bits") or found.get("w_bit") or weights.get("num_bits") or 0)
    family, size = "", 0.0
    # DeepSeek-V4: what `ignore` and `config_groups` say is about its experts.
    experts = _expert_bits(config, found) if method == "fp8" else 0
    if not experts and algorithm == "MIXED_PRECISION" and isinstance(found.get("quantized_layers"), Mapping):
        return _mixed(found["quantized_layers"], method)
    if experts:
        family, size, kept = "fp8", 8, []
    elif method == "mxfp4" or "MXFP4" in algorithm or _format(found).startswith("mxfp4"):
        family, size, group = "mxfp4", 4 + 8 / 32, 32
    elif "NVFP4" in algorithm or (weights.get("type") == "float" and bits == 4):
        family, size, group = "nvfp4", 4 + 8 / 16, 16
    elif method in ("fp8", "fbgemm-fp8") or "FP8" in algorithm or (weights.get("type") == "float" and bits == 8):
        family, size = "fp8", 8
    elif method == "bitsandbytes":
        family, size = ("int4", 4.5) if found.get("load_in_4bit") else ("int8", 8)
    elif bits in (4, 8):
        family, size = f"int{bits}", bits + (20 / group if group else 0)  # a scale of 16 bits and a zero point of 4
    if not family:
        return None
    return Quantization(
        family, method, size,
        attention=not any(re.search(_ATTENTION, name) and "index" not in name for name in kept),
        mlp=not any(re.search(r"\.mlp\*?$|mlp\.\(?(\w+\|)*(gate_up|up|down)(\|\w+)*\)?_proj", name) for name in kept),
        shared=not any("shared_expert" in name and not name.endswith("gate") for name in kept),
        block=_block(found.get("weight_block_size") or weights.get("block_structure")), group=group,
        experts=experts,
    )  # fmt: skip


def _mixed(layers: Mapping[str, Any], method: str) -> Quantization | None:
    """modelopt names every layer that it quantized, and how. What shares a key here counts as its widest."""
    bits = {name: _bits(each) for name, each in layers.items() if name != "lm_head"}
    others = [name for name in bits if not re.search(r"\.experts(\.|$)", name)]
    experts = max((each for name, each in bits.items() if name not in others), default=0.0)
    size = max((bits[name] for name in others), default=experts)
    if not size:
        return None
    return Quantization(
        "fp8" if size == 8 else "nvfp4", method, size,
        attention=any(re.search(_ATTENTION, name) for name in others),
        mlp=any(".mlp." in name for name in others),
        shared=any("shared_expert" in name for name in others),
        experts=experts if experts != size else 0,
    )  # fmt: skip


def _bits(layer: Any) -> float:
    algorithm = str(layer.get("quant_algo") if isinstance(layer, Mapping) else "").upper()
    return 4 + 8 / 16 if "NVFP4" in algorithm else 8 if "FP8" in algorithm else 0


def _expert_bits(config: Mapping[str, Any], found: Mapping[str, Any]) -> float:
    """DeepSeek-V4's experts are in FP4 where all else is in FP8: MXFP4, or NVFP4 when they were quantized once more."""
    if config.get("expert_dtype") != "fp4":
        return 0
    return 4 + 8 / 16 if isinstance(found.get("config_groups"), Mapping) else 4 + 8 / 32


def _format(found: Mapping[str, Any]) -> str:
    groups = found.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    return str((first.get("format") if isinstance(first, Mapping) else "") or found.get("format") or "")


def _block(size: Any) -> int:
    """The side of a block, of `[128, 128]` or `128x128`; compressed-tensors has written both."""
    if isinstance(size, str):
        size = size.lower().split("x")
    return int(size[0]) if size else 0


def _weights(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What compressed-tensors and modelopt say of the weights of their first group."""
    groups = found.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights = first.get("weights") if isinstance(first, Mapping) else None
    return weights if isinstance(weights, Mapping) else {}
