"""Items of a `forEach`, and what stands for them in another list."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from dynagen.diagnostics import Given
from dynagen.schema.conformance import canonical


class Name(str):
    """The name of an item that is a mapping with one: enough to find it again, and the same for many profiles."""

    __slots__ = ()


def key_of(item: Any) -> Hashable:
    """What an item is found again by: its name if it is a mapping that has one, else all of it."""
    if isinstance(item, dict) and isinstance(name := item.get("name"), str):
        return Name(name)
    found: Hashable = canonical(item)
    return found


def item_like(given: Given, items: Any) -> Any:
    """The item that stands for that of `given`: the one with the same name, the same one, the one of the same number."""
    if not isinstance(items, list):
        return None
    found = next((item for item in items if _is(item, given.item)), None)
    if found is not None or isinstance(given.item, Name) or given.number is None:
        return found
    return items[given.number] if given.number < len(items) else None


def is_new(given: Given, before: Any) -> bool:
    """Whether a list has no item like that of `given`. A text in the place of another is a new item: it may be a name."""
    has_parts = isinstance(given.item, (Name, frozenset)) or (isinstance(given.item, tuple) and len(given.item) != 1)
    if not has_parts and isinstance(before, list):
        return not any(_is(item, given.item) for item in before)
    return item_like(given, before) is None


def _is(item: Any, key: Hashable) -> bool:
    found = key_of(item)
    return type(found) is type(key) and found == key
