"""Options and tools that all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from dynagen.memory import Memory

ROOT = Path(__file__).resolve().parent.parent

# Tests say how many times as many examples as usual they take. For `make quick`, some of each will do.
settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=20)
if "CI" not in os.environ:  # there, Hypothesis has such a profile of its own
    # Tests share the cores with each other: how long an example takes says nothing about it.
    settings.register_profile("shared cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("shared cores")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite expected trees and complaints")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says which order the tests ran in: with `-q`, pytest does not show the line in which pytest-randomly says so."""
    if (seed := config.getoption("randomly_seed", None)) is not None:
        terminalreporter.write_line(f"this order again: --randomly-seed={seed}")


# What all tests of a process share, as commands that check many profiles do: output and findings are the same without it.
MEMORY = Memory()
_MAKERS = ("profile.request", "checking.manifests", "commands._reading", "commands.check")


@pytest.fixture(autouse=True, scope="session")
def one_memory() -> Iterator[None]:
    """Whoever asks for no memory of its own gets this one: nothing that ships is read twice."""
    with pytest.MonkeyPatch.context() as patch:
        for module in _MAKERS:
            patch.setattr(f"dynagen.{module}.Memory", lambda: MEMORY)
        yield


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


class Run(NamedTuple):
    """What a command did. `stdout` and `stderr` are texts."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def dynagen(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Runs a command line in this process, in a folder of choice."""
    from click.testing import CliRunner

    from dynagen.commands._group import dynagen as command

    def run(*arguments: str, cwd: Path = ROOT, stdin: bytes | None = None) -> Run:
        with monkeypatch.context() as patch:
            patch.chdir(cwd)
            result = CliRunner().invoke(command, list(arguments), input=stdin, catch_exceptions=False)
        return Run(result.exit_code, result.stdout, result.stderr)

    return run
