"""What an import finds: kinds with their schema, and the facts a CRD needs beside it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from dynagen.schema.defined import Budget
from dynagen.schema_import.errors import ImportRefused
from dynagen.schema_import.tightening import Tightening

_GROUP = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}", re.ASCII)
_VERSION = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)

Facts = dict[str, Any]


class Version(NamedTuple):
    """One served version of a custom resource; `facts` is its entry in `SOURCES.yaml`."""

    name: str
    schema: dict[str, Any]
    facts: Facts


class Kind(NamedTuple):
    """A custom resource; `names` as in a CRD."""

    group: str
    names: Facts
    scope: str
    versions: tuple[Version, ...]

    @property
    def kind(self) -> str:
        return str(self.names["kind"])


def check_names(file: str, group: str, kind: str, *versions: str) -> None:
    """Raises ImportRefused for what Kubernetes refuses too: these words become the names of files."""
    if not _GROUP.fullmatch(group) or len(group) > 253:
        raise ImportRefused(file, f"'{group}' is no API group")
    if not _KIND.fullmatch(kind):
        raise ImportRefused(file, f"'{kind}' is no kind")
    for version in versions:
        if not _VERSION.fullmatch(version):
            raise ImportRefused(file, f"'{version}' is no version")


def is_definition(document: dict[str, Any]) -> bool:
    return document.get("kind") == "CustomResourceDefinition"


# What a stranger's version without a schema takes. Nobody publishes one, and an import that lacks it is a mistake.
_ANY: Facts = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def from_definition(document: dict[str, Any], file: str, budget: Budget | None = None) -> Kind:
    """A CustomResourceDefinition of apiextensions.k8s.io/v1 without the versions that are not served.

    With a budget it is a stranger's. Raises ImportRefused.
    """
    if document.get("apiVersion") != "apiextensions.k8s.io/v1":
        raise ImportRefused(file, f"'{document.get('apiVersion')}' is not supported, only apiextensions.k8s.io/v1")
    spec = _get(document, "spec", dict, file)
    names = _get(spec, "names", dict, file)
    group, kind, scope = _get(spec, "group", str, file), _get(names, "kind", str, file), _get(spec, "scope", str, file)
    check_names(file, group, kind)
    if scope not in ("Namespaced", "Cluster"):
        raise ImportRefused(file, f"{kind}: scope '{scope}' is neither Namespaced nor Cluster")
    kept = {
        key: names[key]
        for key in ("kind", "listKind", "plural", "singular", "shortNames", "categories")
        if names.get(key)
    }
    _get(kept, "plural", str, file)
    tightening = Tightening(f"{file}: {kind}", budget=budget)
    versions = []
    for version in _get(spec, "versions", list, file):
        if not isinstance(version, dict):
            raise ImportRefused(file, f"{kind}: a version must be an object")
        name = _get(version, "name", str, file)
        check_names(file, group, kind, name)
        if not version.get("served"):
            continue
        schema = _ANY
        if budget is None or version.get("schema") is not None:
            schema = _get(_get(version, "schema", dict, file), "openAPIV3Schema", dict, file)
        versions.append(Version(name, tightening.root(schema), _version_facts(version, tightening)))
    if not versions:
        raise ImportRefused(file, f"{kind}: no version is served")
    if len({version.name for version in versions}) < len(versions):
        raise ImportRefused(file, f"{kind}: a version is there twice")
    plain = tightening.plain(kept, "spec.names")
    return Kind(group, plain, scope, tuple(versions))


def _version_facts(version: dict[str, Any], tightening: Tightening) -> Facts:
    facts: Facts = {"name": version["name"]}
    for key in ("storage", "deprecated", "subresources", "selectableFields"):
        if version.get(key):
            facts[key] = tightening.plain(version[key], f"versions.{key}")
    return facts


def _get(mapping: dict[str, Any], key: str, kind: type, file: str) -> Any:
    value = mapping.get(key)
    if not isinstance(value, kind) or not value:
        raise ImportRefused(file, f"'{key}' is missing or has the wrong type")
    return value


def from_schema(document: dict[str, Any], file: str, group: str, version: str, names: Facts, scope: str) -> Kind:
    """A JSON Schema that somebody extracted from a cluster: it does not say what it is the schema of."""
    check_names(file, group, names["kind"], version)
    schema = Tightening(file).root(document)
    facts: Facts = {"name": version, "storage": True}
    if "status" in schema["properties"]:
        facts["subresources"] = {"status": {}}
    return Kind(group, names, scope, (Version(version, schema, facts),))


def guessed_names(kind: str) -> Facts:
    """Names as Kubernetes' generators make them up."""
    singular = kind.lower()
    if singular.endswith(("s", "x", "ch", "sh")):
        plural = singular + "es"
    elif singular.endswith("y") and singular[-2:-1] not in tuple("aeiou"):
        plural = singular[:-1] + "ies"
    else:
        plural = singular + "s"
    return {"kind": kind, "listKind": kind + "List", "plural": plural, "singular": singular}
