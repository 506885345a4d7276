"""Kinds in, the text of the files of a set out; and `SOURCES.yaml`, which says where each came from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynagen.crd_rules.rule_nodes import RULES, Step, find_rule_paths
from dynagen.schema.conformance import Source
from dynagen.schema.sets import SCOPE
from dynagen.schema_import.errors import ImportRefused
from dynagen.schema_import.kinds import Kind
from dynagen.schema_import.object_meta import OBJECT_META
from dynagen.schema_import.openapi import STORE, Store
from dynagen.schema_import.shared_parts import hoisted, large_parts, named, outsourced, text

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SOURCES = "SOURCES.yaml"
_HEADER = """\
# Where the schemas came from. `dynagen schemas import` reads the sources of a set and writes its kinds.
"""

Catalogue = dict[str, Any]
NONE: Mapping[Any, str] = {}


def entry_name(group: str, version: str, kind: str) -> str:
    """The place that kubeconform looks at for `{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`."""
    return f"{group or version}/{kind.lower()}_{version}.json"


def entry_text(
    group: str,
    version: str,
    kind: str,
    scope: str,
    reference: str,
    definitions: Mapping[str, Any],
    rules: Sequence[Sequence[Step]] = (),
    metadata: str = "",
) -> str:
    """A file of a set. `metadata` is where that of a custom resource is described."""
    return _lines(_head(group, version, kind, scope, reference, metadata, rules), definitions)


def _head(
    group: str,
    version: str,
    kind: str,
    scope: str,
    reference: str,
    metadata: str,
    rules: Sequence[Sequence[Step]],
) -> dict[str, Any]:
    """What we know beside the published schema stands here, the schema itself in its definition."""
    api_version = f"{group}/{version}" if group else version
    properties: dict[str, Any] = {"apiVersion": {"enum": [api_version]}, "kind": {"enum": [kind]}}
    if metadata:
        properties["metadata"] = {"$ref": metadata}
    head: dict[str, Any] = {"$ref": reference, "properties": properties, "required": ["apiVersion", "kind"]}
    if rules:
        head[RULES] = rules
    head[SCOPE] = scope
    return {"$schema": DIALECT, **head}


def store_text(definitions: Mapping[str, Any]) -> str:
    return _lines({"$schema": DIALECT}, definitions)


def _lines(head: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """One line for each definition, so that a change is one line of a diff."""
    lines = [f"{json.dumps(key)}:{text(value)}" for key, value in head.items()]
    if definitions:
        inner = ",\n".join(f"{json.dumps(name)}:{text(definitions[name])}" for name in sorted(definitions))
        lines.append(f'"$defs":{{\n{inner}\n}}')
    return "{" + ",\n".join(lines) + "}\n"


def kind_files(kind: Kind, shared: Mapping[str, str] = NONE) -> dict[str, str]:
    """The files of a custom resource. Versions with the same schema share the first one's.

    `shared` are references to what is stored once for several sets, by texts.
    """
    files: dict[str, str] = {}
    homes: dict[str, str] = {}
    metadata = shared.get(text(OBJECT_META), "#/$defs/ObjectMeta")
    own = {"ObjectMeta": OBJECT_META} if metadata.startswith("#") else {}
    for version in kind.versions:
        name = entry_name(kind.group, version.name, kind.kind)
        body, at = text(version.schema), metadata
        reference = shared.get(body) or homes.get(body)
        definitions: Mapping[str, Any] = {}
        if reference is None:
            reference = f"#/$defs/{kind.kind}"
            homes[body] = name.rpartition("/")[2] + reference
            definitions = hoisted(outsourced(version.schema, shared), kind.kind, own)
        elif own:
            at = f"{reference.partition('#')[0]}{metadata}"
        rules = list(find_rule_paths(version.schema, Source(version.schema)))
        files[name] = entry_text(kind.group, version.name, kind.kind, kind.scope, reference, definitions, rules, at)
    return files


def sets_files(sets: Mapping[str, Sequence[Kind]], store: Store) -> dict[str, dict[str, str]]:
    """The files of the custom resources of some sets. What several have is stored once: metadata, large parts, whole schemas."""
    kinds = [(name, kind) for name in sorted(sets) for kind in sets[name]]
    parts = large_parts(version.schema for _, kind in kinds for version in kind.versions)
    if kinds:
        parts[text(OBJECT_META)] = named("ObjectMeta", text(OBJECT_META))
    beside = {key: f"{name}.json#/$defs/{name}" for key, name in parts.items()}
    for key, name in parts.items():
        store.files[f"{name}.json"] = hoisted(json.loads(key), name, {})
    homes: dict[str, set[str]] = {}
    for set_, kind in kinds:
        for version in kind.versions:
            key = text(version.schema)
            homes.setdefault(key, set()).add(set_)
            if len(homes[key]) > 1 and key not in parts:
                name = parts[key] = named(kind.kind, key)
                store.files[f"{name}.json"] = hoisted(outsourced(version.schema, beside), name, {})
    shared = {key: f"../../{STORE}/{name}.json#/$defs/{name}" for key, name in parts.items()}
    found: dict[str, dict[str, str]] = {name: {} for name in sets}
    for set_, kind in kinds:
        found[set_] |= kind_files(kind, shared)
    return found


def kind_schemas(kind: Kind) -> dict[str, dict[str, Any]]:
    """The schemas of a custom resource by version, each whole: what its files say, for whoever needs no files."""
    found = {}
    for version in kind.versions:
        rules = list(find_rule_paths(version.schema, Source(version.schema)))
        definitions = {"ObjectMeta": OBJECT_META, kind.kind: version.schema}
        own = f"#/$defs/{kind.kind}"
        head = _head(kind.group, version.name, kind.kind, kind.scope, own, "#/$defs/ObjectMeta", rules)
        found[version.name] = {**head, "$defs": definitions}
    return found


def kind_facts(kind: Kind) -> dict[str, Any]:
    return {
        "group": kind.group,
        "names": kind.names,
        "scope": kind.scope,
        "versions": [version.facts for version in kind.versions],
    }


def catalogue_of(folder: Path) -> tuple[Path, str]:
    """The `SOURCES.yaml` that speaks about the set in `folder`, and the set's name in it.

    That is the one beside the folder, if there is one, as in the shipped `schemas/`; else one inside, where the set is
    called `.`.
    """
    beside = folder.resolve().parent / SOURCES
    return (beside, folder.resolve().name) if beside.is_file() else (folder / SOURCES, ".")


def read_catalogue(file: Path) -> Catalogue:
    if not file.is_file():
        return {"sets": {}}
    from dynagen.schema_import.read import documents

    found: Catalogue = next(documents(file), {"sets": {}})
    if not isinstance(found.get("sets"), dict):
        raise ImportRefused(str(file), "'sets' is missing")
    return found


def catalogue_text(catalogue: Catalogue) -> str:
    from dynagen.text.published_yaml import block_text  # slow to import

    sets = catalogue["sets"]
    return _HEADER + block_text({**catalogue, "sets": {name: sets[name] for name in sorted(sets)}})


def grouped(keys: Iterable[tuple[str, str, str]]) -> dict[str, list[str]]:
    """(group, version, kind)s as `{apps/v1: [Deployment, ...]}`."""
    found: dict[str, list[str]] = {}
    for group, version, kind in sorted(keys):
        found.setdefault(f"{group}/{version}" if group else version, []).append(kind)
    return found
