"""Files and folders in, the outcome out: each profile compiled on its own, manifests together, what is neither noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

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
    walk,
)
from dynagen.checking.manifests import Target, check_manifests, objects_of
from dynagen.cluster.objects import Findings, Object
from dynagen.compiler import Request, compile_profile, places_of
from dynagen.console.outcome import Checked, Finding, Outcome, findings_of
from dynagen.crd_rules.soundness import rules_trouble
from dynagen.diagnostics import Diagnostic, Position, Report, path_text
from dynagen.origins.pointing import where_written
from dynagen.schema.sets import broken_schemas
from dynagen.text.document import Document
from dynagen.text.paths import is_folder

_NAMED = 5  # skipped files that a note names


class Options(NamedTuple):
    """How to check. `referee` is the program kubeconform; `files` and `settings` are for exactly one profile."""

    target: Target
    files: Sequence[str] = ()
    settings: Sequence[str] = ()
    root: Path | None = None
    strict: bool = False
    referee: str | None = None
    may_be_empty: bool = False


class NotOneProfile(Exception):
    """`-f` or `--set` with none or several profiles. Its argument is their number."""


def check_paths(paths: Sequence[str], options: Options, texts: dict[str, str], homes: set[Path]) -> Outcome:
    """Checks all. Notes in `texts` the files that findings speak of, in `homes` the folders their layers lie in."""
    checked: list[Checked] = []
    skipped: list[Skipped] = []
    layers: dict[Path, bool] = {}
    plain: dict[str, list[File]] = {}  # of each folder that was walked; under "" those that were named
    if broken := _check_sets(options):
        return Outcome(broken, texts)
    found = _found(paths, options)
    for group, entry in found if not (options.files or options.settings) else _only_one_profile(list(found)):
        if isinstance(entry, Skipped):
            skipped.append(entry)
        elif isinstance(entry, Walked):
            findings = findings_of(entry.report)
            checked += [Checked(group, findings)] if findings else []
        elif entry.holds == PROFILE:
            layers |= dict.fromkeys(layers_named_by(entry), True)
            homes.add(options.root or entry.home)
            checked.append(_check_profile(entry, options, texts))
        elif entry.holds == MANIFESTS or entry.report.failed:
            homes.add(Path(group) if group else entry.home)
            plain.setdefault(group, []).append(entry)
        else:
            skipped.append(Skipped(entry.shown, "", entry.shown))
    for files in plain.values():
        kept = []
        for file in files:
            layer = layer_around(file.path, layers) if file.path is not None else None
            if layer is None:
                kept.append(file)
            else:
                why = f"belongs to the layer '{layer.name}': it is checked with the profiles that name it"
                skipped.append(Skipped(file.shown, why, file.shown))
        checked += _check_stream(kept, options, texts) if kept else []
    if not checked and not options.may_be_empty:
        report = Report(options.strict)
        hint = "name profiles, manifests, or folders that hold some"
        report.add("DG116", "nothing to check: no profile and no Kubernetes object", Position(paths[0]), hint)
        checked.append(Checked(paths[0], findings_of(report)))
    return Outcome(checked, texts, _notes(skipped))


def _check_sets(options: Options) -> list[Checked]:
    """Reports DG214 for a schema that cannot be used."""
    report = Report(options.strict)
    for folder in options.target.schemas:
        for file, message in broken_schemas(
            folder, folder.resolve(), partial(rules_trouble, memory=options.target.memory)
        ):
            hint = "make it with `dynagen schemas import`"
            report.add("DG214", f"not a schema of a set: {message}", Position(file.as_posix()), hint)
    findings = findings_of(report)
    return [Checked("--schemas", findings)] if findings else []


def read_earlier(name: str, report: Report) -> list[Object]:
    """The objects in a file or a folder, which are compared with and not checked. Reports what cannot be read."""
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
        if name != "-" and is_folder(Path(name)):
            yield from ((name, entry) for entry in walk(name, options.strict))
        else:
            yield "", read_file(name, options.strict, sole, MANIFEST_BYTES)


def _only_one_profile(found: list[Found]) -> list[Found]:
    profiles = [entry for _, entry in found if isinstance(entry, File) and entry.holds == PROFILE]
    unread = any(isinstance(entry, File) and entry.report.failed for _, entry in found)
    if len(profiles) != 1 and not unread:
        raise NotOneProfile(len(profiles))
    return found


def _check_profile(file: File, options: Options, texts: dict[str, str]) -> Checked:
    report = file.report
    sources = profile_document(file, report)
    known = {file.shown: file.text}
    for name in options.files:
        further = read_file(name, options.strict, sole=True)
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
        if options.referee and not report.failed:
            assert compilation.profile is not None and compilation.plan is not None
            crds = compilation.library.facts["releases"][compilation.plan.release]["crds"]
            folders = compilation.library.schema_folders(compilation.plan.kubernetes, crds)
            findings = Findings(report, places_of(compilation))
            objects = [Object(manifest) for manifest in compilation.manifests]
            _ask_referee(options.referee, objects, folders, findings, report)
    findings_ = findings_of(report)
    _note_texts(findings_, known, texts)
    return Checked(file.shown, findings_)


def _check_stream(files: Sequence[File], options: Options, texts: dict[str, str]) -> list[Checked]:
    report = Report(options.strict)
    for file in files:
        report.take(file.report)
    documents = [document for file in files for document in file.documents]
    objects = check_manifests(documents, options.target, report)
    if options.referee and not report.failed:
        folders = options.target.schema_folders(options.target.crds)
        _ask_referee(options.referee, objects, folders, Findings(report, where_written), report)
    found = findings_of(report)
    _note_texts(found, {file.shown: file.text for file in files}, texts)
    by_file: dict[str, list[Finding]] = {file.shown: [] for file in files}
    for finding in found:
        by_file.setdefault(finding.diagnostic.at.file, []).append(finding)
    return [Checked(name, findings) for name, findings in by_file.items()]


def _ask_referee(
    program: str, objects: Sequence[Object], folders: Sequence[Path], findings: Findings, report: Report
) -> None:
    """Reports DG217 for what kubeconform says of objects in which we see nothing wrong."""
    from dynagen.checking.kubeconform import NoVerdict, objections

    try:
        found = objections(program, [subject.data for subject in objects], folders)
    except NoVerdict as error:
        report.add("DG217", f"kubeconform gives no verdict: {error}", Position(f"--kubeconform={program}"))
        return
    for subject, against in zip(objects, found, strict=True):
        for path, message in against:
            where = f"{path_text(path)}: " if path else ""
            hint = "dynagen and kubeconform read the same schemas: please report that they do not agree"
            said = "this value is wrong" if subject.kind == "Secret" else message  # it would quote the value
            findings.add("DG217", subject, path, f"kubeconform says {where}{said}", hint)


def _note_texts(findings: Sequence[Finding], known: Mapping[str, str], texts: dict[str, str]) -> None:
    """Keeps the texts of files in which something was found, and no others: there may be thousands."""
    for finding in findings:
        for at in (finding.diagnostic.at, *(place for _, place in finding.diagnostic.related)):
            if known.get(at.file):
                texts[at.file] = known[at.file]


def _notes(skipped: Sequence[Skipped]) -> list[Finding]:
    """What was left out, said once for each folder (DG117)."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, why, at in skipped:
        groups.setdefault((at, why and f"{name} {why}"), []).append(name)
    notes = []
    for (at, why), names in groups.items():
        message = why or f"{_listed(names)}: no Kubernetes object in there"
        diagnostic = Diagnostic("DG117", f"not checked: {message}", Position(at), severity="note")
        notes.append(Finding(diagnostic))
    return notes


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
