"""Streams of manifests in, what is wrong with each out, file by file."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from dynagen.checking.clusters import Stream
from dynagen.checking.definitions import Definitions
from dynagen.checking.manifests import Around, Target, check_manifests
from dynagen.checking.referees import Referees
from dynagen.cluster.elsewhere import Elsewhere
from dynagen.cluster.objects import Findings
from dynagen.cluster.pod_templates import MAKERS
from dynagen.console.outcome import Checked, diagnostics_of
from dynagen.diagnostics import Diagnostic, Report
from dynagen.origins.pointing import where_written
from dynagen.schema.defined import Budget


class Options(NamedTuple):
    """How to check. `files` and `settings` are for exactly one profile."""

    target: Target
    files: Sequence[str] = ()
    settings: Sequence[str] = ()
    root: Path | None = None
    strict: bool = False
    referees: Referees = Referees()
    may_be_empty: bool = False


def check_groups(groups: Sequence[Sequence[Stream]], options: Options, texts: dict[str, str]) -> list[Checked]:
    """Each group is a folder, or all files that were named. The definitions of one stream help out in all others."""
    budget = Budget()
    streams = [stream for group in groups for stream in group]
    found = [Definitions([document for file in each.files for document in file.documents], budget) for each in streams]
    around = [each for group in groups for each in _surroundings(group)]
    checked: dict[str, list[Diagnostic]] = {}
    for number, stream in enumerate(streams):
        others = [each for index, each in enumerate(found) if index != number]
        for name, diagnostics in _check_stream(stream, found[number], others, around[number], options, texts):
            checked.setdefault(name, []).extend(diagnostics)
    return [Checked(name, list(dict.fromkeys(diagnostics))) for name, diagnostics in checked.items()]


def _surroundings(streams: Sequence[Stream]) -> list[Around]:
    """What is around each stream of a folder: the objects of the others, unless these are surely of another cluster."""
    index: dict[tuple[str, str], list[tuple[str, int]]] = {}
    makers: dict[str, set[int]] = {}
    for number, stream in enumerate(streams):
        for group, kind, namespace, name in stream.identities:
            index.setdefault((kind, name), []).append((namespace, number))
            if (group, kind) in MAKERS:
                makers.setdefault(namespace, set()).add(number)
        for entry in stream.generated:
            kind, _, name = entry.partition("/")
            index.setdefault((kind, name), []).append(("", number))
    return [
        Around(Elsewhere(index, makers, apart), stream.is_open, stream.place, stream.labels)
        for stream, apart in zip(streams, _apart(streams), strict=True)
    ]


def _apart(streams: Sequence[Stream]) -> list[set[int]]:
    """For each stream itself, and those that cannot be in its cluster, if it says itself what belongs to it."""
    holders: dict[Hashable, set[int]] = {}
    for number, stream in enumerate(streams):
        for each in stream.singular:
            holders.setdefault(each, set()).add(number)
    found: list[set[int]] = []
    for number, stream in enumerate(streams):
        sharing = {id(shared): shared for each in stream.singular if len(shared := holders[each]) > 1}
        found.append({number}.union(*(sharing.values() if stream.is_whole else ())))
    return found


def _of_trees(stream: Stream, target: Target, report: Report) -> Target:
    """What the records of our own trees among the files say about their cluster. Reports DG507 and DG508 about the trees."""
    from dynagen.manifests.record import FILE, accept_silenced, check_tree, read_record

    folders = dict.fromkeys(file.path.parent for file in stream.files if file.path is not None)
    records = [(folder / FILE, record) for folder in folders if (record := read_record(folder)) is not None]
    for file, record in records:
        check_tree(record, file.parent, file.parent.as_posix(), report)
        shown = {each.path.name: each.shown for each in stream.files if each.path and each.path.parent == file.parent}
        accept_silenced(record, file.parent, shown, report)
    return target.of_record(records) if records else target


def _check_stream(
    stream: Stream, own: Definitions, others: Sequence[Definitions], around: Around, options: Options,
    texts: dict[str, str],
) -> list[tuple[str, list[Diagnostic]]]:  # fmt: skip
    report = Report(options.strict)
    for file in stream.files:
        report.take(file.report)
    documents = [document for file in stream.files for document in file.documents]
    spare = [definition for each in others for definition in each.schemas]
    target = _of_trees(stream, options.target.having(stream.generated), report)
    objects = check_manifests(documents, target, report, own.schemas, spare, around)
    if any(options.referees):
        shipped = target.schema_folders(target.crds)
        with ExitStack() as stack:
            first, *last = (stack.enter_context(each.as_sets()) for each in (own, *others))
            folders = [*first, *shipped, *(folder for found in last for folder in found)]
            options.referees.ask(objects, folders, Findings(report, where_written), report)
    found = diagnostics_of(report)
    note_texts(found, {file.shown: file.text for file in stream.files}, texts)
    by_file: dict[str, list[Diagnostic]] = {file.shown: [] for file in stream.files}
    for diagnostic in found:
        by_file.setdefault(diagnostic.at.file, []).append(diagnostic)
    return list(by_file.items())


def note_texts(diagnostics: Sequence[Diagnostic], known: Mapping[str, str], texts: dict[str, str]) -> None:
    """Keeps the texts of files in which something was found, and no others: there may be thousands."""
    for diagnostic in diagnostics:
        for at in (diagnostic.at, *(place for _, place in diagnostic.related)):
            if known.get(at.file):
                texts[at.file] = known[at.file]
