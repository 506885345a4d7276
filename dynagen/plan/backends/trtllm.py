"""TensorRT-LLM under Dynamo: `python3 -m dynamo.trtllm`, with a file of the engine's own for what no flag says.

Source of the flags, and that the file wins over them: trtllm/backend_args.py and trtllm/workers/llm_worker.py in the wheel
ai-dynamo 1.6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynagen.cluster.objects import mapping
from dynagen.engine.arguments import number_of
from dynagen.plan.backends import Demand, Launch, Speculative
from dynagen.plan.fit.gpu_memory import GIB, Layout, Setting
from dynagen.text.versions import Version

MODULE = "dynamo.trtllm"
IMAGE = "tensorrtllm-runtime"
# source: docs/ of ai-dynamo/dynamo, pages on the backends
SHARED_MEMORY_GIB = 80
OWN_FLAGS = {
    "--model": "model",
    "--model-path": "model",
    "--served-model-name": "servedModelName",
    "--revision": "revision",
    "--tensor-parallel-size": "gpus, or parallel.tensor",
    "--pipeline-parallel-size": "parallel.pipeline",
    "--expert-parallel-size": "parallel.expert",
    "--enable-attention-dp": "parallel.data",
    "--gpus-per-node": "gpus",
    "--kv-block-size": "blockSize",
    "--max-seq-len": "context",
    "--max-batch-size": "concurrency",
    "--disaggregation-mode": "agg or disagg",
    "--extra-engine-args": "engineConfig",
    "--override-engine-args": "engineConfig",
    "--publish-metrics": "nothing: the overlay monitoring turns it on",
    "--publish-events-and-metrics": "nothing: the overlay monitoring, or routing by KV cache, turns it on",
    "--migration-limit": "frontend.migrationLimit",
}
# What the file must not say, because it would win over what the profile says.
OWN_SETTINGS = {
    "model": "model",
    "backend": "nothing: it is always pytorch",
    "revision": "revision",
    "tensor_parallel_size": "gpus, or parallel.tensor",
    "pipeline_parallel_size": "parallel.pipeline",
    "moe_expert_parallel_size": "parallel.expert",
    "moe_tensor_parallel_size": "parallel.expert",
    "enable_attention_dp": "parallel.data",
    "gpus_per_node": "gpus",
    "max_seq_len": "context",
    "max_batch_size": "concurrency",
    "kv_cache_config.tokens_per_block": "blockSize",
    "kv_cache_config.host_cache_size": "kvOffload.memory",
    "speculative_config": "speculative",
}

# source: docs/source/features of NVIDIA/TensorRT-LLM: of what weights and buffers leave
MEMORY_SHARE = ("--free-gpu-memory-fraction", (0.95,))
_SHARE = 0.9

BLOCK_SIZE = "--kv-block-size"
# The operator mounts the cache, and tells TensorRT-LLM nothing (backend_trtllm.go); recipes/deepseek-v32-fp4 has this one.
CACHES = {"TRITON_CACHE_DIR": "/triton"}
# decoding_type of speculative_config. source: recipes/kimi-k2.5 and nemotron-3.5-lightning, trtllm/ of ai-dynamo/dynamo;
#   tensorrt_llm/llmapi/llm_args.py of NVIDIA/TensorRT-LLM
METHODS = {"mtp": ("MTP", (1, 0, 0)), "eagle3": ("Eagle3", (1, 0, 0)), "ngram": ("NGram", (1, 0, 0))}
SPECULATIVE_FLAGS = ()
OFFLOAD_FLAGS = ()


def arguments(launch: Launch) -> list[str]:
    """The arguments of a worker, those of the profile not included."""
    layout, since_1 = launch.layout, launch.release >= (1, 0, 0)
    found = ["--model" if since_1 else "--model-path", launch.model, "--served-model-name", launch.served_model_name]
    if launch.revision and since_1:
        found += ["--revision", launch.revision]
    # Attention in parallel: the copies are counted as tensor parallelism, and the file says that each attends by itself.
    found += ["--tensor-parallel-size", str(layout.tensor * layout.data)]
    if layout.pipeline > 1:
        found += ["--pipeline-parallel-size", str(layout.pipeline)]
    if layout.expert:
        found += ["--expert-parallel-size", str(layout.tensor * layout.data)]
    if launch.block_size:
        found += [BLOCK_SIZE, str(launch.block_size)]
    if launch.context:
        found += ["--max-seq-len", str(launch.context)]
    if launch.concurrency and launch.role != "prefill":
        found += ["--max-batch-size", str(-(-launch.concurrency // layout.data))]
    if launch.role != "agg":
        found += ["--disaggregation-mode", launch.role]
    return [*found, *_published(launch)]


def _published(launch: Launch) -> list[str]:
    """Events only where something is reused. One flag for both until 1.5 (base/facts/flags/trtllm.yaml)."""
    events = launch.kv_events and launch.role != "decode"
    if launch.release >= (1, 6, 0):
        return ["--publish-kv-events"] * events + ["--publish-metrics"] * launch.metrics
    if events and not launch.metrics and launch.release >= (1, 3, 0):
        return ["--publish-kv-events"]
    return ["--publish-events-and-metrics"] * (events or launch.metrics)


def settings(launch: Launch) -> dict[str, Any]:
    """What the engine's file says beside the profile's own; a profile's wins."""
    found: dict[str, Any] = {"enable_attention_dp": True} if launch.layout.data > 1 else {}
    cache: dict[str, Any] = {"tokens_per_block": launch.block_size} if launch.block_size else {}
    if launch.kv_offload and launch.role != "decode":
        cache["host_cache_size"] = launch.kv_offload // launch.layout.gpus  # of each rank, in bytes
    if cache:
        found["kv_cache_config"] = cache
    if launch.speculative:
        found["speculative_config"] = _speculative(launch.speculative, launch.release)
    if launch.role == "agg":
        return found
    # Without a backend nothing is handed over (docs/.../tensorrt-llm-details/kv-cache-transfer.md of ai-dynamo/dynamo). A buffer
    # that is smaller than a prompt ends in workers that hang (#4327 there).
    transfer: dict[str, Any] = {"backend": "DEFAULT"}
    if launch.longest:
        transfer["max_tokens_in_buffer"] = launch.longest
    found["cache_transceiver_config"] = transfer
    if launch.role == "prefill":
        found["disable_overlap_scheduler"] = (
            True  # it is not for workers that only read prompts (engine_configs/ there)
        )
    return found


def _speculative(wish: Speculative, release: Version) -> dict[str, Any]:
    """The words changed with 1.3 and 1.4 (the recipes of these releases)."""
    kind = METHODS.get(wish.method, (wish.method,))[0]
    found: dict[str, Any] = {"decoding_type": "Eagle" if kind == "Eagle3" and release < (1, 3, 0) else kind}
    is_old_mtp = wish.method == "mtp" and release < (1, 3, 0)
    found["num_nextn_predict_layers" if is_old_mtp else "max_draft_len"] = wish.tokens
    if wish.model:
        found["speculative_model" if release >= (1, 4, 0) else "speculative_model_dir"] = wish.model
    return found


def speculative_problem(
    wish: Speculative, layout: Layout, block_size: int | None, arguments: Sequence[str], release: Version
) -> tuple[str, str] | None:
    return None


def offload_problem(role: str, release: Version) -> tuple[str, str] | None:
    return None


def block_size_problem(size: int, arguments: Sequence[str]) -> str:
    """Kernels of attention want powers of two (tokens_per_block in docs/source of NVIDIA/TensorRT-LLM)."""
    return "" if size & (size - 1) == 0 else "TensorRT-LLM takes powers of two"


def setting(demand: Demand) -> Setting:
    """Weights and buffers come first, and the KV cache takes a share of what is left.

    Source of `fixed`: other_mem and nccl_mem in systems/h100_sxm.yaml of the wheel aiconfigurator-core 0.12.0, which are
    corrections from runs; of the batch: BuildConfig of TensorRT-LLM (8192 tokens, 2048 sequences).
    """
    own, config = demand.arguments, demand.config
    cache = mapping(config.get("kv_cache_config"))
    share, tokens = cache.get("free_gpu_memory_fraction"), config.get("max_num_tokens")
    return Setting(
        usable=demand.memory,
        fixed=3.5 * GIB + (0.4 * GIB if demand.layout.gpus > 1 else 0),
        batched_tokens=int(number_of(own, "--max-num-tokens") or (tokens if isinstance(tokens, int) else 8192)),
        sequences=demand.concurrency or 256,
        kv_bytes=1 if cache.get("dtype") == "fp8" else 2,
        experts_over_data=True,
        kv_share=share if isinstance(share, float) else number_of(own, "--free-gpu-memory-fraction") or _SHARE,
        hands_over=demand.role != "agg",
    )
