"""CEL's results as Python has them: values, and errors that are never taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from dynagen.language.cel import (
    Environment,
    ErrorValue,
    EvaluationError,
    ExpressionError,
    RuleEnvironment,
    compile_program,
    parse_rule,
)
from dynagen.memory import Memory

VALUES: dict[str, Any] = {"a": [1], "text": "INVALID_ARGUMENT: divide by zero"}
# Each is, or holds, what comes to an error.
ERRORS = [
    "1 / 0",
    "a[5]",
    "[1 / 0]",
    "[1, [2, [1 / 0]]]",
    "{'k': a[5]}",
    "{'k': [{'l': 1 / 0}]}",
    "a.map(x, x / 0)",
    "a.map(x, [x, {'k': x / 0}])",
    "a.filter(x, x / 0 == 1)",
    "string(1 / 0)",
    "[1 / 0].size()",
    "true ? [a[5]] : []",
]


def evaluate(text: str, values: dict[str, Any] = VALUES) -> Any:
    environment = Environment(frozenset(VALUES), Memory())
    return environment.evaluate(environment.load(compile_program(text).serialized), environment.activate(values))


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_is_no_value(text: str) -> None:
    with pytest.raises(ErrorValue):
        evaluate(text)


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_is_no_value_of_a_rule(text: str) -> None:
    rules = RuleEnvironment(lambda request: request)
    with pytest.raises(ExpressionError):
        rules.evaluate(
            rules.load(parse_rule(text.replace("a[", "self[").replace("a.", "self."), Memory())), rules.activate([1])
        )


def test_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(ErrorValue, match="text"):
        evaluate("text", {"a": [1]})


def test_a_text_that_reads_like_an_error_is_a_text() -> None:
    assert evaluate("[text, text + '!']") == [VALUES["text"], VALUES["text"] + "!"]


def test_an_error_of_what_does_not_count_is_none() -> None:
    assert evaluate("true || 1 / 0 == 1") is True
    assert evaluate("true ? 1 : 1 / 0") == 1


def test_what_python_cannot_hold_is_no_value() -> None:
    rules = RuleEnvironment(lambda request: request)
    for text in ("self.?b", "[self.?b]", "optional.of(1)"):
        with pytest.raises(ExpressionError, match="cannot be evaluated"):
            rules.evaluate(rules.load(parse_rule(text, Memory())), rules.activate({"a": 1}))


def test_cel_gives_up_without_a_value() -> None:
    with pytest.raises(EvaluationError, match="Iteration budget exceeded") as caught:
        evaluate("a.all(x, a.all(y, x == y))", {**VALUES, "a": [1] * 200})
    assert not isinstance(caught.value, ErrorValue)


def test_what_kubernetes_refuses_is_an_error_wherever_it_stands() -> None:
    def refuse(request: list[Any]) -> Any:
        raise ValueError("no such overload")

    rules = RuleEnvironment(refuse)
    for text in ("kubernetes(['sign'])", "[kubernetes(['sign'])]", "{'k': kubernetes(['sign'])}"):
        with pytest.raises(ExpressionError):
            rules.evaluate(rules.load(parse_rule(text, Memory())), rules.activate({}))
