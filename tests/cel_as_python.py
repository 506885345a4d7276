"""What Python says of shipped expressions and rules, held to what CEL says: of real values, changed ones and made ones.

`python -m tests.cel_as_python COUNT SEED` compares as often as it is told.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dynagen.compiled.reading import FOLDER, know_rules, open_store
from dynagen.compiler import Request, compile_profile
from dynagen.crd_rules import evaluating
from dynagen.crd_rules.programs import know_program
from dynagen.crd_rules.programs import program_of as rule_program
from dynagen.crd_rules.values import Literal
from dynagen.diagnostics import Report
from dynagen.language import scope
from dynagen.language.cel import Environment, EvaluationError, ExpressionError, program_of
from dynagen.language.python_programs import Names, evaluate
from dynagen.language.syntax_tree import expression, touches
from dynagen.memory import Memory
from dynagen.text.source import parse
from tests.conftest import ROOT

PROFILES = [*sorted((ROOT / "examples").glob("*.yaml")), *sorted((ROOT / "tests/cases/good").glob("*/profile.yaml"))]
JUNK: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 50, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64),
    *(0.0, -0.0, 1.0, 1.5, 0.1 + 0.2, 94.0, 93.99, 99.95, 1e6, 1e-5, 1e300, 2.0**53, float("inf"), float("nan")),
    *("", "a", "A", "b/c", "/", "é", "E\u0301", "\U00010000", "\uffff", "K", "\0", "a\0b", "\ud800", "10", "1", "true"),
    *("1ms", "10s", "1h30m", "0s", "-1s", "1us", "epp", "EPP", "main"),
    *([], [1], [True], [1.0], ["a"], [None], [[]], [{}], ["a", 1], list(range(60)), ["x"] * 150, (1,), b"x"),
    *(
        {},
        {"a": 1},
        {"a": None},
        {"name": "a"},
        {1: 2},
        {True: 1},
        {"": 0},
        {"\0": 1},
        {"é": {"a": [1]}},
        {"b": 1, "a": 2},
    ),
]


class Subject(NamedTuple):
    """A translated expression or rule: what it looks at, real values for it, and what CEL says."""

    text: str
    tree: Any
    paths: list[tuple[str | int, ...]]
    constants: list[Any]
    seen: list[dict[str, Any]]
    ask: Callable[[dict[str, Any], random.Random], tuple[Any, Any]]


def same(one: Any, other: Any) -> bool:
    """Equal in all types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return repr(one) == repr(other)


FAILED = object()


def ask_expression(text: str, memory: Memory) -> Callable[[dict[str, Any], random.Random], tuple[Any, Any]]:
    program = program_of(text, memory)

    def ask(values: dict[str, Any], _: random.Random) -> tuple[Any, Any]:
        environment = Environment(frozenset(values), memory)
        try:
            said = environment.evaluate(environment.load(program.serialized), environment.activate(values))
        except (EvaluationError, RuntimeError):  # values that CEL cannot be given
            said = FAILED
        return evaluate(program.tree, Names(values, {})), said

    return ask


def ask_rule(
    text: str, optional: bool, tree: Any, memory: Memory
) -> Callable[[dict[str, Any], random.Random], tuple[Any, Any]]:
    judge = evaluating._Judge(memory)

    def ask(values: dict[str, Any], chance: random.Random) -> tuple[Any, Any]:
        known = evaluate(["at", "self"], Names(values, {}))[0]  # others cannot be written into a rule
        found = dict(_literals(values["self"], chance)) if known and chance.random() < 0.3 else {}
        seen = evaluating._Scope(values["self"], (), found, judge)
        try:
            said = seen.evaluate(text, optional)
        except (ExpressionError, UnicodeError, OverflowError):
            said = FAILED
        return evaluate(tree, seen._names), said

    return ask


def _literals(value: Any, chance: random.Random, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, Literal]]:
    if isinstance(value, str) and chance.random() < 0.5:
        yield path, Literal("duration", chance.choice(["10s", "1m", "0s"]))
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _literals(inner, chance, (*path, key))


def constants(tree: Any) -> Iterator[Any]:
    if isinstance(tree, list):
        for each in tree[1:] if tree[0] != "at" else tree[2:]:
            yield from constants(each)
    else:
        yield tree


def subjects() -> list[Subject]:
    """All that ship translated."""
    expressions: dict[str, list[dict[str, Any]]] = {}
    rules: dict[tuple[str, bool], list[Any]] = {}
    memory, cel_alone = Memory(), Memory()
    texts: set[str] = set()
    keys: set[tuple[str, bool]] = set()
    for file in sorted(FOLDER.glob("*.json")):
        store = json.loads(file.read_bytes())
        if file.name.startswith("rules-"):
            know_rules(file.stem.removeprefix("rules-"), memory)
            keys |= {(text, optional) for text, optional, *_ in store["rules"]}
        elif "facts" not in file.name and "expressions" in store:
            open_store(file.stem.replace("-", "/", 1), memory)
            texts |= store["expressions"].keys()
    _collect(expressions, rules, texts)
    found = []
    for text in sorted(texts):
        if (program := program_of(text, memory)).tree is not None:
            paths = list(touches(expression(program.serialized)))
            said = list(constants(program.tree))
            found.append(
                Subject(text, program.tree, paths, said, expressions.get(text, []), ask_expression(text, memory))
            )
    for key in sorted(keys):
        rule = rule_program(*key, memory)
        if rule.tree is not None:
            know_program(rule._replace(tree=None), *key, cel_alone)
            paths = [path for path in rule.touches if path[0] == "self"]
            seen = [{"self": value} for value in rules.get(key, [])]
            found.append(
                Subject(
                    key[0], rule.tree, paths, list(constants(rule.tree)), seen, ask_rule(*key, rule.tree, cel_alone)
                )
            )
    return found


def _collect(
    expressions: dict[str, list[dict[str, Any]]], rules: dict[tuple[str, bool], list[Any]], texts: set[str]
) -> None:
    ask_scope, ask_rules = scope.Scope.evaluate_one, evaluating._Scope.evaluate

    def of_scope(self: scope.Scope, text: str) -> Any:
        if text in texts:
            names = {str(path[0]) for path in program_of(text, self.memory).reads}
            expressions.setdefault(text, []).append({name: self.values[name] for name in names if name in self.values})
        return ask_scope(self, text)

    def of_rules(self: Any, text: str, optional: bool) -> Any:
        if not self._earlier:
            rules.setdefault((text, optional), []).append(self._value)
        return ask_rules(self, text, optional)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scope.Scope, "evaluate_one", of_scope)
        patch.setattr(evaluating._Scope, "evaluate", of_rules)
        for file in PROFILES:
            report = Report()
            documents = parse(file.read_text("utf-8"), file.name, report)
            compile_profile(Request(documents, [], file.parent, Path.cwd()), report)


def trimmed(values: dict[str, Any], paths: list[tuple[str | int, ...]]) -> dict[str, Any]:
    """Without most of the facts, which CEL would copy each time."""
    wanted = {path[1] for path in paths if path[0] == "facts" and len(path) > 1}
    facts = {key: value for key, value in values.get("facts", {}).items() if key in wanted}
    return {**values, "facts": facts} if "facts" in values else values


def made(paths: list[tuple[str | int, ...]], pool: list[Any], chance: random.Random) -> dict[str, Any]:
    """A value at each place, some left out, some of another kind."""
    values: Any = {str(path[0]): {} for path in paths}
    for path in sorted(paths, key=len):
        path = path[:-1] if path[-1] == "?" and chance.random() < 0.5 else tuple(key for key in path if key != "?")
        if chance.random() < 0.9:
            values = _put(values, path, chance.choice(pool), chance)
    return values


def _put(value: Any, path: tuple[str | int, ...], leaf: Any, chance: random.Random) -> Any:
    if not path:
        return leaf
    key, rest = path[0], path[1:]
    if key == "*" or isinstance(key, int):
        items = value if isinstance(value, list) and value else [{} for _ in range(chance.randint(0, 3))]
        return [_put(item, rest, leaf if chance.random() < 0.5 else copy.copy(leaf), chance) for item in items]
    whole = dict(value) if isinstance(value, dict) else {}
    whole[key] = _put(whole.get(key), rest, leaf, chance)
    return whole


def mutated(value: Any, paths: list[tuple[str | int, ...]], pool: list[Any], chance: random.Random) -> Any:
    """With something else, or nothing, at a place that is looked at, or anywhere."""
    path = tuple(key for key in chance.choice(paths) if key != "?")[: chance.randint(1, 6)] if paths else ()
    if chance.random() < 0.3:
        path = ()
    return _changed(value, path, pool, chance, 0)


def _changed(value: Any, path: tuple[str | int, ...], pool: list[Any], chance: random.Random, depth: int) -> Any:
    if isinstance(value, dict) and value and (path or (depth < 4 and chance.random() < 0.8)):
        key = path[0] if path and path[0] in value else chance.choice(list(value))
        whole = dict(value)
        if depth and (len(path) < 2) and chance.random() < 0.4:
            del whole[key]
        else:
            whole[key] = _changed(value[key], path[1:], pool, chance, depth + 1)
        return whole
    if isinstance(value, list) and value and chance.random() < 0.8:
        index = chance.randrange(len(value))
        inner = _changed(value[index], path[1:], pool, chance, depth + 1)
        return [*value[:index], *([] if chance.random() < 0.2 else [inner]), *value[index + 1 :]]
    if isinstance(value, (bool, int)) and abs(value) < 2**64 and chance.random() < 0.4:
        return chance.choice([int(value), float(value), bool(value), str(value), value + 1])
    return chance.choice(pool) if depth else value


def compare(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """How it went, and what was wrong."""
    chance, went, wrong, all_ = random.Random(seed), Counter[str](), list[str](), subjects()
    left = {id(each): list(each.seen) for each in all_}
    used: set[str] = set()
    while sum(went.values()) < count:
        for each in all_:
            pool = JUNK if chance.random() < 0.3 or not each.constants else [*each.constants, *chance.sample(JUNK, 4)]
            if left[id(each)]:
                values = left[id(each)].pop()
            elif each.seen and chance.random() < 0.6:
                values = trimmed(chance.choice(each.seen), each.paths)
                for _ in range(chance.randint(1, 3)):
                    values = mutated(values, each.paths, pool, chance)
            else:
                values = made(each.paths, pool, chance)
            (done, value), said = each.ask(values, chance)
            if done and (said is FAILED or not same(value, said)):
                wrong.append(f"{each.text}\n of {values!r}\n is {value!r} to us and {said!r} to CEL")
            used |= {each.text} if done else set()
            went["the same" if done else "left to CEL, an error" if said is FAILED else "left to CEL, a value"] += 1
    went["programs"], went["programs that had a value"] = len(all_), len(used)
    return went, wrong


if __name__ == "__main__":
    went_, wrong_ = compare(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(went_), *wrong_[:20], sep="\n")
    sys.exit(bool(wrong_))
