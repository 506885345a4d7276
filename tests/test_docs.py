"""Documents that follow from the code are generated, and checked so that they cannot go stale (`--update` writes them)."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

import click
import pytest
import yaml

from dynagen.commands import dynagen as command
from dynagen.console import format_names
from dynagen.console.catalogue import codes, find_rule
from tests.conftest import ROOT


def expect(file: Path, text: str, update: bool) -> None:
    if update:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert file.read_text("utf-8") == text, "run `make update`"


def help_of(found: click.Command, names: list[str]) -> str:
    settings = {**command.context_settings, **found.context_settings}  # as a command inherits them when it is called
    context = click.Context(found, info_name=" ".join(names), max_content_width=100, terminal_width=100, **settings)
    text = f"## {' '.join(names)}\n\n```text\n{found.get_help(context)}\n```\n"
    if isinstance(found, click.Group):
        for name in found.list_commands(context):
            inner = found.get_command(context, name)
            assert inner is not None
            text += "\n" + help_of(inner, [*names, name])
    return text


def test_the_readme_tells_the_truth(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Its profile is the example, and its complaint is what that profile gets with the mistake in it."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (profile,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "profile.yaml").write_text(profile, "utf-8")
    example = dynagen("build", str(ROOT / "examples/qwen3-32b-spot-h100.yaml"))
    assert dynagen("build", "profile.yaml", cwd=tmp_path) == example
    (shown,) = re.findall(r"\$ dynagen check profile\.yaml\n(profile.*?)```", readme, re.DOTALL)
    broken = profile.replace("prefill: {replicas: 2, gpus: 1}", "prefill: {replicas: 2, gpu: 1}")
    (tmp_path / "profile.yaml").write_text(broken, "utf-8")
    assert dynagen("check", "profile.yaml", cwd=tmp_path).stderr == shown


def test_the_page_on_checking_tells_the_truth(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Its JSON is what comes out, and its settings name what is there."""
    page = (ROOT / "docs/check.md").read_text("utf-8")
    (profile,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    broken = profile.replace("prefill: {replicas: 2, gpus: 1}", "prefill: {replicas: 2, gpu: 1}")
    (tmp_path / "profile.yaml").write_text(broken, "utf-8")
    (shown,) = re.findall(r"--format json\n(\{.*?\n)```", page, re.DOTALL)
    assert dynagen("check", "profile.yaml", "--format", "json", cwd=tmp_path).stdout == shown
    blocks = [yaml.safe_load(textwrap.dedent(block)) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {each["id"] for each in [*blocks[1]["repos"][0]["hooks"], *blocks[2]]} == {hook["id"]}
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    steps = [*blocks[3]["jobs"]["check"]["steps"], *blocks[4]]
    used = [key for step in steps if "dynagen" in step["uses"] for key in step["with"]]
    assert used and set(used) <= set(action["inputs"])
    for format in format_names():
        assert f"| `{format}` |" in page


def test_the_command_reference_is_what_help_prints(update: bool) -> None:
    expect(ROOT / "docs/commands.md", "# Commands\n\n" + help_of(command, ["dynagen"]), update)


STAGES = {"1": "Reading", "2": "Schema", "3": "Layers", "4": "Rules", "5": "Output"}
RULES = [find_rule(code) for code in codes()]


def test_the_list_of_rules_is_the_catalogue(update: bool) -> None:
    text = "# Rules\n\nThe first digit is the stage. Codes are never used again for something else. "
    text += "`dynagen rules CODE` shows these pages.\n"
    for digit, stage in STAGES.items():
        text += f"\n## {stage}\n\n| code | severity | title |\n|---|---|---|\n"
        for rule in RULES:
            if rule.code[2] == digit:
                text += f"| [{rule.code}]({rule.code}.md) | {rule.severity} | {rule.title} |\n"
    expect(ROOT / "docs/rules/README.md", text, update)


def test_every_rule_has_its_page_and_nothing_else_has(update: bool) -> None:
    folder = ROOT / "docs/rules"
    for rule in RULES:
        parts = [
            f"# {rule.code}: {rule.title}",
            f"Severity: {rule.severity}.",
            rule.why,
            rule.fix,
            f"Wrong:\n\n{fenced(rule.bad)}",
            f"Right:\n\n{fenced(rule.good)}",
            *([f"Source: {rule.source}"] if rule.source else []),
        ]
        expect(folder / f"{rule.code}.md", "\n\n".join(parts) + "\n", update)
    for page in set(folder.glob("DG*.md")) - {folder / f"{rule.code}.md" for rule in RULES} if update else ():
        page.unlink()
    assert {page.stem for page in folder.glob("DG*.md")} == {rule.code for rule in RULES}


def fenced(example: str) -> str:
    return f"```{'console' if example.startswith('$ ') else 'yaml'}\n{example}\n```"


@pytest.mark.slow
def test_the_page_on_explaining_tells_the_truth(dynagen) -> None:  # type: ignore[no-untyped-def]
    """Its commands print what it shows."""
    page = (ROOT / "docs/explain.md").read_text("utf-8").replace("\\\n   ", "")
    shown = re.findall(r"```console\n\$ dynagen (.*)\n((?:.*\n)*?)```", page)
    assert len(shown) == 2
    for command_line, expected in shown:
        run = dynagen(*shlex.split(command_line), cwd=ROOT / "examples")
        assert (run.code, run.stdout) == (0, expected)
