"""Expressions that Python evaluates itself: CEL's value and type, or none."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dynagen.compiled import reading, writing
from dynagen.language.cel import Environment, EvaluationError, compile_program
from dynagen.language.python_programs import Names, evaluate
from dynagen.language.syntax_tree import expression
from dynagen.language.translation import translated
from dynagen.memory import Memory
from tests import cel_as_python
from tests.cel_as_python import FAILED, JUNK, same
from tests.conftest import ROOT


def by_both(text: str, **values: Any) -> tuple[bool, Any, Any]:
    """Whether Python has a value, the value, and CEL's."""
    program = compile_program(text)
    tree = translated(expression(program.serialized))
    assert tree is not None, text
    environment = Environment(frozenset(values), Memory())
    try:
        value = environment.evaluate(environment.load(program.serialized), environment.activate(values))
    except (EvaluationError, RuntimeError):
        value = FAILED
    return (*evaluate(tree, Names(values, {})), value)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("a == b", {"a": True, "b": 1}, False),
        ("a == b", {"a": 0, "b": False}, False),
        ("a == b", {"a": 1, "b": 1.0}, True),
        ("a == b", {"a": [True], "b": [1]}, False),
        ("a == b", {"a": {"x": 1}, "b": {"x": True}}, False),
        ("a == b", {"a": {"x": 1, "y": 2}, "b": {"y": 2.0, "x": 1}}, True),
        ("a != null", {"a": False}, True),
        ("a in b", {"a": 1, "b": [True, "1"]}, False),
        ("a in b", {"a": 1, "b": [1.0]}, True),
        ("a in b", {"a": None, "b": ["x", None]}, True),
        ("a in b", {"a": "x", "b": {"x": None}}, True),
        ("has(a.x)", {"a": {"x": None}}, True),
        ("has(a.x) ? a.x : 1", {"a": {}}, 1),
        ("a < b", {"a": "\uffff", "b": "\U00010000"}, True),
        ("a < 94.0", {"a": 93}, True),
        ("a >= b", {"a": 2, "b": 2}, True),
        ("a + b", {"a": "x", "b": "y"}, "xy"),
        ("a + b", {"a": [1], "b": ["y"]}, [1, "y"]),
        ("a + b", {"a": 2, "b": -3}, -1),
        ("size(a)", {"a": "e\u0301\U00010000"}, 3),
        ("a.size()", {"a": {"x": 1}}, 1),
        ("string(a)", {"a": 99.95}, "99.95"),
        ("string(a)", {"a": 99.0}, "99"),
        ("string(a)", {"a": True}, "true"),
        ("string(a)", {"a": -7}, "-7"),
        ("a.split('/')", {"a": "/x/"}, ["", "x", ""]),
        ("a.split('/')", {"a": ""}, [""]),
        ("a.replace('aa', '-')", {"a": "aaa"}, "-a"),
        ("a.lowerAscii()", {"a": "ÀB"[1:]}, "b"),
        ("a.contains('') || a.startsWith('x')", {"a": "xy"}, None),
        ("a.endsWith('y') && !a.startsWith('y')", {"a": "xy"}, True),
        ("{'b': 1, a: [2]}", {"a": "a"}, {"b": 1, "a": [2]}),
        ("a.filter(x, x.n > 1).map(x, x.n)", {"a": [{"n": 1}, {"n": 2}]}, [2]),
        ("a.map(x, x > 1, x + 1)", {"a": [1, 2, 3]}, [3, 4]),
        ("a.exists_one(x, x == 1)", {"a": [1, True, 1.0]}, False),
        ("a.all(x, a.exists(y, y == x))", {"a": [1, 2]}, True),
        ("a.all(x, x.contains('b'))", {"a": {"ab": 1, "b": 2}}, True),
        ("dyn(a)[1]", {"a": [1, "x"]}, "x"),
        ("duration(a) >= duration('1ms')", {"a": "1h"}, True),
        ("-9223372036854775808 < a && 1.5 > 0.5 && 'q\\n' != \"\"", {"a": 0}, True),
    ],
)
def test_values_are_those_of_cel(text: str, values: dict[str, Any], expected: Any) -> None:
    done, value, said = by_both(text, **values)
    assert done == (expected is not None)
    assert not done or (same(value, said) and same(value, expected))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.x", {"a": {}}),
        ("a.x", {"a": {"x": 1, 2: 3}}),  # CEL reads all of a variable
        ("a.x", {"a": {"x": 1, "y": 2**64}}),
        ("a", {"a": "cut\0here"}),
        ("a", {"a": "\ud800"}),
        ("a", {"a": (1,)}),
        ("a", {"a": float("nan")}),
        ("a[0]", {"a": {"x": 1}}),
        ("a[b]", {"a": [1], "b": -1}),
        ("a[b]", {"a": [1], "b": True}),
        ("has(a.x)", {"a": []}),
        ("a && true", {"a": 1}),
        ("a || true", {"a": None}),  # CEL forgives it
        ("a.x || true", {"a": {}}),
        ("!a", {"a": 0}),
        ("a ? 1 : 2", {"a": 1}),
        ("a < b", {"a": 1, "b": "x"}),
        ("a < b", {"a": 2**53 + 1, "b": 2.0**53}),
        ("a == b", {"a": 2**53 + 1, "b": 2.0**53}),
        ("a + 1", {"a": 2**63 - 1}),
        ("a + 1.0", {"a": 1}),
        ("a + b", {"a": True, "b": True}),
        ("a in 'xyz'", {"a": "x"}),
        ("a in b", {"a": 1, "b": {"x": 1}}),
        ("size(a)", {"a": None}),
        ("string(a)", {"a": None}),
        ("string(a)", {"a": 1e6}),
        ("string(a)", {"a": 0.1 + 0.2}),
        ("string(a)", {"a": -0.0}),
        ("a.split('')", {"a": "xy"}),
        ("a.replace('', '-')", {"a": "xy"}),
        ("a.lowerAscii()", {"a": "ÀB"}),
        ("{a: 1, b: 2}", {"a": "x", "b": "x"}),
        ("{a: 1}", {"a": 1}),
        ("a.map(x, x)", {"a": {"z": 1, "b": 2}}),  # a map of CEL has no order
        ("a.filter(x, a.filter(y, x == y).size() == 1)", {"a": list(range(100))}),  # CEL gives up
        ("duration(a) == duration('1d')", {"a": "1s"}),
    ],
)
def test_what_is_not_certain_is_left_to_cel(text: str, values: dict[str, Any]) -> None:
    assert not by_both(text, **values)[0]


@pytest.mark.parametrize("text", ["a.matches('^x$')", "a * 2", "1u", "b'x'", "a.split('/', 2)", "int(a)", "null"])
def test_what_is_not_on_the_list_is_not_translated(text: str) -> None:
    assert translated(expression(compile_program(text).serialized)) is None


OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "+", "in", "&&", "||"]
TEXTS = [
    *(f"a {operator} b" for operator in OPERATORS),
    *(
        "a[b]",
        "a ? b : 1",
        "[a, {'k': b}]",
        "{a: b}",
        "a.contains(b)",
        "a.startsWith(b)",
        "a.endsWith(b)",
        "a.split(b)",
    ),
    *(
        "a.replace(b, 'x')",
        "b.replace('a', a)",
        "size(a) == b",
        "string(a)",
        "!a",
        "a.all(x, x == b)",
        "a.map(x, [x, b])",
    ),
    *("a.exists(x, x < b)", "a.filter(x, has(x.name))", "has(a.a) && a.a == b", "a.lowerAscii() == b"),
]


@pytest.mark.slow
def test_any_values_of_any_operator() -> None:
    pairs = list(itertools.product(JUNK, JUNK))
    for text in TEXTS:
        for a, b in random.Random(text).sample(pairs, 40):
            done, value, said = by_both(text, a=a, b=b)
            assert not done or (said is not FAILED and same(value, said)), (text, a, b, value, said)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for module in (reading, writing, cel_as_python):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    writing.write_all()
    return tmp_path


@pytest.mark.slow
def test_shipped_expressions_and_rules(store: Path) -> None:
    went, wrong = cel_as_python.compare(3000, seed=1)
    assert not wrong, wrong[:3]
    assert went["programs that had a value"] > 0.9 * went["programs"] > 200
    assert went["the same"] > 1000


def test_examples_need_no_cel(store: Path) -> None:
    code = f"""
import pathlib, sys
from dynagen.compiled import reading
reading.FOLDER = pathlib.Path({str(store)!r})
from dynagen.commands._group import dynagen
dynagen(["check", *sys.argv[1:]], standalone_mode=False)
assert "cel_expr_python" not in sys.modules
"""
    examples = sorted(map(str, (ROOT / "examples").glob("*.yaml")))
    subprocess.run([sys.executable, "-c", code, *examples], check=True, capture_output=True)
