"""Kubernetes' OpenAPI v2 document in; a file per kind, and a store of definitions that all versions share, out.

The store holds every definition once: `PodSpec-1.31` is PodSpec as Kubernetes 1.31 brought it, and later versions refer
to it until it, or something it refers to, changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dynagen.schema_import.dialect import BOUNDS, FORMATS, INT_OR_STRING, Schema
from dynagen.schema_import.errors import ImportRefused
from dynagen.schema_import.kinds import check_names
from dynagen.schema_import.shared_parts import text
from dynagen.schema_import.tightening import Tightening

STORE = "kubernetes"
_PREFIX = "#/definitions/"
_VERSION = re.compile(r"v[0-9]+((alpha|beta)[0-9]+)?")
_OWN = "(itself)"

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/; JSON numbers are read as well.
QUANTITY = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
# What Go types read beyond what the document says about them: k8s.io/apimachinery, UnmarshalJSON of each type.
_AS_READ: dict[str, Schema] = {
    "api.resource.Quantity": {"type": ["string", "number"], "pattern": QUANTITY},
    "util.intstr.IntOrString": {
        "type": INT_OR_STRING,
        "minimum": BOUNDS["int32"][0],
        "maximum": BOUNDS["int32"][1],
        "x-kubernetes-int-or-string": True,
    },
    "meta.v1.Time": {"type": ["string", "null"], "format": "date-time", "pattern": FORMATS["date-time"]},
    "meta.v1.MicroTime": {"type": ["string", "null"], "format": "date-time", "pattern": FORMATS["date-time"]},
}
# The document leaves defaults out; these are parts of list keys, so merging needs them.
# https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ports and service-v1/#ServiceSpec
_DEFAULTS = {("ContainerPort", "protocol"): "TCP", ("ServicePort", "protocol"): "TCP"}

# Called required, and filled in by the API server, or as good as nothing to it.
# source: kubernetes/kubernetes, pkg/apis/rbac/v1/defaults.go (SetDefaults_RoleBinding, SetDefaults_ClusterRoleBinding); for the
# others pkg/apis/{apps,core,discovery,networking,scheduling}/validation takes the zero value: a real API server is asked
# in tests/e2e/test_defaults.py. Later documents leave some of them out as well.
_FILLED_IN = {
    "RoleRef": ("apiGroup",),
    "StatefulSetSpec": ("serviceName",),
    "EndpointSlice": ("endpoints",),
    "NetworkPolicySpec": ("podSelector",),
    "PriorityClass": ("value",),
    "HTTPHeader": ("value",),
    "Sysctl": ("value",),
    "LimitRangeSpec": ("limits",),
}


class Store:
    """The shared definitions: file name -> definition name -> schema. Grows with every version that is added."""

    def __init__(self, files: Mapping[str, Mapping[str, Schema]] | None = None) -> None:
        self.files: dict[str, dict[str, Schema]] = {name: dict(found) for name, found in (files or {}).items()}

    def put(self, file: str, base: str, schema: Schema, version: str) -> str:
        """The name under which `schema` is stored, a new one if there is none like it."""
        definitions = self.files.setdefault(file, {})
        for name, known in definitions.items():
            if name.rpartition("-")[0] == base and text(known) == text(schema).replace(_OWN, name):
                return name
        name = f"{base}-{version}"
        if name in definitions:
            name += "b"  # the same version imported once more, from a later patch release
        definitions[name] = json.loads(text(schema).replace(_OWN, name))
        return name


def is_openapi(document: dict[str, Any]) -> bool:
    return isinstance(document.get("definitions"), dict) and "info" in document


def version_of(document: dict[str, Any], file: str) -> str:
    """`1.34` for a document of `v1.34.4`."""
    info = document["info"]
    match = re.match(r"v?(\d+\.\d+)", str(info.get("version"))) if isinstance(info, dict) else None
    if not match:
        raise ImportRefused(file, "info.version is no version of Kubernetes")
    return match[1]


def add_bundle(document: dict[str, Any], file: str, store: Store) -> dict[tuple[str, str, str], str]:
    """(group, version, kind) -> reference into the store, for every kind that can stand in a manifest."""
    bundle = _Bundle(document["definitions"], file, store, version_of(document, file))
    found = {}
    for name, definition in sorted(bundle.definitions.items()):
        kinds = definition.get("x-kubernetes-group-version-kind") if isinstance(definition, dict) else None
        # DeleteOptions and the like belong to every group; lists and statuses have no ObjectMeta.
        if not isinstance(kinds, list) or len(kinds) != 1 or not bundle.has_object_meta(definition):
            continue
        try:
            key = (str(kinds[0]["group"]), str(kinds[0]["version"]), str(kinds[0]["kind"]))
        except (KeyError, TypeError) as error:
            raise ImportRefused(file, f"{name}: not a group, a version and a kind") from error
        check_names(file, key[0] or "core", key[2], key[1])
        found[key] = bundle.reference(_PREFIX + name, name)
    return found


class _Bundle(Tightening):
    def __init__(self, definitions: dict[str, Any], file: str, store: Store, version: str) -> None:
        super().__init__(file, custom=False)
        self.definitions, self._store, self._version = definitions, store, version
        self._references: dict[str, str] = {}
        self._open: list[str] = []

    def has_object_meta(self, definition: dict[str, Any]) -> bool:
        properties = definition.get("properties")
        metadata = properties.get("metadata") if isinstance(properties, dict) else None
        return isinstance(metadata, dict) and str(metadata.get("$ref")).endswith(".ObjectMeta")

    def reference(self, target: Any, where: str) -> str:
        """`<file>#/$defs/<name>`, without the file inside that file."""
        name = str(target).removeprefix(_PREFIX)
        if name not in self.definitions:
            raise self.refused(where, f"nothing is called '{target}'")
        if name in self._open:
            if name != self._open[-1]:
                raise self.refused(where, f"'{name}' leads back to itself through another definition")
            return f"#/$defs/{_OWN}"
        if name not in self._references:
            self._open.append(name)
            file, base = _place(name)
            stored = self._store.put(file, base, self._definition(name), self._version)
            self._open.pop()
            self._references[name] = f"{file}#/$defs/{stored}"
        reference = self._references[name]
        here = _place(self._open[-1])[0] if self._open else ""
        return reference.removeprefix(here) if reference.startswith(f"{here}#") else reference

    def _definition(self, name: str) -> Schema:
        for ending, as_read in _AS_READ.items():
            if name.endswith("." + ending):
                return as_read
        published = self.definitions[name]
        if isinstance(published, dict):
            published = {key: value for key, value in published.items() if key not in _ABOUT_KINDS}
        schema: Schema = self.schema(published, name)
        base = name.rpartition(".")[2]
        required = [field for field in schema.get("required", ()) if field not in _FILLED_IN.get(base, ())]
        if "required" in schema:
            schema["required"] = required
            if not required:
                del schema["required"]
        for (owner, field), default in _DEFAULTS.items():
            if owner == base and field in schema.get("properties", {}):
                schema["properties"][field]["default"] = default
        return schema


_ABOUT_KINDS = {"x-kubernetes-group-version-kind", "x-kubernetes-unions"}


def _place(name: str) -> tuple[str, str]:
    """`io.k8s.api.apps.v1.Deployment` -> `apps_v1.json`, `Deployment`."""
    parts = name.split(".")
    base = re.sub(r"[^A-Za-z0-9]", "", parts[-1])
    if len(parts) > 2 and _VERSION.fullmatch(parts[-2]):
        return f"{re.sub(r'[^a-z0-9]', '', parts[-3])}_{parts[-2]}.json", base
    return "meta_v1.json", base
