"""Command lines of containers: which program starts with which words, and what its parser says to them."""

from __future__ import annotations

import shlex
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynagen.diagnostics import Report
from dynagen.engine.commands import CommandLine, command_line
from dynagen.engine.judging import judge_arguments
from dynagen.engine.options import Parser, order
from dynagen.engine.shell import Script
from dynagen.engine.words import Word
from dynagen.layers.finding import base_layer
from dynagen.memory import Memory
from dynagen.profile.facts import load_facts, look_up_facts
from tests.unit.test_fit import compiled

MEMORY = Memory()
SCRIPT = """\
set -euo pipefail # don't
export LD_LIBRARY_PATH=/usr/local/nvidia/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
X="$(echo "a b" | cut -d' ' -f1)"
cat > /tmp/file <<'E'
python3 -m dynamo.vllm --not-this
E
own=( --seed 1  # the first
      --enforce-eager )
own+=(--max-num-seqs 8)
if [ "$X" = a ]; then
  A=1 exec python3 -m dynamo.vllm --model "$MODEL" --hf-overrides '{"a":1}' \\
    "${own[@]}" $EXTRA 2>&1 | tee /log
fi
"""


@cache
def look_up(folder: str, name: str) -> dict[str, Any]:
    return look_up_facts([base_layer(MEMORY)], folder, name, Report())


@cache
def releases() -> dict[str, Any]:
    found: dict[str, Any] = load_facts([base_layer(MEMORY)], Report())["releases"]
    return found


def line(command: list[str], args: list[str], component: str = "worker") -> CommandLine:
    return command_line({"command": command, "args": args}, component)


def started(command: list[str], args: list[str], component: str = "worker") -> list[str]:
    """Programs that are known with their words."""
    found = line(command, args, component).commands
    return [" ".join([each.program, *(word.text for word in each.words)]) for each in found if each.program]


def said(program: str, text: str, release: str = "1.6.1") -> list[str]:
    """Codes, with an exclamation mark for errors."""
    engine = releases()[release]["engines"].get(program.removeprefix("dynamo."), "") if release else ""
    words = [Word(each, (index,)) for index, each in enumerate(shlex.split(text))]
    parser = Parser(program, look_up, release, engine)
    return [
        code + ("!" if each.severity == "error" else "") for code, each in judge_arguments(parser, words, bool(release))
    ]


VLLM = ["python3", "-m", "dynamo.vllm"]


@pytest.mark.parametrize(
    ("command", "args"),
    [
        (VLLM, ["--model", "a"]),
        ([], ["python3 -m dynamo.vllm --model a"]),
        (["python3.12"], ["-u", "-m", "dynamo.vllm", "--model", "a"]),
        (["/bin/sh", "-c"], ["exec python3 -m dynamo.vllm --model a"]),
        (["bash", "-lc", "ulimit -l unlimited && python3 -m dynamo.vllm \\\n --model a &\nwait"], []),
        (["bash", "-eo", "pipefail", "-c"], ["A=1 B='x y' python -m dynamo.vllm --model a > /log 2>&1"]),
        (["bash", "-c", 'exec "$@"', "--", *VLLM, "--model", "a"], []),
        (["tini", "--", "numactl", "-N", "0", *VLLM], ["--model", "a"]),
        (["nsys", "profile", "-o", "/tmp/x", *VLLM, "--model", "a"], []),
        (["mpirun", "-n", "8", "bash", "-c", "source x; env -u B python3 -m dynamo.vllm --model a"], []),
        (["sh", "-c"], ["while true; do python3 -m dynamo.vllm --model a; done"]),
    ],
)
def test_a_program_is_found_whatever_starts_it(command: list[str], args: list[str]) -> None:
    assert started(command, args) == ["dynamo.vllm --model a"]
    assert not line(command, args).findings


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("ray start --head && vllm serve a --seed 1", "vllm.serve a --seed 1"),
        ("python3 -m vllm.entrypoints.openai.api_server --model a", "vllm.serve --model a"),
        ("python -m sglang.launch_server --model a", "sglang.launch_server --model a"),
        ("trtllm-serve a", "trtllm-serve a"),
    ],
)
def test_engines_have_programs_of_their_own(text: str, program: str) -> None:
    assert started(["/bin/sh", "-c"], [text]) == [program]


@pytest.mark.parametrize(
    ("command", "args"),
    [
        (["run.sh"], []),
        (["python3", "worker.py"], ["-m", "dynamo.vllm"]),
        (["/bin/sh", "run.sh"], ["python3"]),
        (["/bin/sh", "-c"], ["echo python3 -m dynamo.vllm --help"]),
        (["/bin/sh", "-c"], ["python3 -m dynamo.vllm 'x"]),
        (["/bin/sh", "-c"], ["cat <<E\npython3 -m dynamo.vllm\nE"]),
    ],
)
def test_what_starts_nothing_that_is_known(command: list[str], args: list[str]) -> None:
    assert started(command, args) == []
    assert not line(command, args).findings


def test_a_frontend_has_python_for_a_command() -> None:
    assert started([], ["-m", "dynamo.frontend", "--router-mode", "kv"], "frontend") == [
        "dynamo.frontend --router-mode kv"
    ]


def test_a_script_is_taken_apart_as_a_shell_does() -> None:
    (command,) = (each for each in line(["/bin/bash", "-c"], [SCRIPT]).commands if each.program)
    texts = [word.text for word in command.words]
    own = ["--seed", "1", "--enforce-eager", "--max-num-seqs", "8"]
    assert texts == ["--model", "$MODEL", "--hf-overrides", '{"a":1}', *own, "$EXTRA"]
    assert [word.text for word in command.words if not word.known] == ["$MODEL", "$EXTRA"]
    assert [word.text for word in command.words if word.open] == ["$EXTRA"]


@pytest.mark.parametrize(
    ("command", "args", "code"),
    [
        (["/bin/sh", "-c"], ["--model", "a"], "DG633"),
        (["/bin/sh", "-c"], [*VLLM, "--model", "a"], "DG633"),
        (["/bin/sh", "-c", "python3 -m dynamo.vllm", "--model", "a"], [], "DG633"),
        ([], ["--model", "a"], "DG633"),
        (["/bin/sh", "-c"], ["python3 -m dynamo.vllm\n  --model a"], "DG633"),
        (["/bin/sh", "-c"], ["python3 -m dynamo.vllm \\  --model a"], "DG633"),
        (["python3 -m dynamo.vllm --model a"], [], "DG630"),
        (["python3", "-m", "dynamo.vllm --model a"], [], "DG630"),
        (["python3"], ["-m dynamo.vllm --model a"], "DG630"),
    ],
)
def test_words_that_nobody_takes_apart(command: list[str], args: list[str], code: str) -> None:
    assert [found for found, _ in line(command, args).findings] == [code]


@pytest.mark.parametrize(
    ("command", "args"),
    [
        (["/bin/sh", "-c", "python3 -m dynamo.vllm --model a", "worker"], []),
        (["/bin/sh", "-c", "python3 -m dynamo.vllm --model $1", "--", "--a"], []),
        (["/bin/bash", "-c"], ["own=(\n  --model a\n)\npython3 -m dynamo.vllm ${own[@]}"]),
        (["/bin/sh", "-c"], ["python3 -m dynamo.vllm --model a\\ b --name 'x \\ --y'"]),
        (["cat", "a file -m x"], []),
    ],
)
def test_words_that_are_meant_as_they_are(command: list[str], args: list[str]) -> None:
    assert not line(command, args).findings


@pytest.mark.parametrize(
    ("program", "text", "codes"),
    [
        ("dynamo.vllm", "--model a --max_model_len 8k -tp 2 -O3 --no-enable-prefix-caching --kernel-config.a 1", []),
        ("dynamo.vllm", "--served-model-name a b --seed $SEED $MORE whatever --max-num-seq 3 --hf-token", []),
        ("dynamo.vllm", "--seed=-1 --max-model-len -1 --max-logprobs -1 --max-model-len=auto", []),
        ("dynamo.vllm", "--override-generation-config '{\"a\": 1}' --dyn-tool-call-parser hermes --router-mode kv", []),
        ("dynamo.vllm", "--disaggregation_mode prefill", ["DG436!"]),  # Dynamo's own are spelt as they are
        ("dynamo.vllm", "--disaggregation-mod prefill", ["DG436!"]),
        ("dynamo.vllm", "--seed", ["DG631!"]),
        ("dynamo.vllm", "--seed --enforce-eager", ["DG631!"]),
        ("dynamo.vllm", "--enforce-eager 1", ["DG631!"]),
        ("dynamo.vllm", "--enforce-eager=1", ["DG631!"]),
        ("dynamo.vllm", "'--enforce-eager --seed 1'", ["DG630!"]),
        ("dynamo.vllm", "--quantization int4", ["DG632"]),  # plugins may bring it
        ("dynamo.sglang", "--model a --tp 2 --tensor-parallel-size 2 --load-format gms --disable-piecewise-cuda-graph", []),
        ("dynamo.sglang", "--tensor_parallel_size 2", ["DG436!"]),
        ("dynamo.sglang", "--attention-backend fa9", ["DG632!"]),
        ("dynamo.trtllm", "--model-path a --trtllm.kv_cache_config.free_gpu_memory_fraction 0.7", []),
        ("dynamo.trtllm", "--max-model-len 3", ["DG436!"]),
        ("dynamo.frontend", "--router-mod kv", []),  # a beginning is enough
        ("dynamo.frontend", "--router-mode kvv", ["DG632!"]),
        ("dynamo.frontend", "--dyn-chat-processor vllm --reasoning-parser a", []),
        ("dynamo.frontend", "--tensor-parallel-size 1", ["DG434!"]),
    ],
)  # fmt: skip
def test_what_a_parser_says(program: str, text: str, codes: list[str]) -> None:
    assert said(program, text) == codes


def test_every_release_has_its_own_arguments() -> None:
    assert said("dynamo.vllm", "--dyn-structural-tag", "1.3.1") == ["DG435!"]
    assert said("dynamo.vllm", "--is_prefill_worker", "0.9.1") == []
    assert said("dynamo.vllm", "--is-prefill-worker", "1.4.0") == ["DG435!"]
    assert said("dynamo.vllm", "--swa-bounded-replay", "1.5.1") == ["DG435!"]
    assert said("dynamo.vllm", "--swa-bounded-replay", "1.6.0") == []


def test_without_a_version_only_what_no_version_knows_is_said() -> None:
    assert (
        said("dynamo.vllm", "--dyn-structural-tag --is-prefill-worker --swa-bounded-replay --kv-cache-dtype nvfp4", "")
        == []
    )
    assert said("dynamo.vllm", "--context-length 1 --seed", "") == ["DG436", "DG631"]


def test_versions_are_in_order() -> None:
    texts = ["0.5.6.post2", "0.5.8", "0.5.10", "0.5.10.post1", "0.5.11", "0.31.0"]
    assert sorted(texts, key=order) == texts


def test_every_version_of_an_engine_in_a_release_was_asked() -> None:
    for release, facts in releases().items():
        if release in ("1.6.2", "1.7.0"):
            continue  # the registry of Python packages has no wheels of these
        for engine, version in facts["engines"].items():
            known = look_up("flags", engine)
            assert release in known["dynamo"]["versions"]
            assert engine == "trtllm" or version in known["engine"]["versions"]


@given(st.text(alphabet="ab-='\"\\\n #;&|$(){}[]<>`@+", max_size=40))
def test_any_script_is_read(text: str) -> None:
    for command in Script(text, ()).commands:
        assert command
    command_line({"command": ["bash", "-c"], "args": [text, text]}, "worker")


words = st.sampled_from(["--seed", "--seed=1", "-1", "x", "--enforce-eager", "--hf-overrides", "{", "--", "-O3", "--a.b", "$X", "", "-", "--=", "--no-"])  # fmt: skip


@given(st.lists(words, max_size=8), st.sampled_from(["dynamo.vllm", "dynamo.sglang", "dynamo.trtllm", "vllm.serve"]))
def test_any_arguments_are_judged(texts: list[str], program: str) -> None:
    parser = Parser(program, look_up, "1.6.1", "0.31.0")
    list(judge_arguments(parser, [Word(text, (index,)) for index, text in enumerate(texts)], True))


@pytest.mark.parametrize("backend", ["vllm", "sglang"])
@pytest.mark.parametrize("kind", ["agg: {gpus: 2}", "disagg: {prefill: {gpus: 2}, decode: {gpus: 4}}"])
def test_what_dynagen_writes_is_known_to_every_release(backend: str, kind: str) -> None:
    for release, facts in releases().items():
        plan = compiled(
            f"backend: {backend}\nmodel: Qwen/Qwen3-8B\ngpu: nvidia-h100-80gb\nspot: true\nrelease: {release}\n{kind}\n"
            "context: 4096\nconcurrency: 8\nservedModelName: a\n"
        )[0].plan
        assert plan is not None
        parser = Parser(f"dynamo.{backend}", look_up, release, facts["engines"][backend])
        for worker in plan.workers:
            words = [Word(text, (index,)) for index, text in enumerate(worker.args)]
            assert [each.message for _, each in judge_arguments(parser, words, True)] == [], (release, worker.name)


@pytest.mark.parametrize("where", ["engineArgs: {}\nagg: {{}}", "agg: {{engineArgs: {}}}"])
def test_a_stretched_context_may_be_said_where_the_worker_is(where: str) -> None:
    more = "context: 131072\nbackend: vllm\nmodel: Qwen/Qwen3-0.6B\ngpu: nvidia-h100-80gb\nspot: true\n"
    for stretch in ("[--hf-overrides, '{\"a\": 1}']", "[--hf-overrides.max_position_embeddings, '131072']"):
        assert "DG426" not in [code for code, _ in compiled(more + where.format(stretch) + "\n")[1]]
    assert "DG426" in [code for code, _ in compiled(more + where.format("[--seed, '1']") + "\n")[1]]


def test_a_stretched_context_may_be_allowed_where_the_worker_is() -> None:
    more = "context: 131072\nbackend: vllm\nmodel: Qwen/Qwen3-0.6B\ngpu: nvidia-h100-80gb\nspot: true\n"
    allowed = "{env: {VLLM_ALLOW_LONG_MAX_MODEL_LEN: '1'}}"
    assert "DG426" not in [code for code, _ in compiled(more + f"agg: {allowed}\n")[1]]
    assert "DG426" in [code for code, _ in compiled(more + f"disagg: {{prefill: {allowed}, decode: {{}}}}\n")[1]]


@pytest.mark.parametrize("text", ["$(" * 20000, '"$(' * 20000, "`" * 20001, "a=(" * 5000, "<<" * 5000])
def test_a_script_without_end_says_nothing(text: str) -> None:
    assert not line(["bash", "-c"], [text]).findings
