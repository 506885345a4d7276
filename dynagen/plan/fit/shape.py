"""A model's config.json in, its shape out: what memory and parallelism follow from.

The keys are those of Hugging Face's config.json. Sources of what they mean: the modelling code in transformers 5.24
(src/transformers/models) and in vLLM 0.31 (vllm/model_executor/models).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dynagen.diagnostics import shortened
from dynagen.plan.fit.block import Block, NotUnderstood
from dynagen.plan.fit.blocks import blocks_of, width_of_shared
from dynagen.plan.fit.quantization import Quantization, quantization_of


class Shape(NamedTuple):
    """What a model is made of. `blocks` are its layers, equal ones counted; widths are those of the MLPs in elements,
    `shared_width` that of all experts together that see every token.

    `other` are parameters that no tensor parallelism splits and no key describes, such as a vision tower.
    """

    type: str
    layers: int
    blocks: tuple[tuple[Block, int], ...]
    hidden: int
    heads: int
    kv_heads: int
    vocabulary: int
    is_tied: bool
    context: int
    dtype: str
    quantization: Quantization | None
    width: int
    experts: int
    experts_per_token: int
    expert_width: int
    other: int
    shared_width: int = 0

    @property
    def parameters(self) -> int:
        """All of them, computed from the shape; norms and biases, far below 1 %, are left out."""
        embeddings = self.vocabulary * self.hidden * (1 if self.is_tied else 2)
        inner = sum(
            (block.attention + block.kv + block.copied + block.mlp + block.shared + block.experts) * count
            for block, count in self.blocks
        )
        return embeddings + inner + self.other


# Layers of a kind that is not counted here; a number that is wrong is worse than none.
_FOREIGN = (
    "block_configs",
    "swa_num_key_value_heads",
    "attention_other_setting",
    "hidden_size_per_layer_input",
    "num_kv_shared_layers",
)
# Whose embeddings are shared when config.json does not say: the defaults of their classes in transformers.
_TIED = ("gemma", "gemma2", "gemma3", "gemma3_text", "cohere", "cohere2")
# More than any model has: a wrong number shall not keep us busy.
_MOST_LAYERS = 2000
# So that what is computed from several stays within floats.
_LARGEST = 1e30


def shape_of(config: Mapping[str, Any]) -> Shape:
    """Raises NotUnderstood for a config.json that cannot be counted."""
    try:
        return _shape_of(config)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:  # values of other types
        if isinstance(error, NotUnderstood):
            raise
        raise NotUnderstood(f"a value is not as expected ({error})") from error


def _shape_of(config: Mapping[str, Any]) -> Shape:
    merged = _described(config)
    kind = str(merged.get("model_type", ""))
    if "num_hidden_layers" not in merged and merged.get("layers_block_type"):  # Nemotron 3 Ultra lists them only
        merged["num_hidden_layers"] = len(merged["layers_block_type"])
    layers, hidden, heads = (
        _number(merged, key) for key in ("num_hidden_layers", "hidden_size", "num_attention_heads")
    )
    if layers > _MOST_LAYERS:
        raise NotUnderstood(f"'num_hidden_layers' is {layers}")
    experts = _experts(merged)
    widths = ("intermediate_size_mlp", "dense_intermediate_size", "intermediate_size")
    width = int(next((merged[key] for key in widths if merged.get(key)), 0))
    expert_width = int(merged.get("moe_intermediate_size") or merged.get("intermediate_size") or 0) if experts else 0
    if not (width or expert_width):
        raise NotUnderstood("'intermediate_size' is missing")
    dtype = merged.get("torch_dtype") or merged.get("dtype") or "bfloat16"
    return Shape(
        type=kind,
        layers=layers,
        blocks=blocks_of(merged, kind, layers, experts, width, expert_width),
        hidden=hidden,
        heads=heads,
        kv_heads=int(merged.get("num_key_value_heads") or heads),
        vocabulary=_number(merged, "vocab_size"),
        is_tied=bool(merged.get("tie_word_embeddings", kind in _TIED)),
        context=_number(merged, "max_position_embeddings"),
        dtype=str(dtype).removeprefix("torch."),
        quantization=quantization_of(merged),
        width=width,
        experts=experts,
        experts_per_token=_experts_per_token(merged) if experts else 0,
        expert_width=expert_width,
        other=int(merged.get("otherParameters", 0) * 1e9),
        shared_width=width_of_shared(merged, kind, expert_width) if experts else 0,
    )


def _described(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the text model. Raises NotUnderstood where a key describes layers that nobody counts here."""
    inner = config.get("text_config")
    merged: dict[str, Any] = {**config, **inner} if isinstance(inner, Mapping) else dict(config)
    foreign = next((key for key in _FOREIGN if merged.get(key)), None)
    if not foreign and 0 in (merged.get("attn_type_list") or ()):  # lightning attention
        foreign = "attn_type_list"
    if foreign:
        raise NotUnderstood(f"layers described by '{foreign}' cannot be counted")
    absurd = next(
        (key for key, value in merged.items() if isinstance(value, (int, float)) and abs(value) > _LARGEST), None
    )
    if absurd:
        raise NotUnderstood(f"'{absurd}' is {float(merged[absurd]):.0e}")
    return merged


def _experts(config: Mapping[str, Any]) -> int:
    experts: Any = next(
        (config[key] for key in ("n_routed_experts", "num_local_experts", "num_experts") if config.get(key)), 0
    )
    if not isinstance(experts, int):
        raise NotUnderstood(f"the number of experts is {shortened(str(experts), 20)}")
    return int(experts)


def _experts_per_token(config: Mapping[str, Any]) -> int:
    keys = ("num_experts_per_tok", "experts_per_token", "num_experts_per_token", "top_k_experts")
    return int(next((config[key] for key in keys if config.get(key)), 1))


def _number(config: Mapping[str, Any], key: str) -> int:
    found = config.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise NotUnderstood(f"'{key}' is missing")
    return found
