"""What the cluster has now beside what is applied: which object is which, and what an apply makes of the two.

An apply sets what the new manifest says, takes away what the earlier manifest said and the new one does not, and leaves
what others have added: defaults of the server, labels of controllers, values of operators.
Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/ and
https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dynagen.cluster.objects import Object, mapping
from dynagen.schema.sets import Node

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Earlier:
    """Objects that the cluster has now, found by those that take their place."""

    def __init__(self, objects: Sequence[Object]) -> None:
        self._exactly = {each.manifest.identity: each for each in objects}
        self._by_name: dict[tuple[str, str, str], list[Object]] = {}
        for each in objects:
            self._by_name.setdefault((each.group, each.kind, each.name), []).append(each)

    def of(self, new: Object) -> Object | None:
        """A manifest without a namespace goes to that of the context, which a cluster's own answer always names."""
        found = self._exactly.get(new.manifest.identity)
        if found is None and new.name:
            others = self._by_name.get((new.group, new.kind, new.name), [])
            if len(others) == 1 and not (new.namespace and others[0].namespace):
                return others[0]
        return found


def applied(old: Any, own: Any, new: Any, node: Node | None) -> Any:
    """What the cluster has when `new` is applied over `old`. `own` is the part of `old` that the earlier manifest said.

    `node` is the place of all three in their schema.
    """
    if isinstance(old, dict) and isinstance(new, dict) and not (node and node.get("x-kubernetes-map-type") == "atomic"):
        return _merged_maps(old, mapping(own), new, node)
    if isinstance(old, list) and isinstance(new, list) and node and node.merge_keys:
        item, keys = node.child(0), node.merge_keys
        before = {_identity(each, keys, item): each for each in old}
        mine = {_identity(each, keys, item): each for each in own or ()}
        after = {_identity(each, keys, item): each for each in new}
        found = [
            applied(before[key], mine.get(key), each, item) if key in before else each for key, each in after.items()
        ]
        return found + [each for key, each in before.items() if key not in mine and key not in after]
    return new


def manifest_of(old: Object) -> Any:
    """What was applied of an object: all of a manifest; of what a cluster says, what kubectl noted there.

    Nothing when that was not asked for, as without `--show-managed-fields`: then nobody knows what an apply takes away.
    """
    metadata = mapping(old.data.get("metadata"))
    if "uid" not in metadata and "resourceVersion" not in metadata:
        return old.data
    owners = [each for each in metadata.get("managedFields") or () if mapping(each).get("operation") == "Apply"]
    if owners:
        fields: dict[str, Any] = {}
        for each in owners:
            fields = _united(fields, mapping(each.get("fieldsV1")))
        return _owned(old.data, fields)
    try:
        return json.loads(mapping(metadata.get("annotations")).get(LAST_APPLIED) or "{}")
    except ValueError:
        return {}


def _united(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {key: _united(mapping(one[key]), mapping(other[key])) for key in one.keys() & other.keys()}
    return {**one, **other, **both}


def _owned(value: Any, fields: dict[str, Any]) -> Any:
    """The part of a value that these fields are: `f:name` a field, `k:{...}` the item with these keys, `v:...` this item."""
    if not fields.keys() - {"."}:
        return value
    if isinstance(value, dict):
        return {key: _owned(value[key], mapping(below)) for name, below in fields.items() if (key := name[2:]) in value}
    if isinstance(value, list):
        items = [(json.loads(name[2:]), mapping(below)) for name, below in fields.items() if name[:2] == "k:"]
        return [
            {**keys, **_owned(item, below)}
            for keys, below in items
            for item in value
            if isinstance(item, dict) and all(item.get(key) == word for key, word in keys.items())
        ] or value
    return value


def _merged_maps(old: dict[str, Any], own: dict[str, Any], new: dict[str, Any], node: Node | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in new.items():
        found[key] = applied(old[key], own.get(key), value, node.child(key) if node else None) if key in old else value
    for key, value in old.items():
        if key in new:
            continue
        if key not in own:
            found[key] = value
        elif isinstance(value, dict) and isinstance(own[key], dict):
            rest = _merged_maps(value, own[key], {}, node.child(key) if node else None)
            found |= {key: rest} if rest else {}
    return found


def _identity(item: Any, keys: Sequence[str], node: Node | None) -> str:
    given = mapping(item)
    return repr([given.get(key, child.default if node and (child := node.child(key)) else None) for key in keys])
