"""What others call in their CI: the pre-commit hook in the real pre-commit, and the steps of the GitHub Action."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conftest import ROOT
from tests.sources import copy_sources

PRE_COMMIT = "pre-commit==4.7.0"
PROFILE = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{who}_{what}": "test@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, env=os.environ | GIT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def committed(folder: Path) -> str:
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=all")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def pre_commit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment = tmp_path_factory.mktemp("pre-commit")
    venv.create(environment, with_pip=True)
    pip = [environment / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PRE_COMMIT]
    subprocess.run(pip, check=True)
    return environment / "bin/pre-commit"


@pytest.mark.oracle
def test_the_hook_works_in_pre_commit(pre_commit: Path, tmp_path: Path) -> None:
    hooks, home = tmp_path / "hooks", tmp_path / "home"
    copy_sources(hooks)
    revision = committed(hooks)
    home.mkdir()
    config = {"repos": [{"repo": str(hooks), "rev": revision, "hooks": [{"id": "dynagen-check", "verbose": True}]}]}
    (home / ".pre-commit-config.yaml").write_text(json.dumps(config))
    (home / "profile.yaml").write_text(PROFILE)
    (home / "values.yaml").write_text("a: 1\n")
    committed(home)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | GIT | {"PRE_COMMIT_HOME": str(tmp_path / "cache"), "PRE_COMMIT_COLOR": "never"}
        return subprocess.run(
            [pre_commit, "run", *arguments], cwd=home, env=environment, capture_output=True, text=True
        )

    everything = run("--all-files")
    assert everything.returncode == 0, everything.stdout + everything.stderr
    assert "values.yaml: no Kubernetes object in there" in everything.stdout
    other = run("--files", "values.yaml")  # a commit that touches no profile
    assert other.returncode == 0, other.stdout
    (home / "profile.yaml").write_text(PROFILE.replace("vllm", "vlm"))
    (home / "b.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: 1}\n")
    git(home, "add", "--all")
    staged = run()
    assert staged.returncode == 1
    assert "profile.yaml:4:1: error[DG204]" in staged.stdout and "b.yaml:4:8: error[DG212]" in staged.stdout


ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]


def test_the_action_is_one() -> None:
    schema = json.loads((ROOT / "tests/fixtures/formats/github-action.json").read_text("utf-8"))
    jsonschema.validate(ACTION, schema, jsonschema.Draft7Validator)
    for step in STEPS:
        assert "${{" not in step.get("run", ""), "an expression in a script lets others write the script"
        assert step.get("shell", "bash") == "bash"
    expressions = [value for step in STEPS for value in {**step.get("env", {}), **step.get("with", {})}.values()]
    assert {each.removeprefix("${{ inputs.").removesuffix(" }}") for each in expressions} == set(ACTION["inputs"])


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A folder as the step of the action finds it: dynagen and pip where the step before has put them."""
    bin_ = tmp_path / "temp/dynagen/bin"
    bin_.mkdir(parents=True)
    (bin_ / "dynagen").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m dynagen "$@"\n')
    (bin_ / "python").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "python").write_text("#!/bin/sh\n")
    for program in (bin_ / "dynagen", bin_ / "python", tmp_path / "python"):
        program.chmod(0o755)
    return tmp_path


def step(number: int, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """As a runner calls bash: https://docs.github.com/en/actions/reference/workflow-syntax (`shell`)."""
    (folder / "step.sh").write_text(STEPS[number]["run"])
    path = f"{folder}:{os.environ['PATH']}"
    environment = {
        **os.environ,
        "PATH": path,
        "RUNNER_TEMP": str(folder / "temp"),
        "GITHUB_ACTION_PATH": "/the/action",
        **env,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "step.sh"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def check(folder: Path, paths: str, args: str = "", format: str = "github", output_file: str = "") -> Any:
    return step(2, folder, PATHS=paths, ARGS=args, FORMAT=format, OUTPUT_FILE=output_file)


def test_the_action_installs_what_it_is_told(runner: Path) -> None:
    assert step(1, runner, VERSION="9.8.7").stdout.endswith(" dynagen==9.8.7\n")
    assert step(1, runner, VERSION="").stdout.endswith(" /the/action\n")


@pytest.mark.slow
def test_the_action_annotates_and_fails(runner: Path) -> None:
    (runner / "a b.yaml").write_text(PROFILE)
    (runner / "c.yaml").write_text(PROFILE.replace("vllm", "vlm"))
    fine = check(runner, "a b.yaml\n\n")
    assert (fine.returncode, fine.stdout) == (0, ""), fine.stderr
    wrong = check(runner, "a b.yaml\nc.yaml\n", args="--strict --kubernetes 1.34")
    assert wrong.returncode == 1
    assert wrong.stdout.startswith("::error file=c.yaml,line=4,col=1,endColumn=8,title=DG204::")
    assert check(runner, "--help").returncode == 1  # a name, no option
    assert not (runner / "x").exists()
    check(runner, "$(touch x)", args="$(touch x) `touch x`; touch x")
    assert not (runner / "x").exists()


@pytest.mark.slow
def test_the_action_writes_sarif(runner: Path) -> None:
    (runner / "c.yaml").write_text(PROFILE.replace("vllm", "vlm"))
    run = check(runner, "c.yaml", format="sarif", output_file="out put.sarif")
    assert (run.returncode, run.stdout, run.stderr) == (1, "", "1 error\n")
    assert json.loads((runner / "out put.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "DG204"
