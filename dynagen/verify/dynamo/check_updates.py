"""Graphs beside those that the cluster has now: what an update may not change."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.verify.dynamo.updates import check_update


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG465 to DG469."""
    check_update(cluster.earlier, objects, cluster, findings)
