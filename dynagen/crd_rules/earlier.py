"""An object and the one before it in, what in the earlier one stands for what in the new one out.

An earlier value comes in a list of one, or of none: Kubernetes' word is that they are correlatable. Source:
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#transition-rules
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynagen.crd_rules.rule_nodes import Part, RuleNode, child, escaped, resolved

NONE: Sequence[Any] = ()


def earlier_field(earlier: Sequence[Any], key: str) -> Sequence[Any]:
    """The earlier value of a field, if there was one."""
    if not earlier or not isinstance(earlier[0], dict) or earlier[0].get(key) is None:
        return NONE
    return [earlier[0][key]]


def earlier_item(earlier: Sequence[Any], item: Any, place: RuleNode, converted: bool) -> Sequence[Any]:
    """The earlier item with the same keys. Items of other lists have no earlier ones."""
    keys = place.part[0].get("x-kubernetes-list-map-keys")
    if not (earlier and keys and isinstance(earlier[0], list)):
        return NONE
    names = [escaped(key) or key for key in keys] if converted else keys
    wanted = identity(item, names)
    if wanted is None:
        return NONE
    return [old for old in earlier[0] if identity(old, names) == wanted][:1]


def aligned(earlier: Any, value: Any, part: Part) -> Any:
    """The earlier value with its lists in the order of the new one, where order means nothing.

    So `self == oldSelf` is true for lists that merge by key, or are sets, when only their order differs.
    """
    schema, source = part
    if isinstance(earlier, dict) and isinstance(value, dict):
        return {
            key: aligned(inner, value[key], below)
            if key in value and (below := child(part, key) or child(part, None))
            else inner
            for key, inner in earlier.items()
        }
    items = schema.get("items")
    if not (isinstance(earlier, list) and isinstance(value, list) and isinstance(items, dict)):
        return earlier
    below = resolved(items, source)
    if schema.get("x-kubernetes-list-type") == "set":
        return [each for each in value if each in earlier] + [each for each in earlier if each not in value]
    keys = schema.get("x-kubernetes-list-map-keys")
    if not keys:
        return earlier
    wanted = [identity(each, keys) for each in value]
    found = [identity(each, keys) for each in earlier]
    order = [found.index(each) for each in wanted if each is not None and each in found]
    order += [index for index in range(len(earlier)) if index not in order]
    return [
        aligned(earlier[index], value[wanted.index(found[index])], below)
        if found[index] is not None and found[index] in wanted
        else earlier[index]
        for index in order
    ]


def identity(item: Any, keys: Sequence[str]) -> tuple[Any, ...] | None:
    """What tells an item of a list from the others; None if it lacks one of the keys."""
    if not isinstance(item, dict) or not all(key in item for key in keys):
        return None
    return tuple((type(item[key]), item[key]) for key in keys)
