"""The files of a folder in, those that belong together out: what one cluster gets.

What a kustomization reaches belongs together, and so does what Flux Kustomizations and Argo CD Applications lead to. Of
the rest, folders in which one object is written twice are places of their own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from dynagen.checking.definitions import is_list
from dynagen.checking.inputs import File
from dynagen.checking.kustomizations import Kustomization, place_of
from dynagen.cluster.objects import listing, mapping

Key = tuple[str, str, str, str]
_MOST = 20_000  # files of all streams
_UP = 4  # folders above the one that is walked, which may be the top of the repository


class Stream:
    """Files that are judged together. Two objects of one identity in one of `places` are a mistake.

    `generated` are Kind/name of what kustomizations make. One that `is_whole` says itself what belongs to it; one that
    `is_open` gets more than is to be seen; one with `labels` gets selectors from a kustomization.
    `folder` is the one that says what belongs to it, if it is one.
    """

    def __init__(self, files: Sequence[File], is_whole: bool = False, one_place: bool = False) -> None:
        self.files, self.is_whole, self._one_place = files, is_whole, one_place
        self.generated: list[str] = []
        self.is_open = self.labels = False
        self.folder: Path | None = None

    def place(self, shown: str) -> str:
        return "" if self._one_place else os.path.dirname(shown)  # noqa: PTH120

    @cached_property
    def identities(self) -> set[Key]:
        return {key for file in self.files for key in _identities(file)}

    @property
    def singular(self) -> set[Hashable]:
        """What no cluster gets twice: its files and objects. A Namespace may come with each part of what is in it."""
        return {*map(id, self.files), *(key for key in self.identities if key[1] != "Namespace")}


Found = tuple[frozenset[Path], set[Path], bool]


def _within_limits(found: Sequence[Found]) -> list[Found]:
    """Past the limit files are judged once, not with everything that includes them: a small tree must not cost much."""
    seen: set[Path] = set()
    kept: list[Found] = []
    total = 0
    for paths, units, is_whole in found:
        total += len(paths)
        kept.append((paths, units, is_whole) if total <= _MOST else (paths - seen, set(), False))
        seen |= paths
    return kept


def streams_of(files: Sequence[File], top: Path | None, kustomizations: Mapping[Path, Kustomization]) -> list[Stream]:
    """`top` is the folder that was walked, None for files that were named one by one."""
    return _Folder(files, top, kustomizations).streams()


class _Folder:
    def __init__(self, files: Sequence[File], top: Path | None, kustomizations: Mapping[Path, Kustomization]) -> None:
        self._files = {place_of(file.path) if file.path else Path(): file for file in files}
        self._kustomizations = kustomizations
        self._top = Path(os.path.realpath(top)) if top is not None else None
        self._reached: dict[Path, tuple[Path, ...]] = {}

    def streams(self) -> list[Stream]:
        reached = {folder: self._closure(folder) for folder in self._units()}
        inside = {path for paths, _ in reached.values() for path in paths}
        rest = [path for path in self._files if path not in inside]
        plain = [self._closure(*part) for part in self._parts(rest)]
        candidates = [(paths, units, True) for paths, units in reached.values()]
        candidates += [(paths, units, bool(units)) for paths, units in plain]
        # What is a part of another says nothing of its own; of the same, one will do.
        candidates.sort(key=lambda each: -len(each[0]))
        found: list[Found] = []
        for paths, units, is_whole in candidates:
            same = next((each for each in found if paths <= each[0]), None)
            if same is None:
                found.append((paths, set(units), is_whole))
            elif same[0] == paths:
                same[1].update(units)
        order = {path: number for number, path in enumerate(self._files)}
        found.sort(key=lambda each: min((order[path] for path in each[0]), default=0))
        found = _within_limits(found)
        return [stream for each in found if each[0] for stream in self._made(sorted(each[0], key=order.get), *each[1:])]  # type: ignore[arg-type]

    def _made(self, paths: Sequence[Path], units: set[Path], is_whole: bool) -> Iterator[Stream]:
        """A stream of files; several where one object stands in different places, which are different clusters then."""
        own = [self._kustomizations[unit] for unit in units if unit in self._kustomizations]
        leads = any(self._led_to(path) for path in paths)
        one_place = is_whole and bool(own) and not leads and not any(each.renames for each in own)
        rounds: list[tuple[list[File], dict[Key, str]]] = []
        for path in paths:
            file = self._files[path]
            place, keys = str(path.parent), set(_identities(file))
            fitting = (each for each in rounds if one_place or all(each[1].get(key, place) == place for key in keys))
            taken = next(fitting, None)
            if taken is None:
                rounds.append(taken := ([], {}))
            taken[0].append(file)
            taken[1].update(dict.fromkeys(keys, place))
        for files, _ in rounds:
            stream = Stream(files, is_whole, one_place)
            stream.labels = any(each.labels for each in own)
            stream.folder = min(units) if len(units) == 1 else None
            stream.generated = sorted({entry for each in own for entry in each.generated})
            stream.is_open = any(each.is_open or self._lacks(each) for each in own) or any(
                _brings_more(data, lambda named, path=path: self._folder_of(path, named) is not None)  # type: ignore[misc]
                for path in paths
                for data in objects_in(self._files[path])
            )
            yield stream

    def _lacks(self, kustomization: Kustomization) -> bool:
        """Whether something that a kustomization takes in lies outside of what is checked."""
        return any(
            not (part in self._files or self._holds(part)) for part in kustomization.parts if part.suffix != ".json"
        )

    def _holds(self, part: Path) -> bool:
        return (part.is_dir() and self._top is not None and part.is_relative_to(self._top)) or not part.is_dir()

    def _units(self) -> list[Path]:
        """Folders with a kustomization, and those that Flux or Argo CD is led to."""
        led = {folder for path in self._files for folder in self._led_to(path)}
        return sorted({*self._kustomizations, *led})

    def _closure(self, *starts: Path) -> tuple[frozenset[Path], set[Path]]:
        """All files that are reached from some files and folders, and the folders among what is."""
        seen: set[Path] = set()
        ahead = list(starts)
        while ahead:
            path = ahead.pop()
            if path not in seen:
                seen.add(path)
                ahead += self._next(path)
        files = frozenset(path for path in seen if path in self._files)
        return files, {path for path in seen if path not in self._files}

    def _next(self, path: Path) -> tuple[Path, ...]:
        if path not in self._reached:
            if path in self._files:
                found = self._led_to(path)
            elif path in self._kustomizations:
                found = tuple(self._kustomizations[path].parts)
            else:  # Flux takes what lies in a folder and below
                found = tuple(self._below(path))
            self._reached[path] = found
        return self._reached[path]

    def _below(self, folder: Path) -> Iterator[Path]:
        inside = f"{folder}{os.sep}"
        tops = [each for each in self._kustomizations if str(each).startswith(inside)]
        yield from tops
        starts = tuple(f"{each}{os.sep}" for each in tops)
        for path in self._files:
            if str(path).startswith(inside) and not str(path).startswith(starts):
                yield path

    def _led_to(self, path: Path) -> tuple[Path, ...]:
        """The folders that objects in a file lead to."""
        named = (each for data in objects_in(self._files[path]) for each in _paths(data))
        found = (self._folder_of(path, each) for each in named)
        return tuple(folder for folder in found if folder is not None)

    def _folder_of(self, path: Path, named: str) -> Path | None:
        """The folder that a file means, from the top of its repository, which may be above what is walked or below."""
        top = self._top
        for each in (top, *list(top.parents)[:_UP], *reversed(path.parents)) if top is not None else ():
            folder = Path(os.path.normpath(each / named))
            if top is not None and folder.is_relative_to(top) and folder.is_dir():
                return Path(os.path.realpath(folder))
        return None

    def _parts(self, paths: Sequence[Path]) -> list[list[Path]]:
        """Files as they lie in folders, apart where one object is in several of these."""
        if len(paths) < 2 or not self._is_contradictory(paths):
            return [list(paths)] if paths else []
        folders = sorted({path.parent for path in paths})
        common = Path(os.path.commonpath(folders))
        groups: dict[Path, list[Path]] = {}
        for path in paths:
            inner = path.parent.relative_to(common).parts
            groups.setdefault(common / inner[0] if inner else common, []).append(path)
        if len(groups) == 1:
            return [list(paths)]
        return [part for group in groups.values() for part in self._parts(group)]

    def _is_contradictory(self, paths: Sequence[Path]) -> bool:
        known: dict[Key, Path] = {}
        return any(
            known.setdefault(key, path.parent) != path.parent
            for path in paths
            for key in _identities(self._files[path])
        )


def objects_in(file: File) -> Iterator[dict[str, Any]]:
    """The objects in a file; those in a List one by one."""
    for document in file.documents:
        data = document.data
        if isinstance(data, dict):
            items = data["items"] if is_list(data) else [data]
            yield from (item for item in items if isinstance(item, dict))


def _identities(file: File) -> Iterator[Key]:
    for data in objects_in(file):
        metadata = data.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get("name"), str):
            group = str(data.get("apiVersion")).rpartition("/")[0]
            yield group, str(data.get("kind")), str(metadata.get("namespace") or ""), metadata["name"]


_FLUX, _ARGO = "kustomize.toolkit.fluxcd.io", "argoproj.io"


def _paths(data: Mapping[str, Any]) -> Iterator[str]:
    """The folders of the repository that an object tells Flux or Argo CD to apply."""
    group, kind, spec = str(data.get("apiVersion")).partition("/")[0], data.get("kind"), data.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    given: list[Any] = []
    if (group, kind) == (_FLUX, "Kustomization"):
        given = [spec.get("path")]
    elif (group, kind) == (_ARGO, "Application"):
        given = [each.get("path") for each in listing([spec.get("source")]) + listing(spec.get("sources"))]
    for path in given:
        if isinstance(path, str) and path.strip("./") and "\0" not in path:
            yield path.lstrip("/")


def _brings_more(data: Mapping[str, Any], is_here: Callable[[str], bool]) -> bool:
    """Whether an object has others made of which nobody here knows: of a Helm chart, or in a folder that is not here."""
    group, kind = str(data.get("apiVersion")).partition("/")[0], data.get("kind")
    if (group, kind) in _CHARTS:
        return True
    if (group, kind) not in ((_FLUX, "Kustomization"), (_ARGO, "Application")):
        return False
    spec = mapping(data.get("spec"))
    charts = [each for each in (*listing([spec.get("source")]), *listing(spec.get("sources"))) if each.get("chart")]
    return bool(charts) or not all(is_here(path) for path in _paths(data))


_CHARTS = (("helm.toolkit.fluxcd.io", "HelmRelease"), ("helm.cattle.io", "HelmChart"), (_ARGO, "ApplicationSet"))
