"""The whole compiler: profile texts in, checked manifests out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dynagen.diagnostics import Origin, Position, Report
from dynagen.language.scope import Scope
from dynagen.layers.rendering import Skipped, render
from dynagen.manifests.building import Manifest, Manifests, is_common
from dynagen.manifests.versions import for_release, needs_translation
from dynagen.origins.pointing import Places, in_profile
from dynagen.plan import LookUp, Plan, backends, make_plan
from dynagen.plan.model_config import read_model_config
from dynagen.profile import Profile, load_profile
from dynagen.profile.library import Library, find_library, name_in_expressions
from dynagen.schema.sets import Schemas, open_schemas
from dynagen.text.silences import check_silences
from dynagen.text.source import Document
from dynagen.text.versions import parse_version
from dynagen.trees.merge import merge
from dynagen.trees.nodes import Map, to_tree
from dynagen.verify import Cluster, Findings, Object, declared, undescribed, verify
from dynagen.verify.crd_rules import check_rules
from dynagen.verify.schema import Later, check_schemas

if TYPE_CHECKING:
    from dynagen.origins.influence import Influence


class Request(NamedTuple):
    """What to compile. `home` is the folder that overlay paths start from, `root` the one they may not leave.

    `external` are Kind/name or Kind/namespace/name of objects in the cluster, beside those that the profile names;
    `earlier` are objects that the new ones replace.
    """

    sources: Sequence[Document]
    settings: Sequence[str]
    home: Path
    root: Path
    external: Sequence[str] = ()
    earlier: Sequence[Object] = ()


class Compilation(NamedTuple):
    """What came of it: as much as there is. `manifests` are in the order in which they can be applied.

    `authored` are the same before they were translated for an old release, in the form that `authoring` has schemas for.
    """

    report: Report
    library: Library
    profile: Profile | None = None
    plan: Plan | None = None
    model_config: Mapping[str, Any] | None = None
    values: Mapping[str, Any] = {}
    manifests: Sequence[Manifest] = ()
    authored: Sequence[Manifest] = ()
    authoring: Schemas | None = None


def compile_profile(request: Request, report: Report, skipped: list[Skipped] | None = None) -> Compilation:
    """Runs every stage. Each early return is a place where going on would only produce nonsense.

    `skipped`, if there is such a list, gets the documents of layers that do not count.
    """
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
    known = Compilation(report, library, profile, plan, config, values)
    release = library.facts["releases"][plan.release]
    newest, fitting = library.schema_folders(plan.kubernetes), library.schema_folders(plan.kubernetes, release["crds"])
    authoring = open_schemas(newest)
    schemas = authoring if fitting == newest else open_schemas(fitting)
    manifests, scope = Manifests(authoring, report), Scope(values)
    for layer in library.layers:
        manifests.add(render(layer, "resources", scope, report))
        manifests.patch(render(layer, "patches", scope, report, skipped))
    for layer in library.layers:
        manifests.patch(render(layer, "overrides", scope, report, skipped))
    common = common_parts(library, scope, report, skipped)
    external = external_objects(library, profile, plan, scope, authoring, report)
    external += [declared(entry, plan.metadata["namespace"], Position("--external")) for entry in request.external]
    if report.failed:
        return known

    merged = manifests.finish(common)
    objects, findings = [Object(manifest) for manifest in merged], Findings(report, places_of(known))
    old = any(needs_translation(manifest, plan.graph.api_version) for manifest in merged)
    later = None if old else Later(plan.release, library.facts["releases"], lambda: authoring)
    sound = check_schemas(objects, authoring if old else schemas, findings, later)
    if not old:
        check_rules(sound, schemas, findings, request.earlier)
    external += undescribed(objects, sound)
    cluster = Cluster(schemas, plan.kubernetes, parse_version(plan.release), external, earlier=request.earlier)
    verify(sound, cluster, findings)
    if len(sound) < len(objects):
        return known

    finished = [for_release(manifest, plan.graph.api_version, plan.release, report) for manifest in merged]
    if old:
        translated = [Object(manifest) for manifest in finished]
        check_schemas(translated, schemas, findings)
        if not report.failed:
            check_rules(translated, schemas, findings, request.earlier)
    if not report.failed:
        check_silences(report)
    if report.failed:
        return known
    return known._replace(manifests=finished, authored=merged, authoring=authoring)


def expression_values(profile: Profile, plan: Plan, library: Library) -> dict[str, Any]:
    """What expressions can name: the plan, the sections of the layers, the facts."""
    sections = {name_in_expressions(layer.name): profile.data.get(layer.name) for layer in library.layers}
    return {**sections, **plan.to_data(), "facts": library.facts}


def places_of(compilation: Compilation) -> Callable[[Origin], Places]:
    """Where findings in its manifests point."""
    assert compilation.profile is not None
    return in_profile(compilation.profile, lambda: influence_on(compilation))


def influence_on(compilation: Compilation) -> Influence:
    """What tells which values of the profile a value in a manifest follows from. Most calls never ask."""
    from dynagen.origins.influence import Influence

    library, profile = compilation.library, compilation.profile
    assert profile is not None

    def values_of(profile: Profile, facts: Mapping[str, Any], look_up: LookUp) -> tuple[Mapping[str, Any], bool]:
        report = Report()
        given = profile.data.get("modelConfig")
        config = compilation.model_config if isinstance(given, str) else given
        plan = make_plan(profile, facts, look_up, config, report)
        return expression_values(profile, plan, library._replace(facts=facts)), not report.failed

    look_up = cache(partial(library.look_up, report=Report()))
    return Influence(profile, library.schema, library.facts, look_up, compilation.values, values_of)


def external_objects(
    library: Library, profile: Profile, plan: Plan, scope: Scope, schemas: Schemas, report: Report
) -> list[Object]:
    """What is in the cluster already: layers say it under `external/`, as objects, and the profile by kind and name.

    An object of a kind with namespaces is in that of the graph, unless it says another. Reports DG313 for what is none.
    """
    namespace = plan.metadata["namespace"]
    found = []
    for layer in library.layers:
        for fragment in render(layer, "external", scope, report):
            manifest = Manifest(fragment.tree, fragment.at)
            if not (manifest.api_version and manifest.kind and manifest.name):
                report.add("DG313", "an object needs apiVersion, kind and metadata.name", fragment.at)
                continue
            schema = schemas.find(manifest.api_version, manifest.kind)
            if schema is None or schema.namespaced:
                shared = to_tree({"metadata": {"namespace": namespace}}, Origin(fragment.at))
                assert isinstance(shared, Map)
                manifest = manifest._replace(tree=merge(shared, manifest.tree, None))
            found.append(Object(manifest))
    for index, entry in enumerate(profile.data["external"]):
        found.append(declared(entry, namespace, profile.at(("external", index))))
    return found


def common_parts(library: Library, scope: Scope, report: Report, skipped: list[Skipped] | None) -> Map:
    """What every object has, unless it says otherwise: layers say it under `common/`. Reports DG315."""
    common = Map({}, Origin(Position("common")))
    for layer in library.layers:
        for fragment in render(layer, "common", scope, report, skipped):
            if is_common(fragment, report):
                common = merge(common, fragment.tree, None)
    return common
