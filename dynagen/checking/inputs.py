"""Names of files and folders in, what is in them out: profiles, manifests, and what holds neither.

A document with an `apiVersion` of dynagen.dev makes its file a profile. One with `apiVersion` and `kind` is a manifest.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dynagen.checking.other_programs import is_config
from dynagen.diagnostics import STANDARD_INPUT, Position, Report, misspelt
from dynagen.layers.finding import looks_like_layer
from dynagen.profile.schema import core_schema
from dynagen.text.document import Document
from dynagen.text.opening import MAX_BYTES
from dynagen.text.paths import is_file, leads_away, lies_in
from dynagen.text.source import decode, parse, read, report_size

if TYPE_CHECKING:
    from dynagen.checking.kustomizations import Kustomization

SUFFIXES = (".yaml", ".yml", ".json")
# What `helm template` makes of a large chart, with the definitions of its kinds, is some megabytes.
MANIFEST_BYTES = 16 * MAX_BYTES
PROFILE, MANIFESTS, NOTHING = "profile", "manifests", "nothing"

# Keys of a profile that other files hardly have two of; those of an object; and what a text must hold to be worth parsing.
_TELLING = frozenset(("backend", "model", "gpu", "agg", "disagg", "overlays"))
_OF_OBJECTS = ("apiVersion", "kind", "metadata", "spec")
_MEANT = r"""(?m)^(?:\{\s*)?["']?(?:apiVersion|kind|metadata)["']?\s*:|"apiVersion"\s*:"""
_KEY = r"""(?m)^(?:\{\s*)?["']?([A-Za-z]+)["']?\s*:(?=\s|$)"""
_ANY_KEY = r"""(?m)^["']?([\w./-]+)["']?\s*:(?=\s|$)"""
_CHART = ("templates", "charts")


class File(NamedTuple):
    """A file that was read: what is in it, its text, and what is wrong with that. `path` is None for standard input."""

    shown: str
    path: Path | None
    holds: str
    documents: Sequence[Document]
    text: str
    report: Report

    @property
    def home(self) -> Path:
        """The folder that overlays of this profile are named from."""
        return self.path.parent if self.path is not None and is_file(self.path) else Path()

    def unless_of_others(self) -> File:
        """The same, without a word on what is most likely the file of another program."""
        said = {each.code for each in self.report.diagnostics}
        read = bool(self.documents) or said == {"DG107"}  # which is nothing of its own to others
        mappings = all(isinstance(each.data, dict) for each in self.documents)
        if self.holds == MANIFESTS or not (read and mappings) or not _is_of_others(self.text):
            return self
        return File(self.shown, self.path, NOTHING, [], self.text, Report())


class Skipped(NamedTuple):
    """What is not checked, and why. `at` is the file, or the folder that was walked."""

    name: str
    why: str
    at: str


class Walked(NamedTuple):
    """What is wrong with a folder itself, and the kustomizations in it and below."""

    report: Report
    kustomizations: Mapping[Path, Kustomization] = {}


def read_named(name: str, strict: bool, sole: bool, limit: int, root: Path | None = None) -> File | Skipped:
    """The same for what may be a part of a kustomization and no object."""
    from dynagen.checking.kustomizations import around

    if name != "-" and (why := _reasons(around(Path(name))).get(os.path.realpath(name))):
        return Skipped(name, why, name)
    return read_file(name, strict, sole, limit, root)


def read_file(name: str, strict: bool, sole: bool = False, limit: int = MAX_BYTES, root: Path | None = None) -> File:
    """Reads a file that somebody named; a link leads out of the current folder only to below `root`. `sole` is the only one: what is not clearly a manifest is a profile then."""
    report = Report(strict)
    if name == "-":
        text, path, shown = read_standard_input(report, limit), None, STANDARD_INPUT
    else:
        path, shown = Path(name), name
        text = None if refused_link(name, root, report) else read(path, shown, report, limit=limit)
    return _file(shown, path, text, report, sole)


def refused_link(name: str, root: Path | None, report: Report) -> bool:
    """Whether a name is that of a link out of the current folder, which a pull request can bring. Reports DG303."""
    path = Path(name)
    if not leads_away(path) or (root is not None and lies_in(path, root)):
        return False
    hint = "name the place itself, or allow a wider folder with --root"
    report.add("DG303", f"'{name}' leads out of the current folder by a symbolic link", Position(name), hint)
    return True


def read_standard_input(report: Report, limit: int) -> str | None:
    """Reports DG101 when it is closed, or fails."""
    import sys

    try:
        if sys.stdin is None:
            raise OSError("it is closed")
        raw = sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        report.add("DG101", f"cannot read standard input: {error.strerror or error}".lower(), Position(STANDARD_INPUT))
        return None
    return decode(raw, STANDARD_INPUT, report, limit)


def walk(name: str, strict: bool) -> Iterator[File | Skipped | Walked]:
    """The files of a folder and below, sorted, without hidden ones. Layers and templates of Helm charts are left out."""
    top = Path(name)
    wrong = Report(strict)
    visited: list[tuple[Path, list[str]]] = []
    skipped: list[Skipped] = []
    from dynagen.checking.kustomizations import NAMES as KUSTOMIZATIONS
    from dynagen.checking.kustomizations import kustomization_in

    kustomizations: list[Kustomization] = []

    def unreadable(error: OSError) -> None:
        shown = str(error.filename)
        wrong.add("DG101", f"cannot read '{shown}': {(error.strerror or str(error)).lower()}", Position(shown))

    for parent, folders, names in os.walk(top, onerror=unreadable):
        here = Path(parent)
        if looks_like_layer(here):
            folders.clear()
            skipped.append(Skipped(here.as_posix(), "is a layer: it is checked with the profiles that name it", name))
            continue
        found = kustomization_in(here) if not KUSTOMIZATIONS.isdisjoint(names) else None
        kustomizations += [found] if found else []
        chart = [folder for folder in folders if folder in _CHART] if "Chart.yaml" in names else []
        for folder in chart:
            why = "belongs to a Helm chart: build it with `helm template`"
            skipped.append(Skipped((here / folder).as_posix(), why, name))
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in chart)
        visited.append((here, sorted(each for each in names if each.endswith(SUFFIXES) and not each.startswith("."))))
    yield from skipped
    reasons = _reasons(kustomizations)
    for here, names in visited:
        for file in names:
            if file in KUSTOMIZATIONS:
                continue  # says what belongs together, and is no object
            reason = reasons.get(os.path.realpath(here / file)) if reasons else None
            yield Skipped((here / file).as_posix(), reason, name) if reason else _walked(here / file, top, name, strict)
    yield Walked(wrong, {each.folder: each for each in kustomizations})


def _reasons(kustomizations: Iterable[Kustomization]) -> dict[str, str]:
    """The files that are not to be judged, as some kustomization has them for something else, and why."""
    found: dict[str, str] = {}
    for each in kustomizations:
        found |= dict.fromkeys(
            each.settings, "is data or a setting of a kustomization: build it with `kubectl kustomize`"
        )
        found |= dict.fromkeys(each.patches, "is a patch: build it with `kubectl kustomize`")
    return found


def _walked(path: Path, top: Path, name: str, strict: bool) -> File | Skipped:
    shown, report = path.as_posix(), Report(strict)
    if os.path.islink(path) and not lies_in(path, top):  # noqa: PTH114  # folders that are links are not walked
        report.add("DG303", f"'{shown}' leads out of '{name}'", Position(shown), hint="name the file itself")
        return File(shown, path, NOTHING, [], "", report)
    found = _file(shown, path, read(path, shown, report, only_regular=True, limit=MANIFEST_BYTES), report)
    return Skipped(shown, "", name) if found.holds == NOTHING and not found.report.failed else found


def _file(shown: str, path: Path | None, text: str | None, report: Report, sole: bool = False) -> File:
    if text is None:
        return File(shown, path, PROFILE if sole else NOTHING, [], "", report)
    # What is wrong with a file of something else is not for us to say, and would take long to find out.
    if not sole and (not re.search(_MEANT, text) or _is_other_json(shown, text)):
        return File(shown, path, NOTHING, [], text, report)
    if shown.endswith(".json"):
        text = text.replace("\t", " ")  # white space in JSON, where it stands unescaped, but not in YAML
    said = Report()
    documents = parse(text, shown, said, for_kubernetes=_is_for_kubernetes(text))
    holds = _holds([document.data for document in documents], sole)
    if sole or holds != NOTHING or _is_meant(text):
        report.take(said)
    if holds == PROFILE and len(text.encode()) > MAX_BYTES:
        report_size(shown, report)
    return File(shown, path, holds, documents, text, report)


def _is_meant(text: str) -> bool:
    """Whether a text that could not be read was to be an object or a profile: it has two of their keys at least."""
    keys = {match[1] for match in re.finditer(_KEY, text)}
    return len(keys.intersection(_OF_OBJECTS)) > 1 or "dynagen.dev/" in text


def _is_for_kubernetes(text: str) -> bool:
    """Whether a text is of manifests only, which nobody but Kubernetes reads."""
    return "dynagen.dev/" not in text and "apiVersion" in text and "kind" in text


def _is_other_json(shown: str, text: str) -> bool:
    if not shown.endswith(".json"):
        return False
    try:
        return _kind(json.loads(text)) == NOTHING
    except (ValueError, RecursionError):
        return False


def _holds(documents: Sequence[Any], sole: bool) -> str:
    kinds = [_kind(data, sole) for data in documents]
    if PROFILE in kinds:
        return PROFILE
    if MANIFESTS in kinds:
        return MANIFESTS
    # A file that is neither gets the complaints that a profile gets, unless it is a mapping of something else.
    mapping = any(isinstance(data, dict) and not _TELLING & data.keys() for data in documents)
    return PROFILE if sole and not mapping else NOTHING


def _kind(data: Any, sole: bool = False) -> str:
    """`sole`: nobody knows of another use of it than as a profile."""
    if not isinstance(data, dict):
        return NOTHING
    api_version = str(data.get("apiVersion", ""))
    if api_version.startswith("dynagen.dev/"):
        return PROFILE
    if is_config(data):
        return NOTHING
    if "apiVersion" in data and "kind" in data:
        return MANIFESTS
    # Settings of engines, benchmarks and trainers name a model and a backend as well, and are about nobody.
    if len(_TELLING & data.keys()) > 1 and (sole or "metadata" in data or data.get("kind") == "Profile"):
        return PROFILE
    # An object that lacks one of the two, or has it misspelt; Chart.yaml has an apiVersion as well.
    meant = ("kind" in data and ("metadata" in data or "spec" in data)) or ("apiVersion" in data and "metadata" in data)
    return MANIFESTS if meant or ("metadata" in data and _misspelt_keys(data) > 1) else NOTHING


def _is_of_others(text: str) -> bool:
    """Whether a text has at least as many keys that are nothing to a profile as others, and does not say what it is."""
    keys = [match[1] for match in re.finditer(_ANY_KEY, text)]
    if not keys or _misspelt_keys(keys) or "dynagen.dev/" in text or _is_meant(text):
        return False
    known = core_schema()["properties"]
    own = sum(key in known or misspelt(key, known) is not None for key in keys)
    return own * 2 <= len(keys)


def _misspelt_keys(data: Iterable[Any]) -> int:
    """How many of apiVersion, kind and spec a mapping has, nearly."""
    return sum(misspelt(str(key), ("apiVersion", "kind", "spec")) is not None for key in data)


def profile_document(file: File, report: Report) -> list[Document]:
    """The one document of a profile's file. Reports DG109 for an empty file, DG110 for more than one document."""
    documents = file.documents
    if len(documents) > 1:
        report.add("DG110", "a profile is one document, this file has more", documents[1].at(),
                   hint="one file for each profile; a part that changes this one is a file for -f")  # fmt: skip
    elif (not documents and not report.failed) or (documents and documents[0].data is None):
        from dynagen.profile.skeleton import skeleton

        report.add("DG109", "the file is empty", Position(file.shown), skeleton())
    return list(documents[:1])


def layers_named_by(file: File) -> list[Path]:
    """The folders of the overlays that a profile names, with their symbolic links followed."""
    found = []
    for document in file.documents:
        entries = document.data.get("overlays") if isinstance(document.data, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, str) and "/" in entry:
                found.append(Path(os.path.realpath(file.home / entry)))
    return found


def layer_around(path: Path, layers: dict[Path, bool]) -> Path | None:
    """The layer that a file lies in. `layers` says of folders whether they are one; what it lacks is looked up."""
    here = Path(os.path.realpath(path.parent))
    for folder in (here, *here.parents):
        if folder not in layers:
            layers[folder] = looks_like_layer(folder)
        if layers[folder]:
            return folder
    return None
