"""What a graph is made of: components, nodes of a component, shared memory; how it starts.

Source: deploy/operator/internal/webhook/validation/{dynamographdeployment,shared_v1beta1}.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from dynagen.cluster.apis import Apis
from dynagen.cluster.graphs import WORKERS, Component, Graph
from dynagen.cluster.names import MadeName, made_names
from dynagen.cluster.objects import Cluster, Findings
from dynagen.text.names import MAX_LABEL
from dynagen.text.quantities import amount


def check_shape(graph: Graph, apis: Apis, cluster: Cluster, findings: Findings) -> None:
    """Reports DG406 for a name that gets too long, DG450 for a graph of nothing, DG453 for negative shared memory, DG454 for nodes that cannot be, DG463
    for a restart of what does not run: rules 1, 7, 8 and 20."""
    if not graph.alone and not graph.components:
        field = "services" if graph.is_alpha else "components"
        graph.report(findings, "DG450", ("spec",), f"'{field}' is empty", "a graph needs at least one component")
    # A rule of the CRD itself from 1.4 on; docs/fern/pages/reference/general/releases-machine-readable.mdx for 1.3.
    if "restart" in graph.spec and (1, 3, 0) <= cluster.release < (1, 4, 0):
        hint = "leave it out; set 'restart.id' when the graph runs and has to restart"
        graph.report(findings, "DG463", ("spec", "restart"), "'restart' is set in a graph that is new", hint)
    _check_name(graph, apis, findings)
    for component in graph.components:
        size = amount(component.data.get("sharedMemorySize", 0))
        if size is not None and size < 0:
            message = f"'sharedMemorySize' is {component.data['sharedMemorySize']}"
            component.report(findings, "DG453", ("sharedMemorySize",), message, "0 for none, 8Gi when it is not set")
        _check_nodes(component, cluster, findings)


def _check_name(graph: Graph, apis: Apis, findings: Findings) -> None:
    """Names of components get a hash of the worker's spec where no Grove rolls them."""
    name, hashed = graph.subject.name, not apis.has_grove(graph)
    components = [] if graph.alone else [(each.name, each.is_worker and hashed) for each in graph.components]
    made = made_names(name, graph.subject.namespace, components) or [MadeName(name)]
    longest = max(made, key=lambda each: each.length)
    if longest.length > MAX_LABEL:
        message = f"the operator makes '{longest}' of it, of {longest.length} characters: {MAX_LABEL} are possible"
        graph.report(findings, "DG406", ("metadata", "name"), message, "use a shorter name")


def _check_nodes(component: Component, cluster: Cluster, findings: Findings) -> None:
    data = component.data
    if "multinode" in data and not component.is_worker and component.type != "epp" and cluster.release >= (1, 5, 0):
        what = f"of type '{component.type}'" if component.type else "without a type"
        hint = "set 'type' to one of " + ", ".join(WORKERS) + ", or leave out 'multinode'"
        component.report(findings, "DG454", ("multinode",), f"a component {what} runs on one node", hint)
    roles = data.get("roles")
    if roles is None:
        return
    if "multinode" not in data:
        hint = "set 'multinode', or leave out 'roles'"
        component.report(findings, "DG454", ("roles",), "a component of one node has no roles", hint)
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
