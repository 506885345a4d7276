"""Strategic merge: maps, nulls, directives, lists by key, and origins that go along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynagen.diagnostics import Origin, Position
from dynagen.trees.directives import without_directives
from dynagen.trees.merge import merge
from dynagen.trees.nodes import Leaf, Map, find, leaves, to_data, to_tree
from dynagen.trees.plain_merge import merge_trees


class Keys:
    """A schema that knows by which keys the lists of a path merge. Stands in for `schemas.Node`."""

    def __init__(self, keys: dict[str, tuple[str, ...]], name: str = "", default: Any = None) -> None:
        self.keys, self.name, self.default = keys, name, default

    def child(self, key: str | int) -> Keys:
        default = "TCP" if key == "protocol" else None
        return Keys(self.keys, self.name if isinstance(key, int) else key, default)

    def at(self, path: Iterable[str | int]) -> Keys:
        node = self
        for key in path:
            node = node.child(key)
        return node

    @property
    def merge_keys(self) -> tuple[str, ...]:
        return self.keys.get(self.name, ())


SCHEMA: Any = Keys({"containers": ("name",), "env": ("name",), "ports": ("port", "protocol")})


def tree(data: Any, file: str = "base.yaml") -> Map:
    made = to_tree(data, Origin(Position(file)))
    assert isinstance(made, Map)
    return made


def merged(base: Any, patch: Any) -> Any:
    return to_data(without_directives(merge(tree(base), tree(patch, "patch.yaml"), SCHEMA)))


@pytest.mark.parametrize(
    ("base", "patch", "expected"),
    [
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"a": 1}, {"b": {"c": None, "d": 1}}, {"a": 1, "b": {"d": 1}}),
        ({"a": 1}, {"b": {"c": None}}, {"a": 1}),
        ({"a": 1}, {"b": {}}, {"a": 1, "b": {}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"$patch": "replace", "d": 3}}, {"a": {"d": 3}}),
        ({"a": {"b": 1}, "c": 1}, {"a": {"$patch": "delete"}}, {"c": 1}),
        ({"a": [1], "b": 1, "c": 1}, {"a": {"$patch": "delete"}, "b": {"$patch": "delete"}}, {"c": 1}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": "x"}, {"a": "x"}),
    ],
)
def test_maps(base: Any, patch: Any, expected: Any) -> None:
    assert merged(base, patch) == expected


@pytest.mark.parametrize(
    ("base", "patch", "expected"),
    [
        # the order of the base stays, new items come last
        ([{"name": "a", "v": 1}, {"name": "b"}], [{"name": "c"}, {"name": "a", "v": 2}], [{"name": "a", "v": 2}, {"name": "b"}, {"name": "c"}]),
        ([{"name": "a"}, {"name": "b"}], [{"name": "a", "$patch": "delete"}], [{"name": "b"}]),
        ([{"name": "a"}], [{"name": "x", "$patch": "delete"}], [{"name": "a"}]),
        ([{"name": "a", "v": 1, "w": 1}], [{"name": "a", "$patch": "replace", "w": 2}], [{"name": "a", "w": 2}]),
        ([{"name": "a"}], [{"$patch": "replace"}, {"name": "b"}], [{"name": "b"}]),
        ([{"name": "a", "v": 1}], [{"name": "a", "v": None}], [{"name": "a"}]),
    ],
)  # fmt: skip
def test_lists_with_a_key(base: Any, patch: Any, expected: Any) -> None:
    assert merged({"env": base}, {"env": patch}) == {"env": expected}


def test_lists_merge_inside_of_lists() -> None:
    base = {"containers": [{"name": "main", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]}]}
    patch = {"containers": [{"name": "main", "env": [{"name": "B", "value": "2"}]}]}
    assert merged(base, patch)["containers"][0]["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]


def test_a_key_with_a_default_may_be_left_out() -> None:
    base = {"ports": [{"port": 1, "protocol": "TCP", "name": "a"}, {"port": 1, "protocol": "UDP", "name": "b"}]}
    assert merged(base, {"ports": [{"port": 1, "name": "c"}]})["ports"][0] == {
        "port": 1,
        "protocol": "TCP",
        "name": "c",
    }


def test_an_item_without_the_key_is_added() -> None:
    assert merged({"env": [{"name": "a"}]}, {"env": [{"value": "x"}]}) == {"env": [{"name": "a"}, {"value": "x"}]}


def test_origins_go_along_and_remember_what_was_replaced() -> None:
    result = merge(tree({"a": {"b": 1, "c": 1}}), tree({"a": {"b": 2}}, "patch.yaml"), None)
    leaf = find(result, ("a", "b"))
    assert isinstance(leaf, Leaf) and leaf.replaced is not None
    assert (leaf.value, leaf.origin.written.file) == (2, "patch.yaml")
    assert (leaf.replaced.value, leaf.replaced.origin.written.file) == (1, "base.yaml")
    assert find(result, ("a", "c")).origin.written.file == "base.yaml"


def test_every_leaf_has_its_path() -> None:
    found = {path: leaf.value for path, leaf in leaves(tree({"a": [{"b": 1}, 2], "c": {}}))}
    assert found == {("a", 0, "b"): 1, ("a", 1): 2}


def test_the_nearest_ancestor_answers_for_what_is_not_there() -> None:
    assert find(tree({"a": {"b": 1}}), ("a", "x", "y")).origin.written.file == "base.yaml"


texts = st.sampled_from(["a", "b", "c", "d"])
values = st.recursive(
    st.integers(0, 9) | st.none() | texts,
    lambda inner: (
        st.lists(st.integers(0, 9) | st.dictionaries(texts, st.integers(0, 9)), max_size=3)
        | st.dictionaries(texts, inner, max_size=3)
        | st.dictionaries(texts, inner, max_size=2).map(lambda found: {**found, "z": 1, "$patch": "replace"})
        | st.just({"$patch": "delete"})
    ),
    max_leaves=12,
)
maps = st.dictionaries(texts, values, max_size=4)


def without_empty(data: Any) -> Any:
    """Two files that delete in a map which nobody made may leave it empty, or not there: nobody means either."""
    if not isinstance(data, dict):
        return data
    clean = {key: without_empty(value) for key, value in data.items()}
    return {key: value for key, value in clean.items() if value != {}}


@given(st.lists(maps, min_size=2, max_size=4))
def test_profile_files_merge_as_manifests_do_and_every_value_keeps_its_place(parts: list[dict[str, Any]]) -> None:
    trees = [tree({}), *(tree(part, f"{number}.yaml") for number, part in enumerate(parts))]
    one_by_one = trees[0]
    for part in trees[1:]:
        one_by_one = merge(one_by_one, part, None)
    at_once = merge_trees(trees)
    assert without_empty(to_data(at_once)) == without_empty(to_data(one_by_one))
    places = {path: leaf.origin.written.file for path, leaf in leaves(one_by_one)}
    assert {path: leaf.origin.written.file for path, leaf in leaves(at_once)} == places
