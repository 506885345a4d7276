"""Names that change with what an object says, for kinds whose objects cannot be changed."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

from dynagen.trees.nodes import Leaf, Map, scalar, to_data

# The annotation that asks for it; it is not in the output. That of kustomize is kustomize.config.k8s.io/needs-hash.
NEEDS_DIGEST = "dynagen.dev/needs-digest"

# What can be changed of a Job: another name for that would run it again (ValidateJobSpecUpdate in pkg/apis/batch/validation of
# kubernetes/kubernetes).
_CHANGEABLE = {"parallelism", "suspend", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"}


def with_digest(tree: Map) -> Map:
    """An object that asks for it gets a digest of its finished spec at the end of its name.

    What `kubectl apply` could not change is made anew: a Job whose template has changed, a Pod.
    """
    metadata: Any = tree["metadata"]
    annotations, name = metadata.get("annotations"), metadata.get("name")
    if not isinstance(annotations, Map) or NEEDS_DIGEST not in annotations or not isinstance(name, Leaf):
        return tree
    spec = to_data(tree["spec"]) if "spec" in tree else None
    if isinstance(spec, dict) and scalar(tree, "kind") == "Job":
        spec = {key: value for key, value in spec.items() if key not in _CHANGEABLE}
    # 32 bits tell the few versions of one object apart.
    digest = crc32(json.dumps(spec, sort_keys=True, default=str).encode())
    kept = Map({key: value for key, value in annotations.items() if key != NEEDS_DIGEST}, annotations.origin)
    renamed = Map({**metadata, "name": Leaf(f"{name.value}-{digest:08x}", name.origin, name.replaced)}, metadata.origin)
    renamed["annotations"] = kept
    if not kept:
        del renamed["annotations"]
    return Map({**tree, "metadata": renamed}, tree.origin)
