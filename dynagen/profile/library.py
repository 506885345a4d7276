"""The layers a profile asks for, and what they define together: the profile's schema, facts, sets of schemas."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from dynagen.diagnostics import Position, Report
from dynagen.language.scope import Scope
from dynagen.layers.finding import (
    Layer,
    base_layer,
    find_overlay,
)
from dynagen.memory import Memory
from dynagen.profile.facts import are_shipped, load_facts, look_up_facts
from dynagen.profile.request import Request
from dynagen.profile.schema import Composed, Schema, compose_schema
from dynagen.schema.sets import Schemas, open_schemas
from dynagen.text.document import Document
from dynagen.text.paths import SCHEMAS, is_there
from dynagen.text.versions import numbered


class Library(NamedTuple):
    """`layers` begin with the base; `facts` are those of all layers, later ones winning; `composed` is the profile's schema."""

    layers: Sequence[Layer]
    composed: Composed
    facts: Mapping[str, Any]
    memory: Memory

    @property
    def schema(self) -> Schema:
        return self.composed.schema

    def look_up(self, folder: str, name: str, report: Report) -> dict[str, Any]:
        """The facts in one file that is not read otherwise: `models`, `Qwen` for `facts/models/Qwen.yaml`."""
        return look_up_facts(self.layers, folder, name, report)

    def schema_folders(self, kubernetes: str, crds: str | None = None) -> list[Path]:
        """Where the schema of a kind is looked for: the layers' own sets, then the shipped ones that fit."""
        return schema_folders(self.layers, kubernetes, crds, self.memory)

    def schemas(self, kubernetes: str, crds: str | None = None) -> Schemas:
        """The schemas of the kinds that a cluster has: of Dynamo's those of the set `crds`, or the newest."""
        return open_schemas(self.schema_folders(kubernetes, crds), self.memory)

    def scope(self, values: Mapping[str, Any]) -> Scope:
        """What expressions see: `values`, and the facts. What only facts say, profiles with shipped layers share."""
        layers = tuple(self.layers)
        facts = self.memory.once(_shipped_scope, layers) if are_shipped(layers) else _scope(self.facts, self.memory)
        return Scope({name: value for name, value in values.items() if name != "facts"}, self.memory, facts)


def _scope(facts: Mapping[str, Any], memory: Memory) -> Scope:
    return Scope({"facts": facts}, memory)


def _shipped_scope(layers: tuple[Layer, ...]) -> Scope:
    return _scope(load_facts(layers, Report()), layers[0].memory)


def schema_folders(layers: Sequence[Layer], kubernetes: str, crds: str | None, memory: Memory) -> list[Path]:
    """The sets of the layers, then the shipped ones. Of Kubernetes and of Dynamo one set counts.

    Of Dynamo that is `crds`, or the newest: layers are written for it.
    """
    own = [layer.schemas_folder for layer in layers if not layer.is_shipped and layer.schemas_folder.is_dir()]
    return [*own, *memory.once(_shipped_folders, kubernetes, crds)]


def _shipped_folders(kubernetes: str, crds: str | None) -> list[Path]:
    with os.scandir(SCHEMAS) as entries:  # which does not ask about each entry once more
        names = sorted(entry.name for entry in entries if entry.is_dir())
    newest = crds or max((name for name in names if name.startswith("dynamo-")), key=numbered)
    others = [name for name in names if not name.startswith(("kubernetes", "dynamo-"))]
    return [SCHEMAS / name for name in (f"kubernetes-{kubernetes}", newest, *others)]


def find_library(request: Request, backends: Sequence[str], names: Sequence[str], report: Report) -> Library:
    """The library for a profile that is not checked yet. Reports what is wrong with its overlays.

    `names` are those that expressions use for the plan: a layer cannot have them for its section, nor `facts`.
    """
    memory = request.memory
    found: dict[str, Layer] = {"base": base_layer(memory)}
    missing: list[str] = []
    for entry, at in _overlay_entries(request.sources, request.settings):
        layer = find_overlay(entry, at, request.home, request.root, report, memory)
        if layer is None:
            missing.append(entry.rstrip("/").rsplit("/", 1)[-1])
            continue
        name = name_in_expressions(layer.name)
        if name in found or name in ("facts", *names):
            what = "two layers are called" if name in found else "a layer cannot be called"
            hint = "rename the folder: its name is the layer's"
            if name in found and found[name].folder == layer.folder:
                what, hint = "a layer is named twice:", "leave it out"
            report.add("DG304", f"{what} '{layer.name}'", at, hint)
            continue
        found[name] = layer
    layers = list(found.values())
    known = load_facts(layers, report)
    _check_sets(layers, report)
    if are_shipped(layers) and not missing:
        return Library(layers, memory.once(_shipped_schema, tuple(layers), tuple(backends)), known, memory)
    return Library(layers, Composed(_profile_schema(layers, known, backends, missing, report)), known, memory)


def _profile_schema(
    layers: Sequence[Layer], known: Mapping[str, Any], backends: Sequence[str], missing: Sequence[str], report: Report
) -> Schema:
    schema = compose_schema(layers, known, backends, report)
    needed = [layer.name for layer in layers if _is_needed(schema["properties"].get(layer.name, {}))]
    return {
        **schema,
        "required": [*schema["required"], *needed],
        # The section of a layer that is not there is no second mistake.
        "properties": {**{name: {} for name in missing}, **schema["properties"]},
    }


def _is_needed(section: Schema) -> bool:
    """Whether a layer cannot do without its section: it has required keys, and no default fills them in."""
    return bool(section.get("required")) and "default" not in section


def _shipped_schema(layers: tuple[Layer, ...], backends: tuple[str, ...]) -> Composed:
    """The same, once for all profiles with these layers, which nobody changes while we run."""
    return Composed(_profile_schema(layers, load_facts(layers, Report()), backends, (), Report()))


def name_in_expressions(layer: str) -> str:
    """What expressions call the section of a layer."""
    return layer.replace("-", "_")


def _check_sets(layers: Sequence[Layer], report: Report) -> None:
    """Reports DG214 for a schema of a layer's own set that cannot be used."""
    if are_shipped(layers):
        return
    from dynagen.crd_rules.soundness import rules_problem
    from dynagen.schema.broken import broken_schemas

    for layer in layers:
        if layer.is_shipped or not is_there(layer.schemas_folder):
            continue
        for file, message in broken_schemas(
            layer.schemas_folder, layer.folder, partial(rules_problem, memory=layer.memory)
        ):
            shown = f"{layer.shown}/{file.relative_to(layer.folder).as_posix()}"
            report.add(
                "DG214", f"not a schema of a set: {message}", Position(shown), "make it with `dynagen schemas import`"
            )


def _overlay_entries(sources: Sequence[Document], settings: Sequence[str]) -> list[tuple[str, Position]]:
    """The last `overlays` that was said, as far as it has the right shape; the schema speaks about the rest."""
    if settings:
        from dynagen.profile.settings import overlays_said

        said = overlays_said(settings)
        if said is not None:
            return said
    for source in reversed(sources):
        entries = source.data.get("overlays") if isinstance(source.data, dict) else None
        if isinstance(entries, list):
            return [
                (entry, source.at(("overlays", index)))
                for index, entry in enumerate(entries)
                if isinstance(entry, str) and entry
            ]
    return []
