"""Each format of `check`: valid for those who read it, with the right places, whatever is in a message or a name."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from dynagen.console import format_names, render
from dynagen.console.catalogue import find_rule
from dynagen.console.outcome import Checked, Outcome
from dynagen.diagnostics import STANDARD_INPUT, Diagnostic, Position
from tests.conftest import ROOT

FIXTURES = ROOT / "tests/fixtures/formats"
TEXT = 'data: {"😀é": [x]}\n'
NASTY = "a 100% 'b'\r\nc: d, e <&> \x1b[31m\x00 \u2028"

ERROR = Diagnostic(
    "DG212",
    "expected string",
    Position("deploy/a b#ä.yaml", 1, 8, 4),
    "quote it",
    (("used here", Position("x.yaml", 2, 3)),),
)
WARNING = Diagnostic("DG415", "one Spot worker", Position("p.yaml", 2, 1), severity="warning")
NOTE = Diagnostic("DG117", "not checked: values.yaml", Position("deploy"), severity="note")
OPTION = Diagnostic("DG201", "unknown key", Position("--set spott=1"))
PIPED = Diagnostic("DG204", NASTY, Position(STANDARD_INPUT, 3, 4), NASTY)
OUTSIDE = Diagnostic("DG211", "no schema", Position("/somewhere/else.yaml", 1, 1))
BYTES = Diagnostic("DG101", "cannot read", Position(os.fsdecode(b"\xff.yaml")))


@pytest.fixture
def outcome() -> Outcome:
    checked = [
        Checked("deploy/a b#ä.yaml", [ERROR, WARNING._replace(silenced="a test: < 1 & none")]),
        Checked("p.yaml", [WARNING, ERROR]),
        Checked("fine.yaml", []),
        Checked(STANDARD_INPUT, [OPTION, PIPED, OUTSIDE, BYTES]),
    ]
    return Outcome(checked, {"deploy/a b#ä.yaml": TEXT}, [NOTE])


def test_formats_are_found_by_name() -> None:
    assert format_names() == ["github", "json", "junit", "sarif", "text"]


def test_json_has_the_documented_shape(outcome: Outcome) -> None:
    data = json.loads(render(outcome, "json"))
    schema = json.loads((ROOT / "schemas/check.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema, jsonschema.Draft202012Validator)
    assert data["summary"] == {"files": 4, "errors": 5, "warnings": 1, "notes": 1, "silenced": 1}
    assert len(data["findings"]) == 8  # what two files have in common is said once
    (error,) = [each for each in data["findings"] if each["code"] == "DG212"]
    assert error == {
        "code": "DG212",
        "severity": "error",
        "message": "expected string",
        "file": "deploy/a b#ä.yaml",
        "line": 1,
        "column": 8,
        "endColumn": 12,
        "hint": "quote it",
        "related": [{"message": "used here", "file": "x.yaml", "line": 2, "column": 3, "endColumn": 4}],
        "silenced": None,
    }
    assert [each["silenced"] for each in data["findings"] if each["code"] == "DG415"] == [None, "a test: < 1 & none"]


def sarif(outcome: Outcome) -> dict[str, Any]:
    log = json.loads(render(outcome, "sarif"))
    schema = json.loads((FIXTURES / "sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.validate(log, schema, jsonschema.Draft4Validator)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def results(run: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [each for each in run["results"] if each["ruleId"] == code]


def test_sarif_is_valid_and_describes_its_rules(outcome: Outcome) -> None:
    run = sarif(outcome)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["DG101", "DG117", "DG201", "DG204", "DG211", "DG212", "DG415"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert rules[-1]["shortDescription"]["text"] == find_rule("DG415").title
    assert rules[-1]["defaultConfiguration"] == {"level": "warning"}
    assert {result["level"] for result in run["results"]} == {"error", "warning", "note"}


def test_sarif_columns_count_utf_16_units(outcome: Outcome) -> None:
    run = sarif(outcome)
    assert run["columnKind"] == "utf16CodeUnits"
    (result,) = results(run, "DG212")
    (location,) = result["locations"]
    region = location["physicalLocation"]["region"]
    assert region == {"startLine": 1, "startColumn": 8, "endColumn": 13}
    units = TEXT.encode("utf-16-le")
    shown = units[2 * (region["startColumn"] - 1) : 2 * (region["endColumn"] - 1)].decode("utf-16-le")
    assert shown == '"😀é"'
    assert [each["message"]["text"] for each in result["relatedLocations"]] == ["used here"]


def test_sarif_files_are_relative_uris(outcome: Outcome) -> None:
    run = sarif(outcome)

    def artifact(code: str) -> dict[str, str]:
        found: dict[str, str] = results(run, code)[0]["locations"][0]["physicalLocation"]["artifactLocation"]
        return found

    assert artifact("DG212") == {"uri": "deploy/a%20b%23%C3%A4.yaml", "uriBaseId": "%SRCROOT%"}
    assert artifact("DG101") == {"uri": "%FF.yaml", "uriBaseId": "%SRCROOT%"}
    assert artifact("DG211") == {"uri": "file:///somewhere/else.yaml"}
    for code, name, word in (("DG201", "--set spott=1", "command-line"), ("DG204", STANDARD_INPUT, "stdin")):
        (location,) = results(run, code)[0]["locations"]
        assert location["logicalLocations"] == [{"fullyQualifiedName": name}]
        assert artifact(code) == {"uri": word} and location["physicalLocation"]["region"]["startLine"] > 0


def test_sarif_keeps_what_is_silenced_as_suppressed(outcome: Outcome) -> None:
    assert [each.get("suppressions") for each in results(sarif(outcome), "DG415")] == [
        None,
        [{"kind": "inSource", "justification": "a test: < 1 & none"}],
    ]


def test_sarif_names_absolute_paths_below_the_current_folder_relatively(monkeypatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    at = Position(str(tmp_path / "a/b.yaml"))
    run = sarif(Outcome([Checked(at.file, [ERROR._replace(at=at)])]))
    assert run["artifacts"] == [{"location": {"uri": "a/b.yaml", "uriBaseId": "%SRCROOT%"}}]


# What junit-10.xsd of Jenkins' xunit plug-in allows: the attributes and children of each element, the needed ones marked.
JUNIT = {
    "testsuites": ({"name", "time", "tests", "failures", "disabled", "errors"}, {"testsuite"}, set()),
    "testsuite": (
        {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url", "version"},
        {"testcase", "testsuite", "properties", "system-out", "system-err"},
        {"name"},
    ),
    "testcase": ({"name", "assertions", "time", "classname", "status", "group", "file", "line"}, {"skipped", "error", "failure", "system-out", "system-err"}, {"name"}),
    "failure": ({"type", "message"}, set(), set()),
    "system-out": (set(), set(), set()),
}  # fmt: skip


def assert_junit(element: ElementTree.Element) -> None:
    attributes, children, needed = JUNIT[element.tag]
    assert needed <= set(element.keys()) <= attributes
    for child in element:
        assert child.tag in children
        assert_junit(child)


def test_junit_has_a_case_for_each_file_and_a_failure_for_its_errors(outcome: Outcome) -> None:
    text = render(outcome, "junit")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    top = ElementTree.fromstring(text.encode())
    assert_junit(top)
    (suite,) = top
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "3",
        "errors": "0",
    }
    failed = {case.get("name"): case.find("failure") for case in suite.findall("testcase")}
    assert list(failed) == ["deploy/a b#ä.yaml", "p.yaml", "fine.yaml", STANDARD_INPUT]
    assert failed["fine.yaml"] is None
    failure = failed["deploy/a b#ä.yaml"]
    assert failure is not None and failure.get("type") == "DG212"
    assert "deploy/a b#ä.yaml:1:8: error[DG212] expected string" in (failure.text or "")
    output = suite.findall("testcase")[0].findtext("system-out")
    assert output == "p.yaml:2:1: silenced[DG415] one Spot worker: a test: < 1 & none\n"
    assert "not checked: values.yaml" in (suite.findtext("system-out") or "")


def test_annotations_are_escaped_and_on_one_line(outcome: Outcome) -> None:
    lines = render(outcome, "github").split("\n")
    assert lines.pop() == ""
    assert len(lines) == 7  # nothing about what is silenced
    for line in lines:
        assert re.fullmatch(r"::(error|warning|notice) ([a-zA-Z]+=[^,:\r]*)(,[a-zA-Z]+=[^,:\r]*)*::[^\r]*", line), line
    (error,) = [line for line in lines if "DG212" in line]
    assert error == (
        "::error file=deploy/a b#ä.yaml,line=1,col=8,endColumn=12,title=DG212::"
        "expected string%0Aused here: x.yaml:2:3%0Ahint: quote it"
    )
    (piped,) = [line for line in lines if "DG204" in line]
    assert piped.startswith("::error title=DG204::a 100%25 'b'%0D%0Ac: d, e <&>")
    assert "\x1b" not in piped
    odd = ERROR._replace(at=Position("a,b:c%.yaml", 1, 1), related=(), hint="")
    said = render(Outcome([Checked("", [odd])]), "github")
    assert said == "::error file=a%2Cb%3Ac%25.yaml,line=1,col=1,endColumn=2,title=DG212::expected string\n"


def test_text_ends_with_what_was_counted(outcome: Outcome) -> None:
    text = render(outcome, "text")
    assert text.endswith("5 errors, 1 warning, 1 note, 1 silenced\n")
    assert "\x1b" not in text and "\x00" not in text
    assert render(Outcome([Checked("a.yaml", [])]), "text") == ""


def test_in_sarif_a_file_stands_for_its_folder(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """GitHub shows no result at a folder; what was not checked is said of the folder."""
    for name in ("deploy/values.yaml", "deploy/.hidden.yaml", "only/below/values.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("replicas: 2\n", "utf-8")
    (tmp_path / "empty").mkdir()
    for folder, file in (
        (".", "deploy/values.yaml"),
        ("deploy", "deploy/values.yaml"),
        ("only", "only/below/values.yaml"),
    ):
        run = dynagen("check", folder, "--format", "sarif", cwd=tmp_path)
        results = json.loads(run.stdout)["runs"][0]["results"]
        places = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in results]
        assert places and set(places) == {file}
    run = dynagen("check", "empty", "--format", "sarif", cwd=tmp_path)
    assert "empty/.dynagen" in run.stdout


@pytest.mark.parametrize("format", ["json", "sarif", "junit", "github"])
def test_each_format_reaches_standard_output_whole(dynagen, tmp_path: Path, format: str) -> None:  # type: ignore[no-untyped-def]
    """From a command line, with a name that is not UTF-8 and a message of two lines."""
    broken = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8").replace("vllm", '"v\\nl\\u0001"')
    name = os.fsdecode(b"a\xff.yaml")
    (tmp_path / name).write_text(broken, "utf-8")
    run = dynagen("check", ".", "--format", format, cwd=tmp_path)
    assert run.code == 1
    assert run.stderr == "1 error\n"
    if format in ("json", "sarif"):
        json.loads(run.stdout)
    elif format == "junit":
        assert_junit(ElementTree.fromstring(run.stdout.encode()))
    else:
        assert run.stdout.count("\n") == 1
