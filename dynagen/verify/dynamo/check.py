"""Graphs: what Dynamo's webhook would say, and what its controllers would fail at."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.graphs import graphs
from dynagen.cluster.objects import Cluster, Findings, Object


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG406, DG416 and DG450 to DG464, DG643 and DG685. What the CRDs say in rules of their own is left to the check of those.

    What few graphs have costs nothing where none has it.
    """
    found = graphs(objects)
    if not found:
        return
    from dynagen.cluster.apis import Apis
    from dynagen.verify.dynamo.commands import check_commands
    from dynagen.verify.dynamo.engine_values import check_engine_values
    from dynagen.verify.dynamo.engines import check_engines
    from dynagen.verify.dynamo.grove import check_grove
    from dynagen.verify.dynamo.images import check_images
    from dynagen.verify.dynamo.routing import check_routing
    from dynagen.verify.dynamo.rules import check_rules
    from dynagen.verify.dynamo.shape import check_shape

    apis = Apis(objects, cluster)
    for graph in found:
        check_rules(graph, cluster, findings)
        check_shape(graph, apis, cluster, findings)
        check_images(graph, cluster, findings)
        check_commands(graph, cluster, findings)
        check_engines(graph, cluster, findings)
        check_engine_values(graph, findings)
        check_routing(graph, cluster, findings)
        check_grove(graph, apis, cluster, findings)
        if any(each.type == "epp" for each in graph.components):
            from dynagen.verify.dynamo.epp import check_epp

            check_epp(graph, apis, cluster, findings)
        if any(each.experimental for each in graph.components):
            from dynagen.verify.dynamo.experimental import check_experimental

            check_experimental(graph, apis, objects, cluster, findings)
        parts = (graph.spec, *(each.data for each in graph.components))
        if any(key in part for part in parts for key in ("topologyConstraint", "experimental")):
            from dynagen.verify.dynamo.topology import check_topology

            check_topology(graph, (*objects, *cluster.external), findings)
