"""Files and folders in, the outcome out: each profile compiled on its own, manifests together, what is neither noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from dynagen.checking.clusters import Stream, objects_in, streams_of
from dynagen.checking.inputs import (
    MANIFEST_BYTES,
    MANIFESTS,
    PROFILE,
    File,
    Skipped,
    Walked,
    layer_around,
    layers_named_by,
    profile_document,
    read_file,
    read_named,
    refused_link,
    walk,
)
from dynagen.checking.kustomizations import Kustomization
from dynagen.checking.manifests import objects_of
from dynagen.checking.neighbours import Brought, brought_by, check_neighbours
from dynagen.checking.streams import Options, check_groups, note_texts
from dynagen.checking.trees import check_trees
from dynagen.cluster.objects import Findings, Object
from dynagen.compiler import Request, compile_profile, places_of
from dynagen.console.outcome import Checked, Outcome, diagnostics_of
from dynagen.crd_rules.soundness import rules_problem
from dynagen.diagnostics import Diagnostic, Position, Report
from dynagen.profile.releases import facts_of_release
from dynagen.schema.broken import broken_schemas
from dynagen.text.document import Document
from dynagen.text.paths import is_folder

_NAMED = 5  # skipped files that a note names


class NotOneProfile(Exception):
    """`-f` or `--set` with none or several profiles. Its argument is their number."""


def check_paths(paths: Sequence[str], options: Options, texts: dict[str, str], homes: set[Path]) -> Outcome:
    """Checks all. Notes in `texts` the files that diagnostics speak of, in `homes` the folders their layers lie in."""
    checked: list[Checked] = []
    skipped: list[Skipped] = []
    layers: dict[Path, bool] = {}
    brought: list[Brought] = []
    profiles = 0
    plain: dict[str, list[File]] = {}  # of each folder that was walked; under "" those that were named
    kustomizations: dict[str, Mapping[Path, Kustomization]] = {}
    if broken := _check_sets(options):
        return Outcome(broken, texts)
    found = _found(paths, options)
    for group, entry in found if not (options.files or options.settings) else _only_one_profile(list(found)):
        if isinstance(entry, Skipped):
            skipped.append(entry)
        elif isinstance(entry, Walked):
            kustomizations[group] = entry.kustomizations
            diagnostics = diagnostics_of(entry.report)
            checked += [Checked(group, diagnostics)] if diagnostics else []
        elif entry.holds == PROFILE:
            profiles += 1
            layers |= dict.fromkeys(layers_named_by(entry), True)
            homes.add(options.root or entry.home)
            checked.append(_check_profile(entry, options, texts, brought))
        elif entry.holds == MANIFESTS or entry.report.failed:
            homes.add(Path(group) if group else entry.home)
            plain.setdefault(group, []).append(entry)
        else:
            skipped.append(Skipped(entry.shown, "", entry.shown))
    groups: list[list[Stream]] = []
    for group, files in plain.items():
        kept: list[File] = []
        for file in files:
            layer = layer_around(file.path, layers) if file.path is not None else None
            if layer is None:
                kept.append(file)
            else:
                why = f"belongs to the layer '{layer.name}': it is checked with the profiles that name it"
                skipped.append(Skipped(file.shown, why, file.shown))
        groups.append(streams_of(kept, Path(group) if group else None, kustomizations.get(group, {})))
    checked += check_neighbours(brought, options.strict)
    check_trees(groups)
    checked += check_groups(groups, options, texts)
    if not checked and not options.may_be_empty:
        checked.append(_nothing(paths, options))
        skipped = [each for each in skipped if each.why or len(paths) > 1 or is_folder(Path(paths[0]))]
    objects = {file.shown: file for group in groups for stream in group for file in stream.files}
    count = sum(1 for file in objects.values() for _ in objects_in(file))
    return Outcome(checked, texts, _notes(skipped), profiles, count)


def _nothing(paths: Sequence[str], options: Options) -> Checked:
    """Reports DG116."""
    report = Report(options.strict)
    hint = "name profiles, manifests, or folders that hold some"
    message = "no profile and no Kubernetes object"
    if len(paths) == 1 and not is_folder(Path(paths[0])):
        message = "this is neither a profile nor a Kubernetes object"
        hint = f"a profile begins with 'apiVersion: dynagen.dev/v1alpha1' and 'kind: Profile'; else {hint}"
    report.add("DG116", f"nothing to check: {message}", Position(paths[0]), hint)
    return Checked(paths[0], diagnostics_of(report))


def _check_sets(options: Options) -> list[Checked]:
    """Reports DG214 for a schema that cannot be used."""
    report = Report(options.strict)
    for folder in options.target.schemas:
        if refused_link(str(folder), options.root, report):
            continue
        for file, message in broken_schemas(
            folder, folder.resolve(), partial(rules_problem, memory=options.target.memory)
        ):
            hint = "make it with `dynagen schemas import`"
            report.add("DG214", f"not a schema of a set: {message}", Position(file.as_posix()), hint)
    diagnostics = diagnostics_of(report)
    return [Checked("--schemas", diagnostics)] if diagnostics else []


def read_earlier(name: str, report: Report) -> list[Object]:
    """The objects in a file or a folder, which are compared with and not checked. Reports what cannot be read."""
    if refused_link(name, None, report):
        return []
    entries = walk(name, False) if is_folder(Path(name)) else [read_file(name, False, limit=MANIFEST_BYTES)]
    documents: list[Document] = []
    for entry in entries:
        if isinstance(entry, (File, Walked)):
            report.take(entry.report)
        if isinstance(entry, File) and entry.holds == MANIFESTS:
            documents += entry.documents
    objects = objects_of(documents, report)
    if not objects and not report.failed:
        report.add("DG116", "nothing to compare with: no Kubernetes object", Position(name), "name an earlier tree")
    return objects


Found = tuple[str, File | Skipped | Walked]


def _found(paths: Sequence[str], options: Options) -> Iterator[Found]:
    sole = len(paths) == 1 and not options.may_be_empty
    for name in dict.fromkeys(paths):
        report = Report(options.strict)
        if name != "-" and is_folder(Path(name)) and refused_link(name, options.root, report):
            yield name, Walked(report)
        elif name != "-" and is_folder(Path(name)):
            yield from ((name, entry) for entry in walk(name, options.strict))
        else:
            found = read_named(name, options.strict, sole, MANIFEST_BYTES, options.root)
            is_part = bool(options.files or options.settings)
            if sole and not is_part and isinstance(found, File):
                found = found.unless_of_others()
            yield "", found


def _only_one_profile(found: list[Found]) -> list[Found]:
    profiles = [entry for _, entry in found if isinstance(entry, File) and entry.holds == PROFILE]
    unread = any(isinstance(entry, File) and entry.report.failed for _, entry in found)
    if len(profiles) != 1 and not unread:
        raise NotOneProfile(len(profiles))
    return found


def _check_profile(file: File, options: Options, texts: dict[str, str], brought: list[Brought]) -> Checked:
    report = file.report
    sources = profile_document(file, report)
    known = {file.shown: file.text}
    for name in options.files:
        further = read_file(name, options.strict, sole=True, root=options.root)
        report.take(further.report)
        known[further.shown] = further.text
        sources += profile_document(further, report)
    if not report.failed:
        request = Request(
            sources,
            options.settings,
            file.home,
            options.root or file.home,
            options.target.external,
            [each.manifest for each in options.target.earlier],
            options.target.memory,
        )
        compilation = compile_profile(request, report)
        brought += brought_by(file.shown, compilation) if not report.failed else ()
        if any(options.referees) and not report.failed:
            assert compilation.profile is not None and compilation.plan is not None
            crds = facts_of_release(compilation.library.facts, compilation.plan.release)["crds"]
            folders = compilation.library.schema_folders(compilation.plan.kubernetes, crds)
            findings = Findings(report, places_of(compilation))
            objects = [Object(manifest) for manifest in compilation.manifests]
            options.referees.ask(objects, folders, findings, report)
    diagnostics = diagnostics_of(report)
    note_texts(diagnostics, known, texts)
    return Checked(file.shown, diagnostics)


def _notes(skipped: Sequence[Skipped]) -> list[Diagnostic]:
    """What was left out, said once for each folder (DG117)."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, why, at in skipped:
        groups.setdefault((at, why and f"{name} {why}"), []).append(name)
    notes = []
    for (at, why), names in groups.items():
        message = why or f"{_listed(names)}: no Kubernetes object in there"
        diagnostic = Diagnostic("DG117", f"not checked: {message}", Position(at), severity="note")
        notes.append(diagnostic)
    return notes


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
