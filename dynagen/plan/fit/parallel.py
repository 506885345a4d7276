"""How a worker's GPUs share its model, and whether heads, widths, layers and experts divide that way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dynagen.diagnostics import KeyPath, Position, Report
from dynagen.plan.fit.gpu_memory import Layout
from dynagen.plan.fit.shape import Shape
from dynagen.profile import Profile
from dynagen.text.versions import Version


def plan_layout(profile: Profile, path: KeyPath, name: str, report: Report) -> Layout:
    """Tensor parallelism over all GPUs, unless the profile says otherwise. Reports DG417."""
    given = profile.value(path)
    gpus, parallel = given["gpus"], given.get("parallel", {})
    pipeline, data = parallel.get("pipeline", 1), parallel.get("data", 1)
    tensor = parallel.get("tensor", max(1, gpus // (pipeline * data)))
    layout = Layout(tensor, pipeline, data, parallel.get("expert", False))
    if layout.gpus != gpus:
        report.add(
            "DG417",
            f"worker '{name}': tensor {tensor} x pipeline {pipeline} x data {data} are {layout.gpus} GPUs, and it has {gpus}",
            profile.at((*path, "parallel")), hint=f"make the product of the three {gpus}, or set 'gpus: {layout.gpus}'",
        )  # fmt: skip
    return layout


def at_tensor(profile: Profile, path: KeyPath) -> Position:
    """Where the profile says how many GPUs work on a tensor."""
    parallel = profile.written((*path, "parallel", "tensor"))
    return parallel or profile.written((*path, "gpus")) or profile.written(path) or profile.at(path)


def check_parallel(
    profile: Profile,
    path: KeyPath,
    name: str,
    shape: Shape,
    layout: Layout,
    most: int,
    release: Version,
    fits: Callable[[int], bool],
    report: Report,
) -> None:
    """Reports DG418 to DG422. `most` is the largest number of GPUs that a node has, `fits` whether the memory of so many
    would be enough."""
    backend = profile.data["backend"]
    trouble = next(_indivisible(shape, layout, backend, release), None)
    if trouble:
        code, message = trouble
        possible = _possible_tensors(shape, layout, most, backend, release)
        enough = [size for size in possible if fits(size * layout.pipeline * layout.data)]
        fitting = list(map(str, enough or possible))
        report.add(
            code, f"worker '{name}': {message}", at_tensor(profile, path),
            hint=f"a tensor parallelism of {' or '.join(fitting)} is possible; it is 'gpus', unless 'parallel' says otherwise"
            if fitting else "use pipeline parallelism",
        )  # fmt: skip
    _check_stages_and_experts(profile, path, name, shape, layout, report)


def _possible_tensors(shape: Shape, layout: Layout, most: int, backend: str, release: Version) -> list[int]:
    return [
        size
        for size in range(1, most + 1)
        if not any(_indivisible(shape, layout._replace(tensor=size), backend, release))
    ]


def _check_stages_and_experts(
    profile: Profile, path: KeyPath, name: str, shape: Shape, layout: Layout, report: Report
) -> None:
    at = profile.at((*path, "parallel"))
    if layout.pipeline > shape.layers:
        report.add(
            "DG421", f"worker '{name}': {layout.pipeline} pipeline stages for {shape.layers} layers", at,
            hint=f"use up to {shape.layers}",
        )  # fmt: skip
    if layout.expert and not shape.experts:
        report.add(
            "DG422", f"worker '{name}': expert parallelism, and model '{profile.data['model']}' has no experts", at,
            hint="leave out 'parallel.expert'",
        )  # fmt: skip
    elif layout.expert and profile.data["backend"] == "sglang" and shape.experts % (layout.tensor * layout.data):
        report.add(  # sglang/srt/layers/moe/fused_moe_triton/layer.py: num_experts % moe_ep_size
            "DG422",
            f"worker '{name}': {shape.experts} experts do not divide over {layout.tensor * layout.data} GPUs", at,
            hint="use a number of GPUs that divides them",
        )  # fmt: skip


def _indivisible(shape: Shape, layout: Layout, backend: str, release: Version) -> Iterator[tuple[str, str]]:
    """Code and words for what does not divide by the tensor parallelism.

    Sources: verify_with_parallel_config in vllm/config/model.py, divide() in vllm/model_executor/layers/linear.py, both of
    vLLM 0.31; sglang/srt/models/qwen3.py and llama.py of 0.5.21 for heads.
    """
    tensor = layout.tensor
    if shape.heads % tensor:
        yield "DG418", f"{shape.heads} attention heads do not divide by a tensor parallelism of {tensor}"
    kv_heads = max((block.kv_heads for block, _ in shape.blocks if block.kind in ("full", "window")), default=0)
    if kv_heads and (kv_heads % tensor if kv_heads >= tensor else tensor % kv_heads):
        yield "DG419", f"{kv_heads} KV heads neither divide by a tensor parallelism of {tensor}, nor it by them"
    found = shape.quantization
    if any(block.mlp for block, _ in shape.blocks):
        # Blocks and groups share a scale: a GPU must have them whole (validate_fp8_block_shape in vLLM's fp8_utils.py;
        # "not aligned with the quantized weight shape" in its awq.py and gptq.py).
        unit = (found.block or found.group) if found and found.mlp and found.family in ("fp8", "int4") else 1
        yield from _width("width of its MLP", shape.width, tensor, unit or 1)
    if shape.experts and not layout.expert:
        parts = tensor * (layout.data if backend == "vllm" else 1)
        # vLLM refines such blocks since 0.31 (weight_scale_refine in fp8.py); 0.26 refuses, as SGLang 0.5.21 does.
        is_strict = backend == "sglang" or release < (1, 5, 0)
        unit = found.block if found and found.family == "fp8" and is_strict else 1
        yield from _width("width of its experts", shape.expert_width, parts, unit or 1)


def _width(what: str, width: int, parts: int, unit: int) -> Iterator[tuple[str, str]]:
    if width % parts:
        yield "DG420", f"the {what}, {width}, does not divide by {parts}"
    elif parts > 1 and width // parts % unit:
        yield (
            "DG420",
            f"the {what} on each of {parts} GPUs, {width // parts}, is no multiple of the {unit} that share a scale",
        )
