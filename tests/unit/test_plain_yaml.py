"""Plain YAML is read as `exact_yaml.parse_exactly` reads it, without ruamel.yaml; all else is left to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynagen.diagnostics import Report
from dynagen.text import exact_yaml, plain_flow, source
from dynagen.text.plain_yaml import read_plain
from dynagen.text.scalars import parse_for_kubernetes
from tests.conftest import ROOT
from tests.plain_texts import agree, edited, plain_text

PROFILE = """\
# A profile.
apiVersion: dynagen.dev/v1alpha1
metadata: {name: demo, namespace: "ml"}
context: 32768   # what there is room for
overlays: [gke, ./team]
disagg:
  prefill: {replicas: 2, gpus: 1}
  decode:
    replicas: 2
env:
- name: A
  value: 'it''s'
- name: B
"""


def data_of(text: str) -> list[Any]:
    """What both readers make of a text."""
    assert agree(text)
    found = read_plain(text)
    assert found is not None
    return [data for data, _ in found]


def test_a_profile_is_read() -> None:
    assert data_of(PROFILE) == [
        {
            "apiVersion": "dynagen.dev/v1alpha1",
            "metadata": {"name": "demo", "namespace": "ml"},
            "context": 32768,
            "overlays": ["gke", "./team"],
            "disagg": {"prefill": {"replicas": 2, "gpus": 1}, "decode": {"replicas": 2}},
            "env": [{"name": "A", "value": "it's"}, {"name": "B"}],
        }
    ]


def test_marks_are_line_column_and_width_in_the_order_of_the_text() -> None:
    found = read_plain("---\na: 1\nbc:\n  - x\n  - {d: 2}\n  -\n  - - z\n")
    assert found == [
        (
            {"a": 1, "bc": ["x", {"d": 2}, None, ["z"]]},
            [2, 1, 0, 2, 1, 1, 3, 1, 2, 4, 5, 1, 5, 5, 1, 5, 6, 1, 6, 4, 0, 7, 5, 0, 7, 7, 1],
        )
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b", {"a": "b"}),
        ("a:\nb: ~\n", {"a": None, "b": None}),
        ("a: b c  # d\n\n  # e\nf: g#h\n", {"a": "b c", "f": "g#h"}),
        ("a: http://b/c?d=e\nf g: -1\n", {"a": "http://b/c?d=e", "f g": -1}),
        ('\'a: b\': "c\\n\\"\\\\n\\t"\n', {"a: b": 'c\n"\\n\t'}),
        ("a:\n- b\n- c: d\n  e:\n  - f\ng: h\n", {"a": ["b", {"c": "d", "e": ["f"]}], "g": "h"}),
        ("-   a: b\n    c: d\n- - --e\n  - f\n-\n  g\n", [{"a": "b", "c": "d"}, ["--e", "f"], "g"]),
        ("a: {b: [c, {d: 1.5}], e: []}\n", {"a": {"b": ["c", {"d": 1.5}], "e": []}}),
        ('{\n  "a": [  # b\n    1,\n    2,\n  ],\n}\n', {"a": [1, 2]}),
        ("a: |\n  b: c\n\n    d # e\n  \n# f\ng: |-\n h\n\n\n", {"a": "b: c\n\n  d # e\n", "g": "h"}),
        ("a: '{{ b }}'\nc: ${d ? e :f}\n", {"a": "{{ b }}", "c": "${d ? e :f}"}),
    ],
)
def test_what_people_write_is_read(text: str, expected: Any) -> None:
    assert data_of(text) == [expected]


def test_documents_are_read() -> None:
    assert data_of("# a\n---\nb: c\n---  # d\n- e\n---\nf\n") == [{"b": "c"}, ["e"], "f"]


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "# a\n", "---\n", "a: b\n---\n", "---\n---\na: b\n",  # nothing, which has a position of its own
        "a:\tb\n", "a: b\r\n", "\ufeffa: b\n", "a: \x00\n", "a: \x85\n", "a: \u2028\n", "a: \xa0\n", "a: \ud800\n",
        "a: &b c\n", "a: *b\n", "a: !b c\n", "<<: {a: b}\n", "%YAML 1.1\n---\na: b\n", "? a\n: b\n", "a: b\n...\n", "...\n",
        "a: b\n  c\n", "a: 'b\n  c'\n", 'a: "b\n  c"\n', "a: [b\n  c]\n", "- a\n b\n", "a\nb\n",
        "a: >\n  b\n", "a: |+\n  b\n", "a: |2\n  b\n", "a: | # b\n  c\n", "a: |\nb: c\n", "a: |\n\n  b\n", "a: |\n  b", "|\n a\n",
        "a: b\na: c\n", "{a: b, a: c}\n", "1: a\n", "~: a\n", "[a]: b\n", "{a: b}: c\n", "on: a\n",
        "a: yes\n", "a: 0755\n", "a: 1e3\n", "a: 2024-01-01\n", "a: 12:30:45\n",
        "a: b: c\n", "a: b:\n", "a : b\n", "a: b\nc:d\n", "a: - b\n", "a: {b}\n", "a: {b:c}\n", "a: [b: c]\n", "a: [b, , c]\n", "a: {b: }\n",
        "a: [b\n", "a: b]\n  c: d\n", "a: {b: c} d\n", "a: [b]#c\n", "a: 'b'#c\n", "a: 'b'c\n", 'a: "\\x41"\n', "a: {b: c,,}\n",
        "a: @b\n", "a: `b`\n", "a: %b\n", "a: ,b\n", "a: ]b\n", "a: :b\n", "a: ?b\n", "---a: b\n", "--- a\n", "a: {{ b }}\n",
        "a:\n    b: c\n  d: e\n", "a:\n  - b\n - c\n", "a: b\n- c\n", "- a\nb: c\n", " a: b\nc: d\n",
        "a: 'b'  # dynagen: allow DG415: for a test\n", "a: dynagen:\n", f"{'a' * 1001}: b\n",
    ],
)  # fmt: skip
def test_all_else_is_declined(text: str) -> None:
    assert read_plain(text) is None


def test_what_is_large_or_deep_is_declined_before_it_is_too_much() -> None:
    assert plain_flow.MAX_DEPTH < exact_yaml.MAX_DEPTH and 2 * plain_flow.MAX_MARKED < exact_yaml.MAX_VALUES
    assert read_plain("- " * 40 + "a\n") and not read_plain("- " * 41 + "a\n")
    assert read_plain("[" * 40 + "]" * 40) and not read_plain("[" * 41 + "]" * 41)
    assert read_plain("- a\n" * 23_999) and not read_plain("- a\n" * 24_000)
    assert not read_plain("a\n" + "---\nb\n" * 24_001)
    for opening in "[{\"'|- :#a,\n":
        read_plain(opening * (source.MAX_BYTES // 4))


@pytest.mark.parametrize("text", ["{}: a\n", "- {{a: b, {}: c}}\n", "- a\n- b: c\n  {}: d\n"])
@pytest.mark.parametrize("key", ["a" * 1000, f"'{'a' * 998}'"])
def test_keys_may_be_long(text: str, key: str) -> None:
    assert agree(text.format(key))
    assert read_plain(text.format(key[0] + key)) is None


def test_another_meaning_of_plain_scalars_can_be_given() -> None:
    assert read_plain("mode: 0644\n") is None
    found = read_plain("mode: 0644\n", parse_for_kubernetes)
    assert found and found[0][0] == {"mode": 420}
    assert read_plain("1: a\n", parse_for_kubernetes) is None


def shipped() -> list[Path]:
    folders = ("base", "overlays", "examples", "tests/cases", "out")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.yaml"))


@pytest.mark.slow
def test_what_ships_is_plain_and_read_alike() -> None:
    declined = {path for path in shipped() if not agree(path.read_bytes().decode("utf-8", "replace"))}
    assert len(declined) < len(shipped()) / 10
    assert not [path for path in declined if path.parent == ROOT / "examples"]
    # Names of metrics look like comments that silence a rule.
    assert not [path for path in declined if path.is_relative_to(ROOT / "out") and "dynagen:" not in path.read_text()]


def test_ruamel_is_not_imported() -> None:
    script = "import sys; from dynagen.text.plain_yaml import read_plain; read_plain('a: [b]'); print('ruamel' in str(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"


@given(st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_plain_texts_are_read_alike_or_declined(random: Random) -> None:
    agree(plain_text(random))


@given(st.sampled_from(shipped()), st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_what_ships_is_read_alike_with_slips_of_the_hand(path: Path, random: Random) -> None:
    agree(edited(path.read_bytes().decode("utf-8", "replace"), random))


def test_the_texts_that_are_tried_are_plain_and_are_not() -> None:
    plain = sum(agree(plain_text(Random(seed))) for seed in range(300))
    assert 100 < plain < 270


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("a: 1   # dynagen: allow DG415: one is enough\nb: [x]\n", True),
        ("# dynagen: allow DG415: one is enough\na: 1\n", True),
        ("a: 'it''s'\n# dynagen: allow DG415: one is enough\nb: \"x\"\n", True),
        ("a: 1   # dynagen: allow DG41: no such rule\n", True),
        ("a: 'x # dynagen: allow DG415: in a text'\n", False),
        ("a: |\n  x  # dynagen: allow DG415: in a text\n", False),
        ("a: x# dynagen: allow DG415: in a text\n", False),
        ('a: "x\n  # dynagen: allow DG415: in a text"\n', False),
    ],
)
def test_comments_for_dynagen_are_read_alike(text: str, is_plain: bool) -> None:
    assert (read_plain(text) is not None) == is_plain
    one, other = Report(), Report()
    found, expected = source.parse(text, "a.yaml", one), exact_yaml.parse_exactly(text, "a.yaml", other, False)
    assert [each.data for each in found] == [each.data for each in expected]
    assert vars(one) == vars(other)
