"""In which order objects are applied, and the keys of one are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynagen.trees.nodes import Map

if TYPE_CHECKING:
    from dynagen.manifests.building import Manifest

# What others need comes first: kubectl applies a stream from top to bottom.
_FIRST = (
    "Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass", "ComputeClass", "ServiceAccount",
    "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding", "Secret", "ConfigMap", "PersistentVolume",
    "PersistentVolumeClaim", "Service", "DynamoGraphDeployment", "Job", "Pod", "Gateway",
)  # fmt: skip


def apply_order(manifest: Manifest) -> tuple[Any, ...]:
    kind = manifest.kind
    return (
        _FIRST.index(kind) if kind in _FIRST else len(_FIRST),
        kind,
        manifest.group,
        manifest.namespace,
        manifest.name,
    )


def with_keys_in_order(tree: Map) -> Map:
    """apiVersion, kind and metadata first, as people expect them."""
    head = {key: tree[key] for key in ("apiVersion", "kind", "metadata") if key in tree}
    metadata = head.get("metadata")
    if isinstance(metadata, Map):
        first = {key: metadata[key] for key in ("name", "namespace", "labels", "annotations") if key in metadata}
        head["metadata"] = Map({**first, **metadata}, metadata.origin, metadata.replaced)
    return Map({**head, **{key: value for key, value in tree.items() if key not in head}}, tree.origin)
