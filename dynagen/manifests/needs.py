"""What a pod needs to find its node and to load the driver, and which of it a patch takes away.

source: cloud.google.com/kubernetes-engine/docs/how-to/gpus and /concepts/spot-vms (labels, taints),
GoogleCloudPlatform/container-engine-accelerators, cmd/nvidia_gpu (the driver's folder)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, Position, Report, path_text
from dynagen.manifests.lost_components import components_of
from dynagen.trees.nearest import nearest
from dynagen.trees.nodes import Leaf, List, Map, find, leaves, scalar

_LABELS = (
    "cloud.google.com/gke-accelerator", "cloud.google.com/gke-spot", "cloud.google.com/gke-flex-start",
    "cloud.google.com/compute-class", "kubernetes.io/arch",
)  # fmt: skip
_TAINTS = (*_LABELS, "nvidia.com/gpu")
_DRIVER = "/usr/local/nvidia/lib64"
_TOLERATION = "without `$patch: replace` a patch adds its tolerations to those that are there"
_SCRIPT = ("driver",)


class Need(NamedTuple):
    """Something that a pod must keep: where it is said, in words and as a hint how to keep it."""

    path: KeyPath
    at: Position
    what: str
    hint: str


def report_losses(before: Map, after: Map, patch: Map, name: str, report: Report) -> None:
    """Reports DG610 for each need of `before` that is none of `after` any more. `patch` is what made the difference."""
    kept, gone = _needs(after), set(components_of(before)) - set(components_of(after))
    lost: dict[tuple[KeyPath, Position], list[Need]] = {}
    for identity, need in _needs(before).items():
        if identity not in kept and gone.isdisjoint(identity[0][2:3]):
            lost.setdefault((need.path, nearest(patch, before, need.path).origin.written), []).append(need)
    for (path, at), needs in lost.items():
        message = f"{name}: '{path_text(path)}' loses {' and '.join(need.what for need in needs)}"
        report.add(
            "DG610", message, at, needs[0].hint, tuple(("said here", place) for place in {need.at: 0 for need in needs})
        )


def _needs(tree: Map) -> dict[tuple[tuple[Hashable, ...], *tuple[Hashable, ...]], Need]:
    found: dict[tuple[tuple[Hashable, ...], *tuple[Hashable, ...]], Need] = {}
    for path, leaf in leaves(tree):
        # A toleration without a key is one of all taints.
        if path[-1] == "operator" and "tolerations" in path[-3:] and scalar(find(tree, path[:-1]), "key") is None:
            whose = tuple(_named(tree, path[:-2]))
            found.update(
                {
                    (whose, taint): Need(path[:-2], leaf.origin.written, f"the toleration of '{taint}'", _TOLERATION)
                    for taint in _TAINTS
                }
            )
        for depth, identity, what, hint in _needs_of(path, leaf):
            whose = tuple(_named(tree, path[:depth]))
            place = path[: depth + 1] if identity == _SCRIPT else path[:depth]
            found.setdefault((whose, *identity), Need(place, leaf.origin.written, what, hint))
    return found


def _needs_of(path: KeyPath, leaf: Leaf) -> Iterator[tuple[int, tuple[Hashable, ...], str, str]]:
    """How deep the thing is that loses the need, what tells the need apart, and its texts."""
    value, above = leaf.value, path[-2] if len(path) > 1 else None
    if above == "nodeSelector" and path[-1] in _LABELS:
        yield (
            len(path) - 1, (path[-1], value), f"the label '{path[-1]}: {value}'",
            "leave it as it is; what the profile says of `gpu`, `spot` and `gke` chooses the nodes",
        )  # fmt: skip
    elif path[-1] == "key" and "tolerations" in path[-3:] and value in _TAINTS:
        yield len(path) - 2, (value,), f"the toleration of '{value}'", _TOLERATION
    elif path[-1] == "key" and "matchExpressions" in path[-3:] and "nodeSelectorTerms" in path and value in _LABELS:
        depth = path.index("nodeSelectorTerms") + 1
        yield (
            depth, (value,), f"what it asks of the label '{value}'",
            "without `$patch: replace` the terms of a patch narrow those that are there",
        )  # fmt: skip
    elif above == "limits" and path[-1] == "nvidia.com/gpu":
        yield len(path) - 1, (), "its GPUs", "say `gpus` in the profile"
    elif "containers" in path and isinstance(value, str) and _DRIVER in value:
        depth = path.index("containers") + 2
        yield (
            depth, _SCRIPT, "the script that shows the driver to the loader",
            f"say arguments under `engineArgs` in the profile, or keep the lines with {_DRIVER}",
        )  # fmt: skip


def _named(tree: Any, path: KeyPath) -> Iterator[str | int]:
    """A path in which the names of items stand for their numbers."""
    for key in path:
        inner = tree[key]
        yield (scalar(inner, "name") or key) if isinstance(tree, List) else key
        tree = inner
