"""Tables of rules: what their words mean, and that ours hold no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dynagen.compiled.reading import table
from dynagen.diagnostics import path_text
from dynagen.verify.dynamo.rules import prepared as dynamo_rules
from dynagen.verify.istio.webhook import prepared as istio_rules
from dynagen.verify.pods.rules import prepared as pod_rules
from dynagen.verify.predicates import PREDICATES
from dynagen.verify.table import Rules
from dynagen.verify.workloads.claims_and_budgets import prepared as workload_rules

LIST = {"list": [{"name": "a", "port": 1}, {"name": "b", "port": 1}, {"name": "a", "port": 2}]}

# A row, the map that it is held against, and where something is found; nothing for what is right.
FOUND: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"at": "a", "required": True}, {}, ["a"]),
    ({"at": "a.b", "required": True}, {"a": {"b": ""}}, ["a.b"]),
    ({"at": "a.b", "required": True}, {}, ["a.b"]),
    ({"at": "list[].port", "required": True}, {"list": [{"port": 0}, {}]}, ["list[1].port"]),
    ({"at": "a", "required": True}, {"a": {}}, []),
    ({"at": "a", "refused": True}, {"a": ""}, ["a"]),
    ({"at": "a", "refused": True}, {}, []),
    ({"at": "a", "need": "b"}, {"a": {}}, ["a"]),
    ({"at": "a", "need": "b"}, {}, []),
    ({"at": "a", "need": ["b", "c.d"]}, {"a": {"c": {"d": 0}}}, []),
    ({"need": {"a": "b", "c": "d"}}, {"a": {"b": 1}, "c": {"d": ""}}, ["c"]),
    ({"exclusive": ["a", "b", "c"]}, {"a": 1, "b": [], "c": {}}, ["c"]),
    ({"exclusive": ["a", "b"], "place": "a"}, {"a": 1, "b": 1}, ["a"]),
    ({"at": "a", "in": ["x", "y"]}, {"a": "z"}, ["a"]),
    ({"at": "a", "in": ["x", "y"]}, {"a": "y"}, []),
    ({"at": "a", "not": "x"}, {"a": "x"}, ["a"]),
    ({"at": "a", "within": [1, None]}, {"a": 0}, ["a"]),
    ({"at": "a", "within": [1, 2]}, {"a": 2}, []),
    ({"at": "a", "within": [1, 2]}, {"a": "name"}, []),
    ({"at": "a", "size": [1, 1]}, {"a": [1, 2]}, ["a"]),
    ({"at": "a", "size": [1, 1], "required": True}, {}, ["a"]),
    ({"at": "a|b", "size": [0, 0]}, {"a": "text", "b": ""}, ["a"]),
    ({"at": "list[].name", "unique": True}, LIST, ["list[2].name"]),
    ({"at": "list[]", "rows": [{"at": "port", "unique": True, "say": ""}]}, LIST, ["list[1].port"]),
    ({"at": "list[]", "unique": ["name", "port"]}, LIST, []),
    ({"at": "a|b", "form": "dns-label"}, {"a": "-", "b": "-"}, ["a", "b"]),
    ({"at": "a", "form": "dns-label"}, {}, []),
    ({"at": "a", "form": "dns-label", "required": True}, {}, ["a"]),
    ({"at": "a", "keys": "label-key"}, {"a": {"x y": "", "x": ""}}, ["a['x y']"]),
    ({"at": "a.*", "form": "label-value"}, {"a": {"x": "", "y": "- "}}, ["a.y"]),
    ({"at": ["a", "b.c"], "not": 1}, {"a": {"b.c": 1}}, ["a['b.c']"]),
    ({"at": "a", "not": 1, "when": {"b": ["x", None]}}, {"a": 1}, ["a"]),
    ({"at": "a", "not": 1, "when": {"b": "*"}}, {"a": 1, "b": ""}, []),
    ({"at": "a", "not": 1, "unless": {"b": "*", "c": "x"}}, {"a": 1, "c": "x"}, []),
    ({"at": "a", "not": 1, "when": {"$kind": "Pod"}}, {"a": 1}, ["a"]),
    ({"at": "a", "not": 1, "since": "1.10"}, {"a": 1}, []),
    ({"at": "a", "not": 1, "until": "1.10"}, {"a": 1}, ["a"]),
    ({"first": [{"at": "a", "not": 1, "say": ""}, {"at": "b", "not": 1, "say": ""}]}, {"a": 1, "b": 1}, ["a"]),
]


@pytest.mark.parametrize(("row", "data", "places"), FOUND, ids=[str(row) for row, _, _ in FOUND])
def test_a_word_of_tables(row: dict[str, Any], data: dict[str, Any], places: list[str]) -> None:
    found = rules_of(row).judge("top", data, (), (1, 9), kind="Pod")
    assert [(code, path_text(each.path)) for code, each in found] == [("DG000", place) for place in places]


def test_what_is_said_holds_values_of_the_map() -> None:
    say = "{name}: {$key} of {$here} is {$value}, {b.c} of a {$kind}: {x: 1} {}"
    row = {"at": "a", "rows": [{"at": "n", "not": 1, "say": say, "hint": "{none}", "severity": "note"}]}
    data = {"a": {"n": 1, "name": "demo", "b": {"c": True}}}
    ((_, found),) = rules_of(row).judge("top", data, ("spec",), (1, 9), kind="Pod")
    text = "demo: n of a is 1, True of a Pod: {x: 1} {}"
    assert tuple(found) == (("spec", "a", "n"), text, "", "note")


def rules_of(row: dict[str, Any]) -> Rules:
    rules = Rules("of this test")
    rules.__dict__["data"] = {"top": {"DG000": [{"say": "", **row}]}}
    return rules


WORDS = {"at", "rows", "use", "first", "when", "unless", "since", "until", "say", "hint", "severity", "place"}


def rows_below(value: Any) -> Iterator[dict[str, Any]]:
    for row in value:
        yield row
        yield from rows_below([*row.get("rows", ()), *row.get("first", ())])


@pytest.mark.parametrize(
    ("package", "rules"),
    [("pods", pod_rules()), ("dynamo", dynamo_rules()), ("workloads", workload_rules()), ("istio", istio_rules())],
)
def test_our_tables_hold_known_words_only(package: str, rules: Rules) -> None:
    data = table(f"verify/{package}/rules.yaml")
    sections, hints = data.pop("sections", {}), data.pop("hints", {})
    tops = [rows for codes in data.values() for rows in codes.values()]
    rows = [row for top in (*tops, *sections.values()) for row in rows_below(top)]
    for row in rows:
        assert set(row) <= WORDS | PREDICATES.keys(), row
        assert ("say" in row) == bool(row.keys() & PREDICATES.keys()), row
        assert len(row.keys() & PREDICATES.keys() - {"required"}) <= 1, row
        assert bool(row.keys() & {"rows", "use", "first"}) != ("say" in row), row
    assert {row["use"] for row in rows if "use" in row} == sections.keys()
    assert {row[word] for row in rows for word in ("form", "keys") if word in row} | hints.keys() <= rules.forms.keys()
