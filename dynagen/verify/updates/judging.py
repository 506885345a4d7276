"""A field before and after in, whether the server takes the change out. `kept.yaml` names these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynagen.cluster.objects import listing, mapping
from dynagen.text.quantities import amount

Word = dict[str, Any]
# The value before and after, and the whole object after.
Judge = Callable[[Any, Any, Word], bool]

# What admission adds to the tolerations of pods, and adds again.
# source: plugin/pkg/admission/defaulttolerationseconds and extendedresourcetoleration of k8s.io/kubernetes
_ADMITTED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable", "nvidia.com/gpu")


def _same(before: Any, after: Any, new: Word) -> bool:
    return bool(before == after)


def _not_smaller(before: Any, after: Any, new: Word) -> bool:
    was, is_now = amount(before), amount(after)
    return was is None or is_now is None or is_now >= was


def _same_class(before: Any, after: Any, new: Word) -> bool:
    """A claim without a class gets the default one, which may be the one that is named now."""
    return before is None or bool(before == after)


def _not_later(before: Any, after: Any, new: Word) -> bool:
    return before is None or (isinstance(after, int) and after <= before)


def _items_stay(before: Any, after: Any, new: Word) -> bool:
    return all(item in listing(after) for item in listing(before) if item.get("key") not in _ADMITTED)


def _items_go(before: Any, after: Any, new: Word) -> bool:
    return all(item in listing(before) for item in listing(after))


def _first_stays(before: Any, after: Any, new: Word) -> bool:
    return not before or not after or bool(before[0] == after[0])


def _as_parallelism(before: Any, after: Any, new: Word) -> bool:
    return bool(before == after) or after == mapping(new.get("spec")).get("parallelism")


def _not_headless(before: Any, after: Any, new: Word) -> bool:
    """The server keeps the address of a Service, so also that there is none, which other types cannot have."""
    return after in ("ClusterIP", "ExternalName")


JUDGES: dict[str, Judge] = {
    "as-parallelism": _as_parallelism, "first-stays": _first_stays, "items-go": _items_go, "items-stay": _items_stay,
    "not-headless": _not_headless, "not-later": _not_later, "not-smaller": _not_smaller, "same": _same,
    "same-class": _same_class,
}  # fmt: skip
