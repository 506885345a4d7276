"""Expressions: found in scalars, evaluated, and exact about what they read."""

from __future__ import annotations

from typing import Any

import pytest

from dynagen.language.scope import ExpressionError, Scope, evaluate_rule
from dynagen.language.template import Template, parse_template
from dynagen.memory import Memory

SCOPE = Scope(
    {
        "metadata": {"name": "chat", "namespace": "inference"},
        "workers": [{"name": "prefill", "gpus": 1, "spot": True}, {"name": "decode", "gpus": 4, "spot": False}],
        "labels": {"zone": "b", "app": "a"},
        "cache": None,
    },
    Memory(),
)


def evaluate(text: str, scope: Scope = SCOPE) -> Any:
    template = parse_template(text)
    assert isinstance(template, Template)
    return scope.evaluate(template)


def test_a_scalar_that_is_one_expression_keeps_its_type() -> None:
    assert evaluate("${workers[1].gpus}")[0] == 4
    assert evaluate("${workers[1].spot}")[0] is False
    assert evaluate("${cache}")[0] is None
    assert evaluate("${labels}")[0] == {"zone": "b", "app": "a"}


def test_a_map_that_is_only_looked_up_keeps_its_order_and_a_computed_one_is_sorted() -> None:
    assert list(evaluate("${labels}")[0]) == ["zone", "app"]
    assert list(evaluate("${{'b': 1, 'a': 2}}")[0]) == ["a", "b"]


def test_in_a_longer_text_values_are_written_out() -> None:
    assert evaluate("${metadata.name}-${workers[0].gpus}-${workers[0].spot}")[0] == "chat-1-true"


def test_an_escaped_expression_is_a_text() -> None:
    assert parse_template("a $${b} $c ${'$${'}") == Template(((False, "a ${b} $c "), (True, "'$${'")))
    assert parse_template("$${b}") == "${b}"
    assert parse_template("$b") == "$b"


def test_braces_inside_of_strings_and_maps_do_not_end_an_expression() -> None:
    assert evaluate("${'}' + \"}\" + '\\'}'}")[0] == "}}'}"
    assert evaluate("${{'a': {'b': 1}}.a.b}")[0] == 1


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("${metadata.name}", {("metadata", "name")}),
        ("${metadata.name + '-' + metadata.namespace}", {("metadata", "name"), ("metadata", "namespace")}),
        ("${workers[1].gpus > 2 ? metadata.name : 'x'}", {("workers", 1, "gpus"), ("metadata", "name")}),
        ("${workers.filter(w, w.spot).map(w, w.name + metadata.name)}", {("workers",), ("metadata", "name")}),
        ("${labels['app'] + labels.zone}", {("labels", "app"), ("labels", "zone")}),
        ("${has(metadata.foo) ? 1 : 2}", {("metadata",)}),
        ("${[1, 2].map(x, x * 2)}", set()),
        ("${{'k': labels.app}}", {("labels", "app")}),
        ("a${labels.app}b${labels.zone}", {("labels", "app"), ("labels", "zone")}),
    ],
)
def test_what_an_expression_reads_is_known(text: str, reads: set[tuple[str | int, ...]]) -> None:
    assert set(evaluate(text)[1]) == reads


def test_a_loop_variable_stands_for_the_place_it_came_from() -> None:
    worker = SCOPE.values["workers"][1]
    inner = Scope({"worker": worker}, Memory(), SCOPE, {"worker": SCOPE.paths_of([worker], (("workers",),))[0]})
    assert evaluate("${worker.name}", inner) == ("decode", (("workers", 1, "name"),))


@pytest.mark.parametrize(
    ("text", "code", "words", "hint"),
    [
        ("${metadata.nmae}", "DG308", "no key 'nmae' in 'metadata'", "did you mean 'name'?"),
        ("${metadata.nmae + 'x'}", "DG308", "no key 'nmae' in 'metadata'", "did you mean 'name'?"),
        ("${metdata.name}", "DG307", "unknown name 'metdata'", "did you mean 'metadata'?"),
        ("${metadata.name +}", "DG306", "Syntax error", ""),
        ("${metadata.name.x}", "DG308", "'metadata.name' has no keys", ""),
        ("${metadata.name + 1}", "DG308", "No matching overloads", ""),
        ("${1 + 'a'}", "DG308", "No matching overloads", ""),
        ("${frobnicate(1)}", "DG308", "frobnicate", ""),
        ("${workers[7].name + 'x'}", "DG308", "workers", ""),
        ("x${labels}", "DG308", "'labels' is a map, which cannot stand inside a text", ""),
        ("x${cache}", "DG308", "'cache' is null, which cannot stand inside a text", ""),
        ("${1 / 0}", "DG308", "divide by zero", ""),
    ],
)
def test_a_wrong_expression_says_what_is_wrong(text: str, code: str, words: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert caught.value.code == code
    assert words in caught.value.message
    assert hint in caught.value.hint


def test_an_unclosed_expression_is_refused() -> None:
    with pytest.raises(ExpressionError, match="without its"):
        parse_template("a ${b")


def test_rules_see_self() -> None:
    assert evaluate_rule("has(self.a) != has(self.b)", {"a": 1}, Memory()) is True
    assert evaluate_rule("self.a > 1", {"a": 1}, Memory()) is False
    with pytest.raises(ExpressionError, match="no key 'b'"):
        evaluate_rule("self.b > 1", {"a": 1}, Memory())
    with pytest.raises(ExpressionError, match="not a boolean"):
        evaluate_rule("self.a", {"a": 1}, Memory())


def test_many_nulls_do_not_bring_down_the_interpreter() -> None:
    """A reference to None is lost with every null that CEL returns: on Python 3.11 that used to end in an abort."""
    import subprocess
    import sys

    program = """
from dynagen.language.scope import Scope
from dynagen.language.template import Template
from dynagen.memory import Memory
memory = Memory()
for number in range(300):
    scope = Scope({"a": None, "b": {"c": None}}, memory)
    for text in ("a == null ? null : 1", "b.c == null ? [null, a] : []"):
        scope.evaluate(Template(((True, text),)))
for number in range(20000):
    scope.evaluate(Template(((True, "a == null ? null : 1"),)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_that_cel_cannot_put_into_words_is_an_error_all_the_same() -> None:
    """Its words are cut in the middle of a character."""
    with pytest.raises(ExpressionError) as error:
        evaluate("${'%" + "\N{REPLACEMENT CHARACTER}" * 99 + "s'.format([1])}")
    assert error.value.code == "DG308"
