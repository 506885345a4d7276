"""Words that people bring from elsewhere lead to a key that there is, and what a hint offers passes when it is followed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dynagen.compiled.reading import table
from dynagen.profile.skeleton import skeleton

WORDS = table("profile/words.yaml")
PROFILE = """\
apiVersion: dynagen.dev/v1alpha1
kind: Profile
metadata: {name: chat, namespace: inference}
backend: vllm
model: Qwen/Qwen3-0.6B
gpu: nvidia-l4
agg: {replicas: 2, gpus: 1}
overlays: [gke, istio, monitoring]
istio: {host: chat.example.com, gateway: istio-ingress/public}
"""


def merged(data: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    inner = data
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
    inner[path[-1]] = value
    return data


@pytest.mark.parametrize("word", WORDS["keys"])
def test_every_word_leads_to_a_key_that_there_is(word: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = WORDS["keys"][word].replace("WORKER", "agg").split(".")
    # A value that no key takes: the schema complains of the value, and not of the key.
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(merged(yaml.safe_load(PROFILE), path, [[1]])))
    run = dynagen("check", "p.yaml", cwd=tmp_path)
    assert ("unknown key" not in run.stderr or path == ["overlays"]) and f"'{'.'.join(path)}" in run.stderr


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("namespace", "team"), ("replicas", 3), ("replicaCount", 3), ("labels", {"team": "a"}), ("tensor_parallel_size", 1),
        ("tp", 1), ("maxModelLen", 4096), ("gpuCount", 1), ("shmSize", "8Gi"), ("zone", "us-central1-a"), ("timeout", 600),
        ("host", "chat.example.com"), ("extraArgs", ["--seed", "1"]), ("hf-token-secret-name", "token"), ("hfSecret", "token"),
        ("slo", {"availability": 99.9}), ("contxt", 4096), ("sopt", True), ("createNamespce", False), ("max-num-seqs", 8),
    ],
)  # fmt: skip
def test_what_a_hint_offers_passes(key: str, value: Any, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    data = yaml.safe_load(PROFILE)
    for path in (["agg", "replicas"], ["agg", "gpus"]):
        data["agg"].pop(path[1], None)
    data["metadata"].pop("namespace")
    (tmp_path / "p.yaml").write_text(yaml.safe_dump({**data, key: value}))
    said = dynagen("check", "p.yaml", cwd=tmp_path).stderr
    offered = re.search(r"did you mean '([^']+)'\?", said)
    assert offered, said
    (tmp_path / "q.yaml").write_text(yaml.safe_dump(merged(data, offered[1].split("."), value)))
    assert "DG20" not in dynagen("check", "q.yaml", cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("extra", "hint"),
    [
        ("port: 8000", "the frontend listens on port 8000"),
        ("initContainers: []", "say it in a layer"),
        ("engine: vllm", "'backend' is there already"),
        ("tolerations: []", "the gke overlay tolerates what its nodes are tainted with"),
        ("tls: true", "say 'gke.gateway.tlsSecret'"),
        ("qqq: 1", "known keys: "),
    ],
)
def test_a_word_that_no_key_says_is_answered_with_words(extra: str, hint: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "p.yaml").write_text(PROFILE + extra + "\n")
    assert f"  hint: {hint}" in dynagen("check", "p.yaml", cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("l4", "'nvidia-l4'"), ("H100", "'nvidia-h100-80gb' or 'nvidia-h100-mega-80gb'"), ("T4", "'nvidia-tesla-t4'"),
        ("H200", "'nvidia-h200-141gb'"), ("rtx pro 6000", "'nvidia-rtx-pro-6000'"), ("nvidia-l40", "'nvidia-l4'"),
    ],
)  # fmt: skip
def test_a_gpu_by_its_short_name_is_known(said: str, meant: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "p.yaml").write_text(PROFILE.replace("nvidia-l4", said))
    assert f"did you mean {meant}?" in dynagen("check", "p.yaml", cwd=tmp_path).stderr


@pytest.mark.parametrize("text", ["", "# later\n", "model: Qwen/Qwen3-0.6B\n", "kind: Profile\nbackend: sglang\n"])
def test_a_first_profile_takes_one_answer(text: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "p.yaml").write_text(text)
    said = dynagen("build", "p.yaml", cwd=tmp_path).stderr
    assert said.endswith("1 error\n")
    added = [line[4:] for line in said.partition("  hint: ")[2].splitlines()[1:-1]]
    (tmp_path / "p.yaml").write_text(text + "\n".join(added) + "\n")
    run = dynagen("build", "p.yaml", cwd=tmp_path)
    assert (run.code, run.stderr) == (0, "")
    assert skeleton().splitlines()[1:] == [f"{line}" for line in added] or text.startswith(("model", "kind"))
