"""vLLM under Dynamo: `python3 -m dynamo.vllm`.

Source of the flags: vllm/args.py and vllm/backend_args.py in the wheel ai-dynamo 1.6.1.
"""

from __future__ import annotations

from dynagen.plan.backends import Launch

MODULE = "dynamo.vllm"
IMAGE = "vllm-runtime"
OWN_FLAGS = {
    "--model": "model",
    "--served-model-name": "servedModelName",
    "--tensor-parallel-size": "gpus",
    "-tp": "gpus",
    "--disaggregation-mode": "agg or disagg",
    "--is-prefill-worker": "agg or disagg",
    "--is-decode-worker": "agg or disagg",
    "--migration-limit": "frontend.migrationLimit",
}

# kv_both on both sides works with every release, unlike producer and consumer:
# recipes/ and docs/ of ai-dynamo/dynamo, aiconfigurator 0.12.0. Required on prefill since 1.0 (vllm/args.py).
_KV_TRANSFER = '{"kv_connector":"NixlConnector","kv_role":"kv_both"}'


def arguments(launch: Launch) -> list[str]:
    """The arguments of a worker, those of the profile not included."""
    found = ["--model", launch.model]
    if launch.served_model_name != launch.model:
        found += ["--served-model-name", launch.served_model_name]
    found += ["--tensor-parallel-size", str(launch.tensor_parallel)]
    if launch.role == "agg":
        return found
    if launch.release >= (1, 0, 0):
        # The flag came with 1.0; the older booleans went with 1.4 (docs .../reference/general/deprecations.mdx).
        return [*found, "--disaggregation-mode", launch.role, "--kv-transfer-config", _KV_TRANSFER]
    # Before 1.0 the NIXL connector is the default and only prefill needs a flag.
    return [*found, "--is-prefill-worker"] if launch.role == "prefill" else found
