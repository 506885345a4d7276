"""Names that Dynamo's operator gives its own objects are not taken by others."""

from __future__ import annotations

from dynagen.cluster.objects import Findings
from dynagen.verify.references.known import Known


def check_owned(known: Known, findings: Findings) -> None:
    """Reports DG476 for an object with the name of one that the operator makes: they would overwrite each other.

    An error when the operator makes it in any case, a warning when that depends on how it is set up.
    Source: deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo.
    """
    owned = {
        (each.group, each.kind, graph.source.namespace, each.name): (graph.source, each) for graph, each in known.made
    }
    for subject in known.objects if owned else ():
        graph, each = owned.get((subject.group, subject.kind, subject.namespace, subject.name), (None, None))
        if graph is None or each is None or each.name.endswith("-serviceaccount"):
            continue
        if subject.data.get("metadata", {}).get("ownerReferences"):
            continue  # it is the operator's, read from a cluster
        verb = "makes" if each.always else "may make"
        message = f"Dynamo's operator {verb} a {subject.kind} of this name for {graph}"
        also = [("for this", *each.place)]
        severity = "error" if each.always else "warning"
        findings.add("DG476", subject, ("metadata", "name"), message, "choose another name", severity, also)
