"""What an API server accepts as `metadata` of any custom resource, where a CRD just says `type: object`.

Source: `io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta` in Kubernetes' api/openapi-spec/swagger.json, the same from
1.31 to 1.37. A null `creationTimestamp` is what Go programs print for a new object.
"""

from __future__ import annotations

from typing import Any

from dynagen.schema_import.dialect import BOUNDS, FORMATS

_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_NUMBER = {"type": "integer", "format": "int64", "minimum": BOUNDS["int64"][0], "maximum": BOUNDS["int64"][1]}
_TIME = {"type": ["string", "null"], "format": "date-time", "pattern": FORMATS["date-time"]}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _list(items: dict[str, Any], **extensions: Any) -> dict[str, Any]:
    words = {"x-kubernetes-" + key.replace("_", "-"): value for key, value in extensions.items()}
    return {"type": "array", "items": items, **words}


_OWNER = _object(
    {
        "apiVersion": _TEXT,
        "blockOwnerDeletion": {"type": "boolean"},
        "controller": {"type": "boolean"},
        "kind": _TEXT,
        "name": _TEXT,
        "uid": _TEXT,
    },
    "apiVersion", "kind", "name", "uid",
)  # fmt: skip
_MANAGED = _object(
    {
        "apiVersion": _TEXT,
        "fieldsType": _TEXT,
        "fieldsV1": {"type": "object"},
        "manager": _TEXT,
        "operation": _TEXT,
        "subresource": _TEXT,
        "time": _TIME,
    }
)

OBJECT_META = _object(
    {
        "annotations": _TEXTS,
        "creationTimestamp": _TIME,
        "deletionGracePeriodSeconds": _NUMBER,
        "deletionTimestamp": _TIME,
        "finalizers": _list(_TEXT, list_type="set", patch_strategy="merge"),
        "generateName": _TEXT,
        "generation": _NUMBER,
        "labels": _TEXTS,
        "managedFields": _list(_MANAGED, list_type="atomic"),
        "name": _TEXT,
        "namespace": _TEXT,
        "ownerReferences": _list(_OWNER, list_type="map", list_map_keys=["uid"]),
        "resourceVersion": _TEXT,
        "selfLink": _TEXT,
        "uid": _TEXT,
    }
)
