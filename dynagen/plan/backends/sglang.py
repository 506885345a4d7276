"""SGLang under Dynamo: `python3 -m dynamo.sglang`.

Source of the flags: sglang/backend_args.py and sglang/_disagg.py in the wheel ai-dynamo 1.6.1, sglang/srt/arg_groups in
sglang 0.5.21.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.engine.arguments import has, number_of, value_of
from dynagen.plan.backends import Demand, Launch, Speculative
from dynagen.plan.fit.gpu_memory import GIB, Layout, Setting
from dynagen.text.versions import Version

MODULE = "dynamo.sglang"
IMAGE = "sglang-runtime"
# As for vLLM.
SHARED_MEMORY_GIB = 16
OWN_FLAGS = {
    "--model": "model",
    "--model-path": "model",
    "--served-model-name": "servedModelName",
    "--revision": "revision",
    "--tp": "gpus, or parallel.tensor",
    "--tp-size": "gpus, or parallel.tensor",
    "--tensor-parallel-size": "gpus, or parallel.tensor",
    "--pp-size": "parallel.pipeline",
    "--pipeline-parallel-size": "parallel.pipeline",
    "--dp": "parallel.data",
    "--dp-size": "parallel.data",
    "--data-parallel-size": "parallel.data",
    "--enable-dp-attention": "parallel.data with parallel.expert",
    "--ep": "parallel.expert",
    "--ep-size": "parallel.expert",
    "--expert-parallel-size": "parallel.expert",
    "--context-length": "context",
    "--max-running-requests": "concurrency",
    "--page-size": "blockSize",
    "--disaggregation-mode": "agg or disagg",
    "--disaggregation-transfer-backend": "agg or disagg",
    "--disaggregation-bootstrap-port": "agg or disagg",
    "--enable-metrics": "nothing: it is always on",
}

BLOCK_SIZE = "--page-size"
# The operator mounts the cache, and tells SGLang nothing (backend_sglang.go). Since 0.5.21 the first of these is enough.
# source: third_party_cache_defaults in sglang/srt/environ.py of 0.5.21; compilation/backend.py and deep_gemm_wrapper of 0.5.6.post2
CACHES = {
    "SGLANG_CACHE_DIR": "", "SGLANG_DG_CACHE_DIR": "/deep_gemm", "TRITON_CACHE_DIR": "/triton", "TORCHINDUCTOR_CACHE_DIR": "/inductor",
}  # fmt: skip

# source: --speculative-algorithm of 0.5.6.post2 to 0.5.21 (facts/flags); NEXTN is EAGLE with layers of the model itself
METHODS = {
    "mtp": ("NEXTN", (0, 8, 0)), "eagle3": ("EAGLE3", (0, 8, 0)), "eagle": ("EAGLE", (0, 8, 0)), "draft": ("STANDALONE", (0, 8, 0)),
    "ngram": ("NGRAM", (0, 8, 0)),
}  # fmt: skip
SPECULATIVE_FLAGS = (
    "--speculative-algorithm", "--speculative-algo", "--speculative-num-steps", "--speculative-eagle-topk",
    "--speculative-num-draft-tokens", "--speculative-draft-model-path", "--speculative-draft-model",
)  # fmt: skip

# source: docs/advanced_features/hyperparameter_tuning.md of sgl-project/sglang: to be raised by hand where the default keeps
#   more for activations than they take
MEMORY_SHARE = ("--mem-fraction-static", (0.85,))

# The same on both sides, as in examples/deployments/GKE/sglang/v1beta1/disagg.yaml of ai-dynamo/dynamo; left out, a
# free port is chosen that no probe or policy can name.
_BOOTSTRAP_PORT = "12345"

OFFLOAD_FLAGS = ("--enable-hierarchical-cache", "--hicache-size", "--hicache-ratio")

# Without it workers publish nothing (use_kv_events in sglang/args.py of the wheels 1.0.2 and 1.6.1).
_KV_EVENTS = '{"publisher":"zmq","topic":"kv-events","endpoint":"tcp://*:5557"}'


def arguments(launch: Launch) -> list[str]:
    """The arguments of a worker, those of the profile not included."""
    found = ["--model-path", launch.model, "--served-model-name", launch.served_model_name]
    if launch.revision:
        found += ["--revision", launch.revision]
    layout = launch.layout
    found += ["--tp", str(_world(layout))]
    if layout.pipeline > 1:
        found += ["--pp-size", str(layout.pipeline)]
    if layout.data > 1:
        found += ["--dp-size", str(layout.data)]
    if layout.data > 1 and layout.expert:
        found += ["--enable-dp-attention"]
    if layout.expert:
        found += ["--ep-size", str(_world(layout))]
    if launch.context:
        found += ["--context-length", str(launch.context)]
    if launch.concurrency and launch.role != "prefill":
        found += ["--max-running-requests", str(launch.concurrency)]
    if launch.speculative:
        found += _speculative(launch.speculative)
    if launch.block_size:
        found += [BLOCK_SIZE, str(launch.block_size)]
    # `sglang:` series exist only with this flag (sglang/srt/observability/metrics_collector.py of 0.5.21).
    found += ["--enable-metrics"]
    if launch.kv_events:
        found += ["--kv-events-config", _KV_EVENTS]
    # A decode worker keeps nothing for later requests. The size is that of one GPU, in GB (host_size in mem_cache/memory_pool_host.py).
    if launch.kv_offload and launch.role != "decode":
        found += [
            "--enable-hierarchical-cache",
            "--hicache-size",
            str(int(launch.kv_offload / launch.layout.gpus / 1e9)),
        ]
    if launch.role != "agg":
        found += ["--disaggregation-mode", launch.role, "--disaggregation-transfer-backend", "nixl"]
        # The other side calls back, so it must listen on the pod's address, not on localhost.
        found += ["--disaggregation-bootstrap-port", _BOOTSTRAP_PORT, "--host", "0.0.0.0"]
    return found


def offload_problem(role: str, release: Version) -> tuple[str, str] | None:
    return None


def _speculative(wish: Speculative) -> list[str]:
    """One chain of guesses, as all published graphs have it; what is checked at a time is the guesses and the token before them."""
    found = ["--speculative-algorithm", METHODS.get(wish.method, (wish.method,))[0]]
    if wish.method != "ngram":
        found += ["--speculative-num-steps", str(wish.tokens), "--speculative-eagle-topk", "1"]
    found += ["--speculative-num-draft-tokens", str(wish.tokens + 1)]
    return [*found, "--speculative-draft-model-path", wish.model] if wish.model else found


def speculative_problem(
    wish: Speculative, layout: Layout, block_size: int | None, arguments: Sequence[str], release: Version
) -> tuple[str, str] | None:
    """check_server_args and _handle_speculative_decoding in sglang/srt/server_args.py of 0.5.6.post2 to 0.5.18, validation_hook.py and
    speculative_hook.py in sglang/srt/arg_groups of 0.5.21."""
    if layout.pipeline > 1 and (release < (1, 6, 0) or wish.method not in ("mtp", "eagle")):
        return "SGLang does not guess tokens with pipeline parallelism", "leave 'pipeline' out, or 'speculative'"
    if wish.method in ("draft", "ngram") and layout.data > 1 and layout.expert:
        return (
            f"SGLang has no method '{wish.method}' with attention in parallel",
            "leave 'data' out of 'parallel', or use 'eagle3'",
        )
    if wish.method == "ngram" and (block_size or 1) > 1 and value_of(arguments, "--attention-backend") != "flashinfer":
        return f"SGLang has no method 'ngram' with blocks of {block_size} tokens", "leave 'blockSize' out"
    return None


def block_size_problem(size: int, arguments: Sequence[str]) -> str:
    """ "chunked_prefill_size must be divisible by page_size" (sglang/srt/arg_groups/validation_hook.py of 0.5.21): a power of two,
    unless the profile says another one."""
    chunk = number_of(arguments, "--chunked-prefill-size")
    if chunk is None:
        return "" if size & (size - 1) == 0 else "SGLang takes powers of two"
    return f"SGLang takes what divides --chunked-prefill-size, {chunk:.0f}" if chunk > 0 and chunk % size else ""


def _world(layout: Layout) -> int:
    """SGLang's --tp. With expert parallelism the copies share it: each attends with a part of its GPUs (DP attention)."""
    return layout.tensor * (layout.data if layout.expert else 1)


def setting(demand: Demand) -> Setting:
    """What SGLang sets apart for activations and CUDA graphs, weights and KV cache get the rest
    (sglang/srt/arg_groups/memory_hook.py of 0.5.21). Unless it is told a ratio, its
    pool for windows is nearly as large as the other one.
    """
    own, memory = demand.arguments, demand.memory
    share = number_of(own, "--mem-fraction-static")
    usable = share * memory if share else memory - _reserve(demand)
    precision = value_of(own, "--quantization")
    return Setting(
        usable=usable + (number_of(own, "--cpu-offload-gb") or 0) * GIB,
        fixed=0.4 * GIB,  # CUDA's own, there before the share is taken
        batched_tokens=0,
        sequences=0,
        kv_bytes=1 if (value_of(own, "--kv-cache-dtype") or "").startswith("fp8") else 2,
        weight_bits={"fp8": 8, "w8a8_fp8": 8, "bitsandbytes": 4.5}.get(precision or "", 0),
        keeps_windows=not has(own, "--swa-full-tokens-ratio"),
    )


def _reserve(demand: Demand) -> float:
    """In bytes. The sizes of a step and of a batch follow from the GPU's memory; before 0.5.21 they were smaller for some."""
    gib, world = demand.memory / GIB, _world(demand.layout)
    small = (34, 4096, 48, 160) if demand.release >= (1, 6, 0) else (34, 2048, 24, 80)
    steps = ((19, 2048, 8, 8), small, (59, 4096, 32, 160), (158, 8192, 256, 512), (1e9, 16384, 512, 512))
    _, chunk, few, many = next(step for step in steps if gib < step[0])
    batch = demand.concurrency or (few if world < 4 else many)
    tokens = int(number_of(demand.arguments, "--chunked-prefill-size") or chunk)
    mib = 512 + 1.5 * max(2048, batch if demand.role == "decode" else tokens) + world * demand.layout.pipeline * 128
    if demand.role != "prefill" and not has(demand.arguments, "--disable-cuda-graph"):
        mib += 2 * batch
        if demand.layout.expert and demand.layout.data > 1:
            mib += batch * demand.layout.data * (4.5 if batch > 300 else 3)
    if demand.role != "decode":
        mib += 1536 if demand.is_latent else 512
    if gib > 59:
        mib = max(mib, 10240)
    return mib * 1024**2
