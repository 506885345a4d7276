"""Hints about what does not fit are followed: the profile that comes of it builds."""

from __future__ import annotations

import random
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Diagnostic, Report
from dynagen.manifests.yaml import to_yaml
from dynagen.plan import backends
from dynagen.plan.fit.quantization import quantization_of
from dynagen.text.source import parse
from tests.unit.test_fit import GPUS, MODELS

_CODES = ("DG417", "DG418", "DG419", "DG420", "DG421", "DG422", "DG423", "DG424", "DG425", "DG426", "DG428")
# What a hint says when no setting would do: nothing to follow.
_NO_WAY = (
    "use a smaller model, or one with fewer bits",
    "use the model in another precision",
    "use a newer GPU",
)
_SETTING = re.compile(r"'([a-zA-Z]+): ?([^']+)'")


def compiled(profile: dict[str, Any]) -> list[Diagnostic]:
    report = Report()
    document = parse(to_yaml(profile), "profile.yaml", report)
    compile_profile(Request(document, [], Path(), Path()), report)
    return report.diagnostics


def profile_of(model: str, gpu: str, backend: str, workers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "dynagen.dev/v1alpha1",
        "kind": "Profile",
        "metadata": {"name": "demo"},
        "backend": backend,
        "model": model,
        "gpu": gpu,
        "overlays": ["gke"],
        "gke": {"capacity": "reservation"},
        **workers,
        **more,
    }


def value_of(text: str) -> Any:
    return parse(f"value: {text}\n", "hint", Report())[0].data["value"]


def followed(profile: dict[str, Any], finding: Diagnostic) -> list[dict[str, Any]]:
    """The profile with each of the settings that a hint offers; those joined by `and` or `with` go together."""
    found = []
    offered = re.split(r", or |; for all of it use |, a shorter context", finding.hint)
    for offer in offered:
        settings = _SETTING.findall(offer)
        changed = {**profile}
        named = re.search(r"worker '([a-z]+)'", finding.message)
        path = ["agg"] if "agg" in profile else ["disagg", named[1] if named else ""]
        for key, text in settings:
            if key in ("gpus", "parallel"):
                changed = _set(changed, [*path, key], value_of(text))
            elif key == "engineArgs":
                changed[key] = [*profile.get(key, []), *value_of(text)]
            else:
                changed[key] = value_of(text)
        if "use --dtype half" in offer or "leave out --" in offer:
            changed["engineArgs"] = ["--dtype", "half"] if "half" in offer else []
            settings = [("engineArgs", "")]
        if settings:
            found.append(changed)
    return found


def _set(data: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    key, *rest = path
    return {**data, key: _set(data[key], rest, value) if rest else value}


def faults(profile: dict[str, Any]) -> list[Diagnostic]:
    return [each for each in compiled(profile) if each.code in _CODES]


def hold_to_hints(profile: dict[str, Any]) -> int:
    """How many hints were followed. What was wrong is right then, nothing else is wrong that was not before, and what was
    can be mended in the same way."""
    count, found = 0, compiled(profile)
    for finding in found:
        if finding.code not in _CODES:
            continue
        changes = followed(profile, finding)
        assert changes or finding.hint in _NO_WAY, finding
        for changed in changes:
            before = {each.code for each in found if each.severity == "error" and each is not finding}
            errors = [each for each in compiled(changed) if each.severity == "error"]
            assert {each.code for each in errors} <= before, (finding, changed, errors)
            assert finding not in errors
            count += 1 + (hold_to_hints(changed) if errors else 0)
    return count


LAYOUTS: list[dict[str, Any]] = [
    *({"gpus": number} for number in (1, 2, 3, 4, 8)),
    {"gpus": 8, "parallel": {"data": 8, "expert": True}},
    {"gpus": 4, "parallel": {"expert": True}},
    {"gpus": 4, "parallel": {"tensor": 2, "pipeline": 2}},
    {"gpus": 6, "parallel": {"tensor": 3, "data": 2}},
    {"gpus": 4, "parallel": {"pipeline": 3}},
]


@pytest.mark.parametrize("backend", backends.names())
@pytest.mark.parametrize("gpu", [name for name, _ in GPUS])
def test_hints_about_what_does_not_fit_lead_somewhere(backend: str, gpu: str) -> None:
    """One in so many of all models, layouts and contexts, drawn once: other seeds pass as well."""
    everything = list(
        product(MODELS, LAYOUTS, [{}, {"context": 100_000}, {"concurrency": 500}], ["1.6.1", "1.5.1", "1.2.1"])
    )
    for model, layout, more, release in random.Random(f"{backend} {gpu}").sample(everything, 25):
        hold_to_hints(profile_of(model, gpu, backend, {"agg": layout}, release=release, **more))


@pytest.mark.parametrize(("model", "gpu", "backend", "layout", "more", "code"), [
    ("meta-llama/Llama-3.1-8B-Instruct", "nvidia-l4", "sglang", {"gpus": 1}, {}, "DG423"),
    ("Qwen/Qwen3-30B-A3B-FP8", "nvidia-l4", "sglang", {"gpus": 4}, {}, "DG420"),
    ("Qwen/Qwen3-30B-A3B-FP8", "nvidia-l4", "sglang", {"gpus": 2}, {}, "DG423"),
    ("Qwen/Qwen3-235B-A22B-FP8", "nvidia-a100-80gb", "vllm", {"gpus": 8}, {}, "DG420"),
    ("openai/gpt-oss-20b", "nvidia-tesla-t4", "vllm", {"gpus": 1}, {}, "DG428"),
    ("Qwen/Qwen3-8B", "nvidia-l4", "vllm", {"gpus": 1}, {"context": 1_000_000}, "DG426"),
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "nvidia-h100-80gb", "vllm", {"gpus": 8}, {}, "DG425"),
    ("Qwen/Qwen3-8B", "nvidia-h100-80gb", "vllm", {"gpus": 1}, {"context": 16384, "concurrency": 64}, "DG424"),
    ("Qwen/Qwen3-8B", "nvidia-h100-80gb", "vllm", {"gpus": 4, "parallel": {"data": 2, "expert": True}}, {}, "DG422"),
    ("Qwen/Qwen3-8B", "nvidia-h100-80gb", "vllm", {"gpus": 4, "parallel": {"pipeline": 3}}, {}, "DG417"),
    ("google/gemma-2-9b-it", "nvidia-tesla-t4", "vllm", {"gpus": 4}, {"engineArgs": ["--dtype", "half"]}, "DG428"),
])  # fmt: skip
def test_what_led_nowhere(
    model: str, gpu: str, backend: str, layout: dict[str, Any], more: dict[str, Any], code: str
) -> None:
    profile = profile_of(model, gpu, backend, {"agg": layout}, **more)
    assert code in [each.code for each in faults(profile)]
    assert hold_to_hints(profile) > 0


@pytest.mark.parametrize("backend", backends.names())
def test_hints_of_two_workers_do_not_break_each_other(backend: str) -> None:
    for model, prefill, decode in [
        ("meta-llama/Llama-3.3-70B-Instruct", {"gpus": 1}, {"gpus": 8}),
        ("Qwen/Qwen3-30B-A3B-FP8", {"gpus": 1}, {"gpus": 8}),
    ]:
        profile = profile_of(model, "nvidia-h100-80gb", backend, {"disagg": {"prefill": prefill, "decode": decode}})
        found = faults(profile)
        if sum(each.severity == "error" for each in found) == 1:
            hold_to_hints(profile)


def codes_of(model: str, gpu: str, backend: str, layout: dict[str, Any], release: str, **more: Any) -> list[str]:
    found = compiled(profile_of(model, gpu, backend, {"agg": layout}, release=release, **more))
    return [each.code for each in found if each.severity == "error"]


@pytest.mark.parametrize(("model", "gpu", "gpus", "refused", "accepted"), [
    # vLLM cuts blocks smaller since 0.31; 1.5 came with 0.28.
    ("Qwen/Qwen3-235B-A22B-FP8", "nvidia-h200-141gb", 8, ["1.4.2", "1.5.0", "1.5.1"], ["1.6.0", "1.6.1"]),
    ("Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", "nvidia-h200-141gb", 8, ["1.5.1"], ["1.6.1"]),
    ("MiniMaxAI/MiniMax-M2", "nvidia-h100-80gb", 8, ["1.5.0"], ["1.6.1"]),
    ("Qwen/Qwen3-30B-A3B-FP8", "nvidia-h100-80gb", 4, ["1.5.1"], ["1.6.1"]),
    ("Qwen/Qwen3-235B-A22B-FP8", "nvidia-a100-80gb", 8, ["1.5.1", "1.6.1"], []),  # Triton's FP8 wants 8.9
])  # fmt: skip
def test_blocks_that_a_gpu_has_in_part(
    model: str, gpu: str, gpus: int, refused: list[str], accepted: list[str]
) -> None:
    for release in refused:
        assert "DG420" in codes_of(model, gpu, "vllm", {"gpus": gpus}, release), release
    for release in accepted:
        assert codes_of(model, gpu, "vllm", {"gpus": gpus}, release) == [], release
    assert "DG420" in codes_of(model, gpu, "sglang", {"gpus": gpus}, "1.6.1")


_BLOCKS = {"quant_method": "fp8", "weight_block_size": [128, 128]}
_SMALL = {
    "model_type": "qwen3_moe", "num_hidden_layers": 8, "hidden_size": 2048, "intermediate_size": 4096, "vocab_size": 32000,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 8192,
    "num_experts": 16, "num_experts_per_tok": 2, "moe_intermediate_size": 2048,
}  # fmt: skip


@pytest.mark.parametrize(("changes", "gpus", "vllm", "sglang"), [
    ({}, 8, True, True),
    ({"moe_intermediate_size": 768}, 4, True, False),  # 192 a GPU: blocks of 64
    ({"moe_intermediate_size": 640}, 8, False, False),  # 80 a GPU: blocks of 16 are too small
    ({"hidden_size": 2064, "moe_intermediate_size": 768}, 4, False, False),
    ({"shared_expert_intermediate_size": 512}, 8, False, False),  # 64 a GPU, and nobody refines them
    ({"shared_expert_intermediate_size": 512}, 4, True, True),
    ({"n_shared_experts": 1, "moe_intermediate_size": 768}, 4, False, False),
    ({"head_dim": 64, "num_attention_heads": 32, "num_key_value_heads": 8}, 8, True, False),  # keys of 64
    ({"head_dim": 64, "num_attention_heads": 8, "num_key_value_heads": 8}, 8, False, False),
])  # fmt: skip
def test_widths_in_blocks(changes: dict[str, Any], gpus: int, vllm: bool, sglang: bool) -> None:
    config = {**_SMALL, **changes, "quantization_config": _BLOCKS}
    compressed = {
        "quant_method": "compressed-tensors",
        "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float", "strategy": "block", "block_structure": [128, 128]}}},
    }  # fmt: skip
    for backend, passes in (("vllm", vllm), ("sglang", sglang)):
        found = codes_of("example/own", "nvidia-h100-80gb", backend, {"gpus": gpus}, "1.6.1", modelConfig=config)
        assert ("DG420" not in found) == passes, (backend, found)
    again = {**config, "quantization_config": compressed}  # which no engine refines
    found = codes_of("example/own", "nvidia-h100-80gb", "vllm", {"gpus": gpus}, "1.6.1", modelConfig=again)
    assert ("DG420" not in found) == sglang, found


def test_experts_are_filled_up_for_a_backend_that_cannot_refine() -> None:
    more = {"modelConfig": {**_SMALL, "moe_intermediate_size": 640, "quantization_config": _BLOCKS}}
    own = {"engineArgs": ["--moe-backend", "cutlass"]}
    assert codes_of("example/own", "nvidia-h100-80gb", "vllm", {"gpus": 8}, "1.6.1", **more, **own) == []


def test_expert_parallelism_leaves_shared_experts_cut() -> None:
    config = {**_SMALL, "shared_expert_intermediate_size": 512, "quantization_config": _BLOCKS}
    for backend in ("vllm", "sglang"):
        layout = {"gpus": 8, "parallel": {"expert": True}}
        found = codes_of("example/own", "nvidia-h100-80gb", backend, layout, "1.6.1", modelConfig=config)
        assert found == ["DG420"], backend


@pytest.mark.parametrize(("size", "block"), [([128, 128], 128), ("128x128", 128), (None, 0), ([], 0)])
def test_block_structures_as_compressed_tensors_has_written_them(size: Any, block: int) -> None:
    weights = {"num_bits": 8, "type": "float", "block_structure": size}
    found = quantization_of({"quantization_config": {"config_groups": {"group_0": {"weights": weights}}}})
    assert found is not None and found.block == block


@pytest.mark.parametrize(("gpu", "severity"), [("nvidia-l4", "warning"), ("nvidia-a100-80gb", "note")])
def test_less_than_a_quarter_of_a_context_is_a_warning(gpu: str, severity: str) -> None:
    gpus = {"nvidia-l4": 1, "nvidia-a100-80gb": 1}[gpu]
    config = {
        **_SMALL,
        "model_type": "llama",
        "num_experts": 0,
        "num_hidden_layers": 64,
        "max_position_embeddings": 400_000,
    }
    profile = profile_of("example/own", gpu, "vllm", {"agg": {"gpus": gpus}}, modelConfig=config)
    assert [(each.code, each.severity) for each in compiled(profile)] == [("DG425", severity)]
