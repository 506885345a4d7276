"""Manifests in, the CustomResourceDefinitions among them out, as schemas of their objects.

They may be hostile: what is too large is refused, and nothing is made of a definition that no object needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynagen.diagnostics import Position
from dynagen.schema.defined import Budget, Definition, UnusableDefinition
from dynagen.text.document import Document

if TYPE_CHECKING:
    from dynagen.schema_import.kinds import Kind

KIND, API_VERSION = "CustomResourceDefinition", "apiextensions.k8s.io/v1"
# source: MaxRequestBodyBytes in kubernetes/apiserver, pkg/server/config.go
MAX_BYTES = 3 * 1024 * 1024


class Definitions:
    """The definitions in some documents, in their order."""

    def __init__(self, documents: Sequence[Document], budget: Budget) -> None:
        """All definitions of one call share a budget."""
        self._found = [_Found(data, at, budget) for document in documents for data, at in _definitions(document)]

    @cached_property
    def schemas(self) -> list[Definition]:
        return [each.definition for each in self._found]

    @contextmanager
    def as_sets(self) -> Iterator[list[Path]]:
        """The schemas that were asked for as files, for other programs: a folder that is gone afterwards, or none."""
        needed = [each.kind for each in self._found if each.definition.is_made and not each.definition.problem]
        if not needed:
            yield []
            return
        from tempfile import TemporaryDirectory

        from dynagen.schema_import.set_files import kind_files

        with TemporaryDirectory(prefix="dynagen-") as name:
            for kind in reversed(needed):  # the first one counts
                for file, text in kind_files(kind).items():
                    (Path(name) / file).parent.mkdir(exist_ok=True)
                    (Path(name) / file).write_text(text, "utf-8")
            yield [Path(name)]


class _Found:
    def __init__(self, data: Mapping[str, Any], at: Position, budget: Budget) -> None:
        self._data, self._budget = data, budget
        spec = data["spec"]
        versions = {
            each["name"]: each.get("served") is True
            for each in (spec["versions"] if isinstance(spec.get("versions"), list) else [])
            if isinstance(each, dict) and isinstance(each.get("name"), str)
        }
        metadata = data.get("metadata")
        name = str(metadata.get("name") if isinstance(metadata, dict) else None)
        self.definition = Definition(spec["group"], (name, spec["names"]["kind"]), versions, at, self._schemas)

    @cached_property
    def kind(self) -> Kind:
        """Raises ImportRefused."""
        from dynagen.schema_import.errors import ImportRefused
        from dynagen.schema_import.kinds import from_definition

        if len(json.dumps(self._data, skipkeys=True, default=str)) > MAX_BYTES:
            raise ImportRefused("", f"larger than {MAX_BYTES // 1024 // 1024} MiB, which no API server takes")
        return from_definition(dict(self._data), "", self._budget)

    def _schemas(self) -> dict[str, Any]:
        from dynagen.schema_import.errors import ImportRefused
        from dynagen.schema_import.set_files import kind_schemas

        try:
            return kind_schemas(self.kind)
        except ImportRefused as error:
            raise UnusableDefinition(error.message) from error
        except RecursionError as error:
            raise UnusableDefinition("nested too deep") from error


def is_list(data: Mapping[str, Any]) -> bool:
    """Whether an object stands for those in it, as kubectl takes a List, or a list of one kind that a server gave.

    source: UnstructuredJSONScheme in kubernetes/apimachinery, pkg/apis/meta/v1/unstructured/helpers.go
    """
    return str(data.get("kind")).endswith("List") and isinstance(data.get("items"), list)


def _definitions(document: Document) -> Iterator[tuple[dict[str, Any], Position]]:
    data = document.data
    if not isinstance(data, dict):
        return
    if _is_definition(data):
        yield data, document.at()
    elif is_list(data):
        for index, item in enumerate(data["items"]):
            if isinstance(item, dict) and _is_definition(item):
                yield item, document.at(("items", index))


def _is_definition(data: dict[str, Any]) -> bool:
    """Whether it is a definition that says what it defines. What else is wrong with it, its own schema says."""
    if data.get("kind") != KIND or data.get("apiVersion") != API_VERSION or not isinstance(data.get("spec"), dict):
        return False
    names = data["spec"].get("names")
    said = (data["spec"].get("group"), names.get("kind") if isinstance(names, dict) else None)
    return all(isinstance(each, str) and each for each in said)
