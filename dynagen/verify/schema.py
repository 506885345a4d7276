"""Each object against the schema of its kind. Offline; findings point at the layer's or the profile's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dynagen.cluster.objects import Cluster, Findings, Later, Object
from dynagen.diagnostics import KeyPath, closest, path_text
from dynagen.text.scalars import requoted

if TYPE_CHECKING:
    from dynagen.schema.explanation import Violation
    from dynagen.schema.sets import Schemas

_SHOWN = 5  # places of one object
_MAKE = (
    "is it spelt right? `dynagen schemas import crd.yaml -o DIR` makes a schema: "
    "DIR is LAYER/schemas, or given with --schemas to `dynagen check`"
)


def check_schemas(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> list[Object]:
    """The objects in which it finds nothing. Reports DG211 for a kind without a schema, DG212 for what a schema refuses, DG213 for a list with one key twice.

    Fields that come with a later release are DG408, all of an object at once.
    """
    sound = []
    for subject in objects:
        schemas = cluster.schemas_of(subject)
        schema = schemas.find(subject.api_version, subject.kind)
        if schema is None:
            versions, near = schemas.near(subject.api_version, subject.kind)
            hint = _MAKE
            if versions or near:
                hint = f"did you mean '{near}'?" if near else "known: " + ", ".join(versions)
            message = f"no schema for {subject.api_version} {subject.kind}"
            findings.add("DG211", subject, ("apiVersion" if versions else "kind",), message, hint, cause=message)
            continue
        twice = list(schema.repeated(subject.data))
        for path, keys in twice:
            shown = ", ".join(str(key) for key in keys)
            findings.add("DG213", subject, path, f"{path_text(path)}: '{shown}' is in this list already")
        if schema.conforms(subject.data):
            if not schema.is_shipped and not _is_known_shape(subject, schemas.shipped, findings):
                continue
            sound += [] if twice else [subject]
            continue
        if findings.report.is_full("error"):
            findings.add("DG212", subject, (), "its schema refuses it")
            continue
        problems = schema.problems(subject.data)
        assert problems, f"{subject} does not conform, and nobody says why"
        later = cluster.later if schemas is cluster.schemas and subject.group == "nvidia.com" else None
        missing = _of_later(problems, subject, later) if later else []
        if missing and later:
            _report_missing(missing, subject, later, findings)
        for problem in problems:
            if problem in missing:
                continue
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
    return sound


def _is_known_shape(subject: Object, shipped: Schemas, findings: Findings) -> bool:
    """Whether an object that a user's schema takes has the shape that checks rely on. Reports DG212 for its metadata.

    A user may know more of a kind than we do; then there is nothing to say, and nothing else is checked of it.
    """
    known = shipped.find(subject.api_version, subject.kind)
    if known is not None:
        return known.conforms(subject.data)
    usual = shipped.find("v1", "ConfigMap")  # of all kinds the one that has metadata, and may have nothing else
    stand_in = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": subject.data.get("metadata")}
    if usual is None or usual.conforms(stand_in):
        return True
    for problem in usual.problems(stand_in):
        unknown = problem.key if problem.keyword == "additionalProperties" else None
        path = problem.path if unknown is None else (*problem.path, unknown)
        findings.add("DG212", subject, path, f"{path_text(path)}: {problem.message}")
    return False


def _of_later(problems: Sequence[Violation], subject: Object, later: Later) -> list[Violation]:
    """The unknown fields that the later release knows."""
    unknown = [each for each in problems if each.key is not None and each.keyword == "additionalProperties"]
    schema = later.schemas().find(subject.api_version, subject.kind) if unknown and later.release() else None
    if schema is None:
        return []
    still = {(each.path, each.key) for each in schema.problems(subject.data)}
    return [each for each in unknown if (each.path, each.key) not in still]


def _report_missing(missing: Sequence[Violation], subject: Object, later: Later, findings: Findings) -> None:
    paths: list[KeyPath] = [(*each.path, each.key) for each in missing if each.key is not None]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    message = f"{path_text(paths[0])}{more}: release {later.than} knows no such field"
    hint = f"use release {later.release()} or later, or leave out what sets it"
    also = [(f"'{path[-1]}' is set here", subject, path) for path in paths[1:_SHOWN]]
    findings.add("DG408", subject, paths[0], message, hint, also=also)
