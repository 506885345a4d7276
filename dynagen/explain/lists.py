"""Lists that patches replaced as a whole, for their items have no key: what was lost, and whether adding would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, Position
from dynagen.diagnostics.masks import masked_data
from dynagen.manifests.building import Manifest
from dynagen.schema.sets import Schemas
from dynagen.trees.nodes import List, Tree, to_data

# Words of one command line: more of them at its end are mostly no part of it.
_COMMANDS = ("command", "args")


class ReplacedList(NamedTuple):
    """A list in whose place a patch at `by` put another; `lost` are the items of the one at `at` that are gone.

    `append` says that the patch is the user's own, and that `- $patch: append` in it would be taken.
    """

    path: KeyPath
    by: Position
    at: Position
    lost: Sequence[Any]
    append: bool


def replaced_lists(manifest: Manifest, schemas: Schemas, own: Sequence[str]) -> list[ReplacedList]:
    """Those of an object. `own` are the folders of the user's layers, each with its slash. A Secret's are not told."""
    if manifest.kind == "Secret":
        return []
    return [_described(manifest, path, found, schemas, own) for path, found in _found(manifest.tree, ())]


def is_own(at: Position, own: Sequence[str]) -> bool:
    return at.file.startswith(tuple(own)) if own else False


def _found(tree: Tree, path: KeyPath) -> Iterator[tuple[KeyPath, List]]:
    if isinstance(tree, List) and isinstance(tree.replaced, List) and _lost(tree):
        yield path, tree
    for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from _found(inner, (*path, key))


def _lost(found: List) -> list[Any]:
    assert isinstance(found.replaced, List)
    kept = to_data(found)
    return [item for item in to_data(found.replaced) if item not in kept]


def _described(manifest: Manifest, path: KeyPath, found: List, schemas: Schemas, own: Sequence[str]) -> ReplacedList:
    assert isinstance(found.replaced, List)
    by, lost = found.origin.written, _lost(found)
    append = is_own(by, own) and path[-1] not in _COMMANDS and _would_do(manifest, path, found, schemas)
    return ReplacedList(path, by, found.replaced.origin.written, [masked_data(item, path[-1]) for item in lost], append)


def _would_do(manifest: Manifest, path: KeyPath, found: List, schemas: Schemas) -> bool:
    """Whether the schema takes both lists, one behind the other."""
    schema = schemas.find(manifest.api_version, manifest.kind)
    if schema is None:
        return False
    assert isinstance(found.replaced, List)
    data = to_data(manifest.tree)
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = [*to_data(found.replaced), *to_data(found)]
    return schema.conforms(data) and not any(where == path for where, _ in schema.repeated(data))
