"""The functions that rules of CRDs can call: cel_functions.txt holds what is true of them."""

from __future__ import annotations

import pytest

from dynagen.crd_rules import functions
from dynagen.crd_rules.compiling import compile_rule
from dynagen.language.cel import ExpressionError, RuleEnvironment
from dynagen.memory import Memory
from tests.crd_rules import EXPRESSIONS

ENVIRONMENT = RuleEnvironment(functions.call)


def evaluated(text: str) -> object:
    value: object = ENVIRONMENT.evaluate(
        ENVIRONMENT.load(compile_rule(text, False, Memory()).serialized), ENVIRONMENT.activate(None)
    )
    return value


@pytest.mark.parametrize("text", [text for text, is_error in EXPRESSIONS if not is_error])
def test_an_expression_is_true(text: str) -> None:
    assert evaluated(text) is True


@pytest.mark.parametrize("text", [text for text, is_error in EXPRESSIONS if is_error])
def test_an_expression_is_an_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluated(text)


def test_every_function_is_tried() -> None:
    tried = "\n".join(text for text, _ in EXPRESSIONS)
    assert [name for name in functions.NAMES if f"{name}(" not in tried] == []
