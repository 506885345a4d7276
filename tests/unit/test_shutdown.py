"""What goes away loses no request: one number for the frontend, the load balancer and the sidecar before it."""

from __future__ import annotations

from typing import Any

import pytest

from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.unit.compiling import compiled, component, env, pod

BOTH = "backend: vllm\ngpu: nvidia-l4\nagg: {}\noverlays: [gke, istio]\nistio: {host: a.example.com, tlsCredential: a-tls}\ngke: {gateway: {enabled: true}}\n"


def proxy(manifests: Any) -> Any:
    annotations = component(manifests, "Frontend")["podTemplate"]["metadata"]["annotations"]
    return parse(annotations["proxy.istio.io/config"], "annotation", Report()).pop().data


@pytest.mark.parametrize("seconds", [5, 120, 3600])
def test_one_number_decides_how_long_everything_waits(seconds: int) -> None:
    codes = ("DG651",) if seconds > 600 else ()  # more than the autoscaler gives
    manifests = compiled(BOTH + f"frontend: {{longestAnswerSeconds: {seconds}}}\n", codes)
    spec = pod(manifests, "Frontend")
    serving = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert env(spec)["DYN_HTTP_GRACEFUL_SHUTDOWN_TIMEOUT_SECS"] == str(seconds)
    assert spec["terminationGracePeriodSeconds"] > serving + seconds
    policy = manifests["GCPBackendPolicy", "chat-gateway"]["spec"]["default"]
    assert policy["connectionDraining"] == {"drainingTimeoutSec": seconds}
    stays = int(proxy(manifests)["terminationDrainDuration"].removesuffix("s"))
    assert serving + seconds < stays < spec["terminationGracePeriodSeconds"]
    # It would look for connections, and leave, while the frontend still takes new ones.
    assert proxy(manifests)["proxyMetadata"]["MINIMUM_DRAIN_DURATION"] == f"{serving}s"


def test_before_1_3_the_variable_is_how_long_new_requests_are_taken() -> None:
    text = "backend: vllm\ngpu: nvidia-l4\nagg: {}\noverlays: [gke]\nrelease: 1.2.1\n"
    spec = pod(compiled(text), "Frontend")
    assert env(spec)["DYN_HTTP_GRACEFUL_SHUTDOWN_TIMEOUT_SECS"] == "5"
    assert spec["terminationGracePeriodSeconds"] == 150


@pytest.mark.parametrize(("release", "names"), [
    ("1.2.1", set()),
    ("1.3.1", {"DYN_RUNTIME_GRACEFUL_SHUTDOWN_TIMEOUT_SECS", "DYN_PREFILL_DRAIN_TIMEOUT_S"}),
    ("1.6.1", {"DYN_RUNTIME_GRACEFUL_SHUTDOWN_TIMEOUT_SECS", "DYN_PREFILL_DRAIN_TIMEOUT_S", "DYN_HTTP_SSE_KEEP_ALIVE_INTERVAL_MS"}),
])  # fmt: skip
@pytest.mark.parametrize("spot", ["", "spot: true\n"])
def test_a_release_gets_the_variables_that_it_knows(release: str, names: set[str], spot: str) -> None:
    text = f"backend: vllm\ngpu: nvidia-l4\nagg: {{replicas: 2}}\noverlays: [gke]\nrelease: {release}\n{spot}"
    manifests = compiled(text)
    found = env(pod(manifests, "Frontend")).keys() | env(pod(manifests, "worker")).keys()
    later = {
        "DYN_RUNTIME_GRACEFUL_SHUTDOWN_TIMEOUT_SECS",
        "DYN_PREFILL_DRAIN_TIMEOUT_S",
        "DYN_HTTP_SSE_KEEP_ALIVE_INTERVAL_MS",
    }
    assert found & later == names
