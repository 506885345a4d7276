"""The command line as a whole process: exit codes, streams, and that nothing is written when something is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

BARE = re.sub(r" *#.*", "", (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8"))
PROFILE = BARE + "overlays: [gke]\n"
COMMAND = [sys.executable, "-m", "dynagen"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def run(*arguments: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, input=stdin, capture_output=True, env=ENVIRONMENT, timeout=60
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "profile.yaml").write_text(PROFILE)
    return tmp_path


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_stream_goes_to_standard_output(home: Path) -> None:
    done = run("build", "profile.yaml", cwd=home)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"---\napiVersion: v1\nkind: Namespace\n")


def test_a_profile_may_come_from_standard_input(home: Path) -> None:
    named, piped = run("build", "profile.yaml", cwd=home), run("build", "-", cwd=home, stdin=PROFILE.encode())
    assert piped.returncode == 0
    assert piped.stdout == named.stdout


def test_messages_about_standard_input_show_its_lines(home: Path) -> None:
    done = run("check", "-", cwd=home, stdin=PROFILE.encode() + b"spott: true\n")
    assert done.returncode == 1
    assert b"(standard input):9:1: error[DG201]" in done.stderr
    assert b"spott: true" in done.stderr


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize("variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}])  # fmt: skip
def test_messages_are_utf_8_where_python_would_write_ascii(home: Path, command: str, variables: dict[str, str]) -> None:
    (home / "profile.yaml").write_text(PROFILE + "größe: 1\n", "utf-8")
    done = subprocess.run(
        [*COMMAND, command, "profile.yaml"], cwd=home, capture_output=True, env={**ENVIRONMENT, **variables}
    )
    assert done.returncode == 1
    assert "unknown key 'größe'".encode() in done.stderr


def test_check_says_nothing_when_all_is_well(home: Path) -> None:
    done = run("check", "profile.yaml", cwd=home)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_nothing_said_is_nothing_written(home: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, "check", "profile.yaml"], cwd=home, stderr=full, env=ENVIRONMENT)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["build"],
        ["build", "--nonsense", "profile.yaml"],
        ["build", "profile.yaml", "--set", "spot"],
        ["build", "profile.yaml", "--set", "=true"],
        ["build", "profile.yaml", "--set", "a..b=1"],
        ["build", "profile.yaml", "another.yaml"],
        ["build", "-", "-f", "-"],
        ["build", "profile.yaml", "-o"],
        ["build", "profile.yaml", "--root", "missing"],
        ["bild", "profile.yaml"],
        ["check"],
        ["plan"],
        ["schema", "missing"],
        ["schemas", "import"],
        ["schemas", "import", "--nonsense"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_exit_code_2(home: Path, arguments: list[str]) -> None:
    done = run(*arguments, cwd=home)
    assert done.returncode == 2, done
    assert done.stdout == b""
    assert b"Error: " in done.stderr and b"Traceback" not in done.stderr
    assert names_in(home) == ["profile.yaml"]


def test_a_plan_is_printed_even_when_a_layer_is_wrong(home: Path) -> None:
    (home / "team/patches").mkdir(parents=True)
    (home / "team/patches/team.yaml").write_text("kind: DynamoGraphDeployment\nspec: {x: '${workers[0].nmae}'}\n")
    done = run("plan", "profile.yaml", "--set", "overlays=./team", cwd=home)
    assert done.returncode == 1
    assert b"error[DG308]" in done.stderr
    assert b"\nworkers:\n- name: worker\n" in done.stdout
    refused = run("plan", "profile.yaml", "--set", "backend=vlm", cwd=home)
    assert (refused.returncode, refused.stdout) == (1, b"")


def test_a_misspelt_command_gets_a_suggestion(home: Path) -> None:
    assert b"Did you mean 'build'?" in run("bild", cwd=home).stderr


@pytest.mark.parametrize("name", ["missing.yaml", ".", "\0bad"][:2])
def test_a_profile_that_cannot_be_read_is_refused(home: Path, name: str) -> None:
    done = run("build", name, cwd=home)
    assert done.returncode == 1
    assert b"error[DG101] cannot read" in done.stderr and b"Traceback" not in done.stderr


def test_a_file_of_100_mb_is_refused_without_reading_it_all(home: Path) -> None:
    with (home / "big.yaml").open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    done = run("build", "big.yaml", cwd=home)
    assert done.returncode == 1
    assert b"error[DG102] larger than" in done.stderr


def test_a_large_standard_input_is_refused(home: Path) -> None:
    done = run("build", "-", cwd=home, stdin=b"a" * (2 * 1024 * 1024))
    assert done.returncode == 1
    assert b"error[DG102]" in done.stderr


def test_a_refused_profile_writes_nothing(home: Path) -> None:
    (home / "profile.yaml").write_text(PROFILE.replace("vllm", "vlm"))
    assert run("build", "profile.yaml", "-o", "out", cwd=home).returncode == 1
    assert names_in(home) == ["profile.yaml"]


def test_a_refused_profile_leaves_the_tree_of_an_earlier_build(home: Path) -> None:
    run("build", "profile.yaml", "-o", "out", cwd=home)
    before = {name: (home / "out" / name).read_bytes() for name in names_in(home / "out")}
    (home / "profile.yaml").write_text(PROFILE.replace("vllm", "vlm"))
    assert run("build", "profile.yaml", "-o", "out", cwd=home).returncode == 1
    assert {name: (home / "out" / name).read_bytes() for name in names_in(home / "out")} == before


@pytest.mark.parametrize(
    ("target", "code"), [("profile.yaml", b"DG501"), ("/proc/none/out", b"DG502"), (".", b"DG504")]
)
def test_an_output_that_cannot_be_a_tree_is_refused(home: Path, target: str, code: bytes) -> None:
    done = run("build", "profile.yaml", "-o", target, cwd=home)
    assert done.returncode == 1
    assert code in done.stderr and b"Traceback" not in done.stderr
    assert names_in(home) == ["profile.yaml"]


def test_foreign_files_are_left_alone_and_the_build_says_so(home: Path) -> None:
    (home / "out").mkdir()
    (home / "out/README.md").write_text("mine")
    done = run("build", "profile.yaml", "-o", "out", cwd=home)
    assert done.returncode == 0
    assert done.stderr == b"left alone: out/README.md (not written by dynagen)\n"
    assert (home / "out/README.md").read_text() == "mine"


def test_a_foreign_file_in_the_way_is_not_overwritten(home: Path) -> None:
    (home / "out").mkdir()
    (home / "out/kustomization.yaml").write_text("mine")
    done = run("build", "profile.yaml", "-o", "out", cwd=home)
    assert done.returncode == 1
    assert b"out/kustomization.yaml:1:1: error[DG503]" in done.stderr
    assert names_in(home / "out") == ["kustomization.yaml"]


@pytest.mark.parametrize("command", ["build", "plan", "schema"])
def test_standard_output_that_is_closed_early_is_no_traceback(home: Path, command: str) -> None:
    arguments = [command] if command == "schema" else [command, "profile.yaml"]
    reading, writing = os.pipe()
    os.close(reading)  # as `| head -0` does
    done = subprocess.run([*COMMAND, *arguments], cwd=home, stdout=writing, stderr=subprocess.PIPE, env=ENVIRONMENT)
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == b""


@pytest.mark.parametrize("command", ["build", "plan", "schema"])
def test_a_full_standard_output_is_a_message(home: Path, command: str) -> None:
    arguments = [command] if command == "schema" else [command, "profile.yaml"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, *arguments], cwd=home, stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT)
    assert done.returncode == 1
    assert done.stderr == b"error: cannot write to standard output: no space left on device\n"


def test_an_output_with_an_impossible_name_is_refused(home: Path) -> None:
    done = run("build", "profile.yaml", "-o", "a" * 300, cwd=home)
    assert done.returncode == 1
    assert b"error[DG502]" in done.stderr and b"Traceback" not in done.stderr


def test_a_pipe_in_a_layer_is_not_waited_for(home: Path) -> None:
    (home / "team/patches").mkdir(parents=True)
    os.mkfifo(home / "team/patches/a.yaml")
    done = run("build", "profile.yaml", "--set", "overlays=./team", cwd=home)
    assert done.returncode == 1
    assert b"error[DG101] cannot read 'team/patches/a.yaml': not a regular file" in done.stderr


def test_help_is_there_for_every_command(home: Path) -> None:
    for command in ("build", "check", "plan", "schema", "schemas"):
        done = run(command, "--help", cwd=home)
        assert done.returncode == 0
        assert done.stdout.startswith(b"Usage: ")


def test_a_fault_of_our_own_is_exit_code_3(home: Path) -> None:
    program = "import dynagen.compiler, sys; dynagen.compiler.make_plan = None; sys.argv = ['dynagen', 'build', 'profile.yaml']; import dynagen.__main__ as m; m.main()"
    done = subprocess.run([sys.executable, "-c", program], cwd=home, capture_output=True, env=ENVIRONMENT)
    assert done.returncode == 3
    assert b"Traceback" in done.stderr and b"This is a fault of dynagen" in done.stderr


@pytest.mark.parametrize("command", ["build", "plan", "schema"])
def test_a_standard_output_that_is_closed_is_a_message(home: Path, command: str) -> None:
    arguments = [command] if command == "schema" else [command, "profile.yaml"]
    done = shell([*COMMAND, *arguments], ">&-", home)
    assert done.returncode == 1
    assert done.stderr == b"error: cannot write to standard output: it is closed\n"


def test_a_standard_input_that_is_closed_is_a_message(home: Path) -> None:
    done = shell([*COMMAND, "check", "-"], "<&-", home)
    assert done.returncode == 1
    assert b"(standard input):1:1: error[DG101] cannot read standard input: it is closed" in done.stderr


def test_a_standard_error_that_is_closed_changes_no_exit_code(home: Path) -> None:
    assert shell([*COMMAND, "check", "profile.yaml"], "2>&-", home).returncode == 0
    assert shell([*COMMAND, "check", "missing.yaml"], "2>&-", home).returncode == 1
    assert shell([*COMMAND, "check", "missing.yaml"], ">&- 2>&- <&-", home).returncode == 1
    assert shell([*COMMAND, "bild"], "2>&-", home).returncode == 2


def shell(command: list[str], words: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    import shlex

    return subprocess.run(
        f"exec {shlex.join(command)} {words}", shell=True, cwd=cwd, capture_output=True, env=ENVIRONMENT, timeout=60
    )


def test_bytes_that_are_no_text_in_a_setting_are_a_wrong_command_line(home: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "build", "profile.yaml", "--set", b"model=\xff\xfe"], cwd=home, capture_output=True, env=ENVIRONMENT
    )
    assert done.returncode == 2
    assert b"--set takes UTF-8" in done.stderr and b"Traceback" not in done.stderr


LONG = "a" * 300


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--set", f"overlays={LONG}"], b"DG301"),
        (["--set", f"overlays=./{LONG}"], b"DG301"),
        (["--set", f"{LONG}=1"], b"DG201"),
        (["--set", f"model={LONG}"], b"DG204"),
        (["--set", f"metadata.name={LONG}"], b"DG204"),
        (["-f", LONG], b"DG101"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_names_that_no_file_can_have_are_refused(home: Path, arguments: list[str], code: bytes) -> None:
    for command in ("build", "check"):
        done = run(command, "profile.yaml", *arguments, cwd=home)
        assert done.returncode == 1, done.stderr
        assert code in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "head",
    [
        f"apiVersion: v1\nkind: {LONG}",
        f"apiVersion: {LONG}.example.com/v1\nkind: Thing",
        f"apiVersion: v{LONG}\nkind: Pod",
    ],
    ids=["kind", "group", "version"],
)
def test_a_kind_or_a_group_that_no_file_can_be_named_after_has_no_schema(home: Path, head: str) -> None:
    (home / "team/resources").mkdir(parents=True)
    (home / "team/resources/a.yaml").write_text(head + "\nmetadata: {name: a}\n")
    (home / "a.yaml").write_text(head + "\nmetadata: {name: a}\n")
    for arguments in (["build", "profile.yaml", "--set", "overlays=./team"], ["check", "a.yaml"]):
        done = run(*arguments, cwd=home)
        assert done.returncode == 1
        assert b"DG211" in done.stderr and b"Traceback" not in done.stderr


def test_an_impossible_name_of_a_file_is_refused_by_every_command(home: Path) -> None:
    for arguments in (["build", LONG], ["check", LONG], ["check", LONG, "profile.yaml"], ["plan", LONG]):
        done = run(*arguments, cwd=home)
        assert done.returncode == 1
        assert b"error[DG101] cannot read" in done.stderr and b"Traceback" not in done.stderr


def test_null_in_a_setting_takes_a_value_back(home: Path) -> None:
    done = run("build", "profile.yaml", "--set", "model=null", cwd=home)
    assert done.returncode == 1
    assert b"error[DG203] 'model' is missing" in done.stderr
    (home / "profile.yaml").write_text(PROFILE + "spot: true\n")
    plain = run("plan", "profile.yaml", "--set", "spot=null", cwd=home)
    assert (plain.returncode, b"\nspot: false\n" in plain.stdout) == (0, True)


def test_a_pipe_with_a_name_is_not_waited_for(home: Path) -> None:
    os.mkfifo(home / "pipe.yaml")
    for command in ("build", "check"):
        done = run(command, "pipe.yaml", cwd=home)
        assert done.returncode == 1
        assert b"error[DG101] cannot read 'pipe.yaml': not a regular file" in done.stderr


def test_what_a_shell_substitutes_is_read(home: Path) -> None:
    bash = ["bash", "-c", f"{sys.executable} -m dynagen build <(cat profile.yaml)"]
    done = subprocess.run(bash, cwd=home, capture_output=True, env=ENVIRONMENT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == run("build", "profile.yaml", cwd=home).stdout


def test_links_to_themselves_are_refused(home: Path) -> None:
    (home / "loop").symlink_to("loop")
    (home / "team").mkdir()
    for name in ("layer.yaml", "schema.json"):
        (home / "team" / name).symlink_to(name)
    for command in ("build", "check"):
        for arguments in (
            ["loop"],
            ["profile.yaml", "--set", "overlays=./loop"],
            ["profile.yaml", "--set", "overlays=./team"],
        ):
            done = run(command, *arguments, cwd=home)
            assert done.returncode == 1, (arguments, done.stderr)
            assert b"Traceback" not in done.stderr and b"error[DG" in done.stderr


@pytest.mark.parametrize("name", ["layer.yaml", "schema.json"])
@pytest.mark.parametrize("what", ["pipe", "folder", "dangling link"])
def test_a_file_of_a_layer_that_is_no_file_is_refused(home: Path, name: str, what: str) -> None:
    (home / "team/resources").mkdir(parents=True)
    file = home / "team" / name
    if what == "pipe":
        os.mkfifo(file)
    elif what == "folder":
        file.mkdir()
    else:
        file.symlink_to("missing")
    done = run("build", "profile.yaml", "--set", "overlays=./team", cwd=home)
    assert done.returncode == 1
    assert f"error[DG101] cannot read 'team/{name}': not a regular file".encode() in done.stderr


@pytest.mark.parametrize(
    "section",
    [
        '{"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}},\n "$defs": {"a": {"$ref": "#/$defs/b"},\n  "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}}',
        '{"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}},\n "$defs": {"a": {"type": "object", "default": {},\n  "properties": {"b": {"$ref": "#/$defs/a"}}}}}',
    ],
    ids=["references", "defaults"],
)
def test_definitions_without_end_have_a_place(home: Path, section: str) -> None:
    (home / "team").mkdir()
    (home / "team/schema.json").write_text(section)
    (home / "profile.yaml").write_text(BARE + "overlays: [./team]\nteam: {a: {}}\n")
    done = run("build", "profile.yaml", cwd=home)
    assert done.returncode == 1
    assert b"team/schema.json:2:" in done.stderr
    assert b"error[DG305]" in done.stderr
    assert b"DG201" not in done.stderr


def test_a_definition_may_hold_itself(home: Path) -> None:
    (home / "team").mkdir()
    section = '{"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/a"}}}}}'
    (home / "team/schema.json").write_text(section)
    (home / "profile.yaml").write_text(BARE + "overlays: [./team]\nteam: {a: {b: {b: {}}}}\n")
    assert run("build", "profile.yaml", cwd=home).returncode == 0
