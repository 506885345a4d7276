"""The catalogue of tools agrees with the Go modules that pin them; a tool that cannot be had is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import tools


@pytest.mark.parametrize("name", tools.names())
def test_every_tool_is_pinned_by_its_go_module(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built: list[Path] = []
    monkeypatch.setattr(tools, "build", lambda tool, program: built.append(program))
    program = tools.path(name)
    assert built == [program]
    assert program.is_relative_to(tmp_path / "dynagen" / "tools")


def test_a_tool_is_built_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def build(tool: tools.Tool, program: Path) -> None:
        program.parent.mkdir()
        program.touch()

    monkeypatch.setattr(tools, "build", build)
    first = tools.path("kubeconform")
    monkeypatch.setattr(tools, "build", lambda tool, program: pytest.fail("built again"))
    assert tools.path("kubeconform") == first


def test_an_unknown_tool_is_an_error() -> None:
    with pytest.raises(tools.ToolError, match="no tool 'kubectx'; there are: cel-judge, etcd, istio-analyze, istioctl"):
        tools.path("kubectx")


def test_a_tool_that_cannot_be_built_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tools, "find_go", lambda tool: Path("/bin/false"))
    with pytest.raises(tools.ToolError, match="exit code 1"):
        tools.path("etcd")


def test_versions_compare_as_numbers() -> None:
    assert (
        tools.parse_version("1.26.10")
        > tools.parse_version("1.26.9")
        > tools.parse_version("1.26rc1")
        > tools.parse_version("devel")
    )
