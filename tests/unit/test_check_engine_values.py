"""Values of engines' arguments: what an engine refuses, in lists of words and in scripts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynagen.engine.commands import command_line
from dynagen.engine.words import values_of
from tests.unit.linting import report_of

NIXL = '{"kv_connector":"NixlConnector","kv_role":"kv_both"}'


def found(*arguments: str, backend: str = "vllm", type: str = "worker", **main: Any) -> list[str]:
    """What is said about a worker with these arguments: severity and message."""
    container = {"name": "main", "image": "r/runtime:1.6.1", "command": ["python3", "-m", f"dynamo.{backend}"]}
    container |= {"args": list(arguments)} | main
    component = {"name": "worker", "type": type, "podTemplate": {"spec": {"containers": [container]}}}
    graph = {
        "apiVersion": "nvidia.com/v1beta1", "kind": "DynamoGraphDeployment", "metadata": {"name": "demo"},
        "spec": {"components": [component]},
    }  # fmt: skip
    report = report_of(json.dumps(graph))
    said = [each for each in report.diagnostics if each.code == "DG452"]
    return [f"{each.severity} {each.message.partition(': component ')[2]}" for each in said]


def script(text: str, **more: Any) -> list[str]:
    return found(text, command=["/bin/bash", "-ec"], **more)


def transfer(value: str) -> list[str]:
    return [each.removeprefix("error 'worker': ") for each in found("--kv-transfer-config", value)]


@pytest.mark.parametrize(
    "value",
    [
        NIXL, "{}", "", "None", "$(TRANSFER)", '{"kv_role": "kv_producer", "kv_connector": "P2pNcclConnector"}',
        '{"kv_connector": "MooncakeConnectorV1", "kv_role": "kv_both"}',  # somebody's own
        '{"kv_connector": "NixlConector", "kv_role": "kv_both", "kv_connector_module_path": "a.b"}',
        '{"kv_connector": 1, "kv_role": "kv_both", "kv_connector_extra_config": {"connectors": [1, {}]}}',
    ],
)  # fmt: skip
def test_a_kv_transfer_that_vllm_may_take(value: str) -> None:
    assert transfer(value) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("nixl", "'--kv-transfer-config' is no JSON: nixl"),
        (f"'{NIXL}'", f"'--kv-transfer-config' is no JSON: '{NIXL}'"),
        ("{'kv_role': 'kv_both'}", "'--kv-transfer-config' is no JSON: {'kv_role': 'kv_both'}"),
        ("[]", "'--kv-transfer-config' is no object: []"),
        ("[" * 100_000, "'--kv-transfer-config' is no JSON: " + "[" * 57 + "..."),
        ('{"kv_role": "both"}', "'kv_role' cannot be 'both'"),
        ('{"kv_role": 1}', "'kv_role' cannot be '1'"),
        ('{"kv_connector": "NixlConnector"}', "'--kv-transfer-config' names a connector and no 'kv_role'"),
        (
            '{"kv_connector": "MultiConnector", "kv_role": "kv_both", "kv_connector_extra_config": '
            '{"connectors": [{"kv_connector": "NixlConnector", "kv_role": "kv_bath"}]}}',
            "'kv_role' cannot be 'kv_bath'",
        ),
    ],
)
def test_a_kv_transfer_that_it_refuses(value: str, message: str) -> None:
    assert transfer(value) == [message]


def test_a_connector_that_looks_misspelt_is_a_warning() -> None:
    assert found('--kv-transfer-config={"kv_connector": "nixlConector", "kv_role": "kv_both"}') == [
        "warning 'worker': vLLM has no connector 'nixlConector', as far as we know"
    ]


def test_keys_may_come_one_by_one() -> None:
    one, role = '{"kv_connector": "NixlConnector"}', "--kv-transfer-config.kv_role"
    assert found("--kv-transfer-config", one, role, "kv_both") == []


def test_a_script_is_taken_apart_as_a_shell_does() -> None:
    command = "exec python3 -m dynamo.vllm --kv-transfer-config"
    assert script(f"{command} '{NIXL}'; sleep 1") == []
    assert script(f"# don't\n{command} \\\n  '{NIXL}' &\nwait") == []
    assert script(f'{command} "$TRANSFER"') == script(f"cat <<E\n{command} x\nE") == script(f"{command} 'x") == []
    assert script(f"{command} {NIXL}") == [
        "error 'worker': '--kv-transfer-config' is no JSON: {kv_connector:NixlConnector,kv_role:kv_both}"
    ]


@pytest.mark.parametrize(
    ("backend", "flag", "value", "said"),
    [
        ("vllm", "--gpu-memory-utilization", "0.9", []),
        ("vllm", "--gpu_memory_utilization", "1", []),
        ("vllm", "--gpu-memory-utilization", "1.1", ["error"]),
        ("vllm", "--gpu-memory-utilization", "90", ["error"]),
        ("vllm", "--gpu-memory-utilization", "0", ["error"]),
        ("vllm", "--gpu-memory-utilization", "nan", ["error"]),
        ("vllm", "--gpu-memory-utilization", "much", []),
        ("vllm", "--mem-fraction-static", "90", []),
        ("sglang", "--mem-fraction-static", "0.8", []),
        ("sglang", "--mem-fraction-static", "1", ["warning"]),
        ("sglang", "--mem-fraction-static", "-0.1", ["error"]),
        ("sglang", "--mem-fraction-static", "85", ["error"]),
    ],
)
def test_a_share_of_memory_is_one(backend: str, flag: str, value: str, said: list[str]) -> None:
    assert [each.split()[0] for each in found(f"{flag}={value}", backend=backend)] == said


def mode(word: str, type: str, backend: str = "sglang") -> list[str]:
    return found("--disaggregation-mode", word, backend=backend, type=type)


def test_a_role_is_that_of_the_type() -> None:
    assert mode("prefill", "prefill") == mode("decode", "decode") == mode("null", "decode") == []
    assert mode("prefill", "worker") == mode("agg", "prefill") == mode("$(MODE)", "prefill") == []
    assert mode("decode", "prefill") == [
        "warning 'worker': it is of type 'prefill', and its engine is started for decode"
    ]
    assert mode("prefill", "decode") == [
        "warning 'worker': it is of type 'decode', and its engine is started for prefill"
    ]
    assert mode("prefil", "prefill") == ["error 'worker': '--disaggregation-mode' cannot be 'prefil'"]


@given(
    st.lists(st.text(alphabet="ab-='\"\\\n #;&|$(){}<>`", max_size=12), max_size=4), st.sampled_from(["sh", "python3"])
)
def test_any_words_are_read(arguments: list[str], program: str) -> None:
    line = command_line({"command": [program, "-c"], "args": arguments}, "worker")
    assert all(each.path[0] in ("command", "args") for each in line.words)
    list(values_of(line.words, "-a", "--b"))
