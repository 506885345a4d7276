"""Lists of pods that API servers replace as a whole, and that a patch means to add to.

Whoever tolerates one more taint does not want to lose the others, and terms of node selectors that are merely added would
widen the choice, where they are meant to narrow it.
"""

from __future__ import annotations

from typing import Any

from dynagen.trees.directives import directive, without_directives
from dynagen.trees.nodes import List, Map, Tree, to_data

KEYS: dict[str | int, tuple[str, ...]] = {
    "env": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
"""Keys of lists whose schemas, of some releases, forget them. source: merge keys of the same lists in Kubernetes' PodSpec"""

_GROWING = (
    "envFrom", "preferredDuringSchedulingIgnoredDuringExecution", "requiredDuringSchedulingIgnoredDuringExecution",
    "tolerations",
)  # fmt: skip


def grow(key: str | int, base: List, patch: List) -> list[Tree] | None:
    """What becomes of a list that its schema knows no key of; None for one that is replaced."""
    if not all(isinstance(item, Map) for item in (*base, *patch)):
        return None
    if key == "nodeSelectorTerms" and base and not any(map(directive, patch)):
        # Terms are alternatives: what holds of one of each list holds of a pair.
        return [_narrowed(one, other) for one in base for other in patch] if patch else list(base)
    return _added(base, patch) if key in _GROWING or key == "nodeSelectorTerms" else None


def _added(base: List, patch: List) -> list[Tree]:
    """Both, what is in both once. `$patch: delete` takes away the items that have all that it says."""
    result = list(base)
    for item in patch:
        clean = without_directives(item)
        if directive(item) == "delete":
            wanted = {key: value for key, value in to_data(item).items() if key != "$patch"}
            result = [other for other in result if not wanted.items() <= to_data(other).items()]
        elif to_data(clean) not in map(to_data, result):
            result.append(clean)
    return result


def _narrowed(term: Map, by: Map) -> Map:
    """A term for nodes for which both hold. It matches by lists of requirements, all of which have to hold."""
    both = Map(term, term.origin)
    for key, value in by.items():
        clean: Any = without_directives(value)
        both[key] = List(_added(term[key], clean), term[key].origin) if key in term else clean
    return both
