"""Trees: plain data in which every value knows where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Origin


class Leaf:
    """A scalar with its origin and, when a patch changed it, what it replaced."""

    __slots__ = ("origin", "replaced", "value")

    def __init__(self, value: Any, origin: Origin, replaced: Tree | None = None) -> None:
        self.value, self.origin, self.replaced = value, origin, replaced


class Map(dict[str, Any]):
    """A mapping of strings to Map, List or Leaf."""

    __slots__ = ("origin", "replaced")

    def __init__(self, items: Any, origin: Origin, replaced: Tree | None = None) -> None:
        super().__init__(items)
        self.origin, self.replaced = origin, replaced


class List(list[Any]):
    """A list of Map, List or Leaf."""

    __slots__ = ("origin", "replaced")

    def __init__(self, items: Any, origin: Origin, replaced: Tree | None = None) -> None:
        super().__init__(items)
        self.origin, self.replaced = origin, replaced


Tree = Map | List | Leaf


def to_tree(value: Any, origin: Origin) -> Tree:
    """Plain data as a tree, all of it with one origin."""
    if isinstance(value, dict):
        return Map({key: to_tree(inner, origin) for key, inner in value.items()}, origin)
    if isinstance(value, list):
        return List([to_tree(inner, origin) for inner in value], origin)
    return Leaf(value, origin)


def to_data(tree: Tree) -> Any:
    """The plain data of a tree."""
    if isinstance(tree, dict):
        return {key: inner.value if type(inner) is Leaf else to_data(inner) for key, inner in tree.items()}
    if isinstance(tree, list):
        return [to_data(inner) for inner in tree]
    return tree.value


def nested(keys: Sequence[str], data: Any) -> Any:
    """Plain data below keys: `{a: {b: data}}`."""
    for key in reversed(keys):
        data = {key: data}
    return data


def find(tree: Tree, path: KeyPath) -> Tree:
    """The value at `path`, or its nearest ancestor that exists."""
    for key in path:
        try:
            tree = tree[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            break
    return tree


def find_exactly(tree: Tree, path: KeyPath) -> Tree | None:
    """The value at `path`, or None."""
    found: Tree | None = value_at(tree, path)
    return found


def value_at(data: Any, path: KeyPath) -> Any:
    """The same for plain data."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def scalar(tree: Tree, key: str) -> Any:
    """The value of a key of a mapping, or None when there is no scalar."""
    value = tree.get(key) if isinstance(tree, Map) else None
    return value.value if isinstance(value, Leaf) else None


def leaves(tree: Tree, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Leaf]]:
    if isinstance(tree, Leaf):
        yield path, tree
        return
    for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from leaves(inner, (*path, key))
