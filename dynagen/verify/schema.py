"""Each object against the schema of its kind. Offline; findings point at the layer's or the profile's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dynagen.cluster.objects import Cluster, Findings, Later, Object
from dynagen.diagnostics import KeyPath, closest, misspelt, path_text
from dynagen.text.scalars import requoted
from dynagen.verify.items import hint_of_item

if TYPE_CHECKING:
    from dynagen.schema.defined import Definition
    from dynagen.schema.explanation import Violation
    from dynagen.schema.sets import Schema, Schemas

_SHOWN = 5  # places of one object
_MAKE = (
    "is it spelt right? `dynagen schemas import crd.yaml -o DIR` makes a schema: DIR is LAYER/schemas, or given with "
    "--schemas to `dynagen check`; among plain manifests the CRD itself will do"
)


def check_schemas(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> list[Object]:
    """The objects in which it finds nothing. Reports DG211 for a kind without a schema, DG212 for what a schema refuses, DG213 for a list with one key twice.

    What comes with a later release is DG408: kinds and versions, and fields, all of an object at once.
    """
    sound = []
    for subject in objects:
        schemas = cluster.schemas_of(subject)
        schema = schemas.find(subject.api_version, subject.kind)
        definition = schemas.definition(subject.api_version, subject.kind)
        shipped = schemas is cluster.schemas and subject.group == "nvidia.com" and definition is None
        later = cluster.later if shipped else None
        if schema is None:
            if definition is None:
                _report_unknown(subject, schemas, later, findings)
            else:
                _report_undefined(subject, definition, findings)
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
        _report(subject, schema, problems, later, findings)
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


def _report(
    subject: Object, schema: Schema, problems: Sequence[Violation], later: Later | None, findings: Findings
) -> None:
    """DG212 for each problem, and DG408 for those that are none in a later release."""
    missing, since = _of_later(problems, subject, later) if later else ([], "")
    if missing and later:
        _report_missing(missing, subject, later.than, since, findings)
    wrong = [(each.path, each.key) for each in problems if each.keyword == "additionalProperties"]
    for problem in problems:
        if problem in missing:
            continue
        if problem.keyword == "required" and any(
            path == problem.path and misspelt(str(key), [str(problem.key)]) for path, key in wrong
        ):
            continue  # what seems to be missing is there, misspelt
        path, message, hint, cause = problem.path, problem.message, "", ""
        if problem.keyword == "required":
            hint = hint_of_item(subject, schema, path, str(problem.key))
            cause = hint and f"{path_text(path)}: {message}"  # of a patch for several objects
        elif problem.key is not None and problem.keyword == "additionalProperties":
            path = (*path, problem.key)
            message = f"unknown field '{problem.key}'"
            near = closest(problem.key, problem.known)
            hint = f"did you mean '{near}'?" if near else ""
        elif subject.kind == "Secret" and path[:1] == ("data",) and len(path) > 1:
            message, hint = "not base64", "a plain text goes under 'stringData'"
        elif problem.keyword == "type" and subject.kind != "Secret":
            hint = requoted(problem.value, message)
            if hint and subject.at(path).expression:
                into = "string" if "string" in message.split(", got")[0] else "int"
                hint = f"an expression keeps its type: ${{{into}(...)}} makes another of it"
        findings.add("DG212", subject, path, f"{path_text(path)}: {message}", hint, cause=cause)


def _report_unknown(subject: Object, schemas: Schemas, later: Later | None, findings: Findings) -> None:
    """A kind, or a version of one, that no schema is for."""
    wanted = subject.api_version, subject.kind
    versions, near = schemas.near(*wanted)
    since = next((release for release, found in later.sets() if found.find(*wanted)), "") if later else ""
    if later and since:
        own = [each for each in versions if each.rpartition("/")[0] == subject.group]
        other = f"write it in {own[0]}, or " if own else ""
        instead = f"this kind in {', '.join(own)} only, not in {subject.api_version}" if own else "no such kind"
        path, message = "apiVersion" if own else "kind", f"release {later.than} serves {instead}"
        findings.add("DG408", subject, (path,), message, f"{other}use release {since} or later")
        return
    hint = _MAKE
    if versions or near:
        hint = f"did you mean '{near}'?" if near else "known: " + ", ".join(versions)
    message = f"no schema for {subject.api_version} {subject.kind}"
    findings.add("DG211", subject, ("apiVersion" if versions else "kind",), message, hint, cause=message)


def _report_undefined(subject: Object, definition: Definition, findings: Findings) -> None:
    """A kind whose definition, which is there, has no schema for it."""
    known = f"CustomResourceDefinition '{definition.name}'"
    if definition.problem:
        message = f"{known} cannot be used: {definition.problem}"
        hint = "objects of this kind are not checked; an API server may refuse it as well"
        findings.report.add("DG214", message, definition.at, hint, cause=message)
        return
    version = subject.api_version.rpartition("/")[2]
    does = "does not serve" if version in definition.versions else "has no"
    hint = f"it serves: {', '.join(definition.served)}" if definition.served else "it serves none"
    findings.add("DG211", subject, ("apiVersion",), f"{known} {does} version '{version}'", hint)


def _of_later(problems: Sequence[Violation], subject: Object, later: Later) -> tuple[list[Violation], str]:
    """The unknown fields that later releases know, and the first release that knows all of these."""
    unknown = [each for each in problems if each.key is not None and each.keyword == "additionalProperties"]
    found: list[Violation] = []
    since = ""
    for release, schemas in later.sets() if unknown else ():
        schema = schemas.find(subject.api_version, subject.kind)
        if schema is None:
            continue
        still = {(each.path, each.key) for each in schema.problems(subject.data)}
        known = [each for each in unknown if each not in found and (each.path, each.key) not in still]
        since = release if known else since
        found += known
        if len(found) == len(unknown):
            break
    return [each for each in unknown if each in found], since


def _report_missing(
    missing: Sequence[Violation], subject: Object, release: str, since: str, findings: Findings
) -> None:
    paths: list[KeyPath] = [(*each.path, each.key) for each in missing if each.key is not None]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    message = f"{path_text(paths[0])}{more}: release {release} knows no such field"
    hint = f"use release {since} or later, or leave out what sets it"
    also = [(f"'{path[-1]}' is set here", subject, path) for path in paths[1:_SHOWN]]
    findings.add("DG408", subject, paths[0], message, hint, also=also)
