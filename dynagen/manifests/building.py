"""The objects under construction: resources are added, patches applied, and what all objects share is filled in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dynagen.diagnostics import KeyPath, Origin, Position, Report, closest, misspelt, path_text
from dynagen.language.scope import Scope
from dynagen.layers.finding import Layer
from dynagen.layers.rendering import Skipped, render
from dynagen.manifests.digests import with_digest
from dynagen.manifests.missed import report_missed
from dynagen.manifests.order import apply_order, with_keys_in_order
from dynagen.schema.sets import Schemas
from dynagen.trees.deletions import Deletions
from dynagen.trees.directives import LIST_DIRECTIVES, unknown_directives, without_directives
from dynagen.trees.fragment import Fragment
from dynagen.trees.merge import Conflict, merge
from dynagen.trees.nodes import Leaf, Map, Tree, find, find_exactly, to_data

if TYPE_CHECKING:
    from dynagen.manifests.comparing import Comparison


class Manifest:
    """One object with the origin of every leaf. `at` is where a layer adds it. Nobody changes one, nor its tree.

    `changes` are the patches of the user's layers that made it what it is, the first one first.
    """

    __slots__ = ("_data", "api_version", "at", "changes", "kind", "name", "namespace", "tree")

    def __init__(self, tree: Map, at: Position, changes: Sequence[Map] = ()) -> None:
        self.tree, self.at, self.changes = tree, at, changes
        self.api_version, self.kind = _text(tree, "apiVersion"), _text(tree, "kind")
        self.name, self.namespace = _text(tree, "metadata", "name"), _text(tree, "metadata", "namespace")
        self._data: dict[str, Any] | None = None

    def with_tree(self, tree: Map) -> Manifest:
        return Manifest(tree, self.at, self.changes)

    def changed_by(self, patch: Map) -> Manifest:
        return Manifest(self.tree, self.at, (*self.changes, patch))

    @property
    def generate_name(self) -> str:
        """What the name begins with that an API server makes up; each apply would make another object of it."""
        return _text(self.tree, "metadata", "generateName")

    @property
    def group(self) -> str:
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return self.group, self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind} '{self.name or self.generate_name}'"

    def origin(self, path: KeyPath) -> Origin:
        """The origin of the value at `path`, or of its nearest ancestor."""
        return find(self.tree, path).origin

    def to_data(self) -> dict[str, Any]:
        """The plain data, made once."""
        if self._data is None:
            self._data = to_data(self.tree)
        return self._data


def is_common(fragment: Fragment, report: Report) -> bool:
    """Whether all objects can have something in common. Reports DG315 for what each of them says itself."""
    _check_directives(fragment, report)
    tree = without_directives(fragment.tree)  # null means that it is not there
    own = [path for path in (("apiVersion",), ("kind",), ("metadata", "name")) if find_exactly(tree, path) is not None]
    for path in own:
        message = f"'{path_text(path)}' under common/ does nothing: every object says its own"
        report.add(
            "DG315", message, find(fragment.tree, path).origin.written, "a file under patches/ is for one object"
        )
    metadata = tree.get("metadata") if isinstance(tree, Map) else None
    if metadata is None or isinstance(metadata, Map):
        return not own
    report.add("DG315", "'metadata' of all objects: expected a mapping", metadata.origin.written)
    return False


def _check_directives(fragment: Fragment, report: Report) -> None:
    for word, origin, known in unknown_directives(fragment.tree):
        near = closest(word, known) if isinstance(word, str) else None
        hint = f"did you mean '{near}'?" if near else "known here: " + ", ".join(known)
        if word in LIST_DIRECTIVES:
            hint = f"in a list, as an item of its own: `- $patch: {word}`"
        report.add("DG315", f"'$patch' takes one of its words, not '{word}'", origin.written, hint)


def build(
    layers: Sequence[Layer], scope: Scope, schemas: Schemas, report: Report, skipped: list[Skipped] | None = None
) -> list[Manifest]:
    """The objects that the layers make together: resources and patches layer by layer, then the overrides of all.

    `skipped`, if there is such a list, gets the documents that do not count.
    """
    objects, deletions = Manifests(schemas, report), Deletions()
    for layer in layers:
        told = Deletions() if layer.is_shipped else deletions  # ours fit all profiles
        objects.add(render(layer, "resources", scope, report))
        objects.patch(render(layer, "patches", scope, report, skipped), told, layer.is_shipped)
    for layer in layers:
        told = Deletions() if layer.is_shipped else deletions
        objects.patch(render(layer, "overrides", scope, report, skipped), told, layer.is_shipped)
    report_missed(deletions, report)
    objects.compare()
    common = Map({}, Origin(Position("common")))
    for fragment in (each for layer in layers for each in render(layer, "common", scope, report, skipped)):
        if is_common(fragment, report):
            common = merge(common, fragment.tree, None)
    return [] if report.failed else objects.finish(common)


class Manifests:
    """All objects of one compilation, in the order in which layers add them."""

    def __init__(self, schemas: Schemas, report: Report) -> None:
        self._schemas, self._report = schemas, report
        self._objects: list[Manifest] = []
        self._compared: Comparison | None = None  # most compilations have patches of ours only

    def add(self, fragments: Iterable[Fragment]) -> None:
        """Adds objects. Reports DG313 for what is none, DG314 for one that is there already."""
        known = {manifest.identity: manifest for manifest in self._objects}
        for fragment in fragments:
            manifest = Manifest(fragment.tree, fragment.at)
            missing = [
                key
                for key, text in (
                    ("apiVersion", manifest.api_version), ("kind", manifest.kind), ("metadata.name", manifest.name),
                )
                if not text
            ]  # fmt: skip
            if missing:
                hint = "a layer has no list of its files: remove this one" if manifest.kind == "Kustomization" else ""
                self._report.add("DG313", "a resource needs " + " and ".join(missing), fragment.at, hint)
                continue
            if not fragment.plain:
                _check_directives(fragment, self._report)
                tree = without_directives(fragment.tree)
                assert isinstance(tree, Map)
                manifest = Manifest(tree, fragment.at)
            twin = known.setdefault(manifest.identity, manifest)
            if twin is not manifest:
                self._report.add(
                    "DG314", f"{manifest} is there already", fragment.at,
                    hint="change it with a patch, or give it another name", related=(("added here", twin.at),),
                )  # fmt: skip
                continue
            self._objects.append(manifest)

    def patch(self, fragments: Iterable[Fragment], deletions: Deletions, is_shipped: bool) -> None:
        """Applies patches. Reports DG309 for one without a kind, DG310 for one without a target, DG315 for what makes no sense.

        And DG610 for what pods need and a layer of the user takes away.
        """
        for fragment in fragments:
            patch = Manifest(fragment.tree, fragment.at)
            if not fragment.plain:
                _check_directives(fragment, self._report)
            if self._has_no_identity(patch):
                continue
            if not patch.kind:
                self._report.add(
                    "DG309", "a patch needs a kind", fragment.at, hint="and a metadata.name if there are several"
                )
                continue
            kind = patch.kind
            targets = [
                number for number, target in enumerate(self._objects) if target.kind == kind and _matches(patch, target)
            ]
            if not targets:
                self._report_no_target(patch)
                continue
            for number in targets:
                target = self._objects[number]
                if _text(patch.tree, "$patch") == "delete":
                    self._objects[number] = target.with_tree(Map({}, fragment.tree.origin))
                    continue
                schema = self._schemas.find(target.api_version, target.kind)
                conflicts: list[Conflict] = []
                own = _without_identity(patch.tree, target)
                node = schema.root if schema else None
                merged = target.with_tree(merge(target.tree, own, node, conflicts, fragment.plain, deletions))
                self._report_conflicts(target, conflicts)
                if fragment.plain or self._is_still(target, merged, patch):
                    if not is_shipped and not conflicts:
                        self._comparison().compare(target, merged.tree, own, self._report)
                    self._objects[number] = merged if is_shipped else merged.changed_by(own)
            self._objects = [manifest for manifest in self._objects if manifest.tree]

    def _comparison(self) -> Comparison:
        from dynagen.manifests.comparing import Comparison

        self._compared = self._compared or Comparison()
        return self._compared

    def _is_still(self, target: Manifest, merged: Manifest, patch: Manifest) -> bool:
        """Whether an object that was patched has the kind and the name that it had."""
        if (merged.api_version, merged.kind, merged.name) == (target.api_version, target.kind, target.name):
            return True
        path: KeyPath = ("metadata",) if merged.kind else ("$patch",)
        hint = "replace or delete what is below 'spec'; '$patch: delete' without anything else takes the object away"
        self._report.add(
            "DG315", f"{target}: the patch takes its kind or its name away", patch.origin(path).written, hint
        )
        return False

    def _has_no_identity(self, patch: Manifest) -> bool:
        """Whether what should say which object is meant says something that no object is called."""
        wrong = [
            path
            for path in (("apiVersion",), ("metadata",), ("metadata", "name"), ("metadata", "namespace"))
            if (found := find_exactly(patch.tree, path)) is not None and not _may_identify(path, found)
        ]
        for path in wrong:
            message = f"'{path_text(path)}' of a patch says which object it is for: expected a {'mapping' if path == ('metadata',) else 'text'}"
            self._report.add("DG315", message, patch.origin(path).written)
        return bool(wrong)

    def _report_conflicts(self, target: Manifest, conflicts: Iterable[Conflict]) -> None:
        for conflict in conflicts:
            path, base, new = conflict.path, conflict.base, conflict.patch
            was, becomes = (
                "a mapping" if isinstance(tree, dict) else "a list" if isinstance(tree, list) else "a scalar"
                for tree in (base, new)
            )
            message = f"{target}: '{path_text(path)}' is {was}, and the patch makes it {becomes}"
            related = (("made here", base.origin.written),)
            self._report.add("DG315", message, new.origin.written, "null takes it away", related)

    def _report_no_target(self, patch: Manifest) -> None:
        kinds = sorted({manifest.kind for manifest in self._objects})
        same_kind = [manifest for manifest in self._objects if manifest.kind == patch.kind]
        related = [(f"{manifest} is made here", manifest.at) for manifest in same_kind[:3]]
        if same_kind:
            what = (
                f"patch of {patch.kind} '{patch.name}'" if patch.name else f"patch of {patch.api_version} {patch.kind}"
            )
            near = closest(patch.name, [manifest.name for manifest in same_kind])
            message, at = f"{what}: there is no such object", patch.origin(("metadata", "name")).written
        else:
            near = misspelt(patch.kind, kinds)
            message, at = f"patch of kind '{patch.kind}': no layer before makes one", patch.origin(("kind",)).written
        hint = f"did you mean '{near}'?" if near else "kinds so far: " + ", ".join(kinds)
        versions = {manifest.api_version for manifest in same_kind}
        if same_kind and patch.api_version and patch.api_version not in versions:
            at, hint = patch.at, f"leave apiVersion out, or write '{min(versions)}'"
        self._report.add("DG310", message, at, hint, related)

    def compare(self) -> None:
        """Reports what patches of the user took away for good."""
        if self._compared is not None:
            self._compared.report(self._objects, self._report)

    def finish(self, common: Map) -> list[Manifest]:
        """The objects in the order in which they can be applied, each with what is common to all.

        What an object says itself wins. Objects of the cluster have no namespace.
        """
        finished = []
        for manifest in self._objects:
            schema = self._schemas.find(manifest.api_version, manifest.kind)
            # Nulls of layers are gone by now: adding and patching have left them out.
            tree = merge(common, manifest.tree, None, plain=True)
            self._check_moved(manifest, _text(common, "metadata", "namespace"))
            if schema and not schema.namespaced and "namespace" not in manifest.tree["metadata"]:
                tree["metadata"].pop("namespace", None)
            finished.append(manifest.with_tree(with_digest(with_keys_in_order(Map(tree, manifest.tree.origin)))))
        finished.sort(key=apply_order)
        first: dict[tuple[str, ...], Manifest] = {}
        for manifest in finished:
            other = first.setdefault(manifest.identity, manifest)
            if other is not manifest:
                related = (("added here", other.at),)
                self._report.add("DG314", f"{manifest} is there already", manifest.at, related=related)
        return finished

    def _check_moved(self, manifest: Manifest, home: str) -> None:
        """Reports DG315 for a patch that puts a graph where nothing else of it is."""
        at = manifest.origin(("metadata", "namespace")).written
        if manifest.kind != "DynamoGraphDeployment" or manifest.namespace in ("", home) or at.file == manifest.at.file:
            return
        message = f"a patch moves {manifest} to namespace '{manifest.namespace}', and all else stays in '{home}'"
        self._report.add("DG315", message, at, "say 'metadata.namespace' in the profile", (("made here", manifest.at),))


def _matches(patch: Manifest, target: Manifest) -> bool:
    if patch.kind != target.kind or (patch.name and patch.name != target.name):
        return False
    if patch.namespace and target.namespace and patch.namespace != target.namespace:
        return False
    return not patch.api_version or patch.api_version == target.api_version


def _without_identity(patch: Map, target: Manifest) -> Map:
    """A patch without the keys that only say which object it is for."""
    kept = Map({key: value for key, value in patch.items() if key not in ("apiVersion", "kind")}, patch.origin)
    if isinstance(metadata := kept.get("metadata"), Map):
        kept["metadata"] = Map({key: value for key, value in metadata.items() if key != "name"}, metadata.origin)
    return kept


def _may_identify(path: KeyPath, tree: Tree) -> bool:
    if path == ("metadata",):
        return isinstance(tree, Map)
    return isinstance(tree, Leaf) and isinstance(tree.value, (str, type(None)))


def _text(tree: Tree, *path: str) -> str:
    value: Any = tree
    for key in path:
        value = value.get(key) if isinstance(value, Map) else None
    return value.value if isinstance(value, Leaf) and isinstance(value.value, str) else ""
