"""Properties that hold for any input: what is written is read back, merging is pure, order does not matter."""

from __future__ import annotations

import copy
import json
import subprocess

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from dynagen.diagnostics import Origin, Position, Report
from dynagen.manifests.yaml import to_yaml
from dynagen.text.source import parse
from dynagen.trees.merge import merge
from dynagen.trees.nodes import Map, to_data, to_tree
from tests import tools

HERE = Origin(Position("test"))

# Everything that Kubernetes can hold in a string: all of Unicode but surrogates. NUL and other control characters too:
# JSON allows them, so a ConfigMap may hold them.
texts = st.text(st.characters(exclude_categories=("Cs",)))
# What YAML readers are known to stumble over.
traps = st.sampled_from(
    ["y", "n", "yes", "No", "ON", "off", "true", "null", "~", "0755", "0o7", "1e3", "1_000", "0x1F", "12:30:45", "2024-01-01", ".5", "5.", "-0", "+1", "=", "<<", "-", "--", "---", "...", ":", "?", "|", ">", "!", "%", "@", "`", "[]", "{}", "[a", "#a", "a#", "a:b", "a:\tb", "*a", "&a", "'a\"", "\\", ".inf", ".NaN", "1.0", "0b1", "NULL", "2001-12-14t21:59:43.10-05:00"]
) | st.sampled_from(["", " ", " a", "a ", "\n", "a\n", "\na", "a\n\nb\n", "a: b", "a #b", "\t", "a\tb", "a\n b\n", "a \nb", "\ufeff", "a\u2028b\nc", "\x85", "#", "a\n\n", "a\r\nb"])  # fmt: skip
strings = st.one_of(
    texts, traps, st.lists(traps | texts, max_size=4).map("".join), st.lists(texts, max_size=3).map("\n".join)
)
scalars = st.one_of(
    strings, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4), max_leaves=20
)
mappings = st.dictionaries(strings, values, max_size=5)


@given(mappings)
@settings(max_examples=4 * settings.default.max_examples)
def test_what_is_written_is_read_back_by_yaml_1_1_and_1_2_and_by_us(data):  # type: ignore[no-untyped-def]
    text = to_yaml(data)
    assert yaml.load(text, yaml.SafeLoader) == data
    assert YAML(typ="safe", pure=True).load(text) == data
    report = Report()
    documents = parse(text, "text", report)
    if not report.diagnostics:
        assert documents[0].data == data
    # We refuse more than we write: huge numbers and floats of many digits have to be quoted in a profile.
    # And NUL, which an object may hold and an expression may not.
    allowed = {"DG107", "DG104"} if "\\x00" in text else {"DG107"}
    assert {diagnostic.code for diagnostic in report.diagnostics} <= allowed
    if not report.diagnostics or "DG104" in {diagnostic.code for diagnostic in report.diagnostics}:
        again = parse(text, "text", Report(), for_kubernetes=True)
        assert not again or again[0].data == data


@pytest.mark.oracle
@given(st.lists(strings, min_size=1, max_size=60))
@settings(
    max_examples=settings.default.max_examples // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_is_written_is_read_back_by_kubernetes_own_parser(tmp_path_factory, found):  # type: ignore[no-untyped-def]
    """kubeconform reads YAML as kubectl does; a schema with the expected text as its only value makes it the judge."""
    data = {f"k{number}": text for number, text in enumerate(found)}
    folder = tmp_path_factory.mktemp("kubeconform")
    schema = {"properties": {"data": {"properties": {key: {"const": text} for key, text in data.items()}}}}
    (folder / "v1").mkdir()
    (folder / "configmap_v1.json").write_text(json.dumps(schema), "utf-8")
    manifest = to_yaml({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})
    location = f"{folder}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
    judged = subprocess.run(
        [tools.path("kubeconform"), "-schema-location", location, "-"], input=manifest.encode(), capture_output=True
    )
    assert judged.returncode == 0, judged.stdout.decode()


@given(mappings, mappings)
def test_merge_never_changes_its_inputs(low, high):  # type: ignore[no-untyped-def]
    one, two = to_tree(low, HERE), to_tree(high, HERE)
    assert isinstance(one, Map) and isinstance(two, Map)
    before = copy.deepcopy((to_data(one), to_data(two)))
    merge(one, two, None)
    assert (to_data(one), to_data(two)) == before


@given(mappings)
def test_merging_a_tree_with_itself_changes_nothing(data):  # type: ignore[no-untyped-def]
    data.pop("$patch", None)
    tree = to_tree(data, HERE)
    assert isinstance(tree, Map)
    assert to_data(merge(tree, tree, None)) == data


blanks = st.lists(st.sampled_from(["", " ", "\t", "#", " # a", "#a: 1", "---", "...", "\ufeff"]), max_size=4).map(
    "\n".join
)


@given(st.text(max_size=300) | st.lists(traps | texts, max_size=30).map(" ".join) | blanks)
def test_any_text_is_read_or_refused(text):  # type: ignore[no-untyped-def]
    report = Report()
    documents = parse(text, "text", report)
    for diagnostic in report.diagnostics:
        assert diagnostic.code.startswith("DG1") and diagnostic.at.line >= 1 and diagnostic.at.column >= 1
    if not documents and not report.diagnostics:  # blanks and comments, and nothing else
        assert list(yaml.compose_all(text, yaml.SafeLoader)) == []
