"""Rules are silenced where they arise, with a reason, and come back when the reason is gone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.unit.compiling import HEAD, told


def report_of(text: str, strict: bool = False) -> Report:
    report = Report(strict)
    documents = parse(HEAD + text, "profile.yaml", report)
    compile_profile(Request(documents, [], Path(), Path()), report)
    return report


def codes(report: Report) -> list[tuple[str, str]]:
    return [(diagnostic.severity, diagnostic.code) for diagnostic in told(report)]


SPOT = "backend: vllm\ngpu: nvidia-l4\nspot: true\nagg:\n  gpus: 1\n"


def test_a_rule_speaks_up_unless_it_is_silenced() -> None:
    assert codes(report_of(SPOT + "  replicas: 1\n")) == [("warning", "DG415")]


@pytest.mark.parametrize(
    "line",
    [
        "  replicas: 1  # dynagen: allow DG415: one is enough for a test\n",
        "  # dynagen: allow DG415: one is enough for a test\n  replicas: 1\n",
        "  # dynagen: allow DG415: one is enough for a test\n  # and cheaper\n\n  replicas: 1\n",
    ],
)
def test_a_comment_at_the_line_or_above_it_silences(line: str) -> None:
    report = report_of(SPOT + line)
    assert codes(report) == []
    assert [(each.code, each.silenced) for each in report.silenced] == [("DG415", "one is enough for a test")]


def test_a_comment_elsewhere_silences_nothing_and_is_idle() -> None:
    report = report_of(SPOT + "  replicas: 1\n# dynagen: allow DG415: too far away\n")
    assert codes(report) == [("warning", "DG415"), ("warning", "DG115")]


@pytest.mark.parametrize(("overrides", "settings"), [(["agg: {replicas: 2}\n"], []), ([], ["agg.replicas=2"])])
def test_what_an_override_makes_idle_is_no_mistake_of_the_base(overrides: list[str], settings: list[str]) -> None:
    base = SPOT + "  replicas: 1  # dynagen: allow DG415: one is enough for a test\n"
    for idle in (False, True):
        report = Report()
        texts = [HEAD + base, *overrides]
        texts[-1] += "# dynagen: allow DG415: nothing here\nspot: true\n" if idle and overrides else ""
        documents = [each for n, text in enumerate(texts) for each in parse(text, f"{n}.yaml", report)]
        compile_profile(Request(documents, settings, Path(), Path()), report)
        expected = [("warning", "DG115")] if idle and overrides else []  # the last file has nobody else to blame
        assert codes(report) == expected


def test_a_comment_silences_its_own_rule_only() -> None:
    assert ("warning", "DG415") in codes(report_of(SPOT + "  replicas: 1  # dynagen: allow DG414: the wrong one\n"))


def test_strict_makes_warnings_errors() -> None:
    report = report_of(SPOT + "  replicas: 1\n", strict=True)
    assert codes(report) == [("error", "DG415")]
    assert report.refused


def test_a_silence_holds_under_strict_too() -> None:
    assert not report_of(SPOT + "  replicas: 1  # dynagen: allow DG415: a test\n", strict=True).failed


@pytest.mark.parametrize(
    "value",
    [
        '"x # dynagen: allow DG415: a text"',
        "'x # dynagen: what we use'",
        "|\n    # dynagen: allow DG415: a script\n    # dynagen: what we use\n",
        ">\n    # dynagen: allow DG999\n",
        '"a\n    # dynagen: allow DG999\n    b"',
    ],
)
def test_a_value_that_looks_like_a_comment_is_none(value: str) -> None:
    report = Report()
    (document,) = parse(f"data:\n  a: {value}\n", "a.yaml", report)
    assert "# dynagen:" in document.data["data"]["a"]
    assert told(report) == []
    assert report.idle_silences == []


@pytest.mark.parametrize("value", ['"x # dynagen: no"  ', "|  ", "&a x "])
def test_a_comment_beside_a_value_is_one(value: str) -> None:
    report = Report()
    text = f"data:\n  a: {value}# dynagen: allow DG415: a test\n    x # dynagen: y\n".replace(
        "    x", "    x" if "|" in value else "#"
    )
    parse(text, "a.yaml", report)
    assert [(each.code, each.at.line) for each in report.idle_silences] == [("DG415", 2)]


def test_a_comment_in_lines_that_end_as_in_windows_silences() -> None:
    text = (HEAD + SPOT + "  replicas: 1  # dynagen: allow DG415: a test").replace("\n", "\r\n")
    report = Report()
    compile_profile(Request(parse(text, "profile.yaml", report), [], Path(), Path()), report)
    assert [(each.code, each.silenced) for each in report.silenced] == [("DG415", "a test")]
    assert codes(report) == []


def test_many_comments_take_no_longer_than_few() -> None:
    report = Report()
    started = time.process_time()
    parse("a: 1\n" + "# dynagen: allow DG415: a test\n" * 20_000 + "b: 1\n", "a.yaml", report)
    assert time.process_time() - started < 5
    assert len(report.idle_silences) == 20_000


def test_rules_go_on_in_the_six_hundreds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynagen.text.silences.RULES", tmp_path)
    for code in ("DG501", "DG601"):
        (tmp_path / f"{code}.yaml").touch()
    found = codes(report_of("agg: 1  # dynagen: allow DG501: no\nspot: 1  # dynagen: allow DG601: yes\n"))
    assert found.count(("error", "DG114")) == 1
