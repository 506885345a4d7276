"""Every name that one object uses of another resolves: in the stream, in the cluster, or to what the operator makes."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.verify.references.known import Known
from dynagen.verify.references.names import check_names
from dynagen.verify.references.owned import check_owned
from dynagen.verify.references.selectors import check_selectors


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG470 to DG476: names of objects, keys, ports, selectors, grants, listeners, names of the operator."""
    known = Known(objects, cluster)
    check_names(known, findings)
    check_selectors(known, findings)
    if any(each.group == "gateway.networking.k8s.io" for each in objects):
        from dynagen.verify.references.routes import check_routes

        check_routes(known, findings)
    check_owned(known, findings)
    kinds = {subject.kind for subject in objects}
    if "Gateway" in kinds:
        from dynagen.verify.references.classes import check_classes

        check_classes(known, findings)
    if "HealthCheckPolicy" in kinds:
        from dynagen.verify.references.health import check_health

        check_health(known, findings)
