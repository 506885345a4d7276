"""A model's config.json in, its layers in parameters out: what each is, and what one of that kind is made of.

Sources as in `shape`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.plan.fit.block import NOTHING, Block, NotUnderstood

# MLPs of two matrices instead of three.
_UNGATED = ("nemotron", "nemotron_h", "starcoder2", "gpt_neox", "opt", "phi", "falcon", "gpt2")
# How many layers make up one round of windows, the last of which sees everything, when config.json does not say.
_ROUND = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "cohere2": 4, "gpt_oss": 2}

# What attention is, its window, and what stands beside it: `dense`, `experts` or nothing. Layers that agree are alike.
_Layer = tuple[str, int, str]
# Nemotron-H: a layer is a state, attention, an MLP or experts, never two of them.
_LETTERS: dict[str, _Layer] = {
    "M": ("mamba", 0, ""), "*": ("full", 0, ""), "-": ("", 0, "dense"), "E": ("", 0, "experts"),
}  # fmt: skip


def blocks_of(
    config: Mapping[str, Any], kind: str, layers: int, experts: int, width: int, expert_width: int
) -> tuple[tuple[Block, int], ...]:
    """Blocks, and how many there are of each. Raises NotUnderstood, and what values of other types raise."""
    pattern = config.get("hybrid_override_pattern") or _letters(config.get("layers_block_type") or ())
    alike = Counter(
        _by_letter(pattern, index) if pattern else _layer(config, kind, index, experts) for index in range(layers)
    )
    found: Counter[Block] = Counter()
    for layer, count in alike.items():
        found[_block(config, kind, layer, experts, width, expert_width)] += count
    return tuple(found.items())


def _by_letter(pattern: Sequence[str], index: int) -> _Layer:
    letter = pattern[index] if index < len(pattern) else ""
    if letter not in _LETTERS:
        raise NotUnderstood(f"nothing says what layer {index} is")
    return _LETTERS[letter]


def _letters(names: Sequence[str]) -> str:
    """Nemotron-H's list of layers in its older spelling."""
    return "".join({"mamba": "M", "attention": "*", "mlp": "-", "moe": "E"}.get(name, "?") for name in names)


def _layer(config: Mapping[str, Any], kind: str, index: int, experts: int) -> _Layer:
    if config.get("compress_ratios"):
        return "compressed", _at(config["compress_ratios"], index), "experts"
    what, window = _kind_of(config, kind, index)
    if "sparse_attention_config" in config and _at(config["sparse_attention_config"]["sparse_attention_freq"], index):
        what = "sparse"
    if index + 1 in (config.get("linear_attn_config") or {}).get("kda_layers", ()):  # Kimi counts layers from 1
        what, window = "delta", 0
    elif what != "state" and config.get("kv_lora_rank"):
        what, window = "latent", 0
    elif what == "full" and kind.startswith(("qwen3_next", "qwen3_5")):
        what = "gated"
    return what, window, "experts" if experts and _has_experts(config, index) else "dense"


def _at(values: Any, index: int) -> int:
    """What a list says of a layer. Raises NotUnderstood when it ends before."""
    if not isinstance(values, list) or index >= len(values):
        raise NotUnderstood(f"nothing says what layer {index} is")
    return int(values[index])


def _kind_of(config: Mapping[str, Any], kind: str, index: int) -> tuple[str, int]:
    """What the attention of a layer is, and its window."""
    # Llama 4 attends within chunks, but the engines keep all tokens of them (vllm/config/vllm.py of 0.31).
    window = int(config.get("sliding_window") or 0)
    if config.get("use_sliding_window") is False:
        window = 0
    types = config.get("layer_types")
    if types:
        if index >= len(types):
            raise NotUnderstood("'layer_types' is shorter than 'num_hidden_layers'")
        what = str(types[index])
        if what == "linear_attention":
            return "state", 0
        if what in ("sliding_attention", "chunked_attention"):
            return ("window", window) if window else ("full", 0)
        if what not in ("full_attention", "deepseek_sparse_attention"):
            raise NotUnderstood(f"'layer_types' has '{what}'")
        return "full", 0
    interval = config.get("full_attention_interval")
    if interval:
        return ("full", 0) if (index + 1) % interval == 0 else ("state", 0)
    size = config.get("sliding_window_pattern") or _ROUND.get(kind)
    if window and isinstance(size, int):
        return ("full", 0) if (index + 1) % size == 0 else ("window", window)
    return ("window", window) if window else ("full", 0)


def _has_experts(config: Mapping[str, Any], index: int) -> bool:
    if index < int(config.get("first_k_dense_replace") or 0) or index in (config.get("mlp_only_layers") or ()):
        return False
    frequency = config.get("moe_layer_freq")
    if isinstance(frequency, list):
        return bool(frequency[index]) if index < len(frequency) else True
    step = config.get("interleave_moe_layer_step") or config.get("decoder_sparse_step") or frequency or 1
    return (index + 1) % int(step) == 0


def _block(config: Mapping[str, Any], kind: str, layer: _Layer, experts: int, width: int, expert_width: int) -> Block:
    what, window, beside = layer
    block = NOTHING
    if what == "mamba":
        block = _mamba(config)
    elif what == "state":
        block = _linear(config)
    elif what in ("compressed", "delta", "sparse"):
        from dynagen.plan.fit import sparse_blocks  # few models have them

        block = sparse_blocks.block(what, config, window, _attention(config, "full", 0))
    elif what == "latent":
        block = _latent(config)
    elif what == "gated":  # the query has a gate of its own size
        block = _attention(config, "full", 0)
        gate = config["num_attention_heads"] * _head(config) * config["hidden_size"]
        block = block._replace(attention=block.attention + gate)
    elif what == "full" and config.get("global_head_dim"):
        block = _global(config)
    elif what:
        block = _attention(config, what, window)
    matrices = 2 if kind in _UNGATED else 3
    if beside == "dense":
        return block._replace(mlp=matrices * config["hidden_size"] * width)
    if config.get("enable_moe_block"):  # Gemma 4: an MLP beside the experts, in each layer
        block = block._replace(mlp=matrices * config["hidden_size"] * width)
    return _with_experts(block, config, kind, experts, matrices, expert_width) if beside else block


def _head(config: Mapping[str, Any]) -> int:
    return int(
        config.get("head_dim")
        or config.get("attention_head_dim")
        or config["hidden_size"] // config["num_attention_heads"]
    )


def _needed(config: Mapping[str, Any], key: str) -> Any:
    try:
        return config[key]
    except KeyError as error:
        raise NotUnderstood(f"{error} is missing") from error


def _attention(config: Mapping[str, Any], what: str, window: int) -> Block:
    hidden, heads, head = config["hidden_size"], config["num_attention_heads"], _head(config)
    kv_heads = int(config.get("num_key_value_heads") or heads)
    return NOTHING._replace(
        kind=what, attention=2 * hidden * heads * head, kv=2 * hidden * kv_heads * head,
        kv_heads=kv_heads, kv_width=2 * head, window=window,
    )  # fmt: skip


def _global(config: Mapping[str, Any]) -> Block:
    """Gemma 4's layers that see everything: heads of another size, keys that are the values as well.

    Source: src/transformers/models/gemma4/modular_gemma4.py of transformers 5.24.
    """
    hidden, heads, head = config["hidden_size"], config["num_attention_heads"], int(config["global_head_dim"])
    kv_heads = int(config.get("num_global_key_value_heads") or config["num_key_value_heads"])
    projections = 1 if config.get("attention_k_eq_v") else 2
    return NOTHING._replace(
        kind="full", attention=2 * hidden * heads * head, kv=projections * hidden * kv_heads * head,
        kv_heads=kv_heads, kv_width=2 * head,
    )  # fmt: skip


def _latent(config: Mapping[str, Any]) -> Block:
    """Multi-head latent attention: keys and values are remembered as one compressed vector, whole on every GPU."""
    latent, rope = _needed(config, "kv_lora_rank"), _needed(config, "qk_rope_head_dim")
    nope, value = _needed(config, "qk_nope_head_dim"), _needed(config, "v_head_dim")
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    query = config.get("q_lora_rank") or 0
    copied = hidden * query + hidden * (latent + rope)
    split = (query or hidden) * heads * (nope + rope) + latent * heads * (nope + value) + heads * value * hidden
    if config.get("mla_use_output_gate"):
        split += hidden * heads * value
    index = int(config.get("index_head_dim") or 0)  # DeepSeek's sparse attention keeps a small key of each token
    if index:
        copied += (query or hidden) * int(config.get("index_n_heads") or 0) * index + hidden * index
    return NOTHING._replace(
        kind="latent", attention=split, copied=copied, kv_heads=1, kv_width=latent + rope, index_bytes=index + 4 if index else 0
    )  # fmt: skip


def _linear(config: Mapping[str, Any]) -> Block:
    """Gated delta net (Qwen3-Next): a matrix per head instead of a memory that grows."""
    keys, key = _needed(config, "linear_num_key_heads"), _needed(config, "linear_key_head_dim")
    values, value = _needed(config, "linear_num_value_heads"), _needed(config, "linear_value_head_dim")
    hidden = config["hidden_size"]
    split = hidden * (2 * keys * key + 2 * values * value) + values * value * hidden
    return NOTHING._replace(kind="state", attention=split, state_bytes=values * value * key * 4)


def _mamba(config: Mapping[str, Any]) -> Block:
    heads, head = _needed(config, "mamba_num_heads"), _needed(config, "mamba_head_dim")
    state = _needed(config, "ssm_state_size")
    hidden, inner = config["hidden_size"], heads * head
    split = hidden * (2 * inner + 2 * int(config.get("n_groups") or 1) * state + heads) + inner * hidden
    return NOTHING._replace(kind="state", attention=split, state_bytes=heads * head * state * 4)


def _with_experts(
    block: Block, config: Mapping[str, Any], kind: str, experts: int, matrices: int, expert_width: int
) -> Block:
    hidden, shared = config["hidden_size"], width_of_shared(config, kind, expert_width)
    # The experts of Nemotron 3 Super and of Kimi-K3 work in a smaller space (their config.json).
    inner = int(config.get("moe_latent_size") or config.get("routed_expert_hidden_size") or hidden)
    return block._replace(
        shared=matrices * hidden * shared + (2 * hidden * inner if inner != hidden else 0),
        experts=experts * matrices * inner * expert_width,
    )


def width_of_shared(config: Mapping[str, Any], kind: str, expert_width: int) -> int:
    """The width of the experts that see every token, all of them together."""
    if kind.startswith("llama4"):  # always one, of the experts' size
        return expert_width
    keys = ("moe_shared_expert_intermediate_size", "shared_expert_intermediate_size", "shared_intermediate_size")
    said = next((config[key] for key in keys if config.get(key)), 0)
    return int(said) or int(config.get("n_shared_experts") or config.get("num_shared_experts") or 0) * expert_width
