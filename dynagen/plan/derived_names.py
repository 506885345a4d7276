"""Names that Dynamo's operator derives from those of the graph must stay legal."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.diagnostics import Report
from dynagen.profile import Profile

# The operator names the frontend's Service <graph>-frontend only for a component of this name.
FRONTEND = "Frontend"


def check_names(profile: Profile, workers: Sequence[str], downloads: bool, report: Report) -> None:
    """Reports DG406 for a name that gets too long, DG407 for a namespace of the system.

    Services are <graph>-<component> (63 characters, RFC 1035), workers' Deployments add '-' and an 8-character hash,
    pods carry the label <namespace>-<graph>, of 63 characters at most (internal/dynamo/graph.go of ai-dynamo/dynamo).
    """
    metadata = profile.data["metadata"]
    name, space = metadata["name"], metadata["namespace"]
    longest = max(len(FRONTEND), *(len(worker) + 9 for worker in workers)) + 1
    limits = [
        (63 - longest, f"the operator names a component's objects '{name}-...'"),
        (63 - len(space) - 1, f"pods get the label value '{space}-{name}'"),
    ]
    if downloads:  # a Job's name becomes a label of its pods
        limits.append((63 - len("-download-") - 8, f"the Job that downloads the model is called '{name}-download-...'"))
    limit, why = min(limits)
    if len(name) > limit:
        report.add(
            "DG406", f"name '{name}' has {len(name)} characters, {limit} are possible: {why}",
            profile.at(("metadata", "name")), hint="use a shorter name",
        )  # fmt: skip
    if space == "kube" or space.startswith(("kube-", "gke-")):
        report.add(
            "DG407", f"namespace '{space}' belongs to the system", profile.at(("metadata", "namespace")),
            hint="use a namespace of your own",
        )  # fmt: skip
