"""A schema in the dialect of `schemas/` in, the same as a CRD must say it out."""

from __future__ import annotations

from typing import Any

from dynagen.schema_import.dialect import BOUNDS, FORMATS, PUBLISHED_INT_OR_STRING, Schema


def loosened(schema: Any) -> Any:
    """The schema as a CRD must say it (structural: no references, nothing closed)."""
    if not isinstance(schema, dict):
        return schema
    result = dict(schema)
    for key in ("properties", "patternProperties"):
        if key in result:
            result[key] = {name: loosened(inner) for name, inner in result[key].items()}
    for key in ("items", "additionalProperties", "not"):
        if key in result:
            result[key] = loosened(result[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in result:
            result[key] = [loosened(inner) for inner in result[key]]
    if result.get("additionalProperties") is False:
        del result["additionalProperties"]
    if result.get("x-kubernetes-list-type") == "set":
        result.pop("uniqueItems", None)
    if result.get("x-kubernetes-embedded-resource"):
        result["required"] = [name for name in result["required"] if name not in ("apiVersion", "kind")]
        if not result["required"]:
            del result["required"]
    _loosen_type(result)
    for low, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if exclusive in result:
            result[low], result[exclusive] = result[exclusive], True
    format_ = result.get("format")
    if format_ in BOUNDS:
        for key, bound in zip(("minimum", "maximum"), BOUNDS[format_], strict=True):
            if result.get(key) == bound:
                del result[key]
    elif format_ in FORMATS and result.get("pattern") == FORMATS[format_]:
        del result["pattern"]
    return result


def _loosen_type(schema: Schema) -> None:
    kinds = schema.get("type")
    if not isinstance(kinds, list):
        return
    if "null" in kinds:
        schema["nullable"] = True
        if "enum" in schema:
            schema["enum"] = [word for word in schema["enum"] if word is not None]
        kinds = [kind for kind in kinds if kind != "null"]
    del schema["type"]
    if schema.get("x-kubernetes-int-or-string"):
        schema.setdefault("anyOf", PUBLISHED_INT_OR_STRING)
    elif len(kinds) == 1:
        schema["type"] = kinds[0]
