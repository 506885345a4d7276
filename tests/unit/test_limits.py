"""Inputs that once ended in a traceback, a hang or all of the memory, and the properties that keep their like away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynagen.diagnostics import Position, Report
from dynagen.language.scope import ExpressionError, Scope
from dynagen.language.template import parse_template
from dynagen.layers.finding import find_overlay
from dynagen.memory import Memory
from dynagen.profile.schema import section_problems
from dynagen.schema.conformance import Source, conforms, is_endless
from dynagen.schema.sets import Schemas, problems
from dynagen.schema_import.errors import ImportRefused
from dynagen.schema_import.importing import import_files
from tests.unit.test_schema_import import FIXTURES

VALUES: dict[str, Any] = {"a": "xyxy", "b": ["p", "qq"], "c": {"k": "v", "l": ["m"]}, "n": 7}


def evaluate(text: str) -> Any:
    return Scope(VALUES, Memory()).evaluate(parse_template(f"${{{text}}}"))[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["Widget" * 50, "Widgét", "../Widget", ""])
def test_a_kind_that_no_file_can_be_called_after_has_no_schema(text: str, tmp_path: Path) -> None:
    schemas = Schemas([tmp_path])
    assert schemas.find("example.com/v1", text) is None
    assert schemas.find(f"{'a' * 300}/v1", "Widget") is None
    assert schemas.find(f"example.com/{'v' * 300}", "Widget") is None


def test_an_overlay_whose_name_is_too_long_for_a_file_is_not_there() -> None:
    report = Report()
    assert find_overlay("gke" * 200, Position("a"), Path(), Path(), report, Memory()) is None
    assert [each.code for each in report.diagnostics] == ["DG301"]


@pytest.mark.parametrize("kind", ["../../Box", "B$x", "Box" * 40])
def test_a_kind_of_an_openapi_document_is_a_name(kind: str, tmp_path: Path) -> None:
    document = json.loads((FIXTURES / "openapi-1.90.json").read_text())
    (box,) = (each for name, each in document["definitions"].items() if name.endswith(".Box"))
    box["x-kubernetes-group-version-kind"][0]["kind"] = kind
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    with pytest.raises(ImportRefused, match="is no kind"):
        import_files([tmp_path / "openapi.json"], tmp_path / "sets" / "kubernetes-1.90", None, {})
    assert not (tmp_path / "sets").exists()


# --- expressions that multiply

texts = st.sampled_from(
    ["a", "'x'", "''", "'xyz'", "b[0]", "c.k", "c['k']", "string(n)", "(n > 3 ? 'x' : a)", "b.join(a)"]
)
lists = st.sampled_from(["b", "[a, 'x']", "[]", "c.l"])


def grow_text(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}.replace({}, {})".format, inner, inner, inner),
        st.builds("({} + {})".format, inner, inner),
        st.builds("[{}, {}].map(x, x + {}).join({})".format, inner, inner, inner, inner),
        st.builds("[{}].map(x, [x, x].join({}))[0]".format, inner, inner),
        st.builds("{}.split({}).join({})".format, inner, inner, inner),
        st.builds("{}.map(y, y.replace('q', {})).join('-')".format, lists, inner),
        st.builds("({}.size() > 2 ? {} : {})".format, inner, inner, inner),
    )


@given(st.recursive(texts, grow_text, max_leaves=6))
@settings(max_examples=3 * settings.default.max_examples, deadline=None)
def test_no_value_is_larger_than_was_foreseen(text: str) -> None:
    scope = Scope(VALUES, Memory())
    try:
        value = scope.evaluate(parse_template(f"${{{text}}}"))[0]  # type: ignore[arg-type]
    except ExpressionError:
        return
    assert len(value) <= scope.most(text)


def test_what_another_scope_has_evaluated_is_foreseen_all_the_same() -> None:
    """Its value is kept for the process. The second scope used to measure CEL's complaint that it knew no names yet."""
    text = f"'{'v' * 200}'.replace(string(c.k), a)"
    for _ in range(2):
        scope = Scope(VALUES, Memory())
        value = scope.evaluate(parse_template(f"${{{text}}}"))[0]  # type: ignore[arg-type]
        assert len(value) == 800 <= scope.most(text)


def test_the_words_of_an_error_are_no_value_of_a_part() -> None:
    error = "string(1 + a)"  # a number and a text: CEL says in many words that it has no such sum
    with pytest.raises(ExpressionError):
        evaluate(error)
    assert Scope(VALUES, Memory()).most(f"{error}.replace('x', 'y')") < 20


@pytest.mark.parametrize(
    "text",
    [
        "'aaaaaaaaaa'" + ".replace('a', 'aaaaaaaaaa')" * 9,
        "['aaaaaaaaaaaaaaaa']" + ".map(x, x + x)" * 30,
        "['a']" + ".map(x, [x, x, x, x, x, x, x, x, x, x].join(x))" * 8,
        "[a]" + ".map(x, x.replace('', x))" * 9,
        "['%s%s%s%s%s%s%s%s%s%s']" + ".map(x, x.format([x, x, x, x, x, x, x, x, x, x]))" * 9,
    ],
)
def test_what_would_fill_the_memory_is_not_evaluated(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"could become larger than|exceeds"):
        evaluate(text)


def test_long_texts_with_many_places_to_fill_in_are_fine() -> None:
    text = "'" + "<a> <b> <c> " * 2_000 + "'" + "".join(f".replace('<{name}>', string(n) + a)" for name in "abc")
    assert len(evaluate(text)) == 2_000 * 18


@given(
    st.lists(st.one_of(st.integers(0, 3), st.booleans(), st.text(max_size=1), st.lists(st.integers(0, 1), max_size=2)))
)
def test_items_are_found_where_a_search_would_find_them(items: list[Any]) -> None:
    scope = Scope({"one": items[::2], "two": items}, Memory())
    reads = (("one",), ("two",))
    for item, path in zip(items, scope.paths_of(items, reads), strict=True):
        found = scope.values
        for key in path:
            found = found[key]
        assert found == item
        assert type(found) is type(item)


# --- schemas that ask themselves

keywords = st.sampled_from(["$ref", "anyOf", "allOf", "not", "properties", "items"])
names = st.sampled_from(["a", "b", "c"])


@st.composite
def sections(draw: st.DrawFn) -> dict[str, Any]:
    def node() -> dict[str, Any]:
        word, reference = draw(keywords), {"$ref": f"#/$defs/{draw(names)}"}
        made: dict[str, Any] = {
            "$ref": reference, "anyOf": {"anyOf": [{"type": "string"}, reference]}, "allOf": {"allOf": [reference, reference]},
            "not": {"not": reference}, "properties": {"type": "object", "properties": {"k": reference}}, "items": {"items": reference},
        }[word]  # fmt: skip
        if draw(st.booleans()) and word == "properties":
            made["default"] = {}
        return made

    return {"type": "object", "properties": {"k": node()}, "$defs": {name: node() for name in "abc"}}


@given(sections())
@settings(max_examples=3 * settings.default.max_examples, deadline=None)
def test_a_section_that_is_taken_can_be_asked(section: dict[str, Any]) -> None:
    if section_problems(section):
        return
    source = Source(section)
    assert not is_endless(section, source)
    value: Any = {}
    for _ in range(8):
        assert conforms(value, section) == (not problems(value, section))
        value = {"k": value}


def test_definitions_that_lead_round_in_a_circle_are_refused() -> None:
    for circle in ({"$ref": "#/$defs/a"}, {"allOf": [{"$ref": "#/$defs/a"}]}, {"not": {"$ref": "#/$defs/a"}}):
        section = {"type": "object", "$defs": {"a": circle}}
        assert any("leads back to itself" in message for _, message in section_problems(section))
    tree = {"type": "object", "properties": {"child": {"$ref": "#/$defs/a"}}}
    assert section_problems({"type": "object", "$defs": {"a": tree}}) == []


def test_definitions_that_double_at_each_step_are_refused() -> None:
    steps = {f"s{n}": {"anyOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(40)}
    found = section_problems({"$defs": {**steps, "s40": {"type": "string"}}})
    assert any("leads back to itself" in message for _, message in found)
    steps = {
        f"s{n}": {"type": "object", "default": {}, "properties": {key: {"$ref": f"#/$defs/s{n + 1}"} for key in "ab"}}
        for n in range(40)
    }
    assert section_problems({"$defs": {**steps, "s40": {"type": "object", "default": {}}}})
