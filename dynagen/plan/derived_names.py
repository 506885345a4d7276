"""Names that are made of the graph's must stay legal: Dynamo's operator makes some, and we make a Job."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.names import FRONTEND, made_names
from dynagen.diagnostics import Report
from dynagen.profile import Profile
from dynagen.text.names import MAX_LABEL


def check_names(profile: Profile, workers: Sequence[str], downloads: bool, report: Report) -> None:
    """Reports DG406 for a name that gets too long, DG407 for a namespace of the system."""
    metadata = profile.data["metadata"]
    name, space = metadata["name"], metadata["namespace"]
    limits = [
        (
            made.longest(name),
            f"pods get the label value '{made}'"
            if made.is_label
            else f"the operator names a component's objects '{name}-...'",
        )
        for made in made_names(name, space, [(FRONTEND, False), *((worker, True) for worker in workers)])
    ]
    if downloads:  # a Job's name becomes a label of its pods
        longest = MAX_LABEL - len("-download-") - 8
        limits.append((longest, f"the Job that downloads the model is called '{name}-download-...'"))
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
