"""What a tree says about itself: whose it is, what it was built for, and what was written into it.

The file is called so that neither `kubectl apply -f DIR` nor Argo CD, which read *.yaml, *.yml and *.json, take it for an
object; kustomize reads what a kustomization lists.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from dynagen import __version__
from dynagen.diagnostics import Diagnostic, Position, Report, Silence
from dynagen.manifests.yaml import HEADER, to_yaml
from dynagen.text.opening import MAX_BYTES, read_bytes
from dynagen.text.silences import can_be_silenced
from dynagen.text.source import parse, read

_MOST = 16 * MAX_BYTES

FILE = "dynagen.record"


class Record(NamedTuple):
    """`owner` is namespace/name of the profile; `external` are objects that the cluster has, as far as they matter.

    `files` are the names of the files that were written, each with the digest of its text; `silenced` is what the profile silences,
    with its code, message and reason.
    """

    owner: str
    profile: Sequence[str]
    release: str
    kubernetes: str
    external: Sequence[Mapping[str, Any]]
    files: Mapping[str, str]
    silenced: Sequence[Mapping[str, str]] = ()

    def to_text(self) -> str:
        """The same for the same profile and the same dynagen, wherever and whenever."""
        data = {
            "owner": self.owner,
            "profile": list(self.profile),
            "version": __version__,  # "dynagen:" would be looked through for silences
            "release": self.release,
            "kubernetes": self.kubernetes,
            "external": list(self.external),
            **({"silenced": list(self.silenced)} if self.silenced else {}),
            "files": dict(self.files),
        }
        return HEADER + to_yaml(data)

    def unchanged_in(self, folder: Path) -> list[str]:
        """Files that say what was written, and nothing else."""
        return [name for name, _, is_same in self._found_in(folder) if is_same]

    def changed_in(self, folder: Path) -> list[str]:
        """Files that do not say what was written any more. One that is gone is no loss."""
        begin = HEADER.rstrip("\n")
        return [name for name, text, is_same in self._found_in(folder) if text.startswith(begin) and not is_same]

    def _found_in(self, folder: Path) -> Iterator[tuple[str, str, bool]]:
        """The files that are there, with their texts, and whether these are what was written."""
        for name, known in self.files.items():
            try:
                text = read_bytes(folder / name, _MOST, folder).decode("utf-8", "replace")
            except (OSError, ValueError):
                continue
            yield name, text, digest(text) == known


def accept_silenced(record: Record, folder: Path, shown: Mapping[str, str], report: Report) -> None:
    """What the profile silences, its tree does not tell again; `shown` says how the names of its files are shown.

    A file that was changed says something else, and a record cannot silence what no comment could.
    """
    unchanged = record.unchanged_in(folder) if record.silenced else ()
    files = {shown[name] for name in unchanged if name in shown}
    for each in record.silenced:
        if can_be_silenced(each["code"]):
            at = Position((folder / FILE).as_posix())
            report.accept(files, each["message"], Silence(each["code"], each["reason"], at))


def check_tree(record: Record, folder: Path, shown: str, report: Report) -> None:
    """Reports DG507 for files that somebody has changed by hand, DG508 for those that are gone and still listed."""
    changed = record.changed_in(folder)
    for name in changed:
        report.add(
            "DG507", f"'{name}' is not as it was built: the next build of '{record.owner}' writes over it",
            Position(f"{shown}/{name}"), "move the change to the profile or a layer, and build again", severity="warning",
        )  # fmt: skip
    listing = "kustomization.yaml"
    if listing in changed or not os.path.isfile(folder / listing):  # noqa: PTH113
        return
    for name in record.files:
        if not os.path.lexists(folder / name):
            report.add(
                "DG508",
                f"'{name}' is gone, and '{listing}' lists it",
                Position(f"{shown}/{listing}"),
                "build the tree again",
            )


def digest(text: str) -> str:
    """Tells texts apart that were not made to be alike. Git may have changed the ends of lines."""
    return f"{crc32(text.replace(chr(13), '').encode()):08x}"


def with_record(
    files: Mapping[str, str], owner: str, profile: Sequence[str], versions: tuple[str, str],
    external: Sequence[Mapping[str, Any]], silenced: Sequence[Diagnostic] = (),
) -> dict[str, str]:  # fmt: skip
    """The files of a tree and their record. `profile` are names as given, `versions` of the release and of Kubernetes."""
    said = [{"code": each.code, "message": each.message, "reason": each.silenced or ""} for each in silenced]
    digests = {name: digest(text) for name, text in files.items()}
    record = Record(owner, [os.path.basename(name) for name in profile], *versions, external, digests, said)  # noqa: PTH119
    return {**files, FILE: record.to_text()}


def read_record(folder: Path) -> Record | None:
    """None where there is none, or none that can be understood: trees of before had none."""
    path, report = folder / FILE, Report()
    text = read(path, "", report, only_regular=True) if os.path.isfile(path) else None  # noqa: PTH113
    if not text or not text.startswith(HEADER.rstrip("\n")):
        return None
    documents = parse(text, path.as_posix(), report)
    data = documents[0].data if documents and not report.failed else None
    if not isinstance(data, dict):
        return None
    words = [data.get(key) for key in ("owner", "release", "kubernetes")]
    external, files = data.get("external"), data.get("files")
    if not (all(isinstance(word, str) for word in words) and isinstance(external, list) and isinstance(files, dict)):
        return None
    owner, release, kubernetes = map(str, words)
    named = {str(name): str(known) for name, known in files.items() if "/" not in str(name)}
    silenced = data.get("silenced")
    said = [each for each in silenced if _is_silenced(each)] if isinstance(silenced, list) else []
    return Record(owner, [], release, kubernetes, [each for each in external if _is_object(each)], named, said)


def _is_silenced(data: Any) -> bool:
    words = [data.get(key) for key in ("code", "message", "reason")] if isinstance(data, dict) else [None]
    return all(isinstance(word, str) and word for word in words)


def _is_object(data: Any) -> bool:
    metadata = data.get("metadata") if isinstance(data, dict) else None
    return isinstance(metadata, dict) and all(
        isinstance(each, str) for each in (data.get("kind"), metadata.get("name"))
    )


def check_owner(record: Record | None, owner: str, folder: Path, shown: str, force: bool, report: Report) -> None:
    """Reports DG505 for a tree of another profile, DG506 for files that somebody has changed by hand."""
    if record is None:
        return
    at = Position(f"{shown.rstrip('/')}/{FILE}")
    if record.owner != owner:
        hint = f"give each profile a folder of its own; if it was renamed, remove '{at.file}'"
        report.add("DG505", f"'{shown}' is the tree of the profile '{record.owner}', not of '{owner}'", at, hint)
        return
    for name in record.changed_in(folder) if not force else ():
        report.add(
            "DG506", f"'{name}' was changed by hand", Position(f"{shown.rstrip('/')}/{name}"),
            "move the change to the profile or a layer; --force writes over it",
        )  # fmt: skip
