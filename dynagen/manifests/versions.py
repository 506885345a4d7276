"""A DynamoGraphDeployment of v1beta1, in which layers are written -> the version that a release takes, and back.

The table alpha.yaml says how the two differ. Origins stay with their values.
"""

from __future__ import annotations

from dynagen.diagnostics import Report
from dynagen.manifests.building import Manifest
from dynagen.trees.nodes import Leaf, Map

V1ALPHA1, V1BETA1 = "nvidia.com/v1alpha1", "nvidia.com/v1beta1"
GRAPH = "DynamoGraphDeployment"


def needs_translation(manifest: Manifest, api_version: str) -> bool:
    return (manifest.kind, manifest.api_version, api_version) == (GRAPH, V1BETA1, V1ALPHA1)


def for_release(manifest: Manifest, api_version: str, release: str, report: Report) -> Manifest:
    """The manifest as the release's operator takes it. Reports DG408 for a field that its v1alpha1 does not have."""
    if (manifest.kind, manifest.api_version) != (GRAPH, V1BETA1):
        return manifest
    tree = Map(manifest.tree, manifest.tree.origin)
    # The release decides, wherever the layer's own version is written.
    decided = tree["apiVersion"].origin._replace(expression="${graph.apiVersion}", reads=(("graph", "apiVersion"),))
    tree["apiVersion"] = Leaf(api_version, decided)
    spec = tree.get("spec")
    if isinstance(spec, Map) and needs_translation(manifest, api_version):
        from dynagen.manifests.alpha import spec_to_alpha

        tree["spec"] = spec_to_alpha(spec, release, report)
    return manifest.with_tree(tree)


def as_beta(manifest: Manifest) -> Manifest:
    """A manifest of v1alpha1 in the form of v1beta1, as the conversion webhook makes it of it.

    What is not as its schema says is kept as it is.
    """
    from dynagen.manifests.alpha import component_to_beta, spec_to_beta

    tree = Map(manifest.tree, manifest.tree.origin)
    tree["apiVersion"] = Leaf(V1BETA1, manifest.origin(("apiVersion",)))
    spec = manifest.tree.get("spec")
    if isinstance(spec, Map):
        tree["spec"] = spec_to_beta(spec) if manifest.kind == GRAPH else component_to_beta(spec)
    return manifest.with_tree(tree)
