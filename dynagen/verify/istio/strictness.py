"""Policies for mutual TLS: what one of them loosens that another one asks of the namespace or the mesh.

Source: istio.io/latest/docs/reference/config/security/peer_authentication (the policy of pods goes before that of a namespace,
and that before the one of the mesh, which is in its root namespace).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object, mapping
from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.mesh import Mesh

_ROOT = "istio-system"
_LOOSE = ("PERMISSIVE", "DISABLE")


def check_strictness(mesh: Mesh) -> None:
    """Reports DG650."""
    policies = mesh.of_kind("PeerAuthentication")
    wide = [each for each in (*policies, *mesh.outside("PeerAuthentication")) if not _selector(each)]
    for policy in policies:
        above = _above(policy, wide)
        if above is None or _mode(above) != "STRICT":
            continue
        of = "the mesh" if above.namespace == _ROOT else f"namespace '{above.namespace}'"
        for path, mode in _modes(policy):
            if mode in _LOOSE:
                message = f"{of} is STRICT, and this lets plain text in" + (
                    f" at port {path[2]}" if len(path) > 3 else ""
                )
                hint = "leave it out if nothing without a sidecar needs it; 'istio.mtls: strict' in a profile"
                also = [("STRICT is said here", above, ("spec", "mtls", "mode"))] if above in policies else []
                mesh.findings.add("DG650", policy, path, message, hint, "note", also)


def _above(policy: Object, wide: list[Object]) -> Object | None:
    """The policy that would count without this one."""
    if _selector(policy):
        for each in wide:
            if each.namespace == policy.namespace and _mode(each) != "UNSET":
                return each
    elif policy.namespace == _ROOT:
        return None
    return next((each for each in wide if each.namespace == _ROOT), None)


def _selector(policy: Object) -> dict[str, Any]:
    return mapping(mapping(mapping(policy.data.get("spec")).get("selector")).get("matchLabels"))


def _mode(policy: Object) -> str:
    return str(mapping(mapping(policy.data.get("spec")).get("mtls")).get("mode") or "UNSET")


def _modes(policy: Object) -> Iterator[tuple[KeyPath, Any]]:
    yield ("spec", "mtls", "mode"), _mode(policy)
    for port, each in mapping(mapping(policy.data.get("spec")).get("portLevelMtls")).items():
        yield ("spec", "portLevelMtls", port, "mode"), mapping(each).get("mode")
