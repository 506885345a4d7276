"""Rules of CRDs as an API server evaluates them: defaults, types, names, places, earlier objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dynagen.crd_rules.compiling import compile_rule
from dynagen.crd_rules.evaluating import Rules
from dynagen.crd_rules.rule_nodes import RULES, escaped, rule_node_of
from dynagen.crd_rules.soundness import rules_problem
from dynagen.language.cel import ExpressionError
from dynagen.memory import Memory
from dynagen.schema.conformance import Source, read_source
from dynagen.text.paths import SCHEMAS
from tests.crd_rules import Finding, ours, rules_of

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def thing(properties: dict[str, Any], *rules: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    """The schema of a kind; each rule is its own message."""
    validations = [{"rule": rule, "message": rule} if isinstance(rule, str) else rule for rule in rules]
    return {"type": "object", "properties": properties, "x-kubernetes-validations": validations, **more}


def broken(schema: dict[str, Any], value: Any, earlier: Any = None) -> list[str]:
    return [message for _, message in ours(schema, value, earlier)]


# Each is a schema, an object, the object before it, and what is found; tests/test_crd_rules.py asks Kubernetes' own code.
EXAMPLES: dict[str, tuple[dict[str, Any], Any, Any, list[Finding]]] = {
    "a rule holds": (thing({"a": NUMBER}, "self.a > 1"), {"a": 2}, None, []),
    "a rule does not hold": (thing({"a": NUMBER}, "self.a > 1"), {"a": 1}, None, [("", "self.a > 1")]),
    "a rule that cannot be evaluated": (thing({"a": NUMBER}, "self.a > 1"), {}, None, [("", "! self.a > 1")]),
    "a default counts": (thing({"a": {"type": "integer", "default": 5}}, "has(self.a) && self.a == 5"), {}, None, []),
    "a default brings defaults": (
        thing({"a": {"type": "object", "default": {}, "properties": {"b": {"type": "string", "default": "x"}}}},
              "self.a.b == 'x'"),
        {}, None, [],
    ),
    "a rule below a default": (
        {"type": "object", "properties": {"a": {"default": {}, **thing({"b": NUMBER}, "has(self.b)")}}},
        {}, None, [("a", "has(self.b)")],
    ),
    "null is absent": (
        thing({"a": {"type": "integer", "nullable": True}}, "has(self.a)"), {"a": None}, None, [("", "has(self.a)")],
    ),
    "reserved names are escaped": (
        thing({"namespace": TEXT, "a-b": TEXT, "c.d/e": TEXT, "__x": TEXT},
              "self.__namespace__ == 'n' && self.a__dash__b == 'm' && self.c__dot__d__slash__e == 'o'"
              " && self.__underscores__x == 'p'"),
        {"namespace": "n", "a-b": "m", "c.d/e": "o", "__x": "p"}, None, [],
    ),
    "keys of maps are not": (
        thing({"m": {"type": "object", "additionalProperties": TEXT}}, "'a-b' in self.m && self.m['a-b'] == 'x'"),
        {"m": {"a-b": "x"}}, None, [],
    ),
    "values of maps and items of lists": (
        {"type": "object", "properties": {
            "m": {"type": "object", "additionalProperties": {**TEXT, "x-kubernetes-validations": [{"rule": "self != ''"}]}},
            "l": {"type": "array", "items": {**NUMBER, "x-kubernetes-validations": [{"rule": "self > 0", "message": "more"}]}},
        }},
        {"m": {"k": ""}, "l": [1, 0]}, None, [("l.1", "more"), ("m.k", "self != ''")],
    ),
    "whole numbers can be numbers": (
        thing({"f": {"type": "number"}, "i": NUMBER}, "type(self.f) == double && type(self.i) == int"), {"f": 1, "i": 1}, None, [],
    ),
    "integers or strings": (
        thing({"a": {"x-kubernetes-int-or-string": True}}, "type(self.a) == int ? self.a < 5 : self.a == '50%'"),
        {"a": "50%"}, None, [],
    ),
    "durations": (
        thing({"a": {**TEXT, "format": "duration"}, "b": {**TEXT, "format": "duration"}}, "self.a <= self.b", "has(self.a)",
              "self.b < duration('1h')", "self.b.getMinutes() == 2880"),
        {"a": "90s", "b": "2d"}, None, [("", "self.b < duration('1h')")],
    ),
    "durations in lists": (
        thing({"l": {"type": "array", "items": {**TEXT, "format": "duration"}}}, "self.l.all(d, d < duration('1m'))",
              "self.l[0] == duration('1s')", "size(self.l) == 2"),
        {"l": ["1s", "1h"]}, None, [("", "self.l.all(d, d < duration('1m'))")],
    ),
    "times, dates and bytes": (
        thing({"t": {**TEXT, "format": "date-time"}, "d": {**TEXT, "format": "date"}, "b": {**TEXT, "format": "byte"}},
              "self.t > self.d", "self.t.getFullYear() == 2026", "self.b == b'hello'", "self.d == timestamp('2025-01-01T00:00:00Z')"),
        {"t": "2026-01-02T03:04:05.25Z", "d": "2025-01-01", "b": "aGVsbG8="}, None, [],
    ),
    "unknown fields are kept and counted": (
        {**thing({"a": TEXT}, "self.a == 'x'", "size(dyn(self)) == 2"), "x-kubernetes-preserve-unknown-fields": True},
        {"a": "x", "b": {"c": 2**70}}, None, [],
    ),
    "an embedded object": (
        {"type": "object", "properties": {"o": {
            "type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True,
            "x-kubernetes-validations": [{"rule": "self.kind == 'Pod' && self.metadata.name == 'n'", "message": "no"}],
        }}},
        {"o": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "m", "labels": {"a": "b"}}, "spec": {}}}, None,
        [("o", "no")],
    ),
    "the root's own fields": (
        thing({"metadata": {"type": "object"}, "apiVersion": TEXT, "kind": TEXT}, "self.kind + self.metadata.name == 'Ab'"),
        {"apiVersion": "v1", "kind": "A", "metadata": {"name": "b"}}, None, [],
    ),
    "the field that a rule speaks of": (
        thing({"a": {"type": "object", "properties": {"x.y": TEXT}}},
              {"rule": "has(self.a)", "message": "m", "fieldPath": ".a"},
              {"rule": "false", "message": "n", "fieldPath": ".a['x.y']"}),
        {}, None, [("a", "m"), ("a.x.y", "n")],
    ),
    "a message with values in it": (
        thing({"a": NUMBER}, {"rule": "self.a > 1", "message": "no", "messageExpression": "'not %d'.format([self.a])"}),
        {"a": 1}, None, [("", "not 1")],
    ),
    "a message that cannot be made": (
        thing({"a": NUMBER, "b": TEXT}, {"rule": "self.a > 1", "message": "no", "messageExpression": "self.b"}),
        {"a": 1}, None, [("", "no")],
    ),
    "without an earlier object nothing is compared": (thing({"a": NUMBER}, "self.a == oldSelf.a"), {"a": 1}, None, []),
    "a field must stay": (
        thing({"a": NUMBER}, "self.a == oldSelf.a"), {"a": 1}, {"a": 2}, [("", "self.a == oldSelf.a")],
    ),
    "an optional earlier object": (
        thing({"a": NUMBER}, {"rule": "oldSelf.hasValue() || !has(self.a)", "message": "late", "optionalOldSelf": True}),
        {"a": 1}, None, [("", "late")],
    ),
    "an optional earlier object that is there": (
        thing({"a": NUMBER}, {"rule": "oldSelf.hasValue() && oldSelf.value().a == 2", "message": "m", "optionalOldSelf": True}),
        {"a": 1}, {"a": 2}, [],
    ),
    "items with keys have earlier ones": (
        {"type": "object", "properties": {"l": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": thing({"k": TEXT, "v": NUMBER}, "self.v >= oldSelf.v"),
        }}},
        {"l": [{"k": "b", "v": 1}, {"k": "a", "v": 5}, {"k": "c", "v": 0}]}, {"l": [{"k": "a", "v": 4}, {"k": "b", "v": 2}]},
        [("l.0", "self.v >= oldSelf.v")],
    ),
    "items without keys have none": (
        {"type": "object", "properties": {"l": {"type": "array", "items": {**NUMBER, "x-kubernetes-validations": [
            {"rule": "self == oldSelf"}]}}}},
        {"l": [1]}, {"l": [2]}, [],
    ),
    "the order of items with keys means nothing": (
        thing({"l": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": TEXT}},
        }, "s": {"type": "array", "x-kubernetes-list-type": "set", "items": TEXT}}, "self == oldSelf"),
        {"l": [{"k": "a"}, {"k": "b"}], "s": ["x", "y"]}, {"l": [{"k": "b"}, {"k": "a"}], "s": ["y", "x"]}, [],
    ),
    "durations of an earlier object": (
        thing({"a": {**TEXT, "format": "duration"}}, "self.a >= oldSelf.a",
              {"rule": "!oldSelf.hasValue() || oldSelf.value().a < self.a", "message": "m", "optionalOldSelf": True}),
        {"a": "1m"}, {"a": "90s"}, [("", "m"), ("", "self.a >= oldSelf.a")],
    ),
    "rules of allOf": (
        thing({"a": NUMBER}, "true", allOf=[{"x-kubernetes-validations": [{"rule": "self.a > 1", "message": "more"}]},
              {"properties": {"a": {"x-kubernetes-validations": [{"rule": "self > 2", "message": "yet more"}]}}}]),
        {"a": 1}, None, [("", "more"), ("a", "yet more")],
    ),
    "rules of allOf alone do not count": (
        {"type": "object", "properties": {"a": NUMBER}, "allOf": [{"x-kubernetes-validations": [{"rule": "false"}]}]},
        {"a": 1}, None, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_rules_are_evaluated(name: str) -> None:
    schema, value, earlier, found = EXAMPLES[name]
    assert ours(schema, value, earlier) == found


@pytest.mark.parametrize(
    ("name", "in_rules"),
    [
        ("a", "a"), ("namespace", "__namespace__"), ("a-b", "a__dash__b"), ("a.b", "a__dot__b"), ("a/b", "a__slash__b"),
        ("a__b", "a__underscores__b"), ("a___b", "a__underscores___b"), ("1a", None), ("a b", None), ("in", "__in__"), ("", None),
    ],
)  # fmt: skip
def test_names_of_fields_are_escaped(name: str, in_rules: str | None) -> None:
    assert escaped(name) == in_rules


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sefl.a == 1", "unknown name 'sefl' in 'sefl.a == 1'"),
        ("math.greatest(1, 2) == 2", "unknown function 'greatest'"),
        ("self.a.frobnicate()", "unknown function 'frobnicate' in 'self.a.frobnicate()'"),
        ("kubernetes(['min', [1]]) == 1", "unknown function 'kubernetes'"),
        ("format.dns1124Label().validate('x').hasValue()", "unknown function 'dns1124Label'"),
        ("cel.bind(x, 1, x == 1)", "unknown function 'bind'"),
        ("authorizer.path('/').check('get').allowed()", "unknown function"),
        ("self.a ==", "Syntax error"),
        ("has(self)", "has() argument must be a field selection"),
    ],
)
def test_what_is_unknown_is_refused(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_rule(text, False, Memory())
    assert message in str(caught.value)
    assert caught.value.code == "DG216"


def test_a_value_that_is_neither_true_nor_false_is_an_error() -> None:
    assert broken(thing({"a": NUMBER}, "self.a"), {"a": 1}) == ["! self.a"]


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        ("isIP(self.a)", [False]),
        ("ip.isCanonical(self.a)", [False]),
        ("ip(self.a) == ip('10.0.0.1')", [False]),
        ("!format.dns1123Label().validate(self.a).hasValue()", [False]),
        ("semver(self.a).isLessThan(semver('1.0.0'))", [False]),
        ("self.a.indexOf('x') < 0", [False]),
        ("self.m.all(k, v, v == 'x')", [False]),
        ("self.m.transformMap(k, v, k + v).size() > 1", [False]),
        # What else goes wrong in such a rule may not count when the function has its say.
        ("self.b == 'x' || isIP(self.a)", [False]),
        ("self.b == 'x'", [True]),
        # Nobody needs the function.
        ("self.a == 'x' || isIP(self.a)", []),
        ("has(self.b) && isIP(self.b)", [True]),
        ("isIP(self.a) && oldSelf.a == self.a", []),
    ],
)
def test_a_function_that_is_left_out_is_left_to_the_api_server(rule: str, known: list[bool]) -> None:
    schema = {**thing({"a": TEXT, "b": TEXT, "m": {"additionalProperties": TEXT}}, rule), RULES: [[]]}
    assert rules_problem(Source(schema), Memory()) == ""
    place = rule_node_of(schema, Source(schema))
    assert place
    assert [each.known for each in Rules(place, Memory()).broken({"a": "x", "m": {"k": "v"}})] == known


def test_a_message_with_a_function_that_is_left_out_is_not_made() -> None:
    rule = {"rule": "false", "message": "no", "messageExpression": "[self.a].max()"}
    assert broken(thing({"a": TEXT}, rule), {"a": "x"}) == ["no"]


CRDS = [folder for folder in sorted(SCHEMAS.iterdir()) if folder.is_dir() and not folder.name.startswith("kubernetes")]


@pytest.mark.parametrize("folder", CRDS, ids=lambda folder: str(folder.name))
def test_every_shipped_rule_compiles_and_every_kind_says_where_its_rules_are(folder: Path) -> None:
    for file in sorted(folder.rglob("*.json")):
        assert rules_problem(opened(file), Memory()) == "", file
        for rule in rules_of(json.loads(file.read_bytes())):
            for text in (rule["rule"], rule.get("messageExpression", "true")):
                assert compile_rule(text, False, Memory()).missing == "", file


def opened(file: Path) -> Source:
    """A file of a set, and what it shares with others."""
    return read_source(file, opened)


def test_rules_are_found_in_all_that_is_shipped() -> None:
    """In how many kinds, and versions of kinds; more come with more sets."""
    assert sum(RULES in json.loads(file.read_bytes()) for folder in CRDS for file in folder.rglob("*.json")) >= 67
