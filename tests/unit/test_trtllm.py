"""TensorRT-LLM: its flags by release, its own file, how it shares a model, and what its caches have room for."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from dynagen.plan.backends import Demand, Launch, Speculative
from dynagen.plan.backends.trtllm import arguments, setting, settings
from dynagen.plan.fit.gpu_memory import GIB, Layout
from tests.unit.compiling import compiled, pod
from tests.unit.test_plan import complaints

HEAD = "backend: trtllm\ngpu: nvidia-h100-80gb\nspot: true\noverlays: [gke]\n"
ONE = Layout(1, 1, 1, False)


def launch(release: tuple[int, int, int] = (1, 6, 1), role: str = "agg", layout: Layout = ONE, **more: Any) -> Launch:
    return Launch("a/b", "a/b", release, role, layout, **more)


@pytest.mark.parametrize(("release", "events", "metrics", "flags"), [
    ((1, 6, 1), True, True, ["--publish-kv-events", "--publish-metrics"]),
    ((1, 6, 1), True, False, ["--publish-kv-events"]),
    ((1, 6, 1), False, True, ["--publish-metrics"]),
    ((1, 4, 0), True, False, ["--publish-kv-events"]),
    ((1, 4, 0), True, True, ["--publish-events-and-metrics"]),
    ((1, 4, 0), False, True, ["--publish-events-and-metrics"]),
    ((1, 2, 0), True, False, ["--publish-events-and-metrics"]),
    ((1, 6, 1), False, False, []),
])  # fmt: skip
def test_what_is_published(release: tuple[int, int, int], events: bool, metrics: bool, flags: list[str]) -> None:
    found = arguments(launch(release, kv_events=events, metrics=metrics))
    assert [each for each in found if each.startswith("--publish")] == flags


def test_decode_reuses_nothing_and_publishes_no_events() -> None:
    assert "--publish-kv-events" not in arguments(launch(role="decode", kv_events=True))
    assert "--publish-kv-events" in arguments(launch(role="prefill", kv_events=True))


def test_the_model_had_another_flag_before_1() -> None:
    assert arguments(launch((0, 9, 1)))[0] == "--model-path"
    assert arguments(launch((1, 0, 0)))[0] == "--model"


def test_copies_of_attention_are_tensor_parallelism_and_a_word_in_the_file() -> None:
    wide = launch(layout=Layout(1, 1, 8, True))
    found = arguments(wide)
    assert found[found.index("--tensor-parallel-size") + 1] == found[found.index("--expert-parallel-size") + 1] == "8"
    assert settings(wide) == {"enable_attention_dp": True}
    assert settings(launch()) == {}


def test_prefill_hands_over_through_a_buffer_for_the_longest_prompt() -> None:
    transfer = {"cache_transceiver_config": {"backend": "DEFAULT", "max_tokens_in_buffer": 40960}}
    assert settings(launch(role="decode", longest=40960)) == transfer
    assert settings(launch(role="prefill", longest=40960)) == {**transfer, "disable_overlap_scheduler": True}
    assert settings(launch(role="prefill"))["cache_transceiver_config"] == {"backend": "DEFAULT"}


def test_the_file_is_mounted_where_the_flag_says_and_a_change_makes_new_pods() -> None:
    text = (
        HEAD
        + "agg: {replicas: 2, engineConfig: {max_num_tokens: 4096}}\nengineConfig: {kv_cache_config: {dtype: fp8}}\n"
    )
    objects = compiled(text)
    config = yaml.safe_load(objects["ConfigMap", "chat-worker-engine"]["data"]["config.yaml"])
    assert config == {"kv_cache_config": {"dtype": "fp8"}, "max_num_tokens": 4096}
    (worker,) = (
        each for each in objects["DynamoGraphDeployment", "chat"]["spec"]["components"] if each["name"] == "worker"
    )
    template = worker["podTemplate"]
    (main,) = template["spec"]["containers"]
    (mount,) = (each for each in main["volumeMounts"] if each["name"] == "engine-config")
    assert f"--extra-engine-args {mount['mountPath']}/config.yaml" in main["args"][0]
    (volume,) = (each for each in template["spec"]["volumes"] if each["name"] == "engine-config")
    assert volume["configMap"] == {"name": "chat-worker-engine"}
    other = compiled(text.replace("4096", "8192"))["DynamoGraphDeployment", "chat"]["spec"]["components"]
    assert all(
        each["podTemplate"].get("metadata") != template["metadata"] for each in other if each["name"] == "worker"
    )


def test_without_anything_to_say_there_is_no_file() -> None:
    objects = compiled(HEAD + "agg: {replicas: 2}\n")
    assert not any(kind == "ConfigMap" for kind, _ in objects)
    assert "--extra-engine-args" not in str(objects)


def test_over_nodes_it_is_started_without_a_shell_and_finds_the_driver_by_a_variable() -> None:
    """The operator pastes all arguments after trtllm-llmapi-launch, and followers run sshd instead."""
    text = (
        "backend: trtllm\ngpu: nvidia-gb200\noverlays: [gke]\ngke: {capacity: reservation}\nplatform: {grove: true}\n"
        "agg: {replicas: 2, gpus: 8, parallel: {pipeline: 8}}\n"
    )
    objects = compiled(text)
    (worker,) = (
        each for each in objects["DynamoGraphDeployment", "chat"]["spec"]["components"] if each["name"] == "worker"
    )
    (main,) = worker["podTemplate"]["spec"]["containers"]
    assert main["command"] == ["python3", "-m", "dynamo.trtllm"] and main["args"][0] == "--model"
    assert {"name": "LD_LIBRARY_PATH", "value": "/usr/local/nvidia/lib64"} in main["env"]
    assert worker["multinode"] == {"nodeCount": 2}


def demand(role: str = "agg", config: dict[str, Any] | None = None, arguments: tuple[str, ...] = ()) -> Demand:
    return Demand((1, 6, 1), role, ONE, arguments, 79 * GIB, "nvidia-h100-80gb", None, False, False, config or {})


def test_the_cache_gets_a_share_of_what_is_left() -> None:
    assert setting(demand()).kv_share == 0.9
    assert setting(demand(arguments=("--free-gpu-memory-fraction", "0.8"))).kv_share == 0.8
    assert setting(demand(config={"kv_cache_config": {"free_gpu_memory_fraction": 0.7}})).kv_share == 0.7
    assert setting(demand(config={"kv_cache_config": {"dtype": "fp8"}})).kv_bytes == 1
    assert setting(demand(config={"kv_cache_config": "nonsense", "max_num_tokens": "x"})).batched_tokens == 8192
    assert setting(demand("decode")).hands_over and not setting(demand()).hands_over


@pytest.mark.parametrize(("text", "found"), [
    ("agg: {replicas: 2, gpus: 4, parallel: {data: 2}}\n", ("DG722", "parallel")),
    ("agg: {replicas: 2}\nengineConfig: {max_seq_len: 4096}\n", ("DG721", "max_seq_len")),
    ("agg: {replicas: 2, engineConfig: {tensor_parallel_size: 2}}\n", ("DG721", "tensor_parallel_size")),
    ("agg: {replicas: 2}\nengineArgs: [--extra-engine-args, /x.yaml]\n", ("DG404", "--extra-engine-args, /x.yaml]")),
])  # fmt: skip
def test_what_is_said_in_two_places_is_refused(text: str, found: tuple[str, str]) -> None:
    assert found in complaints(HEAD + text)


def test_gpus_before_ampere_are_refused() -> None:
    assert "DG428" in [
        code for code, _ in complaints("backend: trtllm\ngpu: nvidia-tesla-t4\noverlays: [gke]\nagg: {replicas: 2}\n")
    ]


def test_metrics_are_published_for_whoever_asks_for_them() -> None:
    text = HEAD.replace("[gke]", "[gke, monitoring]") + "agg: {replicas: 2}\n"
    assert "--publish-metrics" in pod(compiled(text), "worker")["containers"][0]["args"][0]
    assert "--publish-metrics" not in pod(compiled(HEAD + "agg: {replicas: 2}\n"), "worker")["containers"][0]["args"][0]


def test_one_block_size_for_the_flag_and_the_file() -> None:
    wish = launch(block_size=64)
    assert arguments(wish)[-2:] == ["--kv-block-size", "64"]
    assert settings(wish) == {"kv_cache_config": {"tokens_per_block": 64}}


@pytest.mark.parametrize(("release", "method", "model", "found"), [
    ((1, 6, 1), "mtp", None, {"decoding_type": "MTP", "max_draft_len": 3}),
    ((1, 2, 0), "mtp", None, {"decoding_type": "MTP", "num_nextn_predict_layers": 3}),
    ((1, 6, 1), "eagle3", "a/e", {"decoding_type": "Eagle3", "max_draft_len": 3, "speculative_model": "a/e"}),
    ((1, 3, 0), "eagle3", "a/e", {"decoding_type": "Eagle3", "max_draft_len": 3, "speculative_model_dir": "a/e"}),
    ((1, 2, 0), "eagle3", "a/e", {"decoding_type": "Eagle", "max_draft_len": 3, "speculative_model_dir": "a/e"}),
])  # fmt: skip
def test_how_tokens_are_guessed(
    release: tuple[int, int, int], method: str, model: str | None, found: dict[str, Any]
) -> None:
    assert settings(launch(release, speculative=Speculative(method, 3, model)))["speculative_config"] == found


def test_memory_for_caches_is_that_of_a_rank_and_decode_has_none() -> None:
    layout = Layout(4, 1, 1, False)
    assert settings(launch(layout=layout, kv_offload=400))["kv_cache_config"] == {"host_cache_size": 100}
    assert "kv_cache_config" not in settings(launch(role="decode", layout=layout, kv_offload=400))


@pytest.mark.parametrize("text", [
    "blockSize: 64\nengineConfig: {kv_cache_config: {tokens_per_block: 32}}\n",
    "engineConfig: {speculative_config: {decoding_type: MTP}}\n",
    "engineConfig: {kv_cache_config: {host_cache_size: 1000}}\n",
])  # fmt: skip
def test_nested_settings_that_keys_own_are_refused(text: str) -> None:
    assert "DG721" in [code for code, _ in complaints(HEAD + "agg: {replicas: 2}\n" + text)]
