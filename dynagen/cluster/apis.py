"""What the cluster has beside Kubernetes: known from the definitions that are emitted or declared as external.

A profile says `external: [CustomResourceDefinition/podcliquesets.grove.io]`. The operator looks for the API group when
it starts: source deploy/operator/internal/features/gates.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.graphs import Graph
from dynagen.cluster.objects import Cluster, Object

GROVE, LWS, VOLCANO = (
    "podcliquesets.grove.io",
    "leaderworkersets.leaderworkerset.x-k8s.io",
    "podgroups.scheduling.volcano.sh",
)
INFERENCE_POOL, SNAPSHOT = "inferencepools.inference.networking.k8s.io", "podsnapshots.nvidia.com"
_DISAGGREGATED_SET = "disaggregatedset.x-k8s.io"


class Apis:
    """The API groups and the kinds of them that the cluster is known to have."""

    def __init__(self, objects: Sequence[Object], cluster: Cluster) -> None:
        self.definitions = {
            each.name for each in (*objects, *cluster.external) if each.kind == "CustomResourceDefinition"
        }
        self._groups = {name.partition(".")[2] for name in self.definitions}

    def has_group(self, group: str) -> bool:
        return group in self._groups

    def has_grove(self, graph: Graph) -> bool:
        """Whether the operator makes the graph with Grove: it is there, and the graph does not opt out.

        Source: grovePathwayForDynamoGraphDeployment in webhook/validation/dynamographdeployment_helpers.go.
        """
        provider = graph.annotations.get("nvidia.com/workload-provider")
        if graph.alone or provider not in (None, "grove"):
            return False
        if provider == "grove":
            return True
        return self.has_group("grove.io") and not opts_out(graph)

    def can_join_nodes(self, graph: Graph) -> bool:
        """Whether something makes groups of pods: Grove, LeaderWorkerSet with Volcano, DisaggregatedSet.

        Source: the same, and "no multinode orchestrator available" in internal/controller.
        """
        if self.has_grove(graph):
            return True
        sets = self.has_group("leaderworkerset.x-k8s.io")
        asked = graph.annotations.get("nvidia.com/enable-disaggregatedset") == "true"
        return sets and (self.has_group("scheduling.volcano.sh") or (asked and self.has_group(_DISAGGREGATED_SET)))


def opts_out(graph: Graph) -> bool:
    """Whether the graph says that it does not want Grove."""
    return str(graph.annotations.get("nvidia.com/enable-grove", "")).lower() == "false"
