"""Whether models fit: the shapes by name, the formulas by hand, and what is known to work or to fail in the world."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynagen.compiler import Compilation, Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.engine.arguments import flag_of, has, number_of, value_of
from dynagen.engine.options import Parser
from dynagen.layers.finding import base_layer, find_overlay
from dynagen.memory import Memory
from dynagen.plan import backends
from dynagen.plan.fit.block import NotUnderstood
from dynagen.plan.fit.gpu_memory import GIB, Layout, Setting, fit, longest_context, sequence_bytes, token_bytes, weights
from dynagen.plan.fit.models import known_config
from dynagen.plan.fit.quantization import quantization_of
from dynagen.plan.fit.shape import Shape, shape_of
from dynagen.plan.values import Machine
from dynagen.plan.worker_resources import allocatable, amount, requests
from dynagen.profile.facts import load_facts, look_up_facts
from dynagen.text.source import parse
from tests.conftest import ROOT
from tests.unit.compiling import told

OWNERS = sorted(path.stem for path in (ROOT / "base/facts/models").glob("*.yaml"))


def look_up(folder: str, name: str) -> dict[str, Any]:
    return look_up_facts([base_layer(Memory())], folder, name, Report())


def config_of(model: str) -> dict[str, Any]:
    found = known_config(model, look_up)
    assert found is not None, model
    return found


def shape(model: str) -> Shape:
    return shape_of(config_of(model))


MODELS = [f"{owner}/{name}" for owner in OWNERS for name in look_up("models", owner)]
PLAIN = Setting(usable=80 * GIB, fixed=GIB, batched_tokens=2048, sequences=256)


# --- models


def test_there_are_many_models() -> None:
    assert len(MODELS) >= 250
    assert len({config_of(model)["model_type"] for model in MODELS}) >= 15


@pytest.mark.parametrize("owner", OWNERS)
def test_the_parameters_counted_from_a_shape_are_the_published_ones(owner: str) -> None:
    for name in look_up("models", owner):
        published = config_of(f"{owner}/{name}")["billions"]
        assert shape(f"{owner}/{name}").parameters / 1e9 == pytest.approx(published, rel=0.03), name


def test_a_model_that_is_not_there_is_none() -> None:
    assert known_config("Qwen/Qwen9-1B", look_up) is None
    assert known_config("nobody/model", look_up) is None
    assert known_config("/models/mine", look_up) is None


def test_models_that_are_like_each_other_are_none() -> None:
    facts = {"a": {"like": "b"}, "b": {"like": "a"}}
    assert known_config("me/a", lambda folder, owner: facts) is None


@pytest.mark.parametrize("config", [
    {}, {"num_hidden_layers": "four"}, {"num_hidden_layers": True}, {"text_config": 3}, {"num_hidden_layers": 10**12},
    {"num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2},
    {"num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": [1]},
    {**config_of("Qwen/Qwen3-8B"), "layer_types": ["full_attention"]},
    {**config_of("Qwen/Qwen3-8B"), "layer_types": ["strange"] * 36},
    {**config_of("Qwen/Qwen3-8B"), "block_configs": [1]},
    {**config_of("deepseek-ai/DeepSeek-V3"), "v_head_dim": None},
    {**config_of("deepseek-ai/DeepSeek-V4-Flash"), "compress_ratios": [4]},
    {**config_of("deepseek-ai/DeepSeek-V4-Flash"), "o_lora_rank": None},
    {**config_of("moonshotai/Kimi-K3"), "linear_attn_config": {"kda_layers": [1]}},
    {**config_of("MiniMaxAI/MiniMax-M3"), "sparse_attention_config": [1]},
    {**config_of("google/gemma-4-31B-it"), "hidden_size_per_layer_input": 256},
    {**config_of("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16"), "hybrid_override_pattern": "MEM"},
])  # fmt: skip
def test_what_cannot_be_counted_is_said_to_be_so(config: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        shape_of(config)


@pytest.mark.parametrize(("config", "family", "bits"), [
    ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8", 8),
    ({"quant_method": "awq", "bits": 4, "group_size": 128}, "int4", 4 + 20 / 128),
    ({"quant_method": "gptq", "bits": 8, "group_size": -1}, "int8", 8),
    ({"quant_method": "mxfp4"}, "mxfp4", 4.25),
    ({"quant_algo": "NVFP4", "group_size": 16}, "nvfp4", 4.5),
    ({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}}}, "fp8", 8),
    ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "int4", 4.5),
])  # fmt: skip
def test_quantized_weights_are_read_from_what_each_tool_writes(
    config: dict[str, Any], family: str, bits: float
) -> None:
    found = quantization_of({"quantization_config": config})
    assert found is not None and (found.family, found.bits) == (family, pytest.approx(bits))


def test_what_a_tool_leaves_in_16_bits_counts_in_16_bits() -> None:
    found = quantization_of(
        {
            "quantization_config": {
                "quant_algo": "NVFP4",
                "exclude_modules": ["lm_head", "model.layers.1.self_attn.q_a_proj"],
            }
        }
    )
    assert found is not None and (found.attention, found.mlp) == (False, True)
    found = quantization_of(
        {"quantization_config": {"quant_method": "fp8", "modules_to_not_convert": ["model.layers.0.self_attn.q_norm"]}}
    )
    assert found is not None and found.attention
    assert quantization_of({"quantization_config": {"quant_method": "unheard of"}}) is None


@pytest.mark.parametrize(
    ("groups", "bits"),
    [({}, 4.25), ({"config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "float"}}}}, 4.5)],
)
def test_experts_may_have_fewer_bits_than_all_else(groups: dict[str, Any], bits: float) -> None:
    quantization = {"quant_method": "fp8", "weight_block_size": [128, 128], "ignore": ["*.attn.*"], **groups}
    found = quantization_of({"expert_dtype": "fp4", "quantization_config": quantization})
    assert found is not None and (found.family, found.bits, found.experts, found.attention) == ("fp8", 8, bits, True)
    plain = quantization_of({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}})
    assert plain is not None and plain.experts == 0


def test_names_of_what_is_kept_may_be_patterns() -> None:
    kept = ["re:.*self_attn.*", "re:.*shared_experts.*", r"re:.*mlp\\.(gate|up|gate_up|down)_proj.*"]
    found = quantization_of({"quantization_config": {"quant_method": "mxfp4", "ignore": kept}})
    assert found is not None and not (found.attention or found.mlp or found.shared)


# --- the formulas, by hand


@pytest.mark.parametrize(("model", "bytes_of_a_token"), [
    ("meta-llama/Llama-3.1-8B", 2 * 32 * 8 * 128 * 2),  # 131072: keys and values, layers, heads, their size, 2 bytes
    ("meta-llama/Llama-3.3-70B-Instruct", 2 * 80 * 8 * 128 * 2),  # 327680
    ("Qwen/Qwen3-32B", 2 * 64 * 8 * 128 * 2),  # 262144
    ("deepseek-ai/DeepSeek-V3", 61 * (512 + 64) * 2),  # 70272: one compressed vector a layer
    ("openai/gpt-oss-120b", 2 * 18 * 8 * 64 * 2),  # 36864: every second layer sees 128 tokens only
    ("google/gemma-3-27b-it", 2 * 10 * 16 * 128 * 2),  # 10 of 62 layers see everything
    ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", 2 * 6 * 2 * 128 * 2),  # 6 of 52 layers attend at all
    ("Qwen/Qwen3-Next-80B-A3B-Instruct", 2 * 12 * 2 * 256 * 2),  # 12 of 48
    ("google/gemma-4-31B-it", 2 * 10 * 4 * 512 * 2),  # 10 of 60, with heads of their own
    ("moonshotai/Kimi-K3", 24 * (512 + 64) * 2),  # 24 of 93
    ("MiniMaxAI/MiniMax-M3", 60 * 2 * 4 * 128 * 2 + 57 * 128 * 2),  # and the keys of an index
    # 21 layers keep 584 bytes of each 4 tokens and 132 of an index, 20 keep 584 of each 128.
    ("deepseek-ai/DeepSeek-V4-Flash", 21 * (584 + 132) / 4 + 20 * 584 / 128),
])  # fmt: skip
def test_the_kv_cache_of_one_more_token(model: str, bytes_of_a_token: int) -> None:
    assert token_bytes(shape(model), Layout(), PLAIN) == bytes_of_a_token


def test_vllm_s_own_count_of_the_kv_cache_of_a_long_sequence() -> None:
    """vllm-project/recipes, pull request 12: 62.00 GiB for 262144 tokens of Qwen3-Coder-480B with -dp=8; 48.66 were left."""
    found, layout = shape("Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8"), Layout(data=8, expert=True)
    assert sequence_bytes(found, layout, PLAIN, 262144) / GIB == pytest.approx(62.0)
    demand = backends.Demand(
        (1, 1, 0), "agg", layout, [], (143771 - 640) * 2**20, "nvidia-h200-141gb", None, False, True
    )
    assert fit(found, layout, backends.load("vllm").setting(demand)).room / GIB == pytest.approx(48.66, rel=0.05)


@pytest.mark.parametrize(("model", "gpus", "gib"), [
    ("openai/gpt-oss-120b", 1, 64.38),  # vllm-project/vllm, issue 33155: "Model loading took 64.38 GiB"
    ("meta-llama/Llama-3.1-405B-Instruct-FP8", 8, 57.75),  # issue 6746
    ("meta-llama/Llama-3.1-8B", 1, 8.03e9 * 2 / GIB),
])  # fmt: skip
def test_weights_take_what_engines_print(model: str, gpus: int, gib: float) -> None:
    assert weights(shape(model), Layout(gpus), PLAIN) / GIB == pytest.approx(gib, rel=0.03)


def test_heads_are_copied_when_there_are_fewer_than_gpus() -> None:
    found = shape("Qwen/Qwen3-30B-A3B")  # 4 KV heads
    each = [token_bytes(found, Layout(gpus), PLAIN) for gpus in (1, 2, 4, 8)]
    assert each == [each[0], each[0] / 2, each[0] / 4, each[0] / 4]


def test_a_compressed_vector_is_whole_on_every_gpu() -> None:
    found = shape("deepseek-ai/DeepSeek-R1")
    assert token_bytes(found, Layout(8), PLAIN) == token_bytes(found, Layout(), PLAIN) == 70272


def test_windows_count_as_the_whole_context_where_they_are_kept() -> None:
    found = shape("google/gemma-3-27b-it")
    kept = PLAIN._replace(keeps_windows=True)
    assert sequence_bytes(found, Layout(), kept, 100_000) == 2 * 62 * 16 * 128 * 2 * 100_000
    assert sequence_bytes(found, Layout(), PLAIN, 100_000) < sequence_bytes(found, Layout(), kept, 100_000) / 4


def test_stages_and_copies_share_as_they_should() -> None:
    dense, sparse = shape("Qwen/Qwen3-32B"), shape("Qwen/Qwen3-235B-A22B")
    assert weights(dense, Layout(1, 2), PLAIN) < weights(dense, Layout(), PLAIN) * 0.52
    assert weights(dense, Layout(1, 1, 4), PLAIN) == weights(dense, Layout(), PLAIN)
    assert weights(sparse, Layout(1, 1, 8, expert=True), PLAIN) < weights(sparse, Layout(), PLAIN) / 6


# --- properties


GPUS = [(name, gpu) for name, gpu in load_facts([base_layer(Memory())], Report())["gpus"].items()]


def setting_for(
    backend: str, found: Shape, layout: Layout, gpu: dict[str, Any], name: str, role: str = "agg"
) -> Setting:
    latent = any(block.kind == "latent" for block, _ in found.blocks)
    memory = (gpu["memoryMiB"] - 640) * 2**20
    demand = backends.Demand((1, 6, 1), role, layout, [], memory, name, None, latent, found.experts > 0)
    setting: Setting = backends.load(backend).setting(demand)
    return setting


@pytest.mark.parametrize("backend", backends.names())
@pytest.mark.parametrize("model", ["Qwen/Qwen3-0.6B", "google/gemma-3-1b-it", "meta-llama/Llama-3.3-70B-Instruct", "deepseek-ai/DeepSeek-R1",
                                   "openai/gpt-oss-120b", "Qwen/Qwen3-30B-A3B"])  # fmt: skip
def test_more_gpus_never_fit_less(backend: str, model: str) -> None:
    found = shape(model)
    for name, gpu in GPUS:
        longest = []
        for gpus in (1, 2, 4, 8):
            layout = Layout(gpus)
            setting = setting_for(backend, found, layout, gpu, name)
            longest.append(longest_context(found, layout, setting, fit(found, layout, setting).room))
        assert longest == sorted(longest), (name, longest)


@pytest.mark.parametrize("backend", backends.names())
def test_a_longer_context_never_takes_less(backend: str) -> None:
    for model in MODELS[::7]:
        found = shape(model)
        setting = setting_for(backend, found, Layout(2), dict(GPUS)["nvidia-h100-80gb"], "nvidia-h100-80gb")
        sizes = [sequence_bytes(found, Layout(2), setting, context) for context in (1, 100, 4096, 8192, 131072)]
        assert all(low <= high for low, high in pairwise(sizes)), model


# --- profiles


def compiled(text: str) -> tuple[Compilation, list[tuple[str, str]]]:
    report = Report()
    head = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nmetadata: {name: demo}\n"
    found = compile_profile(Request(parse(head + text, "profile.yaml", report), [], Path(), Path()), report)
    return found, [(each.code, each.severity) for each in told(report)]


def profile(model: str, gpu: str, gpus: int, backend: str = "vllm", more: str = "") -> str:
    return f"backend: {backend}\nmodel: {model}\ngpu: {gpu}\nagg: {{replicas: 2, gpus: {gpus}}}\n{more}"


# Its engine begins with Ampere, and MXFP4 with Hopper (base/facts/precision.yaml).
_NOT_FOR_TRTLLM = {("nvidia-tesla-t4", "Qwen/Qwen3-0.6B"), ("nvidia-a100-80gb", "openai/gpt-oss-20b")}


@pytest.mark.parametrize("backend", backends.names())
@pytest.mark.parametrize(("model", "gpu", "gpus"), [
    ("nvidia/Llama-3.3-70B-Instruct-FP8", "nvidia-h100-80gb", 2),
    ("meta-llama/Llama-3.3-70B-Instruct", "nvidia-h100-80gb", 4),
    ("meta-llama/Llama-3.3-70B-Instruct", "nvidia-h200-141gb", 2),
    ("Qwen/Qwen3-32B", "nvidia-h100-80gb", 1),
    ("deepseek-ai/DeepSeek-R1", "nvidia-h200-141gb", 8),
    ("nvidia/DeepSeek-R1-FP4", "nvidia-b200", 8),
    ("openai/gpt-oss-120b", "nvidia-h100-80gb", 1),
    ("openai/gpt-oss-20b", "nvidia-a100-80gb", 1),
    ("Qwen/Qwen3-0.6B", "nvidia-tesla-t4", 1),
    ("Qwen/Qwen3-8B", "nvidia-a100-80gb", 1),
    ("Qwen/Qwen2.5-72B-Instruct-AWQ", "nvidia-a100-80gb", 1),
    ("mistralai/Mixtral-8x7B-Instruct-v0.1", "nvidia-h100-80gb", 2),
    ("meta-llama/Llama-3.1-405B-Instruct-FP8", "nvidia-h100-80gb", 8),
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "nvidia-h100-80gb", 8),
    ("moonshotai/Kimi-K2-Instruct", "nvidia-b200", 8),
])  # fmt: skip
def test_what_works_in_the_world_is_accepted(backend: str, model: str, gpu: str, gpus: int) -> None:
    if backend == "trtllm" and (gpu, model) in _NOT_FOR_TRTLLM:
        return
    found, codes = compiled(profile(model, gpu, gpus, backend, "huggingFaceSecret: token\n"))
    # That less than a quarter of a context fits, or that weights come slowly, is no reason not to run.
    assert [code for code, severity in codes if severity != "note" and code not in ("DG425", "DG642")] == []
    assert found.manifests


@pytest.mark.parametrize("backend", backends.names())
@pytest.mark.parametrize(("model", "gpu", "gpus", "code"), [
    ("meta-llama/Llama-3.3-70B-Instruct", "nvidia-h100-80gb", 1, "DG423"),
    ("deepseek-ai/DeepSeek-R1", "nvidia-h100-80gb", 8, "DG423"),
    ("meta-llama/Llama-3.1-405B-Instruct", "nvidia-h200-141gb", 1, "DG423"),
    ("meta-llama/Llama-3.1-405B-Instruct", "nvidia-h100-80gb", 8, "DG423"),
    ("Qwen/Qwen3-32B", "nvidia-h100-80gb", 3, "DG418"),
    ("Qwen/Qwen3-32B", "nvidia-l4", 1, "DG423"),
    ("meta-llama/Llama-3.1-8B-Instruct", "nvidia-tesla-t4", 1, "DG423"),
    ("openai/gpt-oss-20b", "nvidia-tesla-t4", 4, "DG428"),
])  # fmt: skip
def test_what_fails_in_the_world_is_refused(backend: str, model: str, gpu: str, gpus: int, code: str) -> None:
    is_too_old = backend == "trtllm" and gpu == "nvidia-tesla-t4"
    assert ("DG428" if is_too_old else code, "error") in compiled(profile(model, gpu, gpus, backend))[1]


def test_a_context_that_is_cut_is_said_and_handed_to_every_worker() -> None:
    found, codes = compiled(
        "backend: vllm\nmodel: Qwen/Qwen3-32B\ngpu: nvidia-h100-80gb\ndisagg: {prefill: {gpus: 1}, decode: {gpus: 4}}\n"
    )
    assert codes == [("DG425", "note"), ("DG642", "warning")]
    assert found.plan is not None and found.plan.context == 32768
    assert all("--max-model-len 32768" in " ".join(worker.args) for worker in found.plan.workers)


def test_an_unknown_model_gets_a_note_and_its_manifests() -> None:
    found, codes = compiled(profile("example/own", "nvidia-l4", 1))
    assert codes == [("DG427", "note")] and found.manifests


def test_modelopt_says_for_each_layer_how_it_is_quantized() -> None:
    """NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4: some 19 GB; what is not named is in 16 bits."""
    found = quantization_of(config_of("nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4"))
    assert found is not None
    assert (found.family, found.bits, found.experts) == ("fp8", 8, 4.5)
    assert (found.attention, found.shared, found.mlp) == (True, True, False)
    assert quantization_of({"quantization": {"quant_algo": "MIXED_PRECISION", "quantized_layers": {}}}) is None
    only = {"model.layers.3.mlp.experts.0.up_proj": {"quant_algo": "NVFP4"}}
    experts = quantization_of({"quantization": {"quant_algo": "MIXED_PRECISION", "quantized_layers": only}})
    assert experts is not None and (experts.family, experts.bits, experts.attention) == ("nvfp4", 4.5, False)


@pytest.mark.parametrize(("arguments", "refused"), [
    ("[]", True), ("[--moe-a2a-backend, deepep]", False), ("[--moe-a2a-backend=mooncake]", False), ("[--moe-a2a-backend=none]", True),
])  # fmt: skip
def test_shared_experts_are_whole_where_tokens_go_to_their_experts(arguments: str, refused: bool) -> None:
    """Google's recipe for 72 GB200: DeepSeek-R1 over 32 GPUs, whose shared experts are 2048 wide in blocks of 128."""
    worker = "agg: {gpus: 32, parallel: {data: 32, expert: true}}\nplatform: {grove: true}\noverlays: [gke]\ngke: {capacity: reservation}\n"
    text = f"backend: sglang\nmodel: deepseek-ai/DeepSeek-R1\ngpu: nvidia-gb200\n{worker}engineArgs: {arguments}\n"
    assert (("DG420", "error") in compiled(text)[1]) == refused


@pytest.mark.parametrize(("model", "severity"), [
    ("nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-FP8", "note"),  # -BF16 and -NVFP4 are known
    ("Qwen/Qwen3-VL-235B-A22B-Instruct-FP8", "note"),  # known without -FP8
    ("Qwen/Qwen3-8B-GPTQ-Int4", "note"),
    ("qwen/qwen3-8b-fp8", "warning"),
    ("Qwen/Qwen3-VL-30B-A3B-Instrct", "warning"),
    ("Qwen/Qwen3-32-FP8", "warning"),
])  # fmt: skip
def test_another_precision_of_a_known_model_is_no_misspelling(model: str, severity: str) -> None:
    assert ("DG427", severity) in compiled(profile(model, "nvidia-h200-141gb", 8))[1]


@pytest.mark.parametrize(("concurrency", "codes"), [(16, []), (32, ["note"]), (64, ["note"]), (128, ["warning"])])
def test_sequences_wait_often_when_not_even_usual_ones_fit(concurrency: int, codes: list[str]) -> None:
    """NVIDIA's recipes allow hundreds of sequences beside a context of a million tokens: few are that long."""
    text = profile("Qwen/Qwen3-8B", "nvidia-h200-141gb", 1, more=f"context: 40960\nconcurrency: {concurrency}\n")
    assert [severity for code, severity in compiled(text)[1] if code == "DG424"] == codes


def test_a_memory_share_of_the_engine_counts() -> None:
    text = profile("Qwen/Qwen3-32B", "nvidia-h100-80gb", 1, more="context: 40960\n")
    assert ("DG423", "error") in compiled(text)[1]
    assert compiled(text + "engineArgs: [--gpu-memory-utilization=0.95]\n")[1] == [("DG642", "warning")]
    assert compiled(text + "engineArgs: [--kv_cache_dtype, fp8]\n")[1] == [("DG642", "warning")]


def test_parallelism_becomes_each_engine_s_flags() -> None:
    more = "8, parallel: {data: 8, expert: true}"
    expected = {
        "vllm": "--tensor-parallel-size 1 --data-parallel-size 8 --enable-expert-parallel --max-model-len 65536 --max-num-seqs 8",
        "sglang": "--tp 8 --dp-size 8 --enable-dp-attention --ep-size 8 --context-length 65536 --max-running-requests 64",
    }
    for backend, flags in expected.items():
        text = profile(
            "deepseek-ai/DeepSeek-V3.1", "nvidia-h200-141gb", more, backend, "context: 65536\nconcurrency: 64\n"
        )  # type: ignore[arg-type]
        plan = compiled(text)[0].plan
        assert plan is not None and flags in " ".join(plan.workers[0].args)


def test_modelopt_s_file_beside_config_json_counts(tmp_path: Path) -> None:
    config = {key: value for key, value in config_of("meta-llama/Llama-3.1-70B").items() if key != "billions"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    text = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nmetadata: {name: demo}\n" + profile(
        "example/own", "nvidia-h100-80gb", 2, more="modelConfig: ./config.json\n"
    )
    for expected in (20480, None):  # in 16 bits the context is cut, in 8 it is whole
        report = Report()
        found = compile_profile(Request(parse(text, "profile.yaml", report), [], tmp_path, tmp_path), report)
        assert found.plan is not None and (found.plan.context is None) == (expected is None), report.diagnostics
        (tmp_path / "hf_quant_config.json").write_text(json.dumps({"quantization": {"quant_algo": "FP8"}}))


def test_a_file_outside_of_the_profile_s_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    home = tmp_path / "profiles"
    home.mkdir()
    report = Report()
    text = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nmetadata: {name: demo}\n" + profile(
        "example/own", "nvidia-l4", 1, more="modelConfig: ../config.json\n"
    )
    compile_profile(Request(parse(text, "profile.yaml", report), [], home, home), report)
    assert [each.code for each in told(report)] == ["DG303"]


def test_a_layer_can_bring_models(tmp_path: Path) -> None:
    (tmp_path / "ours/facts/models").mkdir(parents=True)
    (tmp_path / "ours/facts/models/example.yaml").write_text("own: {like: Qwen/Qwen3-32B}\n")
    report = Report()
    text = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nmetadata: {name: demo}\noverlays: [./ours]\n" + profile(
        "example/own", "nvidia-l4", 1
    )
    compile_profile(Request(parse(text, "profile.yaml", report), [], tmp_path, tmp_path), report)
    assert [each.code for each in told(report)] == ["DG423"]


@pytest.mark.parametrize("text", ["own: 3\n", "own: {like: 3}\n", "- a\n", "own: {like: []}\n"])
def test_facts_of_a_layer_that_are_no_models_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "ours/facts/models").mkdir(parents=True)
    (tmp_path / "ours/facts/models/example.yaml").write_text(text)
    report = Report()
    profile_text = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nmetadata: {name: demo}\noverlays: [./ours]\n"
    profile_text += profile("example/own", "nvidia-l4", 1)
    compile_profile(Request(parse(profile_text, "profile.yaml", report), [], tmp_path, tmp_path), report)
    assert report.failed


# --- machines


def test_every_worker_of_every_machine_fits_its_machine() -> None:
    gke = find_overlay("gke", Report().diagnostics, Path(), Path(), Report(), Memory())  # type: ignore[arg-type]
    assert gke is not None
    machines = 0
    for gpu in load_facts([base_layer(Memory()), gke], Report())["gpus"].values():
        for each in gpu["machines"]:
            machine = Machine(
                each["type"], each["gpus"], each["vcpu"], each["memoryGiB"], each["onDemand"], each["spot"]
            )
            left_cpu, left_memory = allocatable(machine)
            for gpus in range(1, machine.gpus + 1):
                cpu, memory = requests(machine, gpus)
                pods = machine.gpus // gpus
                assert amount(cpu) * pods <= left_cpu and amount(memory) / GIB * pods <= left_memory, (
                    machine.type,
                    gpus,
                )
            machines += 1
    assert machines > 30


def test_two_kinds_of_workers_may_share_a_node() -> None:
    text = "backend: vllm\nmodel: Qwen/Qwen3-0.6B\ngpu: nvidia-l4\noverlays: [gke]\n"
    text += "disagg: {prefill: {gpus: 1}, decode: {gpus: 3, parallel: {pipeline: 3}}}\n"
    assert compiled(text)[1] == [("DG437", "warning")]


@pytest.mark.parametrize(
    ("zone", "found"), [("us-central1-b", []), ("us-central1-a", ["DG439"]), ("us-south1-ai1b", [])]
)
def test_zones(zone: str, found: list[str]) -> None:
    more = f"overlays: [gke]\nspot: true\ngke: {{zone: {zone}}}\n"
    result, codes = compiled(profile("Qwen/Qwen3-8B", "nvidia-h200-141gb", 8, more=more))
    assert [code for code, _ in codes] == found
    (graph,) = (each for each in result.manifests if each.kind == "DynamoGraphDeployment")
    spec = graph.to_data()["spec"]["components"][1]["podTemplate"]["spec"]
    assert spec["nodeSelector"]["topology.kubernetes.io/zone"] == zone


# --- arguments


def test_arguments_are_read_as_the_engines_read_them() -> None:
    args = ["--a", "1", "--b_c=2k", "-x", "--a=3", "--d"]
    assert (value_of(args, "--a"), value_of(args, "--d"), value_of(args, "--e")) == ("3", None, None)
    assert (number_of(args, "--b-c"), number_of(["--n", "8K"], "--n"), number_of(["--n", "many"], "--n")) == (
        2000,
        8192,
        None,
    )
    assert has(args, "-x") and not has(args, "--x")
    assert (flag_of("-1"), flag_of("value"), flag_of("--max_model_len=3")) == ("", "", "--max-model-len")


@pytest.mark.parametrize(("release", "args", "codes"), [
    ("1.6.1", "[--router-temperature, '1']", []),
    ("1.6.1", "[--router-temperat, '1']", []),  # a beginning is enough
    ("1.6.1", "[--router-mode, kv]", ["DG404"]),
    ("1.6.1", "[--router-mod, kv]", ["DG404"]),
    ("1.6.1", "[--router-modes, kv]", ["DG434"]),
    ("0.9.1", "[--no-kv-events]", ["DG404"]),
    ("1.6.1", "[--router-kv-overlap-score-credit, '1']", []),
    ("1.6.1", "[--dyn-chat-processor, vllm, --anything, x]", []),  # vLLM's parser gets the rest
    ("1.4.2", "[--router-conditional-disagg]", ["DG435"]),
    ("1.5.1", "[--router-conditional-disagg]", []),
    ("1.2.1", "[--router-snapshot-threshold, '3']", []),
    ("0.9.1", "[--whatever]", ["DG434"]),
    ("0.9.1", "[--store-kv, etcd]", []),
])  # fmt: skip
def test_the_frontend_s_arguments(release: str, args: str, codes: list[str]) -> None:
    text = profile("Qwen/Qwen3-0.6B", "nvidia-l4", 1, more=f"release: {release}\nfrontend: {{args: {args}}}\n")
    assert [code for code, _ in compiled(text)[1]] == codes


@pytest.mark.parametrize(("backend", "args", "codes"), [
    ("vllm", "[--gpu-memory-utilization, '0.9', --no-enable-prefix-caching, --kv-events-config, '{}']", []),
    ("vllm", "[--enable-prefix-cachin]", []),
    ("vllm", "[--enable-prefix-chaching]", ["DG436"]),
    ("vllm", "[--something-of-our-own]", ["DG436"]),
    ("vllm", "[--max_num_batched_tokens, 8k, -O3, --served, x]", []),
    ("vllm", "[--limit-mm-per-pro, '{}', --compilation-config, '3', -cc.mode, '3']", []),
    ("vllm", "[--config, /workspace/a.yaml, --hf-token, --seed=None]", []),
    ("vllm", "[--kernel-config.a, '1', --speculative-config.method, ngram]", []),
    ("vllm", "[--calculate-kv-scales]", ["DG435"]),
    ("vllm", "[--tensor_parallel_size, '2']", ["DG404"]),
    ("sglang", "[--trust-remote-code, --skip-tokenizer-init, --mem-fraction-static=0.8]", []),
    ("sglang", "[--disable-radix-cach]", []),
    ("sglang", "[--page-size, '16']", ["DG404"]),
])  # fmt: skip
def test_the_engines_arguments(backend: str, args: str, codes: list[str]) -> None:
    text = profile("Qwen/Qwen3-0.6B", "nvidia-l4", 1, backend, f"engineArgs: {args}\n")
    assert [code for code, _ in compiled(text)[1]] == codes


def test_own_flags_are_all_known_to_the_newest_release() -> None:
    for backend in backends.names():
        parser = Parser(f"dynamo.{backend}", look_up, "1.6.1", {"vllm": "0.31.0", "sglang": "0.5.21"}.get(backend, ""))
        gone = {"--is-prefill-worker", "--is-decode-worker", "--migration-limit", "--publish-events-and-metrics"}
        short = {"--tp", "--dp"}
        known = {*gone, *short, *(flag for section in parser.sections for flag in section.known())}
        assert known.issuperset(backends.load(backend).OWN_FLAGS), backend


# --- nothing that a schema lets through breaks it

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**7)
    | st.floats()
    | st.sampled_from(["", "a", "fp8", "full_attention", "M*E-"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["weights", "num_bits", "type", "group_0"]), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = sorted(
    {key for model in MODELS for key in config_of(model)}
    | {"layer_types", "text_config", "moe_layer_freq", "layers_block_type"}
)


@settings(max_examples=settings.default.max_examples * 3 // 2, deadline=None)
@given(
    st.sampled_from(MODELS[::9]),
    st.dictionaries(st.sampled_from(KEYS), junk, max_size=3),
    st.sampled_from(backends.names()),
)
@example(MODELS[0], {"intermediate_size": 7e303}, "sglang")
@example(MODELS[0], {"intermediate_size": -7e303}, "sglang")
def test_any_config_json_is_judged_or_refused(model: str, changes: dict[str, Any], backend: str) -> None:
    try:
        found = shape_of({**config_of(model), **changes})
    except NotUnderstood:
        return
    for layout in (Layout(), Layout(4, 2, 2, expert=True)):
        gpu = dict(GPUS)["nvidia-h100-80gb"]
        setting = setting_for(backend, found, layout, gpu, "nvidia-h100-80gb", "decode")
        longest_context(found, layout, setting, fit(found, layout, setting).room)


@pytest.mark.parametrize(
    "parallel", ["{tensor: 72}", "{pipeline: 72, data: 72}", "{data: 3, expert: true}", "{expert: false}", "{}"]
)
@pytest.mark.parametrize("backend", backends.names())
def test_any_parallelism_is_judged(parallel: str, backend: str) -> None:
    compiled(
        profile(
            "Qwen/Qwen3-30B-A3B-FP8", "nvidia-l4", f"3, parallel: {parallel}", backend, "concurrency: 9\ncontext: 1\n"
        )
    )  # type: ignore[arg-type]
