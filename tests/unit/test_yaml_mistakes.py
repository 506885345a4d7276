"""What is no YAML is shown where it was written, with a way out that works."""

from __future__ import annotations

import pytest

from dynagen.diagnostics import Report
from dynagen.text.source import parse

CASES = [
    # what is written, line and column of the mistake, a part of the hint, what the hint leads to
    ("a: 1\nmodel:Qwen/x\nb: 2\n", (2, 1), "a space after the colon: 'model: ...'", "a: 1\nmodel: Qwen/x\nb: 2\n"),
    ("a: 1\nmodel\nb: 2\n", (2, 1), "a key has a colon", "a: 1\nmodel: x\nb: 2\n"),
    ('a: 1\nkind: "Profile\nb: 2\nc: 3\n', (2, 7), "close it", 'a: 1\nkind: "Profile"\nb: 2\nc: 3\n'),
    ("a: 1\nkind: 'Profile\nb: 2\n", (2, 7), "close it", "a: 1\nkind: 'Profile'\nb: 2\n"),
    ("metadata: {name: a\nkind: b\n", (1, 11), "line 2 is still inside", "metadata: {name: a}\nkind: b\n"),
    ("a: [1, 2\nb: 3\n", (1, 4), "line 2 is still inside", "a: [1, 2]\nb: 3\n"),
    ("a: {b: 1 c: 2}\n", (1, 11), "a comma is missing", "a: {b: 1, c: 2}\n"),
    ("a: 1\n  b: 2\n", (2, 4), "indent it as the keys beside it", "a: 1\nb: 2\n"),
    ("a: b: c\n", (1, 5), "needs quotes", "a: 'b: c'\n"),
    ("a:\n  b: 1\n c: 2\n", (3, 2), "indent it as the keys", "a:\n  b: 1\n  c: 2\n"),
    ("- a\nb: c\n", (2, 1), "indent it as the keys or items", "- a\n- b: c\n"),
    ("a: - b\n", (1, 4), "a list begins on the next line", "a:\n- b\n"),
    ("a: @b\n", (1, 4), "begins with '@' needs quotes", "a: '@b'\n"),
    ("a: `b`\n", (1, 4), "begins with '`' needs quotes", "a: '`b`'\n"),
    ("a: *\n", (1, 5), "begins with '*' needs quotes", "a: '*'\n"),
    ("a: 'it's'\n", (1, 8), "ends with it", "a: 'it''s'\n"),
    ('a: "C:\\path"\n', (1, 8), "single quotes", "a: 'C:\\path'\n"),
]


@pytest.mark.parametrize(("text", "place", "hint", "mended"), CASES)
def test_a_mistake_of_yaml_has_its_place_and_its_way_out(text, place, hint, mended) -> None:  # type: ignore[no-untyped-def]
    report = Report()
    assert not parse(text, "a.yaml", report)
    (found,) = report.diagnostics
    assert found.code == "DG104" and hint in found.hint, found
    assert (found.at.line, found.at.column) == place
    report = Report()
    assert parse(mended, "a.yaml", report) and not report.diagnostics
