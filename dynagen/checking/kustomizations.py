"""Kustomizations: what one takes in, what it makes, and which files are none of its objects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dynagen.diagnostics import Report
from dynagen.text.source import parse, read

NAMES = frozenset(("kustomization.yaml", "kustomization.yml", "Kustomization"))
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
_PARTS = ("resources", "bases", "components")
# Settings of kustomize itself, or of its plug-ins, that may be files.
_SETTINGS = ("configurations", "crds", "generators", "replacements", "transformers", "validators")
_GENERATORS = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}
_RENAMING = ("namespace", "namePrefix", "nameSuffix")


class Kustomization:
    """The kustomization of a folder.

    `parts` are the files and folders that it takes in, `patches` and `settings` files that are no objects; `generated`
    are Kind/name of what it makes. One that `is_open` brings more than is to be seen here; one that `renames` puts the
    same object into several places; one that `labels` writes selectors.
    """

    __slots__ = ("folder", "generated", "is_open", "labels", "parts", "patches", "renames", "settings")

    def __init__(self, file: Path) -> None:
        self.folder = Path(os.path.realpath(file.parent))
        self.parts: list[Path] = []
        self.patches: set[str] = set()
        self.settings: set[str] = set()
        self.generated: list[str] = []
        self.is_open = self.renames = self.labels = False
        text = read(file, "", Report(), only_regular=True)
        for document in parse(text, "", Report(), for_kubernetes=True) if text else ():
            if isinstance(document.data, dict):
                self._take(document.data)

    def _take(self, data: dict[str, Any]) -> None:
        for key in _PARTS:
            for entry in _texts(data.get(key)):
                path = self.folder / entry
                if path.exists():
                    self.parts.append(place_of(path))
                else:
                    self.is_open = True  # a repository, or what is not there yet
        for key in _PATCHES:
            self.patches |= set(self._files(data.get(key)))
        for key in _SETTINGS:
            self.settings |= set(self._files(data.get(key)))
        for key, kind in _GENERATORS.items():
            for each in _maps(data.get(key)):
                self.generated += [f"{kind}/{each['name']}"] if isinstance(each.get("name"), str) else []
                files = [entry.rpartition("=")[2] for entry in _texts(each.get("files"))]
                self.settings |= set(self._files(files))
        for chart in _maps(data.get("helmCharts")):
            self.is_open = True
            self.settings |= set(self._files([chart.get("valuesFile")]))
        self.is_open |= bool(data.get("generators") or data.get("helmChartInflationGenerator"))
        # source: kubectl.docs.kubernetes.io/references/kustomize/kustomization/commonlabels and /labels
        selecting = any(each.get("includeSelectors") is True for each in _maps(data.get("labels")))
        self.labels |= bool(data.get("commonLabels")) or selecting
        self.renames |= any(data.get(key) for key in _RENAMING)

    def _files(self, entries: Any) -> Iterator[str]:
        for entry in entries if isinstance(entries, list) else ():
            path = entry.get("path") if isinstance(entry, dict) else entry
            if isinstance(path, str) and path and "\n" not in path:
                yield os.path.realpath(self.folder / path)


def _texts(entries: Any) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, str) and entry and "\n" not in entry and "\0" not in entry and "://" not in entry:
            yield entry
        elif isinstance(entry, str):
            yield "\r"  # no file is called so


def _maps(entries: Any) -> Iterator[dict[str, Any]]:
    yield from (entry for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()


def place_of(path: Path) -> Path:
    """A folder with its links followed; a file, which may be a link itself, in such a folder."""
    real = Path(os.path.realpath(path))
    return real if os.path.isdir(real) else Path(os.path.realpath(path.parent)) / path.name  # noqa: PTH112


def kustomization_in(folder: Path) -> Kustomization | None:
    for name in sorted(NAMES, reverse=True):
        if os.path.isfile(folder / name):  # noqa: PTH113
            return Kustomization(folder / name)
    return None


def around(file: Path) -> Iterator[Kustomization]:
    """The kustomizations that may speak of a file that was named alone: those of its folder and of some above."""
    folder = Path(os.path.realpath(file.parent))
    for each in (folder, *folder.parents[:3]):
        if found := kustomization_in(each):
            yield found
