"""Nothing that is printed is a command to a CI system, or reads as something else than it was."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import ruamel.yaml
import yaml

from dynagen.console.formats.text import printable
from dynagen.language.scope import ExpressionError, Scope
from dynagen.language.template import parse_template
from dynagen.manifests.yaml import to_yaml
from dynagen.memory import Memory
from tests.conftest import ROOT

PROFILE = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")
COMMANDS = [
    "::error::x",
    "::add-mask::x",
    "  ::set-output name=a::b",
    "##[error]x",
    "a ##[add-mask]b",
    "##vso[task.setvariable variable=a]b",
    "##VSO[x]",
    "###[x]",
    "## ##[x",
]
# source: src/Runner.Common/ActionCommand.cs of actions/runner (TryParseV2 trims; TryParse looks anywhere)
HEEDED = re.compile(r"(?im)^\s*::|##\[|##vso\[")


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_is_broken_and_as_long_as_before(text: str) -> None:
    assert HEEDED.search(text)
    assert not HEEDED.search(printable(text)) and len(printable(text)) == len(text)


@pytest.mark.parametrize("text", ["a::b", "std::vector", "# comment", "## title", "## [a](b)", "a # [b]", ":8080"])
def test_what_is_no_command_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("text", COMMANDS)
def test_no_command_is_printed(text, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Whether it is the name of a file or a folder, a key, a value, a part of a longer one, or a line of a text of many."""
    folder = tmp_path / text.strip().replace("/", "_")
    (folder / "team/resources").mkdir(parents=True)
    name = f"{folder.name}.yaml"
    quoted = json.dumps(text)
    lines = json.dumps(f"first\n{text}\nlast")
    (folder / name).write_text(
        PROFILE + f"overlays: [./team]\n{quoted}: {quoted}\nenv: {{{quoted}: [{quoted}]}}\nspot: {quoted}\n", "utf-8"
    )
    (folder / "good.yaml").write_text(PROFILE + f"overlays: [./team]\nenv: {{A: {quoted}, B: {lines}}}\n", "utf-8")
    (folder / "m.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {quoted}, namespace: a, labels: {{{quoted}: {lines}}}}}\n{quoted}: 1\n",
        "utf-8",
    )
    (folder / "team/resources/a.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{A: {lines}, B: {quoted}}}\n", "utf-8"
    )
    for words in (
        ["check", name], ["check", "good.yaml"], ["build", "good.yaml"], ["plan", "good.yaml"], ["check", f"{folder.name}/{name}"], ["check", "m.yaml"], ["check", "."],
        ["explain", "good.yaml", "--all"], ["explain", "good.yaml", "--all", "--format", "json"], ["explain", "good.yaml", "ConfigMap/a", "data.A"],
        ["explain", "good.yaml", text], ["explain", "good.yaml", "ConfigMap/a", text], ["build", "good.yaml", "--set", f"{text}=1"],
        *(["check", ".", "--format", form] for form in ("json", "sarif", "junit")),
    ):  # fmt: skip
        run = dynagen(*words, cwd=folder if "/" not in words[1] else tmp_path)
        assert not HEEDED.search(run.stdout + run.stderr), (words, HEEDED.search(run.stdout + run.stderr))
    for line in dynagen("check", ".", "--format", "github", cwd=folder).stdout.splitlines():
        assert re.match("::(error|warning|notice) ", line) and not HEEDED.search(line[2:]), line
    built = [
        document
        for document in yaml.safe_load_all(dynagen("build", "good.yaml", cwd=folder).stdout)
        if document["kind"] == "ConfigMap"
    ]
    assert built[0]["data"] == {"A": f"first\n{text}\nlast", "B": text}
    for form, read in (("json", json.loads), ("sarif", json.loads), ("junit", ElementTree.fromstring)):
        assert read(dynagen("check", "m.yaml", "--format", form, cwd=folder).stdout) is not None


@pytest.mark.parametrize(
    "text", ["._1", "._", "-._1", "+.1_0", ".1", "1_0", "._e1", "._1e5", *COMMANDS, "a\n::b\n", "a\n  ##[b\n"]
)
def test_a_text_comes_back_as_it_was(text: str) -> None:
    written = to_yaml({"a": text, text: "b", "c": [text]})
    for found in (yaml.safe_load(written), ruamel.yaml.YAML(typ="safe", pure=True).load(io.StringIO(written))):
        assert found == {"a": text, text: "b", "c": [text]}
    assert not HEEDED.search(written)


@pytest.mark.parametrize("text", ["'a\\x00b'", "['\\x00']", "{'a': '\\x00'}", "string(b'\\x00')"])
def test_no_value_holds_the_character_nul(text: str) -> None:
    with pytest.raises(ExpressionError, match="NUL"):
        Scope({}, Memory()).evaluate(parse_template(f"${{{text}}}"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("math.greatest(1, 2, 3)", 3), ("math.least([4, n])", 4), ("math.ceil(1.5)", 2.0), ("math.abs(-1)", 1), ("math.bitAnd(7, 5)", 5),
        ("'abc'.charAt(1)", "b"), ("'a,b'.split(',')", ["a", "b"]), ("strings.quote('a')", '"a"'), ("'abc'.reverse()", "cba"), ("' a '.trim()", "a"),
        ("[1, 2].map(x, math.greatest(x, 2))", [2, 2]),
    ],
)  # fmt: skip
def test_the_extensions_that_the_documentation_names_are_there(text: str, value: object) -> None:
    assert Scope({"n": 7}, Memory()).evaluate(parse_template(f"${{{text}}}"))[0] == value  # type: ignore[arg-type]


def test_a_link_does_not_lead_output_out_of_the_current_folder(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    home, other = tmp_path / "home", tmp_path / "other"
    (home / "real").mkdir(parents=True)
    other.mkdir()
    (other / "mine.txt").write_text("mine", "utf-8")
    (home / "p.yaml").write_text(PROFILE, "utf-8")
    (home / "out").symlink_to(other)
    (home / "inner").symlink_to(home / "real")
    (home / "report.txt").symlink_to(other / "mine.txt")
    for target in ("out", "out/deeper", str(home / "out")):
        run = dynagen("build", "p.yaml", "-o", target, cwd=home)
        assert run.code == 1 and "DG623" in run.stderr
    run = dynagen("check", "p.yaml", "--output-file", "report.txt", cwd=home)
    assert run.code == 1 and "symbolic link" in run.stderr
    assert [(each.name, each.read_text("utf-8")) for each in other.iterdir()] == [("mine.txt", "mine")]
    assert dynagen("build", "p.yaml", "-o", "inner", cwd=home).code == 0
    for place in (other, tmp_path / "other" / "new", "../other/newer"):  # as it is named, it lies there
        assert dynagen("build", "p.yaml", "-o", str(place), cwd=home).code == 0
    (tmp_path / "link").symlink_to(other)
    (home / "q.yaml").symlink_to(other / "q.yaml")
    (other / "q.yaml").write_text(PROFILE + "secret-of-others: 1\n", "utf-8")
    for words in (
        ["check", "q.yaml"],
        ["build", "q.yaml"],
        ["build", "p.yaml", "-f", "q.yaml"],
        ["check", "out"],
        ["check", "p.yaml", "--against", "out"],
        ["check", "."],
    ):
        run = dynagen(*words, cwd=home)
        assert run.code == 1 and "secret-of-others" not in run.stdout + run.stderr and "DG303" in run.stderr
    for words in (["check", "q.yaml", "--root", str(tmp_path)], ["check", "../other/q.yaml"], ["check", str(other)]):
        assert "secret-of-others" in dynagen(*words, cwd=home).stderr
    assert dynagen("build", "p.yaml", "-o", str(tmp_path / "link"), cwd=home).code == 0
