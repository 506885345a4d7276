"""Profile files in, one checked profile out: merged over the layers' defaults, every value with its position."""

from __future__ import annotations

from dynagen.diagnostics import Report
from dynagen.layers.finding import Layer, defaults, document_tree
from dynagen.profile.checks import check, check_rules
from dynagen.profile.library import Library
from dynagen.profile.profile import Profile
from dynagen.profile.releases import check_release
from dynagen.profile.request import Request
from dynagen.profile.schema import SCHEMA_FILE, fill_defaults
from dynagen.text.document import Document
from dynagen.trees.directives import without_directives
from dynagen.trees.nodes import Map, to_data
from dynagen.trees.plain_merge import merge_trees


def load_profile(request: Request, library: Library, report: Report) -> Profile | None:
    """One profile out of files (later ones win) and `--set` settings (they win over files). None when it is refused."""
    sources, layers, schema = request.sources, library.layers, library.schema
    fragments = [document_tree(source) for source in sources if _is_mapping(source, report)]
    if len(fragments) < len(sources):
        return None
    if request.settings:
        from dynagen.profile.settings import setting_trees

        fragments += setting_trees(request.settings, schema, report)
        if report.failed:
            return None
    report.override(source.file for source in (sources if request.settings else sources[:-1]))
    # Each file for its shape, then the whole for completeness: one mistake must not turn into three.
    low = [(layer, tree) for layer in layers if (tree := _defaults(layer, report)) is not None]
    if low or len(fragments) > 1:
        shape = library.composed.of_a_part
        for layer, fragment in low:
            if not layer.is_shipped:
                check(to_data(fragment), shape, fragment, report)
        for number, fragment in enumerate(fragments):
            # In a later file null takes back what an earlier one says.
            check(to_data(without_directives(fragment) if number else fragment), shape, fragment, report)
    merged = merge_trees([*(fragment for _, fragment in low), merge_trees(fragments)])
    check(to_data(merged), library.composed.source, merged, report)
    if report.failed:
        return None
    filled = fill_defaults(merged, schema, schema)
    assert isinstance(filled, Map)
    check_release(filled["release"].value, library.facts["releases"], filled["release"].origin.written, report)
    check_rules(to_data(filled), schema, schema, filled, (), report, request.memory)
    from_layers = frozenset(fragment.origin.written.file for _, fragment in low)
    return None if report.failed else Profile(filled, from_layers | {SCHEMA_FILE})


def _defaults(layer: Layer, report: Report) -> Map | None:
    """What a layer says about the profile."""
    if layer.is_shipped:
        return layer.memory.once(_shipped_defaults, layer)
    found = defaults(layer, report)
    return None if found is None else document_tree(found)


def _shipped_defaults(layer: Layer) -> Map | None:
    found = defaults(layer, Report())
    return None if found is None else document_tree(found)


def _is_mapping(source: Document, report: Report) -> bool:
    if isinstance(source.data, dict):
        return True
    found = "a list" if isinstance(source.data, list) else "nothing" if source.data is None else "a scalar"
    report.add(
        "DG111",
        f"a profile is a mapping, this is {found}",
        source.at(),
        hint="begin with 'apiVersion: dynagen.dev/v1alpha1'",
    )
    return False
