"""Keys that say once what engines say in several ways: what is sound is let through, and becomes what each engine and release calls it."""

from __future__ import annotations

import json

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.conftest import MEMORY, ROOT
from tests.unit.compiling import HEAD, compiled, component, env, pod, told

VLLM, SGLANG = (f"backend: {name}\ngpu: nvidia-l4\nagg: {{replicas: 2}}\n" for name in ("vllm", "sglang"))
DEEPSEEK = "backend: vllm\ngpu: nvidia-h200-141gb\nagg: {gpus: 8}\nspeculative: {method: mtp}\n"


def args(text: str, name: str = "worker") -> str:
    return " ".join(pod(compiled(text), name)["containers"][0]["args"])


def codes(text: str, model: str = "Qwen/Qwen3-0.6B") -> list[str]:
    report = Report()
    documents = parse(HEAD.replace("Qwen/Qwen3-0.6B", model) + text, "profile.yaml", report)
    compile_profile(Request(documents, [], ROOT, ROOT, memory=MEMORY), report)
    return [each.code for each in told(report) if each.code not in ("DG437", "DG642", "DG425", "DG427")]


@pytest.mark.parametrize("text", [
    *(VLLM + f"blockSize: {size}\n" for size in (16, 32, 48, 64, 128, 256, 784)),
    *(SGLANG + f"blockSize: {size}\n" for size in (1, 16, 64, 256)),
    SGLANG + "blockSize: 48\nengineArgs: [--chunked-prefill-size=6144]\n",
    SGLANG + "blockSize: 48\nengineArgs: [--chunked-prefill-size, '-1']\n",
    VLLM + "release: 1.0.2\nblockSize: 64\n",
    *(VLLM + f"router: {{mode: {mode}}}\n" for mode in ("random", "round-robin", "power-of-two", "direct", "kv")),
    VLLM + "router: {}\n",
    VLLM + "router: {mode: kv, events: true}\nfrontend: {args: [--router-ttl-secs, '60', --router-kv-overlap-score-credit, '1']}\n",
    SGLANG + "reasoningParser: qwen3\nengineArgs: [--reasoning-parser, qwen3]\n",
    SGLANG + "release: 1.1.1\ntoolCallParser: hermes\nengineArgs: [--reasoning-parser, qwen3]\n",
    SGLANG + "blockSize: 64\nspeculative: {method: ngram}\nengineArgs: [--attention-backend, flashinfer]\n",
    SGLANG + "speculative: {method: ngram}\nengineArgs: [--speculative-ngram-match-type, BFS]\n",
    VLLM + "speculative: {method: draft, model: Qwen/Qwen3-1.7B}\nrelease: 1.0.2\n",
    VLLM + "engineArgs: [--speculative-config, '{\"method\": \"ngram\", \"num_speculative_tokens\": 3}']\n",
    VLLM + "engineArgs: [--kv-transfer-config, '{\"kv_connector\":\"LMCacheConnectorV1\",\"kv_role\":\"kv_both\"}']\n",
    SGLANG + "kvOffload: {memory: 8Gi}\n",
    VLLM + "volumes: [{claimName: a, mountPath: /a}, {claimName: a, mountPath: /b}]\n",
])  # fmt: skip
def test_what_engines_take_is_let_through(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(("text", "found"), [
    (VLLM + "router: {mode: kv}\nfrontend: {env: {DYN_ROUTER_MODE: kv}}\n", ["DG404"]),
    (VLLM + "frontend: {args: ['--kv-cache-block=16']}\n", ["DG404"]),  # a beginning is enough for the frontend's parser
    (VLLM + "frontend: {env: {DYN_ROUTER_MODE: {configMapKeyRef: {name: a, key: b}}}}\nexternal: [ConfigMap/a]\n", ["DG404"]),
    (VLLM + "release: 0.9.1\nfrontend: {args: [--no-kv-events]}\n", ["DG404"]),
    (SGLANG + "engineArgs: [--block-size, '16']\n", ["DG436"]),
    (SGLANG + "release: 1.1.1\nreasoningParser: qwen3\nengineArgs: [--reasoning-parser, qwen3]\n", ["DG742"]),
    (VLLM + "speculative: {method: eagle3, model: /models/eagle}\n", ["DG745"]),
    (VLLM + "speculative: {method: ngram}\nengineArgs: [--spec-method, ngram]\n", ["DG404"]),
    (VLLM + "speculative: {method: dspark}\nrelease: 1.3.1\n", ["DG743"]),
    (SGLANG.replace("{replicas: 2}", "{gpus: 2, parallel: {pipeline: 2}}") + "speculative: {method: eagle, model: a/b}\n", ["DG745"]),
])  # fmt: skip
def test_what_they_do_not_take_is_not(text: str, found: list[str]) -> None:
    assert codes(text) == found


@pytest.mark.parametrize(("model", "found"), [
    ("deepseek-ai/DeepSeek-V3", []), ("zai-org/GLM-4.5-Air", []), ("Qwen/Qwen3-Next-80B-A3B-Instruct", []),
    ("somebody/unknown-model", []), ("Qwen/Qwen3-32B", ["DG744"]), ("openai/gpt-oss-120b", ["DG744"]),
    ("meta-llama/Llama-3.3-70B-Instruct", ["DG617", "DG744"]),
])  # fmt: skip
def test_some_models_guess_by_themselves(model: str, found: list[str]) -> None:
    assert sorted(codes(DEEPSEEK, model)) == found


def test_what_guesses_takes_memory() -> None:
    text = "backend: vllm\ngpu: nvidia-h100-80gb\nagg: {}\ncontext: 16384\n"
    assert codes(text, "Qwen/Qwen3-14B") == []
    assert codes(text + "speculative: {method: draft, model: Qwen/Qwen3-0.6B}\n", "Qwen/Qwen3-14B") == []
    assert codes(text + "speculative: {method: draft, model: Qwen/Qwen3-32B}\n", "Qwen/Qwen3-14B") == ["DG423"]


def test_each_engine_has_its_own_words() -> None:
    keys = "blockSize: 32\nspeculative: {method: draft, tokens: 4, model: Qwen/Qwen3-1.7B}\n"
    vllm, sglang = args(VLLM + keys), args(SGLANG + keys)
    assert "--block-size 32" in vllm and "--page-size 32" in sglang
    config = vllm.partition("--speculative-config ")[2].partition(" ")[0]
    assert json.loads(config) == {"method": "draft_model", "model": "Qwen/Qwen3-1.7B", "num_speculative_tokens": 4}
    assert "--speculative-algorithm STANDALONE --speculative-num-steps 4 --speculative-eagle-topk 1" in sglang
    assert "--speculative-num-draft-tokens 5 --speculative-draft-model-path Qwen/Qwen3-1.7B" in sglang
    frontend = pod(compiled(VLLM + keys), "Frontend")["containers"][0]["args"]
    assert frontend[-2:] == ["--kv-cache-block-size", "32"]


def test_memory_for_caches_is_that_of_a_pod() -> None:
    copies = "backend: vllm\ngpu: nvidia-l4\nagg: {gpus: 4, parallel: {data: 2}}\nkvOffload: {memory: 64Gi}\n"
    assert f'"cpu_bytes_to_use":{32 * 1024**3}}}' in args(copies)
    assert "self_describing_kv_events" not in args(copies + "release: 1.3.1\nrouter: {mode: kv}\n")
    told_of = copies + "router: {mode: kv}\n"
    assert '"self_describing_kv_events":true' in args(told_of)
    assert env(pod(compiled(told_of), "worker"))["PYTHONHASHSEED"] == "0"
    assert "--enable-hierarchical-cache --hicache-size 17" in args(copies.replace("vllm", "sglang"))
    halves = "backend: sglang\ngpu: nvidia-l4\ndisagg: {prefill: {}, decode: {}}\nkvOffload: {memory: 16Gi}\n"
    assert "--hicache-size 17" in args(halves, "prefill") and "--hicache" not in args(halves, "decode")


def test_what_was_compiled_is_found_again() -> None:
    cache = "compilationCache: {size: 100Gi, mountPath: /compiled/}\n"
    assert "VLLM_CACHE_ROOT" not in env(pod(compiled(VLLM + cache), "worker"))  # the operator's
    graph = compiled(SGLANG + cache)
    assert component(graph, "worker")["compilationCache"] == {
        "pvcName": "chat-compilation-cache",
        "mountPath": "/compiled/",
    }
    assert env(pod(graph, "worker"))["TRITON_CACHE_DIR"] == "/compiled/triton"
    assert "compilationCache" not in component(graph, "Frontend")
