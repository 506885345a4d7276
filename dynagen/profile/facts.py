"""What layers know: their files of facts, merged, later layers over earlier ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynagen.compiled.reading import LOOKED_UP, facts_of
from dynagen.diagnostics import Origin, Position, Report
from dynagen.layers.finding import (
    Layer,
    base_layer,
    documents,
    fact_documents,
    fact_files,
    facts,
    facts_file,
    files,
)
from dynagen.profile.checks import check
from dynagen.schema.conformance import Source
from dynagen.text.paths import SCHEMAS
from dynagen.trees.nodes import Map, nested, to_data
from dynagen.trees.plain_merge import merge_data, merge_trees

# The facts in one file: `models`, `Qwen` -> what is known of Qwen's models; `flags`, `vllm` -> of the arguments of dynamo.vllm.
LookUp = Callable[[str, str], Mapping[str, Any]]


def load_facts(layers: Sequence[Layer], report: Report) -> dict[str, Any]:
    """The facts of all layers, later ones over earlier ones. What users' layers say is checked (DG201 to DG204)."""
    if are_shipped(layers):
        return layers[0].memory.once(_shipped_facts, tuple(layers))
    for layer in layers:
        _report_unread(layer, report)
    merged = _merged_facts(layers, "", report)
    for name in _NEEDED:
        if not merged.get(name) and not report.failed:
            hint = "a later layer takes them away: null and '$patch' count in facts as well"
            report.add("DG305", f"there are no facts about '{name}' left", Position(f"{layers[-1].shown}/facts"), hint)
    return merged


# Nothing can be said of any profile without these.
_NEEDED = ("gpus", "releases", "precision")


def _report_unread(layer: Layer, report: Report) -> None:
    """Reports DG305 for files among those that are looked up by name and that nobody looks up."""
    if layer.is_shipped:
        return
    programs = {Path(name).stem for name in files(base_layer(layer.memory), "facts/flags")}
    for name in files(layer, "facts"):
        parts, stem = Path(name).parts[1:], Path(name).stem
        is_looked_up = f"facts/{parts[0] if len(parts) > 1 else stem}/" in LOOKED_UP
        if is_looked_up and (len(parts) != 2 or (parts[0] == "flags" and stem not in programs)):
            known = "facts/flags/" + " or ".join(f"{each}.yaml" for each in sorted(programs))
            hint = known if "flags" in (parts[0], stem) else "the models of OWNER/NAME are in facts/models/OWNER.yaml"
            shown = f"{layer.shown}/{name}"
            report.add(
                "DG305", f"'{shown}' is no file of facts, so nobody reads it", Position(shown), hint, severity="warning"
            )


def are_shipped(layers: Sequence[Layer]) -> bool:
    return all(layer.is_shipped for layer in layers)


def _shipped_facts(layers: tuple[Layer, ...]) -> dict[str, Any]:
    """The same, once for all profiles with these layers. What ships has no null and no `$patch`, and nobody asks for places."""
    names = [(layer, name) for layer in layers for name in fact_files(layer)]
    known = facts_of([(f"{layer.shown}/{name}", (layer.folder / name).read_bytes()) for layer, name in names])
    if known is not None:
        return known
    parts = [part for layer in layers for part in fact_documents(layer, Report())]
    return merge_data(nested(keys, document.data) for keys, document in parts)


def look_up_facts(layers: Sequence[Layer], folder: str, name: str, report: Report) -> dict[str, Any]:
    """As `Library.look_up`. Empty for a file that no layer has. Without a name, the names that there are."""
    if not name:
        known = (file for layer in layers for file in files(layer, f"facts/{folder}"))
        return {file.rpartition("/")[2].rpartition(".")[0]: {} for file in known}
    file = f"facts/{folder}/{name}.yaml"
    having = [layer for layer in layers if facts_file(layer, file)]
    if not having:
        return {}
    if len(having) == 1 and having[0].is_shipped:  # nothing to merge, nothing to check
        shipped: dict[str, Any] = documents(having[0], file, report)[0].data
        return shipped
    wrong = Report()
    found: Any = _merged_facts(having, file, wrong)
    report.take(wrong)
    if wrong.failed:
        return {}
    for key in (folder, name):
        found = found.get(key, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}  # what is no mapping has been reported


def _merged_facts(layers: Sequence[Layer], only: str, report: Report) -> dict[str, Any]:
    merged = fact_tree(layers, report, only)
    data: dict[str, Any] = to_data(merged)
    if not are_shipped(layers):
        check(data, Source(json.loads((SCHEMAS / "facts.json").read_bytes())), merged, report)
    return data


def fact_tree(layers: Sequence[Layer], report: Report, only: str = "") -> Map:
    """The facts of all layers, or those of one file, each with the place where it was written."""
    nothing = Map({}, Origin(Position("base")))
    return merge_trees([nothing, *(tree for layer in layers for tree in facts(layer, report, only))])
