"""Tokens of all common kinds are hidden everywhere, and ordinary words nowhere."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dynagen.diagnostics.masks import masked
from tests.conftest import ROOT

# Made up, put together here so that no scanner takes them for real ones.
A, N, H = "AbCdEfGhIjKlMnOpQrStUvWx", "0123456789", "0123456789abcdef0123456789abcdef"
TOKENS = {
    "Hugging Face": "hf_" + A, "NVIDIA": "nvapi-" + A + "_" + N, "GitHub": "ghp_" + A + N, "GitHub, OAuth": "gho_" + A + N,
    "GitHub, user": "ghu_" + A + N, "GitHub, server": "ghs_" + A + N, "GitHub, refresh": "ghr_" + A + N,
    "GitHub, fine": "github_pat_11" + A + "_" + A, "GitLab": "glpat-" + A[:20], "GitLab, deploy": "gldt-" + A[:20],
    "GitLab, runner": "glrt-" + A[:20], "AWS": "AKIA" + "IOSFODNN7EXAMPLF", "AWS, short": "ASIA" + "IOSFODNN7EXAMPLF",
    "Google": "AIza" + "SyA" + A + N, "Google, OAuth": "ya29." + A, "Slack, bot": "xoxb-" + N + "-" + N + "-" + A,
    "Slack, user": "xoxp-" + N + "-" + A, "Slack, app": "xapp-1-" + N, "OpenAI": "sk-" + A + N, "OpenAI, project": "sk-proj-" + A + N,
    "Anthropic": "sk-ant-api03-" + A + N, "DeepSeek": "sk-" + H, "OpenRouter": "sk-or-v1-" + H + H, "Stripe": "sk_live_" + A,
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + A, "npm": "npm_" + A + N + "ab", "PyPI": "pypi-AgEIcHlwaS5vcmc" + A + A,
    "Docker": "dckr_pat_" + A, "Vault": "hvs." + A, "SendGrid": "SG." + A + "." + A, "Replicate": "r8_" + A + N, "Groq": "gsk_" + A + N,
}  # fmt: skip
AROUND = {
    "Bearer": ("Authorization: Bearer ", A + N, ""), "bearer": ("curl -H 'authorization: bearer ", "abcdef" + N, "'"),
    "Basic": ("Authorization: Basic ", "dXNlcjpwYXNzd29yZA==", ""), "URL": ("https://user:", "pa55word!", "@example.com/x"),
    "database": ("postgresql://admin:", "hunter2", "@db:5432/x"), "git": ("https://oauth2:", "anything", "@gitlab.com/x.git"),
    "Redis": ("redis://:", "hunter2", "@cache:6379"), "Azure": ("AccountKey=", A + A + "==", ";"),
}  # fmt: skip
PEM = "-----BEGIN RSA PRIVATE KEY-----\n    MIIEpAIBAAKCAQEA" + A + "\n    " + A + "\n    -----END RSA PRIVATE KEY-----"
WORDS = [
    "Qwen/Qwen3-32B", "deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "meta-llama/Llama-3.3-70B-Instruct", "openai/gpt-oss-120b",
    "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "nvidia/Llama-3.1-Nemotron-Ultra-253B-v1", "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
    "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1@sha256:" + H + H, "sha256:" + H + H, H, "4f1c0d7e-8a9b-4c3d-9e2f-112233445566",
    "hf-token-secret", "hf_transfer", "hf_causal_language_modelling", "HF_TOKEN", "huggingFaceSecret", "glue-pat-binding", "gl-patterns-and-others-1",
    "sk-learn-inference-server-1", "task-queue-for-prefill-workers-2", "disk-pd-balanced-europe-west4-a", "risk-Assessment-model-Server-20250101",
    "sk-prefill-worker-us-central1-abcdefgh", "xoxo-prefill-decode", "AKIA", "ASIAN-languages-model-v2", "ASIAPACIFICREGION",
    "asia-northeast1-a", "asia-southeast1-b", "projects/my-project/locations/europe-west4/clusters/prod-cluster-1", "eyJ", "eyJson.parser.Module",
    "bearer authentication", "Bearer tokens are checked by the gateway", "basic information about 12345678", "http://vllm:8000/v1/models",
    "https://user@example.com", "https://user:$(PASSWORD)@example.com", "https://user:${PASSWORD}@example.com", "nats://nats.dynamo.svc:4222",
    "http://[::1]:8000/a@b", "oci://registry:5000/team/image@sha256:" + H + H, "docker.io/a:5000/b@c",
    "npm_config_registry", "pypi-mirror", "-----BEGIN", "cloud.google.com/gke-accelerator: nvidia-h100-80gb", "nvidia.com/gpu",
    "gsk_dataset", "r8_quantized", "xai-explainability", "VLLM_USE_V1=1", "--max-model-len=32768", "a3-highgpu-8g", "glsa", "SG.small",
]  # fmt: skip


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize(
    "around", ["{}", "'{}'", "TOKEN={}", "a: {}, b", '"{}"', "https://{}@github.com/x", "x/{}/y", "({})"]
)
def test_a_token_is_hidden(kind: str, around: str) -> None:
    token = TOKENS[kind]
    found = masked(around.format(token))
    assert token not in found and token[-12:] not in found
    assert len(found) == len(around.format(token))


@pytest.mark.parametrize("kind", AROUND)
def test_what_stands_where_a_secret_stands_is_hidden(kind: str) -> None:
    before, secret, after = AROUND[kind]
    assert masked(before + secret + after) == before + "*" * len(secret) + after


def test_a_key_of_several_lines_is_hidden_and_its_lines_stay() -> None:
    found = masked(f"a: |\n    {PEM}\nb: 1\n")
    assert A not in found and found.endswith("-----END RSA PRIVATE KEY-----\nb: 1\n")
    assert found.count("\n") == PEM.count("\n") + 3
    assert A not in masked(PEM.replace("\n", "\\n").partition("-----END")[0])


@pytest.mark.parametrize("word", WORDS)
def test_an_ordinary_word_is_shown(word: str) -> None:
    assert masked(word) == word
    assert masked(f"image: '{word}' # {word}") == f"image: '{word}' # {word}"


def test_nothing_of_what_the_project_ships_is_hidden() -> None:
    for folder in ("base", "overlays", "examples", "out", "docs"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".yaml", ".json", ".md"):
                text = file.read_text("utf-8")
                assert masked(text) == text or "DG478" in file.name, file


PROFILE = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")


@pytest.mark.parametrize("kind", TOKENS)
def test_findings_hide_it_in_every_format(kind, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    token = TOKENS[kind]
    (tmp_path / "p.yaml").write_text(PROFILE + f"env: {{A: {token}, X: [1]}}\nspot: {token}\n{token}: 1\n", "utf-8")
    (tmp_path / "m.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {token}, labels: {{a: '{token}!'}}}}\nxdata: {token}\n",
        "utf-8",
    )
    for form in ("text", "json", "sarif", "junit", "github"):
        for file in ("p.yaml", "m.yaml"):
            run = dynagen("check", file, "--format", form, cwd=tmp_path)
            assert run.code == 1
            assert token not in run.stdout + run.stderr and token[-12:] not in run.stdout + run.stderr


def test_a_secret_is_hidden_wherever_a_command_prints(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    token, password = TOKENS["Hugging Face"], "correct-horse-battery"
    (tmp_path / "p.yaml").write_text(
        PROFILE + f"env: {{HF_TOKEN: {token}, DB_PASSWORD: {password}, URL: 'redis://a:{password}@b'}}\n", "utf-8"
    )
    graph = next(
        word
        for word in dynagen("explain", "p.yaml", "--all", cwd=tmp_path).stdout.split()
        if word.startswith("DynamoGraph")
    )
    for words in (
        ["plan", "p.yaml"], ["explain", "p.yaml", "--all"], ["explain", "p.yaml", "--all", "--format", "json"], ["explain", "p.yaml", graph],
        ["explain", "p.yaml", graph, "spec.components[0].podTemplate.spec.containers[main].env[HF_TOKEN].value"],
        ["explain", "p.yaml", graph, "spec.env[HF_TOKEN].value"],
        ["plan", "p.yaml", "--set", token], ["build", "p.yaml", "--set", f"nosuch={token}"], ["plan", "p.yaml", "--set", f"env.HF_TOKEN={token}"],
        ["check", "p.yaml", "--set", f"spot={token}"], ["check", "p.yaml", "--external", token], ["explain", "p.yaml", token],
        ["explain", "p.yaml", graph, token],
    ):  # fmt: skip
        run = dynagen(*words, cwd=tmp_path)
        for secret in (token, password):
            assert secret not in run.stdout + run.stderr, words
    built = dynagen("build", "p.yaml", cwd=tmp_path)
    assert token in built.stdout and password in built.stdout  # what is built is what was said


SECRET = 'apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\nstringData: {{a: "{value}"}}\n'


@pytest.mark.parametrize(
    "value",
    [
        "${'correct-horse' + 1}",
        "${nosuch + 'correct-horse'}",
        "correct-horse ${",
        "${'correct-horse",
        "${ [1].map(x, 'correct-horse') }-",
    ],
)
@pytest.mark.parametrize("kind", ["Secret", "${'Secret'}", "SealedSecret"])
def test_a_failing_expression_in_a_secret_is_not_quoted(value, kind, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "team/resources").mkdir(parents=True)
    (tmp_path / "team/resources/a.yaml").write_text(SECRET.format(value=value, kind=kind), "utf-8")
    (tmp_path / "p.yaml").write_text(PROFILE + "overlays: [./team]\n", "utf-8")
    for form in ("text", "json", "sarif", "junit", "github"):
        run = dynagen("check", "p.yaml", "--format", form, cwd=tmp_path)
        assert run.code == 1
        if kind != "SealedSecret":
            assert "correct-horse" not in run.stdout + run.stderr, run
        elif "1}" in value:
            assert "correct-horse" in run.stdout + run.stderr, run


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["glpat-", "xoxb-", "bearer ", "-----BEGIN A-----\n", "://a:", "eyJaaaaaaaa", "-eyJaaaaaaaa", "eyJaaaaaaaa.", "sk-A", " sk-", "authorization: ", "hf_", "SG.a", "-SG.", "AKIA", "xapp-", "sk-a1-"],
)  # fmt: skip
def test_looking_takes_time_in_proportion_to_the_text(text: str) -> None:
    began = time.process_time()
    masked(text * (500_000 // len(text)))
    assert time.process_time() - began < 3
