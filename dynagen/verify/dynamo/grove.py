"""What needs Grove, and the names that Grove makes.

Source: deploy/operator/internal/webhook/validation/{dynamographdeployment,dynamographdeployment_helpers}.go,
PCSNameForDGD and expandRolesForComponent in deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from dynagen.cluster.apis import GROVE, LWS, VOLCANO, Apis, opts_out
from dynagen.cluster.graphs import Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import KeyPath

# MaxCombinedGroveResourceNameLength in deploy/operator/internal/consts/consts.go, minPCSNameLength in PCSNameForDGD.
_LONGEST, _SHORTEST_GRAPH = 45, 8


def check_grove(graph: Graph, apis: Apis, cluster: Cluster, findings: Findings) -> None:
    """Reports DG455 for what needs Grove where it is not known to be, DG456 for a name that is too long there."""
    if apis.has_grove(graph):
        _check_names(graph, findings)
        return
    for path, field in _graph_fields(graph):
        graph.report(findings, "DG455", path, _message(graph, field), _hint(graph, cluster, GROVE))
    for component in graph.components:
        for path, field in _component_fields(component):
            component.report(findings, "DG455", path, _message(graph, field), _hint(graph, cluster, GROVE))
        if component.nodes > 1 and component.is_worker and not graph.alone and not apis.can_join_nodes(graph):
            message = f"{component.nodes} nodes need Grove, or LeaderWorkerSet with Volcano"
            hint = _hint(graph, cluster, *((LWS, VOLCANO) if opts_out(graph) else (GROVE,)), leave_out=False)
            component.report(findings, "DG455", ("multinode",), message, hint, cause=hint)


def _graph_fields(graph: Graph) -> list[tuple[KeyPath, str]]:
    found: list[tuple[KeyPath, str]] = [
        (("spec", field), field) for field in ("priorityClassName", "providerOverride") if graph.spec.get(field)
    ]
    policy = (graph.spec.get("experimental") or {}).get("kvTransferPolicy") or {}
    if policy.get("clusterTopologyName"):
        field = "clusterTopologyName"
        found.append((("spec", "experimental", "kvTransferPolicy", field), f"kvTransferPolicy.{field}"))
    return found


def _component_fields(component: Component) -> list[tuple[KeyPath, str]]:
    found: list[tuple[KeyPath, str]] = [
        ((field,), field) for field in ("minAvailable", "providerOverride") if component.data.get(field) is not None
    ]
    if is_inter_pod(component.experimental.get("gpuMemoryService")):
        found.append((("experimental", "gpuMemoryService", "mode"), "gpuMemoryService of mode InterPod"))
    if (component.experimental.get("grove") or {}).get("forceScalingGroup"):
        found.append((("experimental", "grove", "forceScalingGroup"), "forceScalingGroup"))
    return found


def _message(graph: Graph, field: str) -> str:
    if graph.alone:
        return f"'{field}' needs Grove, and a {graph.subject.kind} is made without it"
    if opts_out(graph):
        return f"'{field}' needs Grove, and the annotation 'nvidia.com/enable-grove' says no to it"
    return f"'{field}' needs Grove, which the cluster is not known to have"


def _hint(graph: Graph, cluster: Cluster, *needed: str, leave_out: bool = True) -> str:
    if graph.alone or (opts_out(graph) and leave_out):
        return "leave it out"
    ways = " and ".join(cluster.declaring.format(f"CustomResourceDefinition/{name}") for name in needed)
    return f"if the cluster has it, say so: {ways}" + ("; otherwise leave it out" if leave_out else "")


def _check_names(graph: Graph, findings: Findings) -> None:
    longest = max((_budget(component) for component in graph.components), default=0)
    # A longer name of the graph is cut and gets a hash, down to eight characters.
    shown = min(len(graph.subject.name), max(_LONGEST - longest, _SHORTEST_GRAPH))
    for component in graph.components:
        length = shown + _budget(component)
        if length > _LONGEST:
            cliques = clique_names(component)
            parts = "the graph's name and the component's"
            if cliques:
                parts += f", and '{max(cliques, key=len)}'"
            message = f"Grove makes names of {length} characters: {parts}"
            hint = f"at most {_LONGEST}: a component name shorter by {_cut(length, bool(cliques))}"
            component.report(findings, "DG456", ("name",), message, hint)


def _cut(length: int, twice: bool) -> int:
    """Characters that have to go from the name of a component; with several cliques it counts twice."""
    over = length - _LONGEST
    return -(-over // 2) if twice else over


def _budget(component: Component) -> int:
    return len(component.name) + max((len(name) for name in clique_names(component)), default=0)


def clique_names(component: Component) -> list[str]:
    """The names of the pod cliques of a component that gets a scaling group; empty for one that is a clique itself."""
    name, nodes = component.name.lower(), component.nodes
    if is_inter_pod(component.experimental.get("gpuMemoryService")):
        engines = [f"{name}-ldr", *(f"{name}-wkr-{rank}" for rank in range(1, nodes))] if nodes > 1 else [name]
        return [*(f"{name}-gms-{rank}" for rank in range(nodes)), *engines]
    if nodes > 1:
        return [f"{name}-ldr", f"{name}-wkr"]
    forced = (component.experimental.get("grove") or {}).get("forceScalingGroup")
    return [name] if forced else []


def is_inter_pod(section: dict[str, object] | None) -> bool:
    return section is not None and section.get("mode") == "InterPod"
