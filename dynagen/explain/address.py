"""What people type for an object and a place in it -> the manifest and the path: `Service/web`, `spec.ports[http].port`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, closest, path_text
from dynagen.manifests.building import Manifest
from dynagen.trees.nodes import Leaf, List, Map, Tree

_STEP = re.compile(r"""\[(?:'([^']*)'|"([^"]*)"|([^\]'"]*))\]|\.?([^.\[\]]+)""")


class AddressError(Exception):
    """There is no such object or value. `hint` says what there is."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def find_object(manifests: Sequence[Manifest], address: str) -> Manifest:
    """The object at `Kind/name` or `Kind/namespace/name`; kinds in any case. Raises AddressError."""
    kind, slash, rest = address.partition("/")
    space, _, name = rest.rpartition("/")
    if not slash or not name:
        raise AddressError(f"'{address}' is not Kind/name", _listed(manifests))
    found = [
        manifest
        for manifest in manifests
        if manifest.kind.lower() == kind.lower() and manifest.name == name and space in ("", manifest.namespace)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        groups = ", ".join(f"{each.api_version} in '{each.namespace}'" for each in found)
        raise AddressError(f"'{address}' is more than one object: {groups}", "say Kind/namespace/name")
    same_kind = [manifest for manifest in manifests if manifest.kind.lower() == kind.lower()]
    same_name = [manifest for manifest in manifests if manifest.name == name]  # a short name of a kind, such as `dgd`
    likely = same_kind or same_name or manifests
    near = _address(likely[0]) if len(likely) == 1 else closest(address, [_address(each) for each in likely])
    raise AddressError(f"no object '{address}'", f"did you mean '{near}'?" if near else _listed(likely))


def _listed(manifests: Sequence[Manifest]) -> str:
    return "objects: " + ", ".join(_address(manifest) for manifest in manifests)


def _address(manifest: Manifest) -> str:
    return f"{manifest.kind}/{manifest.name}"


def find_value(tree: Tree, text: str) -> KeyPath:
    """The path that a text means: keys with dots between, items in brackets by number or by name. Raises AddressError."""
    path: KeyPath = ()
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise AddressError(f"'{text}' is not a path", "for example spec.components[Frontend].replicas")
        position = step.end()
        quoted = next((part for part in step.groups()[:2] if part is not None), None)
        word = quoted if quoted is not None else step[3] if step[3] is not None else step[4]
        key = _key(tree, word, quoted is not None)
        if key is None:
            shown = path_text(path) if path else "the object"
            known = _known(tree)
            near = closest(word, known)
            hint = (
                f"did you mean '{near}'?" if near else "known: " + ", ".join(known[:20]) if known else "it has no parts"
            )
            raise AddressError(f"no '{word}' in {shown}", hint)
        path, tree = (*path, key), tree[key]  # type: ignore[index]
    return path


def address_of(tree: Tree, path: KeyPath) -> str:
    """A path as people type it: items of lists by their names, where these say which one is meant."""
    named: list[str | int] = []
    for key in path:
        name = _name(tree[key]) if isinstance(tree, List) and isinstance(key, int) else None
        found = name is not None and _number_of(tree, name) == key
        named.append(_Name(name) if found and name is not None else key)
        tree = tree[key]  # type: ignore[index]
    text = ""
    for part in named:
        text += f"[{part}]" if isinstance(part, _Name) else path_text((part,)) if not text else _after(part)
    return text


class _Name(str):
    """The name of a list's item, beside keys and numbers."""


def _after(part: str | int) -> str:
    return path_text(("x", part)).removeprefix("x")


def _number_of(tree: Tree, word: str) -> int | None:
    items = enumerate(tree) if isinstance(tree, List) else ()
    return next((number for number, item in items if _name(item) == word), None)


def _key(tree: Tree, word: str, quoted: bool) -> str | int | None:
    if isinstance(tree, Map):
        return word if word in tree else None
    if isinstance(tree, List):
        if word.isdecimal() and not quoted:
            return int(word) if int(word) < len(tree) else None
        return _number_of(tree, word)
    return None


def _known(tree: Tree) -> list[str]:
    if isinstance(tree, Map):
        return list(tree)
    return [_name(item) or str(number) for number, item in enumerate(tree)] if isinstance(tree, List) else []


def _name(item: Tree) -> str | None:
    """What people call an item of a list."""
    for key in ("name", "key", "mountPath", "type"):
        value: Any = item.get(key) if isinstance(item, Map) else None
        if isinstance(value, Leaf):
            return str(value.value)
    return None
