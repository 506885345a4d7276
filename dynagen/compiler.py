"""The whole compiler: profile texts in, checked manifests out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dynagen.cluster.objects import Cluster, Findings, Later, Object, declared, external_objects
from dynagen.diagnostics import Origin, Pointed, Position, Report
from dynagen.language.scope import Scope
from dynagen.layers.rendering import Skipped
from dynagen.manifests.building import Manifest, build
from dynagen.origins.pointing import in_profile
from dynagen.plan import LookUp, Plan, backends, make_plan
from dynagen.plan.model_config import read_model_config
from dynagen.plan.placement import check_placed
from dynagen.profile import Library, Profile, Request, find_library, load_profile, name_in_expressions
from dynagen.profile.releases import facts_of_release
from dynagen.schema.sets import Schemas
from dynagen.text.versions import parse_version
from dynagen.verify import judge

if TYPE_CHECKING:
    from dynagen.origins.influence import Influence

__all__ = ["Compilation", "Request", "compile_profile", "influence_on", "places_of"]


class Compilation(NamedTuple):
    """What came of it: as much as there is. `manifests` are in the order in which they can be applied.

    `authored` are the same before they were translated for an old release, in the form that `authoring` has schemas for.
    `external` is what the cluster has already.
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
    external: Sequence[Object] = ()


def compile_profile(request: Request, report: Report, skipped: list[Skipped] | None = None) -> Compilation:
    """Runs every stage. Each early return is a place where going on would only produce nonsense.

    `skipped`, if there is such a list, gets the documents of layers that do not count.
    """
    library = find_library(request, request.memory.once(backends.names), Plan.names(), report)
    profile = load_profile(request, library, report)
    if profile is None:
        return Compilation(report, library)
    config = read_model_config(profile, request.home, request.root, report)
    plan = make_plan(profile, library.facts, partial(library.look_up, report=report), config, report)
    if report.failed:
        return Compilation(report, library, profile)

    values, authoring = expression_values(profile, plan, library), library.schemas(plan.kubernetes)
    known = Compilation(report, library, profile, plan, config, values, authoring=authoring)
    scope = library.scope(values)
    authored = build(library.layers, scope, authoring, report, skipped)
    cluster = cluster_of(known, scope, request)
    if report.failed:
        return known

    check_placed(profile, plan.gpu, report)
    served = judge([Object(manifest) for manifest in authored], cluster, Findings(report, places_of(known)))
    if report.failed:
        return known
    return known._replace(manifests=[each.manifest for each in served], authored=authored, external=cluster.external)


def expression_values(profile: Profile, plan: Plan, library: Library) -> dict[str, Any]:
    """What expressions can name: the plan, the sections of the layers, the facts."""
    sections = {name_in_expressions(layer.name): profile.data.get(layer.name) for layer in library.layers}
    return {**sections, **plan.to_data(), "facts": library.facts}


def cluster_of(compilation: Compilation, scope: Scope, request: Request) -> Cluster:
    """The cluster that will take the objects. Reports DG313 for a layer's `external/` object that is none."""
    library, profile, plan, report = compilation.library, compilation.profile, compilation.plan, compilation.report
    assert profile is not None and plan is not None and compilation.authoring is not None
    releases, namespace, authoring = library.facts["releases"], plan.metadata["namespace"], compilation.authoring
    said = [(entry, profile.at(("external", index))) for index, entry in enumerate(profile.data["external"])]
    said += [(entry, Position("--external")) for entry in request.external]
    external = external_objects(library.layers, scope, namespace, authoring, report)
    return Cluster(
        schemas=library.schemas(plan.kubernetes, facts_of_release(library.facts, plan.release)["crds"]),
        kubernetes=plan.kubernetes,
        release=parse_version(plan.release),
        memory=library.memory,
        external=[*external, *(declared(entry, namespace, at) for entry, at in said)],
        earlier=[Object(manifest) for manifest in request.earlier],
        authoring=authoring,
        later=Later(plan.release, releases, lambda crds: library.schemas(plan.kubernetes, crds)),
        graphs=plan.graph.api_version,
        releases=releases,
        gpus=library.facts["gpus"],
        look_up=partial(library.look_up, report=report),
        judged=plan.arguments(),
    )


def places_of(compilation: Compilation) -> Callable[[Origin], Pointed]:
    """Where findings in its manifests point."""
    assert compilation.profile is not None
    return in_profile(compilation.profile, lambda: influence_on(compilation))


def influence_on(compilation: Compilation) -> Influence:
    """What tells which values of the profile a value in a manifest follows from. Most calls never ask."""
    from dynagen.origins.changes import Changes
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
    values, memory = compilation.values, library.memory
    changes = Changes(profile, library.schema, library.facts, look_up, values, values_of, memory)
    return Influence(changes, values, memory)
