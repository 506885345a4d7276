"""Sets in, CustomResourceDefinitions out that an API server admits, without the operators behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dynagen.schema.conformance import Source, read_source
from dynagen.schema_import.errors import ImportRefused
from dynagen.schema_import.loosening import loosened
from dynagen.schema_import.set_files import SOURCES, entry_name, read_catalogue
from dynagen.schema_import.shared_parts import mapped


def custom_resource_definitions(root: Path, sets: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The CRDs of some sets of `root/SOURCES.yaml`, of all by default, sorted by name.

    Conversion is `None`, whatever it was: no operator is needed to serve all versions. Raises ImportRefused when two
    sets hold the same kind, as the releases of Dynamo do: then name the sets.
    """
    catalogue = read_catalogue(root / SOURCES)["sets"]
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(catalogue) if sets is None else sets:
        if name not in catalogue:
            raise ImportRefused(str(root / SOURCES), f"no set '{name}'; there are: {', '.join(sorted(catalogue))}")
        kinds = catalogue[name].get("kinds")
        for kind in kinds if isinstance(kinds, list) else ():
            definition = _definition(root / name, kind)
            crd = definition["metadata"]["name"]
            if crd in found:
                raise ImportRefused(str(root / name), f"'{crd}' is in another set as well: name the sets you want")
            found[crd] = definition
    return [found[name] for name in sorted(found)]


def _definition(folder: Path, kind: dict[str, Any]) -> dict[str, Any]:
    group, names = kind["group"], kind["names"]
    opened: dict[Path, Source] = {}

    def open_file(file: Path) -> Source:
        if file not in opened:
            opened[file] = read_source(file, open_file)
        return opened[file]

    names_of_versions = [version["name"] for version in kind["versions"]]
    stored = next((version["name"] for version in kind["versions"] if version.get("storage")), names_of_versions[0])
    versions = []
    for version in kind["versions"]:
        entry = open_file(folder / entry_name(group, version["name"], names["kind"]))
        versions.append(
            {
                "name": version["name"],
                "served": True,
                "storage": version["name"] == stored,
                **{key: version[key] for key in ("deprecated", "subresources", "selectableFields") if key in version},
                "schema": {"openAPIV3Schema": loosened(_without_references(*entry.resolve(entry.schema["$ref"])))},
            }
        )
    metadata: dict[str, Any] = {"name": f"{names['plural']}.{group}"}
    if group.endswith((".k8s.io", ".kubernetes.io")):
        # Without it the API server refuses the group: https://github.com/kubernetes/enhancements/pull/1111
        metadata["annotations"] = {"api-approved.kubernetes.io": "unapproved, made from a schema by dynagen"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {"group": group, "names": names, "scope": kind["scope"], "versions": versions},
    }


def _without_references(schema: dict[str, Any], source: Source) -> dict[str, Any]:
    if "$ref" in schema:
        return _without_references(*source.resolve(schema["$ref"]))
    return mapped(schema, lambda inner: _without_references(inner, source))
