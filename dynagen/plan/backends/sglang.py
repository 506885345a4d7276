"""SGLang under Dynamo: `python3 -m dynamo.sglang`.

Source of the flags: sglang/backend_args.py and sglang/_disagg.py in the wheel ai-dynamo 1.6.1.
"""

from __future__ import annotations

from dynagen.plan.backends import Launch

MODULE = "dynamo.sglang"
IMAGE = "sglang-runtime"
OWN_FLAGS = {
    "--model": "model",
    "--model-path": "model",
    "--served-model-name": "servedModelName",
    "--tp": "gpus",
    "--tp-size": "gpus",
    "--tensor-parallel-size": "gpus",
    "--disaggregation-mode": "agg or disagg",
    "--disaggregation-transfer-backend": "agg or disagg",
    "--disaggregation-bootstrap-port": "agg or disagg",
    "--enable-metrics": "nothing: it is always on",
}

# The same on both sides, as in examples/deployments/GKE/sglang/v1beta1/disagg.yaml of ai-dynamo/dynamo; left out, a
# free port is chosen that no probe or policy can name.
_BOOTSTRAP_PORT = "12345"


def arguments(launch: Launch) -> list[str]:
    """The arguments of a worker, those of the profile not included."""
    found = ["--model-path", launch.model, "--served-model-name", launch.served_model_name]
    found += ["--tp", str(launch.tensor_parallel)]
    # `sglang:` series exist only with this flag (sglang/srt/observability/metrics_collector.py of 0.5.21).
    found += ["--enable-metrics"]
    if launch.role != "agg":
        found += ["--disaggregation-mode", launch.role, "--disaggregation-transfer-backend", "nixl"]
        # The other side calls back, so it must listen on the pod's address, not on localhost.
        found += ["--disaggregation-bootstrap-port", _BOOTSTRAP_PORT, "--host", "0.0.0.0"]
    return found
