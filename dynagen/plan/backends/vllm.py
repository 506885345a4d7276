"""vLLM under Dynamo: `python3 -m dynamo.vllm`.

Source of the flags: vllm/args.py and vllm/backend_args.py in the wheel ai-dynamo 1.6.1, vllm/engine/arg_utils.py in vllm
0.31.0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import ceil

from dynagen.engine.arguments import has, number_of, value_of
from dynagen.plan.backends import Demand, Launch, Speculative
from dynagen.plan.fit.gpu_memory import GIB, Layout, Setting
from dynagen.text.versions import Version

MODULE = "dynamo.vllm"
IMAGE = "vllm-runtime"
# The docs ask for so much in disaggregated mode; NCCL wants more than the operator's 8 GiB for tensor parallelism.
# source: docs/ of ai-dynamo/dynamo, pages on the backends
SHARED_MEMORY_GIB = 16
OWN_FLAGS = {
    "--model": "model",
    "--served-model-name": "servedModelName",
    "--revision": "revision",
    "--tensor-parallel-size": "gpus, or parallel.tensor",
    "-tp": "gpus, or parallel.tensor",
    "--pipeline-parallel-size": "parallel.pipeline",
    "-pp": "parallel.pipeline",
    "--data-parallel-size": "parallel.data",
    "-dp": "parallel.data",
    "--enable-expert-parallel": "parallel.expert",
    "-ep": "parallel.expert",
    "--max-model-len": "context",
    "--max-num-seqs": "concurrency",
    "--block-size": "blockSize",
    "--disaggregation-mode": "agg or disagg",
    "--is-prefill-worker": "agg or disagg",
    "--is-decode-worker": "agg or disagg",
    "--migration-limit": "frontend.migrationLimit",
}

BLOCK_SIZE = "--block-size"
CACHES: dict[
    str, str
] = {}  # the operator sets VLLM_CACHE_ROOT (deploy/operator/internal/dynamo/backend_vllm.go of ai-dynamo/dynamo)

# source: SpeculativeMethod in vllm/config/speculative.py of 0.12.0 to 0.31.0; a draft model was refused before 0.16
METHODS = {
    "mtp": ("mtp", (0, 8, 0)), "eagle3": ("eagle3", (0, 8, 0)), "eagle": ("eagle", (0, 8, 0)), "ngram": ("ngram", (0, 8, 0)),
    "draft": ("draft_model", (1, 0, 0)), "dflash": ("dflash", (1, 2, 0)), "dspark": ("dspark", (1, 4, 0)),
}  # fmt: skip
SPECULATIVE_FLAGS = ("--speculative-config", "-sc", "--spec-method", "--spec-model", "--spec-tokens")

# source: the advice of vLLM's own message when the KV cache does not fit (vllm/v1/core/kv_cache_utils.py)
MEMORY_SHARE = ("--gpu-memory-utilization", (0.95,))

OFFLOAD_FLAGS = ("--kv-transfer-config", "--kv-offloading-size", "--kv-offloading-backend")

# kv_both on both sides works with every release, unlike producer and consumer:
# recipes/ and docs/ of ai-dynamo/dynamo, aiconfigurator 0.12.0. Required on prefill since 1.0 (vllm/args.py).
_KV_TRANSFER = '{"kv_connector":"NixlConnector","kv_role":"kv_both"}'

# Without it workers publish nothing since 1.1; before, Dynamo made one by itself (create_kv_events_config in vllm/args.py of
# the wheels 1.0.2, 1.1.1 and 1.6.1). Each data-parallel rank takes the next port.
_KV_EVENTS = '{"publisher":"zmq","topic":"kv-events","endpoint":"tcp://*:20080","enable_kv_cache_events":true}'


def arguments(launch: Launch) -> list[str]:
    """The arguments of a worker, those of the profile not included."""
    found = ["--model", launch.model]
    if launch.revision:
        found += ["--revision", launch.revision]
    if launch.served_model_name != launch.model:
        found += ["--served-model-name", launch.served_model_name]
    found += ["--tensor-parallel-size", str(launch.layout.tensor)]
    if launch.layout.pipeline > 1:
        found += ["--pipeline-parallel-size", str(launch.layout.pipeline)]
    if launch.layout.data > 1:
        found += ["--data-parallel-size", str(launch.layout.data)]
    if launch.layout.expert:
        found += ["--enable-expert-parallel"]
    if launch.context:
        found += ["--max-model-len", str(launch.context)]
    if launch.concurrency and launch.role != "prefill":
        found += ["--max-num-seqs", str(ceil(launch.concurrency / launch.layout.data))]  # of each copy
    if launch.speculative:
        # On both sides: the layers of a draft are part of the KV cache that is handed over (recipes/gpt-oss-120b of ai-dynamo/dynamo).
        found += ["--speculative-config", _speculative(launch.speculative)]
    if launch.block_size:
        found += [BLOCK_SIZE, str(launch.block_size)]
    if launch.kv_events and launch.release >= (1, 1, 0):
        found += ["--kv-events-config", _KV_EVENTS]
    if launch.role == "agg":
        return [*found, "--kv-transfer-config", _offload(launch)] if launch.kv_offload else found
    if launch.release >= (1, 0, 0):
        # The flag came with 1.0; the older booleans went with 1.4 (docs .../reference/general/deprecations.mdx).
        return [*found, "--disaggregation-mode", launch.role, "--kv-transfer-config", _KV_TRANSFER]
    # Before 1.0 the NIXL connector is the default and only prefill needs a flag.
    return [*found, "--is-prefill-worker"] if launch.role == "prefill" else found


def _offload(launch: Launch) -> str:
    """Each copy of the model has a buffer of its own, which its GPUs share. Events say what is in it since vLLM 0.24 ("Native KV
    Offloading" in docs/ of ai-dynamo/dynamo)."""
    extra: dict[str, object] = {"cpu_bytes_to_use": launch.kv_offload // launch.layout.data}
    if launch.kv_events and launch.release >= (1, 4, 0):
        extra["self_describing_kv_events"] = True
    said = {"kv_connector": "OffloadingConnector", "kv_role": "kv_both", "kv_connector_extra_config": extra}
    return json.dumps(said, separators=(",", ":"))


def offload_problem(role: str, release: Version) -> tuple[str, str] | None:
    """vllm/v1/kv_offload of 0.14.1 has `cpu_bytes_to_use`, 0.12.0 another key. NVIDIA calls it untested with the connector that hands
    over caches ("Native KV Offloading")."""
    if release < (0, 9, 0):
        return "vLLM keeps no KV cache in memory before release 0.9.0", "use release 0.9.0 or later, or leave it out"
    if role != "agg":
        return "vLLM hands KV caches over with the connector that would keep them", "use 'agg', or leave it out"
    return None


def _speculative(wish: Speculative) -> str:
    said = {
        "method": METHODS.get(wish.method, (wish.method,))[0],
        "model": wish.model,
        "num_speculative_tokens": wish.tokens,
    }
    return json.dumps({key: value for key, value in said.items() if value is not None}, separators=(",", ":"))


def speculative_problem(
    wish: Speculative, layout: Layout, block_size: int | None, arguments: Sequence[str], release: Version
) -> tuple[str, str] | None:
    return None


def block_size_problem(size: int, arguments: Sequence[str]) -> str:
    """What attention on NVIDIA's GPUs takes: get_supported_kernel_block_sizes in vllm/v1/attention/backends of 0.31.0, "Block size must
    be a multiple of 16" in flash_attn.py of 0.12.0."""
    return "" if size % 16 == 0 else "vLLM takes multiples of 16"


def setting(demand: Demand) -> Setting:
    """Which share of a GPU vLLM takes, and how large its steps are (vllm/config/cache.py and vllm/engine/arg_utils.py).

    The share is 0.92 since 0.20 at the latest, 0.9 before. Sizes of steps follow from the GPU's memory. What else is
    resident was read off bug reports: docs/fit.md.
    """
    own, memory = demand.arguments, demand.memory
    share = number_of(own, "--gpu-memory-utilization") or (0.92 if demand.release >= (1, 2, 0) else 0.9)
    if has(own, "--kv-cache-memory-bytes"):
        share = 1.0  # the share does not count then
    is_large = memory >= 70 * GIB and "a100" not in demand.gpu
    tokens = 16384 if memory >= 160 * GIB and demand.release >= (1, 6, 0) else 8192 if is_large else 2048
    precision = value_of(own, "--quantization", "-q")
    return Setting(
        usable=share * memory + (number_of(own, "--cpu-offload-gb") or 0) * GIB,
        fixed=GIB
        * (
            1.0
            + (0 if has(own, "--enforce-eager") else 0.5)  # CUDA graphs
            + (1.0 if demand.layout.gpus > 1 else 0)  # NCCL, and buffers of the all-reduce
            + (6.0 if demand.has_experts and demand.layout.data > 1 else 0)  # buffers of the all-to-all
        ),
        batched_tokens=int(number_of(own, "--max-num-batched-tokens") or tokens),
        sequences=demand.concurrency or (1024 if is_large else 256),
        kv_bytes=1 if (value_of(own, "--kv-cache-dtype") or "").startswith("fp8") else 2,
        weight_bits={"fp8": 8, "bitsandbytes": 4.5}.get(precision or "", 0),
        # Before 0.20 the connector of disaggregated serving turns the memory manager for windows off.
        keeps_windows=has(own, "--disable-hybrid-kv-cache-manager")
        or (demand.role != "agg" and demand.release < (1, 2, 0)),
        experts_over_data=True,
    )
