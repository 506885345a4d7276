"""Objects beside those that the cluster has now: what an update may not change."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.objects import Cluster, Findings, Object


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG465 to DG469 when it is known what the cluster has now."""
    if cluster.earlier:
        from dynagen.verify.dynamo.updates import check_update

        check_update(cluster.earlier, objects, cluster, findings)
