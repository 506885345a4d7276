"""Components of a graph that patches of the user take away, when nothing is left that does their work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynagen.diagnostics import Position, Report
from dynagen.manifests.building import Manifest
from dynagen.trees.nearest import nearest
from dynagen.trees.nodes import List, Map, find_exactly, scalar

_COMPONENTS = ("spec", "components")
# What does the work of a component in its place. source: component types in reference of DynamoGraphDeployment v1beta1
_INSTEAD = {"frontend": ("frontend", "epp"), "epp": ("epp", "frontend")}
_LOSSES = {
    "frontend": ("nothing takes requests", "take the patch out; 'frontend' in the profile says how many there are"),
    "prefill": ("nothing reads the prompts", "take the patch out, or say 'agg' in place of 'disagg' in the profile"),
    "decode": ("nothing writes the answers", "take the patch out, or say 'agg' in place of 'disagg' in the profile"),
    "worker": ("nothing runs the model", "take the patch out; 'agg' in the profile says how many there are"),
}


def components_of(graph: Map) -> dict[str, Map]:
    """The components of a graph by their names."""
    found = find_exactly(graph, _COMPONENTS)
    items = [item for item in found if isinstance(item, Map)] if isinstance(found, List) else []
    return {str(scalar(item, "name")): item for item in items}


class LostComponents:
    """Those of one compilation: a later patch may put others in their place."""

    def __init__(self) -> None:
        self._lost: list[tuple[tuple[str, ...], str, Map, Position]] = []

    def compare(self, target: Manifest, after: Map, patch: Map) -> None:
        """Notes what a patch takes away of a graph."""
        left = components_of(after)
        for number, (name, component) in enumerate(components_of(target.tree).items()):
            if name not in left or scalar(left[name], "type") != scalar(component, "type"):
                at = nearest(patch, target.tree, (*_COMPONENTS, number, "type")).origin.written
                self._lost.append((target.identity, name, component, at))

    def report(self, objects: Sequence[Manifest], report: Report) -> None:
        """Reports DG700 for each that is missed in the end."""
        graphs: Mapping[tuple[str, ...], Manifest] = {each.identity: each for each in objects}
        for identity, name, component, at in self._lost:
            kind, graph = str(scalar(component, "type")), graphs.get(identity)
            if graph is None or kind not in _LOSSES:
                continue
            left = components_of(graph.tree)
            if any(scalar(each, "type") in _INSTEAD.get(kind, (kind,)) for each in left.values()):
                continue
            loss, hint = _LOSSES[kind]
            does = "makes another type of" if name in left else "takes away"
            message = f"{graph}: the patch {does} component '{name}', and {loss}"
            report.add("DG700", message, at, hint, (("made here", component.origin.written),))
