"""The objects that mutants are made of: those of the project's trees, and small ones of all kinds that it has schemas for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dynagen.memory import Memory
from dynagen.profile.library import schema_folders
from dynagen.profile.schema import kubernetes_versions
from dynagen.schema.sets import Schemas
from tests.conftest import ROOT
from tests.mutants import Object, seedlings

DYNAMO = ("dynamo-1.5", "dynamo-1.3", "dynamo-1.2", "dynamo-1.0", "dynamo-0.8")


class Setting(NamedTuple):
    """Which schemas count."""

    kubernetes: str
    dynamo: str

    @property
    def folders(self) -> list[Path]:
        return schema_folders([], self.kubernetes, self.dynamo, Memory())


def settings() -> list[Setting]:
    """Every version of Kubernetes, and Dynamo's sets in turn."""
    versions = kubernetes_versions()
    return [Setting(version, DYNAMO[number % len(DYNAMO)]) for number, version in enumerate(reversed(versions))]


@cache
def examples() -> tuple[Object, ...]:
    """The objects of `out/` and of the trees that cases expect."""
    files = [*sorted((ROOT / "out").glob("*/*.yaml")), *sorted((ROOT / "tests/cases/good").glob("*/expected/*.yaml"))]
    found: list[Any] = [yaml.safe_load(file.read_text("utf-8")) for file in files]
    return tuple(each for each in found if each["kind"] != "Kustomization")


def objects(schemas: Schemas) -> list[Object]:
    """The examples that conform to these schemas."""
    return [each for each in examples() if (found := schemas.find(*kind_of(each))) and found.conforms(each)]


def others(setting: Setting, schemas: Schemas, seed: int) -> list[Object]:
    """Objects of the kinds that no example has."""
    have = {kind_of(each) for each in examples()}
    return seedlings(schemas, [kind for kind in all_kinds(setting.folders) if kind not in have], seed)


def kind_of(data: Object) -> tuple[str, str]:
    return data["apiVersion"], data["kind"]


def all_kinds(folders: Sequence[Path]) -> list[tuple[str, str]]:
    """apiVersion and kind of every schema in the sets."""
    found = set()
    for file in (file for folder in folders for file in sorted(folder.glob("*/*_*.json"))):
        properties = json.loads(file.read_bytes()).get("properties", {})
        versions, kinds = (properties.get(key, {}).get("enum", []) for key in ("apiVersion", "kind"))
        found |= {(version, kind) for version in versions for kind in kinds}
    return sorted(found)
