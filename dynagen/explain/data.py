"""Explanations as plain data, for tools. docs/explain.md describes it; `version` is that of the shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Position
from dynagen.explain.explained import Conditional, Explanation, Read
from dynagen.explain.explainer import Explainer
from dynagen.manifests.building import Manifest


def to_data(explained: Iterable[tuple[Manifest, Sequence[Explanation]]], explainer: Explainer) -> dict[str, Any]:
    """The whole document. What is in a Secret is not in it."""
    layers = [{"folder": layer.shown, "shipped": layer.is_shipped} for layer in explainer.layers]
    objects = [_object(manifest, leaves, explainer) for manifest, leaves in explained]
    return {"version": 1, "layers": layers, "objects": objects}


def _object(manifest: Manifest, leaves: Sequence[Explanation], explainer: Explainer) -> dict[str, Any]:
    identity = {"apiVersion": manifest.api_version, "kind": manifest.kind, "name": manifest.name}
    if manifest.namespace:
        identity["namespace"] = manifest.namespace
    lists = [
        {
            "path": list(each.path),
            "written": _position(each.by),
            "replaced": _position(each.at),
            "lost": list(each.lost),
            "append": each.append,
        }
        for each in explainer.lists(manifest)
    ]
    values = [_leaf(leaf) for leaf in leaves]
    return {**identity, "written": _position(manifest.at), "values": values, "lists": lists}


def _leaf(leaf: Explanation) -> dict[str, Any]:
    return {
        "path": list(leaf.path),
        "value": leaf.value,
        "written": _position(leaf.at),
        "expression": leaf.expression or None,
        "reads": [_read(read) for read in leaf.reads],
        "conditions": [_conditional(each) for each in leaf.conditions],
        "identity": [_read(read) for read in leaf.identity],
        "absent": [_conditional(each) for each in leaf.absent],
        "replaced": [
            {"value": each.value, "written": _position(each.at), "expression": each.expression or None}
            for each in leaf.replaced
        ],
    }


def _conditional(each: Conditional) -> dict[str, Any]:
    reads = [_read(read) for read in each.reads]
    return {"word": each.word, "expression": each.expression, "written": _position(each.at), "reads": reads}


def _read(read: Read) -> dict[str, Any]:
    path: KeyPath = read.path
    return {"kind": read.kind, "path": list(path), "value": read.value, "written": _position(read.at)}


def _position(at: Position | None) -> dict[str, Any] | None:
    return None if at is None else {"file": at.file, "line": at.line, "column": at.column}
