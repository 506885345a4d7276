"""Each manifest against the schema of its kind. Offline; findings point at the layer's or the profile's line."""

from __future__ import annotations

from collections.abc import Iterable

from dynagen.diagnostics import KeyPath, Position, Report, closest, path_text
from dynagen.manifests import Manifest
from dynagen.plan import Plan
from dynagen.profile import Profile
from dynagen.schemas import Schemas


def check_schemas(
    manifests: Iterable[Manifest], schemas: Schemas, profile: Profile, plan: Plan, report: Report
) -> None:
    """Reports DG211 for a kind without a schema, DG212 for what a schema refuses, DG213 for a list with one key twice."""
    for manifest in manifests:
        schema = schemas.find(manifest.api_version, manifest.kind)
        if schema is None:
            report.add(
                "DG211", f"no schema for {manifest.api_version} {manifest.kind}",
                manifest.origin(("kind",)).written,
                hint="`dynagen schemas import crd.yaml -o LAYER/schemas` makes one; is it spelt right?",
            )  # fmt: skip
            continue
        data = manifest.to_data()
        for path, keys in schema.repeated(data):
            at, related = places(manifest, path, profile, plan)
            shown = ", ".join(str(key) for key in keys)
            report.add("DG213", f"{manifest}: {path_text(path)}: '{shown}' is in this list already", at, "", related)
        if schema.conforms(data):
            continue
        problems = schema.problems(data)
        assert problems, f"{manifest} does not conform, and nobody says why"
        for problem in problems:
            path, message, hint = problem.path, problem.message, ""
            if problem.key is not None and problem.keyword == "additionalProperties":
                path = (*path, problem.key)
                message = f"unknown field '{problem.key}'"
                near = closest(problem.key, problem.known)
                hint = f"did you mean '{near}'?" if near else ""
            at, related = places(manifest, path, profile, plan)
            report.add("DG212", f"{manifest}: {path_text(path)}: {message}", at, hint, related)


def places(
    manifest: Manifest, path: KeyPath, profile: Profile, plan: Plan
) -> tuple[Position, tuple[tuple[str, Position], ...]]:
    """Where to point for the value at `path`: at the profile's line that it comes from, else at the layer's."""
    origin = manifest.origin(path)
    for read in origin.reads:
        for source in plan.sources_of(read):
            # Sections are named after folders; in expressions '-' becomes '_'.
            section = (str(source[0]).replace("_", "-"), *source[1:]) if source else ()
            at = profile.written(source) or profile.written(section)
            if at is not None:
                return at, () if at == origin.written else (("used here", origin.written),)
    return origin.written, ()
