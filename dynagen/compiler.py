"""The whole compiler: profile texts in, checked manifests out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from dynagen.diagnostics import Origin, Report
from dynagen.graph import for_release, needs_translation
from dynagen.library import Library, find_library, name_in_expressions
from dynagen.manifests import Manifest, Manifests
from dynagen.merge import Map, to_tree
from dynagen.model_config import read_model_config
from dynagen.places import in_profile
from dynagen.plan import Plan, backends, make_plan
from dynagen.plan.versions import parse_version
from dynagen.profile import Profile, load_profile
from dynagen.render import render
from dynagen.schemas import Schemas
from dynagen.silences import check_silences
from dynagen.source import Document
from dynagen.verify import Cluster, Findings, Object, declared, verify
from dynagen.verify.schema import check_schemas


class Request(NamedTuple):
    """What to compile. `home` is the folder that overlay paths start from, `root` the one they may not leave."""

    sources: Sequence[Document]
    settings: Sequence[str]
    home: Path
    root: Path


class Compilation(NamedTuple):
    """What came of it: as much as there is. `manifests` are in the order in which they can be applied."""

    report: Report
    library: Library
    profile: Profile | None = None
    plan: Plan | None = None
    values: Mapping[str, Any] = {}
    manifests: Sequence[Manifest] = ()


def compile_profile(request: Request, report: Report) -> Compilation:
    """Runs every stage. Each early return is a place where going on would only produce nonsense."""
    library = find_library(
        request.sources,
        request.settings,
        request.home,
        request.root,
        backends.names(),
        ["facts", *Plan.names()],
        report,
    )
    profile = load_profile(request.sources, request.settings, library.layers, library.schema, report)
    if profile is None:
        return Compilation(report, library)

    config = read_model_config(profile, request.home, request.root, report)
    plan = make_plan(profile, library.facts, partial(library.look_up, report=report), config, report)
    if report.failed:
        return Compilation(report, library, profile)

    values = expression_values(profile, plan, library)
    release = library.facts["releases"][plan.release]
    newest, fitting = library.schema_folders(plan.kubernetes), library.schema_folders(plan.kubernetes, release["crds"])
    authoring = Schemas(newest)
    schemas = authoring if fitting == newest else Schemas(fitting)
    manifests = Manifests(authoring, report)
    for layer in library.layers:
        manifests.add(render(layer, "resources", values, report))
        manifests.patch(render(layer, "patches", values, report))
    for layer in library.layers:
        manifests.patch(render(layer, "overrides", values, report))
    external = external_objects(library, profile, plan, values, report)
    if report.failed:
        return Compilation(report, library, profile, plan, values)

    merged = manifests.finish(*(common_metadata(plan, profile, namespaced) for namespaced in (True, False)))
    objects, findings = [Object(manifest) for manifest in merged], Findings(report, in_profile(profile, plan))
    old = any(needs_translation(manifest, plan.graph.api_version) for manifest in merged)
    check_schemas(objects, authoring if old else schemas, findings)
    if report.failed:
        return Compilation(report, library, profile, plan, values)

    verify(objects, Cluster(schemas, plan.kubernetes, parse_version(plan.release), external), findings)
    finished = [for_release(manifest, plan.graph.api_version, report) for manifest in merged]
    if old:
        check_schemas([Object(manifest) for manifest in finished], schemas, findings)
    if not report.failed:
        check_silences(report)
    return Compilation(report, library, profile, plan, values, () if report.failed else finished)


def expression_values(profile: Profile, plan: Plan, library: Library) -> dict[str, Any]:
    """What expressions can name: the plan, the sections of the layers, the facts."""
    sections = {name_in_expressions(layer.name): profile.data.get(layer.name) for layer in library.layers}
    return {**sections, **plan.to_data(), "facts": library.facts}


def external_objects(
    library: Library, profile: Profile, plan: Plan, values: Mapping[str, Any], report: Report
) -> list[Object]:
    """What is in the cluster already: layers say it under `external/`, as objects, and the profile by kind and name."""
    namespace = plan.metadata["namespace"]
    found = [
        Object(Manifest(fragment.tree, fragment.at))
        for layer in library.layers
        for fragment in render(layer, "external", values, report)
    ]
    for index, entry in enumerate(profile.data["external"]):
        found.append(declared(entry, namespace, profile.at(("external", index))))
    return found


def common_metadata(plan: Plan, profile: Profile, namespaced: bool) -> Map:
    """What every object has, unless a layer says otherwise: namespace, labels, annotations."""
    metadata: dict[str, Any] = {"labels": plan.labels}
    if plan.annotations:
        metadata["annotations"] = plan.annotations
    if namespaced:
        metadata["namespace"] = plan.metadata["namespace"]
    tree = to_tree({"metadata": metadata}, Origin(profile.at(("metadata",)), "", (("metadata",),)))
    assert isinstance(tree, Map)
    return tree
