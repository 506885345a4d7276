"""One layer of a model, as what it takes of a GPU: parameters, and what it remembers of a sequence."""

from __future__ import annotations

from typing import NamedTuple


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
    index_bytes: float = 0
    window: int = 0
    state_bytes: int = 0


NOTHING = Block("", 0, 0, 0, 0, 0, 0)


class NotUnderstood(ValueError):
    """A config.json that lacks a key, or has one that nobody here knows how to count."""
