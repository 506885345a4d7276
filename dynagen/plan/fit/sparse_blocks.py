"""Layers that remember less than each token, or find what matters by an index: DeepSeek-V4, MiniMax-M3 and Kimi-K3.

Sources: vllm/models/deepseek_v4/attention.py and compressor.py, minimax_m3/nvidia/model.py, kimi_k3/nvidia/kda.py and
mla.py of vLLM 0.33.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.plan.fit.block import NOTHING, Block

# What DeepSeek-V4 keeps of a token, or of several that are compressed into one: 448 values in 8 bits, 64 in 16, scales.
_STATE_BYTES = 584
# And of the index, in 8 bits with one scale.
_INDEX_BYTES = 132


def block(kind: str, config: Mapping[str, Any], ratio: int, plain: Block) -> Block:
    """`kind` is compressed, sparse or delta; `plain` is what attention as usual would be."""
    if kind == "compressed":
        return _compressed(config, ratio)
    return _sparse(config, plain) if kind == "sparse" else _delta(config)


def _compressed(config: Mapping[str, Any], ratio: int) -> Block:
    """DeepSeek-V4: a window of all tokens, and of `ratio` tokens each one state; 0 if there is only the window.

    One head of keys that are the values as well, whole on every GPU as the compressors are. A ratio of 4 has an index.
    """
    hidden, heads, head = config["hidden_size"], config["num_attention_heads"], config["head_dim"]
    query, output = config["q_lora_rank"], config["o_lora_rank"]
    split = query * heads * head + heads * head * output + config["o_groups"] * output * hidden
    copied = hidden * (query + head)
    remembered = 0.0
    if ratio > 1:
        overlap = 2 if ratio == 4 else 1
        copied += 2 * hidden * overlap * head
        remembered += _STATE_BYTES / ratio
    if ratio == 4:
        index, index_heads = config["index_head_dim"], config["index_n_heads"]
        copied += query * index_heads * index + hidden * index_heads + 2 * hidden * 2 * index
        remembered += _INDEX_BYTES / ratio
    return NOTHING._replace(
        kind="latent", attention=split, copied=copied, kv_heads=1, index_bytes=remembered,
        state_bytes=int(config["sliding_window"]) * _STATE_BYTES,
    )  # fmt: skip


def _sparse(config: Mapping[str, Any], plain: Block) -> Block:
    """MiniMax-M3: attention as usual, and an index whose one key of each token, in 16 bits, is whole on every GPU."""
    said = config["sparse_attention_config"]
    heads, size = said["sparse_num_index_heads"], said["sparse_index_dim"]
    index = config["hidden_size"] * (heads + 1) * size
    return plain._replace(copied=plain.copied + index, index_bytes=2 * size)


def _delta(config: Mapping[str, Any]) -> Block:
    """Kimi's delta attention: a matrix per head, whose gates are as wide as the heads or come through a narrow one."""
    said = config["linear_attn_config"]
    hidden, heads, head = config["hidden_size"], said["num_heads"], said["head_dim"]
    inner = heads * head
    gate = hidden * inner if said.get("use_full_rank_gate") else (hidden + inner) * head
    split = 4 * hidden * inner + gate + inner * head + hidden * heads
    return NOTHING._replace(
        kind="state", attention=split, copied=hidden * head, state_bytes=heads * head * head * 4
    )  # fmt: skip
