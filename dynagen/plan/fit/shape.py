"""A model's config.json in, its shape out: what memory and parallelism follow from.

The keys are those of Hugging Face's config.json. Sources of what they mean: the modelling code in transformers 5.24
(src/transformers/models) and in vLLM 0.31 (vllm/model_executor/models).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import shortened
from dynagen.plan.fit.quantization import Quantization, quantization_of


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


class Shape(NamedTuple):
    """What a model is made of. `blocks` are its layers, equal ones counted; widths are those of the MLPs in elements.

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

    @property
    def parameters(self) -> int:
        """All of them, computed from the shape; norms and biases, far below 1 %, are left out."""
        embeddings = self.vocabulary * self.hidden * (1 if self.is_tied else 2)
        inner = sum(
            (block.attention + block.kv + block.copied + block.mlp + block.shared + block.experts) * count
            for block, count in self.blocks
        )
        return embeddings + inner + self.other


class NotUnderstood(ValueError):
    """A config.json that lacks a key, or has one that this module does not know how to count."""


# Layers of a kind that is not counted here; a number that is wrong is worse than none.
_FOREIGN = (
    "block_configs",
    "compress_ratios",
    "linear_attn_config",
    "global_head_dim",
    "swa_num_key_value_heads",
    "attention_other_setting",
    "sparse_attention_config",
)
# MLPs of two matrices instead of three.
_UNGATED = ("nemotron", "nemotron_h", "starcoder2", "gpt_neox", "opt", "phi", "falcon", "gpt2")
# How many layers make up one round of windows, the last of which sees everything, when config.json does not say.
_ROUND = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "cohere2": 4, "gpt_oss": 2}
# Whose embeddings are shared when config.json does not say: the defaults of their classes in transformers.
_TIED = ("gemma", "gemma2", "gemma3", "gemma3_text", "cohere", "cohere2")


def shape_of(config: Mapping[str, Any]) -> Shape:
    """Raises NotUnderstood for a config.json that cannot be counted."""
    key = repr(config)  # many profiles share a model
    try:
        if key not in _known:
            if len(_known) > _MOST_KNOWN:
                _known.clear()
            _known[key] = _shape_of(config)
        return _known[key]
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:  # values of other types
        if isinstance(error, NotUnderstood):
            raise
        raise NotUnderstood(f"a value is not as expected ({error})") from error


_known: dict[str, Shape] = {}
_MOST_KNOWN = 200

# More than any model has: a wrong number shall not keep us busy.
_MOST_LAYERS = 2000


def _shape_of(config: Mapping[str, Any]) -> Shape:
    inner = config.get("text_config")
    merged: dict[str, Any] = {**config, **inner} if isinstance(inner, Mapping) else dict(config)
    foreign = next((key for key in _FOREIGN if merged.get(key)), None)
    if not foreign and 0 in (merged.get("attn_type_list") or ()):  # lightning attention
        foreign = "attn_type_list"
    if foreign:
        raise NotUnderstood(f"layers described by '{foreign}' cannot be counted")
    kind = str(merged.get("model_type", ""))
    layers, hidden, heads = (
        _number(merged, key) for key in ("num_hidden_layers", "hidden_size", "num_attention_heads")
    )
    if layers > _MOST_LAYERS:
        raise NotUnderstood(f"'num_hidden_layers' is {layers}")
    experts = next(
        (merged[key] for key in ("n_routed_experts", "num_local_experts", "num_experts") if merged.get(key)), 0
    )
    if not isinstance(experts, int):
        raise NotUnderstood(f"the number of experts is {shortened(str(experts), 20)}")
    width = int(merged.get("intermediate_size_mlp") or merged.get("intermediate_size") or 0)
    expert_width = int(merged.get("moe_intermediate_size") or merged.get("intermediate_size") or 0) if experts else 0
    if not (width or expert_width):
        raise NotUnderstood("'intermediate_size' is missing")
    blocks = Counter(_block(merged, kind, index, experts, width, expert_width) for index in range(layers))
    dtype = merged.get("torch_dtype") or merged.get("dtype") or "bfloat16"
    return Shape(
        type=kind,
        layers=layers,
        blocks=tuple(blocks.items()),
        hidden=hidden,
        heads=heads,
        kv_heads=int(merged.get("num_key_value_heads") or heads),
        vocabulary=_number(merged, "vocab_size"),
        is_tied=bool(merged.get("tie_word_embeddings", kind in _TIED)),
        context=_number(merged, "max_position_embeddings"),
        dtype=str(dtype).removeprefix("torch."),
        quantization=quantization_of(merged),
        width=width,
        experts=int(experts),
        experts_per_token=int(merged.get("num_experts_per_tok") or merged.get("experts_per_token") or 1)
        if experts
        else 0,
        expert_width=expert_width,
        other=int(merged.get("otherParameters", 0) * 1e9),
    )


def _number(config: Mapping[str, Any], key: str) -> int:
    found = config.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise NotUnderstood(f"'{key}' is missing")
    return found


def _block(config: Mapping[str, Any], kind: str, index: int, experts: int, width: int, expert_width: int) -> Block:
    pattern = config.get("hybrid_override_pattern") or _letters(config.get("layers_block_type") or ())
    if pattern:  # Nemotron-H: a layer is a state, attention, an MLP or experts, never two of them
        letter = pattern[index] if index < len(pattern) else ""
        block = _NOTHING
        if letter == "M":
            block = _mamba(config)
        elif letter == "*":
            block = _attention(config, "full", 0)
        elif not letter or letter not in "-E":
            raise NotUnderstood(f"nothing says what layer {index} is")
        return _with_mlp(block, config, kind, letter == "E", letter == "-", experts, width, expert_width)
    what, window = _kind_of(config, kind, index)
    block = (
        _linear(config)
        if what == "state"
        else _latent(config)
        if config.get("kv_lora_rank")
        else _attention(config, what, window)
    )
    if kind.startswith(("qwen3_next", "qwen3_5")) and what == "full":  # the query has a gate of its own size
        block = block._replace(
            attention=block.attention + config["num_attention_heads"] * _head(config) * config["hidden_size"]
        )
    has_experts = bool(experts) and _has_experts(config, index)
    return _with_mlp(block, config, kind, has_experts, not has_experts, experts, width, expert_width)


_NOTHING = Block("", 0, 0, 0, 0, 0, 0)


def _letters(names: Sequence[str]) -> str:
    """Nemotron-H's list of layers in its older spelling."""
    return "".join({"mamba": "M", "attention": "*", "mlp": "-", "moe": "E"}.get(name, "?") for name in names)


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


def _has_experts(config: Mapping[str, Any], index: int) -> bool:
    if index < int(config.get("first_k_dense_replace") or 0) or index in (config.get("mlp_only_layers") or ()):
        return False
    frequency = config.get("moe_layer_freq")
    if isinstance(frequency, list):
        return bool(frequency[index]) if index < len(frequency) else True
    step = config.get("interleave_moe_layer_step") or config.get("decoder_sparse_step") or frequency or 1
    return (index + 1) % int(step) == 0


def _with_mlp(
    block: Block, config: Mapping[str, Any], kind: str, has_experts: bool, is_dense: bool, experts: int, width: int, expert_width: int
) -> Block:  # fmt: skip
    """A block with the parts beside its attention."""
    hidden, matrices = config["hidden_size"], 2 if kind in _UNGATED else 3
    if not has_experts:
        return block._replace(mlp=matrices * hidden * width) if is_dense else block
    shared = int(
        config.get("moe_shared_expert_intermediate_size") or config.get("shared_expert_intermediate_size") or 0
    )
    shared = shared or int(config.get("n_shared_experts") or 0) * expert_width
    if kind.startswith("llama4"):  # always one, of the experts' size
        shared = expert_width
    # Nemotron 3 Super's experts work in a smaller space (its config.json: moe_latent_size).
    inner = int(config.get("moe_latent_size") or hidden)
    return block._replace(
        shared=matrices * hidden * shared + (2 * hidden * inner if inner != hidden else 0),
        experts=experts * matrices * inner * expert_width,
    )
