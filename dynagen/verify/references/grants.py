"""References of the Gateway API into another namespace: a ReferenceGrant there allows them.

source: kubernetes-sigs/gateway-api, apis/v1/referencegrant_types.go
"""

from __future__ import annotations

from dynagen.cluster.objects import Findings, Object, listing, mapping
from dynagen.diagnostics import KeyPath
from dynagen.verify.references.known import Known


def check_grant(
    known: Known, findings: Findings, subject: Object, path: KeyPath, group: str, kind: str, namespace: str, name: str
) -> None:
    """Reports DG474 for a reference that nothing in the namespace of its target allows."""
    if not subject.namespace:
        return
    for content in (*known.grants.get(namespace, ()), *known.grants.get("", ())):
        if content is None:
            return  # it could allow anything
        spec = mapping(content.get("spec"))
        comes = any(
            (each.get("group"), each.get("kind"), each.get("namespace"))
            == (subject.group, subject.kind, subject.namespace)
            for each in listing(spec.get("from"))
        )
        goes = any(
            (each.get("group", ""), each.get("kind")) == (group, kind) and each.get("name", name) == name
            for each in listing(spec.get("to"))
        )
        if comes and goes:
            return
    message = f"{kind} '{name}' is in another namespace, and no ReferenceGrant in '{namespace}' allows that"
    hint = f"a ReferenceGrant in '{namespace}': from {subject.kind} in '{subject.namespace}' to {kind}"
    findings.add("DG474", subject, path, message, hint)
