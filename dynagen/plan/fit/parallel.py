"""How a worker's GPUs share its model, and whether heads, widths, layers and experts divide that way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import gcd

from dynagen.diagnostics import KeyPath, Position, Report
from dynagen.engine.arguments import value_of
from dynagen.plan.fit.gpu_memory import Layout
from dynagen.plan.fit.shape import Shape
from dynagen.profile import Profile
from dynagen.text.versions import Version


class Target:
    """What runs a model: an engine with the profile's arguments, on GPUs of a compute capability."""

    __slots__ = ("arguments", "backend", "capability", "release")

    def __init__(self, backend: str, release: Version, capability: float, arguments: Sequence[str]) -> None:
        self.backend, self.release, self.capability, self.arguments = backend, release, capability, arguments


def plan_layout(profile: Profile, path: KeyPath) -> Layout:
    """Tensor parallelism over all GPUs, unless the profile says otherwise."""
    given = profile.value(path)
    gpus, parallel = given["gpus"], given.get("parallel", {})
    pipeline, data = parallel.get("pipeline", 1), parallel.get("data", 1)
    tensor = parallel.get("tensor", max(1, gpus // (pipeline * data)))
    return Layout(tensor, pipeline, data, parallel.get("expert", False))


def check_product(
    profile: Profile, path: KeyPath, name: str, layout: Layout, ways: Callable[[], Sequence[str]], otherwise: str, report: Report
) -> None:  # fmt: skip
    """Reports DG417. `ways` are what would do instead, `otherwise` is the hint without any."""
    gpus = profile.value(path)["gpus"]
    if layout.gpus != gpus:
        report.add(
            "DG417",
            f"worker '{name}': tensor {layout.tensor} x pipeline {layout.pipeline} x data {layout.data} are {layout.gpus} GPUs, "
            f"and it has {gpus}", profile.at((*path, "parallel")), hint=use(ways(), otherwise),
        )  # fmt: skip


def at_tensor(profile: Profile, path: KeyPath) -> Position:
    """Where the profile says how many GPUs work on a tensor."""
    parallel = profile.written((*path, "parallel", "tensor"))
    return parallel or profile.written((*path, "gpus")) or profile.written(path) or profile.at(path)


def check_parallel(
    profile: Profile, path: KeyPath, name: str, shape: Shape, layout: Layout, target: Target,
    ways: Callable[[], Sequence[str]], report: Report,
) -> None:  # fmt: skip
    """Reports DG417 to DG422. `ways` are what would do instead, asked for when something is wrong."""
    check_product(profile, path, name, layout, ways, NO_WAY, report)
    trouble = next(indivisible(shape, layout, target), None)
    if trouble:
        code, message = trouble
        report.add(code, f"worker '{name}': {message}", at_tensor(profile, path), use(ways(), NO_WAY))
    at = profile.at((*path, "parallel"))
    for code, message in uneven(shape, layout, target.backend):
        if code == "DG422" and not shape.experts:
            message = f"expert parallelism, and model '{profile.data['model']}' has no experts"
        report.add(code, f"worker '{name}': {message}", at, use(ways(), NO_WAY))


NO_WAY = "use a smaller model, or one with fewer bits"


def use(ways: Sequence[str], otherwise: str) -> str:
    """A hint that offers these settings."""
    return "use " + ", or ".join(ways) if ways else otherwise


def uneven(shape: Shape, layout: Layout, backend: str) -> Iterator[tuple[str, str]]:
    """Code and words for stages and experts that do not go with the layers and experts of the model."""
    if backend == "trtllm" and layout.data > 1 and layout.tensor > 1:
        # attention_dp_size is the tensor parallelism (trtllm/backend_args.py in the wheel ai-dynamo 1.6.1)
        yield (
            "DG722",
            f"TensorRT-LLM has {layout.data} copies of attention on as many GPUs, not on {layout.tensor} each",
        )
    if layout.pipeline > shape.layers:
        yield "DG421", f"{layout.pipeline} pipeline stages for {shape.layers} layers"
    if layout.expert and not shape.experts:
        yield "DG422", "expert parallelism, and the model has no experts"
    elif layout.expert and backend != "vllm" and shape.experts % (layout.tensor * layout.data):
        # sglang/srt/layers/moe/fused_moe_triton/layer.py: num_experts % moe_ep_size; for TensorRT-LLM on the safe side
        yield "DG422", f"{shape.experts} experts do not divide over {layout.tensor * layout.data} GPUs"


def indivisible(shape: Shape, layout: Layout, target: Target) -> Iterator[tuple[str, str]]:
    """Code and words for what does not divide by the tensor parallelism.

    Sources: verify_with_parallel_config in vllm/config/model.py, divide() in vllm/model_executor/layers/linear.py, both of
    vLLM 0.31; sglang/srt/models/qwen3.py and llama.py of 0.5.21 for heads.
    """
    tensor = layout.tensor
    if shape.heads % tensor:
        yield "DG418", f"{shape.heads} attention heads do not divide by a tensor parallelism of {tensor}"
        return
    for kv_heads in sorted({block.kv_heads for block, _ in shape.blocks if block.kind in ("full", "window")}):
        if kv_heads and (kv_heads % tensor if kv_heads >= tensor else tensor % kv_heads):
            yield "DG419", f"{kv_heads} KV heads neither divide by a tensor parallelism of {tensor}, nor it by them"
            return
    yield from _attention(shape, tensor, target)
    found = shape.quantization
    if any(block.mlp for block, _ in shape.blocks):
        # Blocks and groups share a scale: a GPU must have them whole (validate_fp8_block_shape in vLLM's fp8_utils.py;
        # "not aligned with the quantized weight shape" in its awq.py and gptq.py).
        unit = (found.block or found.group) if found and found.mlp and found.family in ("fp8", "int4") else 1
        yield from _width("width of its MLP", shape.width, tensor, unit or 1)
    yield from _shared(shape, layout, target)
    if shape.experts and not layout.expert:
        yield from _experts(shape, tensor * (layout.data if target.backend != "sglang" else 1), target)


def _block_of(shape: Shape) -> int:
    """The side of the blocks that share a scale, 0 for other weights."""
    found = shape.quantization
    return found.block if found and found.family == "fp8" else 0


def _attention(shape: Shape, tensor: int, target: Target) -> Iterator[tuple[str, str]]:
    """Heads that are no multiple of a block, 64 wide for example.

    vLLM lets merged projections pass (_maybe_allow_fp8_block_shape_mismatch in linear.py), unless compressed-tensors
    made them, and never the one that comes after the heads; SGLang (quantization/fp8.py) lets none.
    """
    found, unit = shape.quantization, _block_of(shape)
    if not found or not found.attention or not unit:
        return
    for block, _ in shape.blocks:
        if block.kind not in ("full", "window"):
            continue
        head = block.kv_width // 2
        queries = shape.heads // tensor * head
        keys = max(1, block.kv_heads // tensor) * head
        if tensor > 1 and queries % unit:
            yield "DG420", _words("width of its attention", tensor, queries, unit)
        elif keys % unit and (target.backend == "sglang" or found.method != "fp8"):
            yield "DG420", _words("width of its keys", tensor, keys, unit)


def _shared(shape: Shape, layout: Layout, target: Target) -> Iterator[tuple[str, str]]:
    """Experts that see every token are split like an MLP, also with expert parallelism, and nobody refines their blocks
    (sgl-project/sglang, issue 10852; vllm-project/vllm, issue 42384). vLLM copies them where sequences are split as well
    (use_sequence_parallel_moe in vllm/config/parallel.py), SGLang where tokens go to their experts by DeepEP or Mooncake (tp_size=1 of
    shared_experts in sglang/srt/models/deepseek_v2.py)."""
    if not shape.shared_width:
        return
    if target.backend == "sglang" and value_of(target.arguments, "--moe-a2a-backend") in (
        "deepep",
        "deepep_v2",
        "mooncake",
    ):
        return
    if target.backend == "vllm" and layout.expert and layout.tensor > 1 and layout.data > 1:
        return
    parts = layout.tensor * (layout.data if layout.expert and target.backend == "sglang" else 1)
    unit = _block_of(shape) if shape.quantization and shape.quantization.shared else 1
    yield from _width("width of its shared experts", shape.shared_width, parts, unit or 1)


def _experts(shape: Shape, parts: int, target: Target) -> Iterator[tuple[str, str]]:
    unit = 1 if shape.quantization and shape.quantization.experts else _block_of(shape) or 1
    width = shape.expert_width // parts
    if unit > 1 and not shape.expert_width % parts and width % unit and _is_refined(shape, width, target):
        return
    yield from _width("width of its experts", shape.expert_width, parts, unit)


def _is_refined(shape: Shape, width: int, target: Target) -> bool:
    """Whether vLLM cuts the blocks of experts smaller, or fills them up: since 0.31, which came with release 1.6.

    Source: resolve_fp8_moe_weight_block_shape in vllm/model_executor/layers/fused_moe/oracle/fp8.py of 0.31 and 0.33: down to
    32, and only Triton's kernels take that, which want a GPU with FP8 (8.9); with a --moe-backend that cannot, experts are
    padded. Weights of compressed-tensors (validate_fp8_block_shape_moe) and earlier versions are refused, as SGLang does.
    """
    found = shape.quantization
    if target.backend != "vllm" or target.release < (1, 6, 0) or not found or found.method != "fp8":
        return False
    if (value_of(target.arguments, "--moe-backend") or "auto") != "auto":
        return shape.expert_width % found.block == 0 and shape.hidden % found.block == 0
    return target.capability >= 8.9 and gcd(found.block, width, shape.hidden) >= 32


def _width(what: str, width: int, parts: int, unit: int) -> Iterator[tuple[str, str]]:
    if width % parts:
        yield "DG420", f"the {what}, {width}, does not divide by {parts}"
    elif parts > 1 and width // parts % unit:
        yield "DG420", _words(what, parts, width // parts, unit)


def _words(what: str, parts: int, width: int, unit: int) -> str:
    where = f" on each of {parts} GPUs" if parts > 1 else ""
    return f"the {what}{where}, {width}, is no multiple of the {unit} that share a scale"
