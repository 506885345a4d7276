"""Tokens in plain text: by the name of the variable or by what they begin with; placeholders and references are none."""

from __future__ import annotations

import pytest

from tests.unit.linting import report_of

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
  envs: [{name: NGC_API_KEY, value: nvapi-AbCdEfGhIjKl}]
  services:
    worker:
      componentType: worker
      envs: [{name: HF_TOKEN, value: hf_AbCdEfGhIjKl}]
      extraPodSpec: {mainContainer: {image: "r/vllm:1.6.1"}}
"""
TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWx"


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
