"""Each object against the schema of its kind. Offline; findings point at the layer's or the profile's line."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.diagnostics import closest, path_text
from dynagen.scalars import requoted
from dynagen.schemas import Schemas
from dynagen.verify.objects import Findings, Object

_MAKE = (
    "is it spelt right? `dynagen schemas import crd.yaml -o DIR` makes a schema: "
    "DIR is LAYER/schemas, or given with --schemas to `dynagen check`"
)


def check_schemas(objects: Sequence[Object], schemas: Schemas, findings: Findings) -> None:
    """Reports DG211 for a kind without a schema, DG212 for what a schema refuses, DG213 for a list with one key twice."""
    for subject in objects:
        schema = schemas.find(subject.api_version, subject.kind)
        if schema is None:
            versions, near = schemas.near(subject.api_version, subject.kind)
            hint = _MAKE
            if versions or near:
                hint = f"did you mean '{near}'?" if near else "known: " + ", ".join(versions)
            message = f"no schema for {subject.api_version} {subject.kind}"
            findings.add("DG211", subject, ("apiVersion" if versions else "kind",), message, hint, cause=message)
            continue
        for path, keys in schema.repeated(subject.data):
            shown = ", ".join(str(key) for key in keys)
            findings.add("DG213", subject, path, f"{path_text(path)}: '{shown}' is in this list already")
        if schema.conforms(subject.data):
            continue
        problems = schema.problems(subject.data)
        assert problems, f"{subject} does not conform, and nobody says why"
        for problem in problems:
            path, message, hint = problem.path, problem.message, ""
            if problem.key is not None and problem.keyword == "additionalProperties":
                path = (*path, problem.key)
                message = f"unknown field '{problem.key}'"
                near = closest(problem.key, problem.known)
                hint = f"did you mean '{near}'?" if near else ""
            elif problem.keyword == "type" and subject.kind != "Secret":
                hint = requoted(problem.value, message)
                if hint and subject.at(path).expression:
                    into = "string" if "string" in message.split(", got")[0] else "int"
                    hint = f"an expression keeps its type: ${{{into}(...)}} makes another of it"
            findings.add("DG212", subject, path, f"{path_text(path)}: {message}", hint)
