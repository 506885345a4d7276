"""Rules are silenced where they arise, with a reason, and come back when the reason is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.source import parse
from tests.unit.compiling import HEAD


def report_of(text: str, strict: bool = False) -> Report:
    report = Report(strict)
    documents = parse(HEAD + text, "profile.yaml", report)
    compile_profile(Request(documents, [], Path(), Path()), report)
    return report


def codes(report: Report) -> list[tuple[str, str]]:
    return [(diagnostic.severity, diagnostic.code) for diagnostic in report.diagnostics]


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
    assert [(each.code, reason) for each, reason in report.silenced] == [("DG415", "one is enough for a test")]


def test_a_comment_elsewhere_silences_nothing_and_is_idle() -> None:
    report = report_of(SPOT + "  replicas: 1\n# dynagen: allow DG415: too far away\n")
    assert codes(report) == [("warning", "DG415"), ("warning", "DG115")]


def test_a_comment_silences_its_own_rule_only() -> None:
    assert ("warning", "DG415") in codes(report_of(SPOT + "  replicas: 1  # dynagen: allow DG414: the wrong one\n"))


def test_strict_makes_warnings_errors() -> None:
    report = report_of(SPOT + "  replicas: 1\n", strict=True)
    assert codes(report) == [("error", "DG415")]
    assert report.failed


def test_a_silence_holds_under_strict_too() -> None:
    assert not report_of(SPOT + "  replicas: 1  # dynagen: allow DG415: a test\n", strict=True).failed
