"""A model's config.json in, its layers in parameters out: what each is, and what one of that kind is made of.

Sources as in `shape`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Block(NamedTuple):
    """One layer, in parameters. `kind` says what attention remembers: `full`, `window`, `latent`, `state` or nothing.

    Tensor parallelism splits `attention` and `mlp`; `kv`, the projections to keys and values, down to one head a GPU;
    every GPU has `copied` whole. `experts` are the routed ones. `kv_heads` times `kv_width` elements are remembered of
    each token (`index_bytes` beside them), of `window` tokens at most if that is not 0, and `state_bytes` of a sequence.
    """

    kind: str
    attention: int
    kv: int
    copied: int
    mlp: int
    shared: int
    experts: int
    kv_heads: int = 0
    kv_width: int = 0
    index_bytes: int = 0
    window: int = 0
    state_bytes: int = 0


class NotUnderstood(ValueError):
    """A config.json that lacks a key, or has one that nobody here knows how to count."""


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
    what, window = _kind_of(config, kind, index)
    if what != "state" and config.get("kv_lora_rank"):
        what, window = "latent", 0
    elif what == "full" and kind.startswith(("qwen3_next", "qwen3_5")):
        what = "gated"
    return what, window, "experts" if experts and _has_experts(config, index) else "dense"


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
    block = _NOTHING
    if what == "mamba":
        block = _mamba(config)
    elif what == "state":
        block = _linear(config)
    elif what == "latent":
        block = _latent(config)
    elif what == "gated":  # the query has a gate of its own size
        block = _attention(config, "full", 0)
        gate = config["num_attention_heads"] * _head(config) * config["hidden_size"]
        block = block._replace(attention=block.attention + gate)
    elif what:
        block = _attention(config, what, window)
    matrices = 2 if kind in _UNGATED else 3
    if beside == "dense":
        return block._replace(mlp=matrices * config["hidden_size"] * width)
    return _with_experts(block, config, kind, experts, matrices, expert_width) if beside else block


_NOTHING = Block("", 0, 0, 0, 0, 0, 0)


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
    return _NOTHING._replace(
        kind=what, attention=2 * hidden * heads * head, kv=2 * hidden * kv_heads * head,
        kv_heads=kv_heads, kv_width=2 * head, window=window,
    )  # fmt: skip


def _latent(config: Mapping[str, Any]) -> Block:
    """Multi-head latent attention: keys and values are remembered as one compressed vector, whole on every GPU."""
    latent, rope = _needed(config, "kv_lora_rank"), _needed(config, "qk_rope_head_dim")
    nope, value = _needed(config, "qk_nope_head_dim"), _needed(config, "v_head_dim")
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    query = config.get("q_lora_rank") or 0
    copied = hidden * query + hidden * (latent + rope)
    split = (query or hidden) * heads * (nope + rope) + latent * heads * (nope + value) + heads * value * hidden
    index = int(config.get("index_head_dim") or 0)  # DeepSeek's sparse attention keeps a small key of each token
    if index:
        copied += (query or hidden) * int(config.get("index_n_heads") or 0) * index + hidden * index
    return _NOTHING._replace(
        kind="latent", attention=split, copied=copied, kv_heads=1, kv_width=latent + rope, index_bytes=index + 4 if index else 0
    )  # fmt: skip


def _linear(config: Mapping[str, Any]) -> Block:
    """Gated delta net (Qwen3-Next): a matrix per head instead of a memory that grows."""
    keys, key = _needed(config, "linear_num_key_heads"), _needed(config, "linear_key_head_dim")
    values, value = _needed(config, "linear_num_value_heads"), _needed(config, "linear_value_head_dim")
    hidden = config["hidden_size"]
    split = hidden * (2 * keys * key + 2 * values * value) + values * value * hidden
    return _NOTHING._replace(kind="state", attention=split, state_bytes=values * value * key * 4)


def _mamba(config: Mapping[str, Any]) -> Block:
    heads, head = _needed(config, "mamba_num_heads"), _needed(config, "mamba_head_dim")
    state = _needed(config, "ssm_state_size")
    hidden, inner = config["hidden_size"], heads * head
    split = hidden * (2 * inner + 2 * int(config.get("n_groups") or 1) * state + heads) + inner * hidden
    return _NOTHING._replace(kind="state", attention=split, state_bytes=heads * head * state * 4)


def _with_experts(
    block: Block, config: Mapping[str, Any], kind: str, experts: int, matrices: int, expert_width: int
) -> Block:
    hidden, shared = config["hidden_size"], width_of_shared(config, kind, expert_width)
    # Nemotron 3 Super's experts work in a smaller space (its config.json: moe_latent_size).
    inner = int(config.get("moe_latent_size") or hidden)
    return block._replace(
        shared=matrices * hidden * shared + (2 * hidden * inner if inner != hidden else 0),
        experts=experts * matrices * inner * expert_width,
    )


def width_of_shared(config: Mapping[str, Any], kind: str, expert_width: int) -> int:
    """The width of the experts that see every token, all of them together."""
    if kind.startswith("llama4"):  # always one, of the experts' size
        return expert_width
    said = config.get("moe_shared_expert_intermediate_size") or config.get("shared_expert_intermediate_size")
    return int(said or 0) or int(config.get("n_shared_experts") or 0) * expert_width
