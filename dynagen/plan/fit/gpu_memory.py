"""A shape and how it is spread over GPUs in, bytes of one GPU out: weights, KV cache, and what is left.

docs/fit.md says the formulas in words, with examples and sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from dynagen.plan.fit.block import Block
from dynagen.plan.fit.shape import Shape

GIB = 1024**3


class Layout(NamedTuple):
    """How many GPUs work on a tensor, how many groups of layers there are, and how many copies of all that.

    With `expert`, routed experts are spread over all GPUs of a stage.
    """

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    expert: bool = False

    @property
    def gpus(self) -> int:
        return self.tensor * self.pipeline * self.data


class Setting(NamedTuple):
    """What an engine's version, flags and defaults say about memory. `usable` is what it may use of a GPU in all, in bytes.

    `batched_tokens` are those of one step, `sequences` those of one batch; `kv_bytes` are those of an element.
    `experts_over_data`: whether the copies share the experts even without expert parallelism. `kv_share` is the part of what is
    left that the KV cache gets; `hands_over`: a whole sequence more is kept in a buffer that hands it to other workers.
    """

    usable: float
    fixed: float
    batched_tokens: int
    sequences: int
    kv_bytes: float = 2
    weight_bits: float = 0
    keeps_windows: bool = False
    experts_over_data: bool = False
    kv_share: float = 1.0
    hands_over: bool = False


class Fit(NamedTuple):
    """The memory of the fullest GPU, in bytes. `room` is what the KV cache can have; negative when weights do not fit."""

    usable: float
    weights: float
    overhead: float
    kv_share: float = 1.0

    @property
    def room(self) -> float:
        left = self.usable - self.weights - self.overhead
        return left * self.kv_share if left > 0 else left


def fit(shape: Shape, layout: Layout, setting: Setting) -> Fit:
    return Fit(setting.usable, weights(shape, layout, setting), overhead(shape, layout, setting), setting.kv_share)


def weights(shape: Shape, layout: Layout, setting: Setting) -> float:
    """Those of the fullest GPU: of the first or the last stage, if there are several."""
    stage = ceil(shape.layers / layout.pipeline) / shape.layers
    layers = sum(_block_bytes(block, shape, layout, setting) * count for block, count in shape.blocks)
    embeddings = shape.vocabulary * shape.hidden * _float_bytes(shape) / layout.tensor
    both = embeddings * (2 if layout.pipeline == 1 and not shape.is_tied else 1)
    return layers * stage + both + shape.other * _float_bytes(shape)


def draft_weights(shape: Shape, draft: Shape | None, layout: Layout, setting: Setting) -> float:
    """What guesses on each GPU: a draft model, split as the model is and not quantized by the engine, else one more layer of the model."""
    if draft is not None:
        return weights(draft, Layout(layout.tensor), setting._replace(weight_bits=0))
    return max(_block_bytes(block, shape, layout, setting) for block, _ in shape.blocks)


def stored_bytes(shape: Shape) -> float:
    """The files with the weights: no GPU has a part of them twice, and nothing is padded for a kernel."""
    return weights(shape._replace(expert_width=0), Layout(), Setting(0, 0, 0, 0))


def _float_bytes(shape: Shape) -> int:
    return 4 if shape.dtype == "float32" else 2


def _block_bytes(block: Block, shape: Shape, layout: Layout, setting: Setting) -> float:
    found, plain = shape.quantization, _float_bytes(shape)
    online = setting.weight_bits / 8  # quantized by the engine when it loads them

    def bytes_of(is_quantized: bool) -> float:
        return found.bits / 8 if found and is_quantized else plain if found or not online else online

    attention, shared = bytes_of(bool(found and found.attention)), bytes_of(bool(found and found.shared))
    dense, experts = bytes_of(bool(found and found.mlp)), bytes_of(found is not None)
    if found and found.experts:
        experts = found.experts / 8
    kv_share = 1 / min(layout.tensor, block.kv_heads) if block.kv_heads else 1 / layout.tensor
    # MXFP4 kernels want widths in multiples of 256 (vllm/model_executor/layers/quantization/mxfp4.py of 0.31): what
    # gpt-oss-120b takes, 64.4 GiB, is more than its file.
    if found and found.family == "mxfp4" and shape.expert_width:
        experts *= ceil(shape.expert_width / 256) * 256 / shape.expert_width
    return (
        block.attention / layout.tensor * attention
        + block.kv * kv_share * attention
        + block.copied * attention
        + block.mlp / layout.tensor * dense
        + block.shared / layout.tensor * shared
        + block.experts / _expert_share(layout, setting) * experts
    )


def _expert_share(layout: Layout, setting: Setting) -> int:
    return layout.tensor * (layout.data if layout.expert or setting.experts_over_data else 1)


def overhead(shape: Shape, layout: Layout, setting: Setting) -> float:
    """What is neither weights nor KV cache: the engine's fixed part, activations of the largest step, its samples."""
    width = 3 * shape.width / layout.tensor
    if shape.experts:
        width = shape.experts_per_token * (2 * shape.hidden + 3 * shape.expert_width / _expert_share(layout, setting))
    activations = setting.batched_tokens * (4 * shape.hidden + width) * 2
    samples = setting.sequences * shape.vocabulary * 8  # twice in 32 bits
    return setting.fixed + max(activations, samples)


def token_bytes(shape: Shape, layout: Layout, setting: Setting) -> float:
    """What one more token of a long context takes on a GPU."""
    return sum(each for block, each in _remembered(shape, layout, setting) if not _is_window(block, setting))


def sequence_bytes(shape: Shape, layout: Layout, setting: Setting, context: int) -> float:
    """The KV cache of one sequence of `context` tokens, on one GPU."""
    total = 0.0
    for block, each in _remembered(shape, layout, setting):
        tokens = context
        if _is_window(block, setting):  # while a step runs, its tokens are there as well
            tokens = min(context, block.window + setting.batched_tokens)
        total += each * tokens
    stage = ceil(shape.layers / layout.pipeline) / shape.layers
    return total + stage * sum(block.state_bytes / layout.tensor * count for block, count in shape.blocks)


def least_bytes(shape: Shape, layout: Layout, setting: Setting, context: int) -> float:
    """What there must be room for, on one GPU, so that a sequence of `context` tokens can be served at all."""
    return sequence_bytes(shape, layout, setting, context) * (2 if setting.hands_over else 1)


def longest_context(shape: Shape, layout: Layout, setting: Setting, room: float) -> int:
    """The longest context of which one sequence fits into `room`; at most the model's own."""
    low, high = 0, shape.context
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if least_bytes(shape, layout, setting, middle) <= room else (low, middle - 1)
    return low


def _is_window(block: Block, setting: Setting) -> bool:
    return block.window > 0 and not setting.keeps_windows


def _remembered(shape: Shape, layout: Layout, setting: Setting) -> Iterator[tuple[Block, float]]:
    """Bytes of a token on one GPU, for all layers of one kind in the largest stage."""
    stage = ceil(shape.layers / layout.pipeline) / shape.layers
    for block, count in shape.blocks:
        # A head is the least: fewer heads than GPUs are copied. A latent vector has one head, hence whole everywhere.
        heads = ceil(block.kv_heads / layout.tensor)
        yield block, (heads * block.kv_width * setting.kv_bytes + block.index_bytes) * count * stage
