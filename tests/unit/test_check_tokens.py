"""Tokens in plain text: by the name of the variable or by what they begin with; placeholders and references are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.unit.linting import report_of

PROFILE = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: shell, namespace: ml}}
spec: {{containers: [{{name: main, image: "busybox:1.37", env: [{{name: {name}, value: "{value}"}}]}}]}}
"""
GRAPH = """
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: demo, namespace: ml}
spec:
  envs: [{name: NGC_API_KEY, value: nvapi-AbCdEfGhIjKlMnOpQrSt}]
  services:
    worker:
      componentType: worker
      envs: [{name: HF_TOKEN, value: hf_AbCdEfGhIjKlMnOpQrStUvWx}]
      extraPodSpec: {mainContainer: {image: "r/vllm:1.6.1"}}
"""
TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWx"
OTHER_TOKEN = TOKEN.swapcase().replace("HF_", "hf_")  # TOKEN stands in the page of the rule


def said(text: str) -> list[str]:
    found = [each for each in report_of(text).diagnostics if each.code == "DG478"]
    assert all(each.severity == "warning" for each in found)
    return [each.message.partition(": ")[2].split()[0] for each in found]


@pytest.mark.parametrize(
    ("name", "value", "is_found"),
    [
        ("HF_TOKEN", TOKEN, True),
        ("MY_VARIABLE", TOKEN, True),
        ("AWS_SECRET_ACCESS_KEY", "AbCdEfGhIjKlMnOpQrStUvWxYz/+0123456789AB", True),
        ("HF_TOKEN", "", False),
        ("HF_TOKEN", "$(OTHER)", False),
        ("HF_TOKEN", "<your token>", False),
        ("HF_TOKEN", "hf_xxxxxxxxxxxxxxxxxxx", False),
        ("OPENAI_API_KEY", "EMPTY", False),
        ("HF_TOKEN_PATH", "/secrets/hf", False),
        ("HF_HOME", "hf_home", False),
        ("HF_HUB_DOWNLOADER", "hf_transfer", False),
        ("TASK", "hf_causal_language_modelling", False),
        ("OPENAI_API_KEY", "unused-by-vllm-or-anybody", False),
        ("OPENAI_API_KEY", "sk-AbCdEfGhIjKl0123456789", True),
        ("MODEL", "AbCdEfGhIjKlMnOpQrStUvWx", False),
    ],
)
def test_a_token_is_told_by_its_name_or_its_beginning(name: str, value: str, is_found: bool) -> None:
    assert said(POD.format(name=name, value=value)) == ([f"'{name}'"] if is_found else [])


def test_the_environment_of_a_graph_counts() -> None:
    assert sorted(said(GRAPH)) == ["'HF_TOKEN'", "'NGC_API_KEY'"]


def test_the_message_does_not_quote_it() -> None:
    found = report_of(POD.format(name="HF_TOKEN", value=TOKEN)).diagnostics
    assert found and TOKEN not in "".join(each.message + each.hint for each in found)


@pytest.mark.slow
def test_tokens_are_shown_by_no_finding(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Neither by their own, nor by another one at the same line, in whatever format."""
    (tmp_path / "p.yaml").write_text(PROFILE + f"env: {{HF_TOKEN: {OTHER_TOKEN}, X: [1]}}\n", "utf-8")
    (tmp_path / "good.yaml").write_text(PROFILE, "utf-8")
    key = "sk-AbCdEfGhIjKl0123456789"
    for format_ in ("text", "json", "sarif", "junit", "github"):
        own = dynagen("check", "p.yaml", "--format", format_, cwd=tmp_path)
        assert own.code == 1 and OTHER_TOKEN not in own.stdout + own.stderr
        settings = ("--set", f"env.HF_TOKEN={OTHER_TOKEN}", "--set", f"env.OPENAI_API_KEY={key}", "--strict")
        given = dynagen("check", "good.yaml", *settings, "--format", format_, cwd=tmp_path)
        assert given.code == 1 and OTHER_TOKEN not in given.stdout + given.stderr
        assert "DG478" in given.stdout + given.stderr and key not in given.stdout + given.stderr
