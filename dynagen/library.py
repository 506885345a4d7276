"""The layers a profile asks for, and what they define together: the profile's schema, facts, sets of schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dynagen.data import SCHEMAS
from dynagen.diagnostics import Position, Report
from dynagen.layers import Layer, base_layer, facts, find_overlay
from dynagen.merge import Map, merge, to_data
from dynagen.profile import Schema, compose_schema
from dynagen.source import Document


class Library(NamedTuple):
    """`layers` begin with the base; `facts` are those of all layers, later ones winning."""

    layers: Sequence[Layer]
    schema: Schema
    facts: Mapping[str, Any]

    def schema_folders(self, kubernetes: str, crds: str) -> list[Path]:
        """Where the schema of a kind is looked for: the layers' own sets, then the shipped ones that fit.

        A set named `family-version` counts when its version is the wanted one; any other set always counts. The newest
        Dynamo set comes last: layers are written for v1beta1, which old releases do not have.
        """
        own = [layer.schemas_folder for layer in self.layers if layer.schemas_folder.is_dir()]
        shipped = sorted(entry for entry in SCHEMAS.iterdir() if entry.is_dir())
        wanted = [SCHEMAS / f"kubernetes-{kubernetes}", SCHEMAS / crds]
        others = [folder for folder in shipped if not folder.name.startswith(("kubernetes", "dynamo-"))]
        newest = [folder for folder in shipped if folder.name.startswith("dynamo-")][-1:]
        return [*own, *wanted, *others, *newest]


def find_library(
    sources: Sequence[Document],
    settings: Sequence[str],
    home: Path,
    root: Path,
    backends: Sequence[str],
    report: Report,
) -> Library:
    """The library for a profile that is not checked yet. Reports what is wrong with its overlays."""
    found: dict[str, Layer] = {"base": base_layer()}
    for entry, at in _overlay_entries(sources, settings):
        layer = find_overlay(entry, at, home, root, report)
        if layer is None:
            continue
        if layer.name in found:
            report.add(
                "DG304", f"two layers are called '{layer.name}'", at, hint="rename the folder: its name is the layer's"
            )
            continue
        found[layer.name] = layer
    layers = list(found.values())
    known = load_facts(layers, report)
    return Library(layers, compose_schema(layers, known, backends, report), known)


def load_facts(layers: Sequence[Layer], report: Report) -> dict[str, Any]:
    merged = Map({}, base_origin())
    for layer in layers:
        for tree, _ in facts(layer, report):
            merged = merge(merged, tree, None)
    data: dict[str, Any] = to_data(merged)
    return data


def base_origin() -> Any:
    from dynagen.diagnostics import Origin

    return Origin(Position("base"))


def _overlay_entries(sources: Sequence[Document], settings: Sequence[str]) -> list[tuple[str, Position]]:
    """The last `overlays` that was said, as far as it has the right shape; the schema speaks about the rest."""
    for setting in reversed(settings):
        key, _, text = setting.partition("=")
        if key == "overlays":
            return [(entry, Position(f"--set {setting}")) for entry in text.split(",") if entry]
    for source in reversed(sources):
        entries = source.data.get("overlays") if isinstance(source.data, dict) else None
        if isinstance(entries, list):
            return [
                (entry, source.at(("overlays", index)))
                for index, entry in enumerate(entries)
                if isinstance(entry, str) and entry
            ]
    return []
