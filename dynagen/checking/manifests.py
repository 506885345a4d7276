"""Plain manifests in, what is wrong with them out: the checks of the compiler for what somebody else wrote."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dynagen.checking.definitions import Definitions, is_list
from dynagen.checking.late import LateFindings
from dynagen.checking.other_programs import is_config
from dynagen.cluster.objects import Cluster, Later, Object, declared
from dynagen.diagnostics import KeyPath, Origin, Position, Report, path_text
from dynagen.layers.finding import base_layer, document_tree, documents, files, gke_layer
from dynagen.manifests.building import Manifest
from dynagen.memory import Memory
from dynagen.origins.pointing import where_written
from dynagen.profile.facts import load_facts, look_up_facts
from dynagen.profile.library import schema_folders
from dynagen.profile.releases import facts_of_release
from dynagen.profile.schema import kubernetes_versions
from dynagen.schema.defined import Budget, Defined, Definition
from dynagen.schema.sets import Node, Schemas, is_custom, open_schemas
from dynagen.text.document import Document
from dynagen.text.versions import parse_version
from dynagen.trees.nodes import Leaf, List, Map, Tree, to_tree
from dynagen.verify import judge

_SHOWN = 5  # places of one object
if TYPE_CHECKING:
    from dynagen.cluster.elsewhere import Elsewhere
    from dynagen.manifests.record import Record


class Target:
    """The cluster that manifests are meant for. `external` are Kind/name or Kind/namespace/name of what it has already.

    `schemas` are sets for kinds of its own; `earlier` are objects that the new ones replace. `memory` holds what streams
    and profiles share.
    """

    def __init__(
        self,
        kubernetes: str,
        release: str,
        external: Sequence[str] = (),
        schemas: Sequence[Path] = (),
        earlier: Sequence[Object] = (),
        memory: Memory | None = None,
        said: Collection[str] = (),
    ) -> None:
        """`said` names what somebody said about the versions: what trees say counts for the rest."""
        self.kubernetes, self.release, self.external = kubernetes, release, external
        self.schemas, self.earlier, self.memory = schemas, earlier, memory or Memory()
        self.said, self.objects = said, list[Object]()

    def having(self, external: Sequence[str]) -> Target:
        """The same cluster, which has some more."""
        known = [*self.external, *external]
        return Target(self.kubernetes, self.release, known, self.schemas, self.earlier, self.memory, self.said)

    def of_record(self, records: Sequence[tuple[Path, Record]]) -> Target:
        """The same cluster as the records of trees know it: its versions, unless they differ, and what it has."""
        found = self.having(())
        release = {record.release for _, record in records}
        kubernetes = {record.kubernetes for _, record in records}
        if "release" not in self.said and len(release) == 1 and release <= self.releases.keys():
            found.release = release.pop()
        if "kubernetes" not in self.said and len(kubernetes) == 1 and kubernetes <= set(kubernetes_versions()):
            found.kubernetes = kubernetes.pop()
        for file, record in records:
            for data in record.external:
                at = Position(file.as_posix())
                tree = to_tree(dict(data), Origin(at))
                assert isinstance(tree, Map)
                found.objects.append(Object(Manifest(tree, at)))
        return found

    @property
    def releases(self) -> dict[str, Any]:
        """The facts about the releases of Dynamo."""
        found: dict[str, Any] = _facts(self.memory)["releases"]
        return found

    @property
    def gpus(self) -> dict[str, Any]:
        """The facts about GPUs."""
        found: dict[str, Any] = _facts(self.memory)["gpus"]
        return found

    def schema_folders(self, crds: str | None) -> list[Path]:
        """Where the schema of a kind is looked for; those of Dynamo in the set `crds`, or the newest."""
        return [*self.schemas, *schema_folders([], self.kubernetes, crds, self.memory)]

    def look_up(self, folder: str, name: str) -> dict[str, Any]:
        """The facts in one file that is not read otherwise."""
        return self.memory.once(_looked_up, folder, name, self.memory)

    @property
    def crds(self) -> str:
        """The set of Dynamo's release."""
        found: str = facts_of_release(_facts(self.memory), self.release)["crds"]
        return found


class Around(NamedTuple):
    """What there is around a stream of manifests: objects that may be in the same cluster or not, and more if it `is_open`.

    With `labels` a kustomization writes the selectors. `place` says of a file where its objects stand: those of one identity in different places are for different clusters.
    """

    elsewhere: Elsewhere | None = None
    is_open: bool = False
    place: Callable[[str], str] = lambda _: ""
    labels: bool = False


def check_manifests(
    documents: Sequence[Document],
    target: Target,
    report: Report,
    own: Sequence[Definition] | None = None,
    others: Sequence[Definition] = (),
    around: Around | None = None,
) -> list[Object]:
    """Checks one stream of manifests, whatever files it is in. Reports what the compiler reports of what it makes.

    `own` are the definitions in it, if somebody has found them already; `others` stand elsewhere. `around` says what else
    there is.
    """
    around = around or Around()

    def open_set(crds: str) -> Schemas:
        return open_schemas(target.schema_folders(crds), target.memory)

    schemas = open_set(target.crds)
    if own is None:
        own = Definitions(documents, Budget()).schemas
    if own or others:
        schemas = Defined(own, schemas, others)
    objects = objects_of(documents, report, schemas, around.place)
    named = [declared(entry, "", Position("--external")) for entry in target.external]
    cluster = Cluster(
        schemas=schemas,
        kubernetes=target.kubernetes,
        release=parse_version(target.release),
        memory=target.memory,
        external=[*named, *target.objects, *target.memory.once(_built_in, target.memory)],
        declaring="'--external {}'",
        earlier=target.earlier,
        later=Later(target.release, target.releases, open_set),
        releases=target.releases,
        gpus=target.gpus,
        look_up=target.look_up,
        elsewhere=around.elsewhere,
        is_open=around.is_open,
    )
    judge(objects, cluster, LateFindings(report, where_written, around.labels))
    return objects


def releases(memory: Memory) -> list[str]:
    """Those of Dynamo that are known without layers of users."""
    return sorted(_facts(memory)["releases"])


def _facts(memory: Memory) -> dict[str, Any]:
    """Those of the shipped layers that say something of every cluster."""
    return load_facts([base_layer(memory), gke_layer(memory)], Report())


def _looked_up(folder: str, name: str, memory: Memory) -> dict[str, Any]:
    return look_up_facts([base_layer(memory)], folder, name, Report())


def _built_in(memory: Memory) -> list[Object]:
    """What every cluster has, as the gke layer says it. A file that begins with a condition hangs on a profile."""
    layer, found = gke_layer(memory), []
    for name in files(layer, "external"):
        trees = [document_tree(document) for document in documents(layer, name, Report())]
        if "kind" in trees[0]:
            found += [Object(Manifest(tree, tree.origin.written)) for tree in trees]
    return found


def objects_of(
    documents: Sequence[Document],
    report: Report,
    schemas: Schemas | None = None,
    place: Callable[[str], str] = lambda _: "",
) -> list[Object]:
    """The objects of a stream. Reports DG313 for what is no object, DG314 for one that is twice in one place.

    `schemas` say which fields there are: null in one of them is not there, in another one it is a mistake.
    """
    found: dict[tuple[str, ...], Object] = {}
    for manifest in (each for document in documents for each in _manifests(document, report)):
        name = manifest.name or manifest.generate_name
        needed = {"apiVersion": manifest.api_version, "kind": manifest.kind, "metadata.name": name}
        missing = [key for key, text in needed.items() if not text]
        if missing:
            report.add("DG313", "an object needs " + " and ".join(missing), manifest.at)
            continue
        unique = "" if manifest.name else str(len(found))
        key = (*manifest.identity, place(manifest.at.file), unique)
        schema = schemas.find(manifest.api_version, manifest.kind) if schemas else None
        if schema is not None and is_custom(schema):
            _report_nulls(manifest, schema.root, report)
        manifest = manifest.with_tree(_without_nulls(manifest.tree, schema.root if schema else None))
        twin = found.setdefault(key, subject := Object(manifest))
        if twin is not subject:
            related = (("also here", twin.manifest.at),)
            report.add("DG314", f"{manifest} is there already", manifest.at, "keep one of them", related)
    return list(found.values())


def _report_nulls(manifest: Manifest, root: Node, report: Report) -> None:
    """Reports DG674, all of an object at once. An API server clears `metadata` and `status` itself.

    Source: held against a real API server by tests/e2e/test_nulls.py.
    """
    parts = ((key, tree, root.child(key)) for key, tree in manifest.tree.items() if key not in ("metadata", "status"))
    found = [each for key, tree, node in parts for each in _refused_nulls(tree, node, (key,))]
    if found:
        path, leaf = found[0]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        message = (
            f"{manifest}: {path_text(path)}{more}: null, which `kubectl apply` drops and server-side apply refuses"
        )
        related = tuple(("null here", each.origin.written) for _, each in found[1:_SHOWN])
        report.add("DG674", message, leaf.origin.written, "leave the key out", related, "warning")


def _refused_nulls(tree: Tree, node: Node | None, path: KeyPath) -> Iterator[tuple[KeyPath, Leaf]]:
    """Those where the schema wants something else, below what it knows."""
    if node is None:
        return
    if isinstance(tree, Leaf):
        types = node.get("type")
        if tree.value is None and (types or node.get("x-kubernetes-int-or-string")) and "null" not in (types or ()):
            yield path, tree
    for key, inner in tree.items() if isinstance(tree, Map) else enumerate(tree) if isinstance(tree, List) else ():
        yield from _refused_nulls(inner, node.child(key), (*path, key))


def _manifests(document: Document, report: Report) -> Iterator[Manifest]:
    """The objects of a document; those in a List one by one."""
    if document.data is None:
        return
    if isinstance(document.data, dict) and is_config(document.data):
        return
    if not isinstance(document.data, dict):
        report.add("DG313", "expected an object with apiVersion and kind", document.at())
        return
    tree = document_tree(document)
    items = tree.get("items")
    if is_list(document.data) and isinstance(items, List):
        for item in items:
            if isinstance(item, Map):
                yield Manifest(item, item.origin.written)
            else:
                report.add("DG313", "expected an object with apiVersion and kind", item.origin.written)
        return
    yield Manifest(tree, document.at())


def _without_nulls(tree: Map, node: Node | None) -> Map:
    """To an API server a field with null, as `annotations:` without a value has it, is one that is not there.

    One that its schema does not know stays, to be refused, and in a map of texts it is an empty one, as Go reads it.
    `node` is the schema of the tree, None if there is none.
    Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable
    """
    kept = {}
    for key, inner in tree.items():
        child = node.child(key) if node else None
        if not (isinstance(inner, Leaf) and inner.value is None and (node is None or child is not None)):
            kept[key] = _cleared(inner, child)
        elif node and child and child.get("type") == "string" and key not in (node.get("properties") or {}):
            kept[key] = Leaf("", inner.origin)
    return Map(kept, tree.origin)


def _cleared(tree: Tree, node: Node | None) -> Tree:
    if isinstance(tree, Map):
        return _without_nulls(tree, node)
    if isinstance(tree, List):
        return List([_cleared(item, node.child(0) if node else None) for item in tree], tree.origin)
    return tree
