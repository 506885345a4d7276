"""The way in from outside: whether it is encrypted, and whether it waits for as long as the frontend answers."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.objects import Cluster, Findings, Object

_WAYS = {"Gateway", "Ingress", "HTTPRoute", "VirtualService", "GCPBackendPolicy"}


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG646, DG648 and DG652."""
    if not any(each.kind in _WAYS or _is_balanced(each) for each in objects):
        return
    from dynagen.cluster.frontends import Frontends
    from dynagen.verify.outside.default_timeouts import check_default_timeouts
    from dynagen.verify.outside.plain_text import check_plain_text
    from dynagen.verify.outside.timeouts import check_timeouts, takes_long

    frontends = Frontends(objects, cluster.release)
    if frontends:
        routes = list(frontends.routes())
        check_plain_text(frontends, routes, cluster.external, findings)
        check_timeouts(frontends, routes, cluster.release, findings)
        check_default_timeouts(frontends, [each for each in routes if takes_long(each)], cluster, findings)


def _is_balanced(subject: Object) -> bool:
    return subject.kind == "Service" and (subject.data.get("spec") or {}).get("type") == "LoadBalancer"
