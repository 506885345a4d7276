"""What patches of the user did that they most likely did not mean: an object before and after, and the patch between."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.diagnostics import Report
from dynagen.manifests.additions import report_misspelt
from dynagen.manifests.building import Manifest
from dynagen.manifests.lost_components import LostComponents
from dynagen.manifests.needs import report_losses
from dynagen.trees.nodes import Map


class Comparison:
    """That of all patches of a compilation."""

    def __init__(self) -> None:
        self._lost = LostComponents()

    def compare(self, target: Manifest, after: Map, patch: Map, report: Report) -> None:
        report_losses(target.tree, after, patch, str(target), report)
        if target.kind == "DynamoGraphDeployment":
            report_misspelt(target.tree, after, str(target), report)
            self._lost.compare(target, after, patch)

    def report(self, objects: Sequence[Manifest], report: Report) -> None:
        """What is known when all patches have been applied."""
        self._lost.report(objects, report)
