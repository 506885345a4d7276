"""Documents that follow from the code are generated, and checked so that they cannot go stale (`--update` writes them)."""

from __future__ import annotations

import re
import shlex
import textwrap
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest
import yaml

from dynagen.commands._group import dynagen as command
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


STAGES = {
    "1": "Reading",
    "2": "Schema",
    "3": "Layers",
    "4": "Rules",
    "5": "Output",
    "6": "Rules, continued",
    "7": "Rules, further",
}
RULES = [find_rule(code) for code in codes()]


def test_the_list_of_rules_is_the_catalogue(update: bool) -> None:
    text = "# Rules\n\nThe first digit is the stage. Codes are never used again for something else; DG463 and DG484 are gone. "
    text += "`dynagen rules CODE` shows these pages.\n"
    for digit, stage in STAGES.items():
        rows = [
            f"| [{rule.code}]({rule.code}.md) | {rule.severity} | {rule.title} |\n"
            for rule in RULES
            if rule.code[2] == digit
        ]
        text += "".join([f"\n## {stage}\n\n| code | severity | title |\n|---|---|---|\n", *rows]) if rows else ""
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


def test_the_changelog_has_this_release_and_its_parts() -> None:
    """On top, below what is not released yet. A release has no parts but these, in this order, and none without a line."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    _, *releases = (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")
    names = [release.splitlines()[0] for release in releases]
    assert next(name for name in names if name != "Unreleased") == version and "Unreleased" not in names[1:]
    for release in releases:
        parts = re.findall(r"^### (.*)\n\n(.*)", release, re.MULTILINE)
        order = ["Added", "Changed", "Fixed", "Output", "Removed"]
        assert parts and [name for name, _ in parts] == [name for name in order if name in dict(parts)]
        assert all(line and not line.startswith("#") for _, line in parts)


ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def table(page: str, heading: str) -> list[list[str]]:
    """The rows below a heading such as `room`, as the texts of the cells."""
    _, rows = page.split(f"\n| {heading} |", 1)
    lines = rows.split("\n\n", 1)[0].splitlines()[2:]
    return [line.strip("| ").split(" | ") for line in lines]


def test_the_page_on_architecture_has_every_room_in_the_order_of_imports() -> None:
    rooms = [room.strip("`") for room, _ in table(ARCHITECTURE, "room")]
    package = [path for path in (ROOT / "dynagen").iterdir() if not path.name.startswith((".", "__"))]
    assert sorted(rooms) == sorted(path.stem for path in package if path.is_dir() or path.suffix == ".py")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (layers,) = [contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers"]
    assert rooms == [*(name.removeprefix("dynagen.") for layer in layers for name in layer.split(" | ")), "rules"]


def test_the_page_on_architecture_has_every_stage_and_every_door() -> None:
    stages = re.findall(r"^    (?:\w+| +) +((?:\w+\.)+)(\w+)  ", ARCHITECTURE, re.MULTILINE)
    assert len(stages) > 8
    for module, name in stages:
        assert hasattr(import_module(f"dynagen.{module.rstrip('.')}"), name), f"{module}{name}"
    for library, doors in table(ARCHITECTURE, "library"):
        imports = re.compile(rf"^ *(?:import|from) {library.removesuffix('.yaml')}\b", re.MULTILINE)
        users = [path for path in (ROOT / "dynagen").rglob("*.py") if imports.search(path.read_text("utf-8"))]
        rooms = {path.relative_to(ROOT / "dynagen").parts[0].removesuffix(".py") for path in users}
        assert sorted(rooms) == sorted(door.strip("`") for door in doors.split(", ")), library


def test_paths_that_documents_name_are_there() -> None:
    """Of a file that is still to be written, such as `dynagen/rules/CODE.yaml`, the folder."""
    named = re.compile(r"`((?:dynagen|tests|base|bench|overlays(?!/our-team)|schemas)/[^`* ]*)`")
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/decisions").glob("*.md")]:
        for path in named.findall(document.read_text("utf-8")):
            known = re.split(r"(/[^/]*(?:NAME|CODE)|$)", path, maxsplit=1)[0]
            assert (ROOT / known).exists(), f"{document.name}: {path}"
