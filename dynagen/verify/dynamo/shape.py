"""Names that the operator makes of a graph; roles of the nodes of a component, its container that is a frontend.

Source: deploy/operator/internal/webhook/validation/{dynamographdeployment,shared_v1beta1}.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from dynagen.cluster.apis import GROVE, Apis
from dynagen.cluster.graphs import Component, Graph
from dynagen.cluster.names import HASH_LENGTH, MadeName, made_names
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import closest
from dynagen.text.names import MAX_LABEL


def check_shape(graph: Graph, apis: Apis, cluster: Cluster, findings: Findings) -> None:
    """Reports DG406 for a name that gets too long, DG454 for roles that cannot be, DG459 for a frontend that is not there."""
    _check_name(graph, apis, cluster, findings)
    for component in graph.components:
        _check_roles(component, findings)
        _check_frontend(component, findings)


def _check_name(graph: Graph, apis: Apis, cluster: Cluster, findings: Findings) -> None:
    """Names of components get a hash of the worker's spec where no Grove rolls them."""
    name, hashed = graph.subject.name, not apis.has_grove(graph)
    components = [] if graph.alone else [(each.name, each.is_worker and hashed) for each in graph.components]
    made = made_names(name, graph.subject.namespace, components) or [MadeName(name)]
    longest = max(made, key=lambda each: each.length)
    if longest.length > MAX_LABEL:
        message = f"the operator makes '{longest}' of it, of {longest.length} characters: {MAX_LABEL} are possible"
        hint = "use a shorter name"
        if all(each.length - each.has_hash * HASH_LENGTH <= MAX_LABEL for each in made):
            declared = cluster.declaring.format(f"CustomResourceDefinition/{GROVE}")
            hint += f"; if Grove is in the cluster, which needs no hash, say so: {declared}"
        graph.report(findings, "DG406", ("metadata", "name"), message, hint)


def _check_roles(component: Component, findings: Findings) -> None:
    roles = component.data.get("roles")
    if roles is None or "multinode" not in component.data:
        return
    expected = {"leader": 1, "worker": component.nodes - 1}
    found: set[str] = set()
    for index, role in enumerate(roles):
        name, replicas = role.get("name"), role.get("replicas")
        if name not in expected or name in found:
            message = f"role '{name}' is there already" if name in found else f"there is no role '{name}'"
            component.report(findings, "DG454", ("roles", index, "name"), message, "one 'leader' and one 'worker'")
        elif replicas not in (None, expected[name]):
            message = f"role '{name}' has {replicas} replicas"
            hint = f"it has {expected[name]} with {component.nodes} nodes: leave it out"
            component.report(findings, "DG454", ("roles", index, "replicas"), message, hint)
        found.add(str(name))
    for name in expected.keys() - found:
        component.report(findings, "DG454", ("roles",), f"role '{name}' is missing", "one 'leader' and one 'worker'")


def _check_frontend(component: Component, findings: Findings) -> None:
    name = component.data.get("frontendSidecar")
    names = [str(container.get("name")) for container in component.pod.get("containers") or ()]
    if name is not None and name not in names:
        near = closest(name, names)
        hint = f"did you mean '{near}'?" if near else "the name of a container in 'podTemplate'"
        message = f"'frontendSidecar' is '{name}', and there is no such container"
        component.report(findings, "DG459", ("frontendSidecar",), message, hint)
