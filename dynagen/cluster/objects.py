"""What checks speak of: the objects, the cluster that will take them, and how a finding gets its place."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from dynagen.diagnostics import KeyPath, Origin, Pointed, Position, Report
from dynagen.language.scope import Scope
from dynagen.layers.finding import Layer
from dynagen.layers.rendering import render
from dynagen.manifests.building import Manifest
from dynagen.manifests.versions import needs_translation
from dynagen.memory import Memory
from dynagen.schema.sets import Schemas
from dynagen.text.versions import Version, nearest_version, parse_version
from dynagen.trees.merge import merge
from dynagen.trees.nearest import said_beside
from dynagen.trees.nodes import Map, to_tree

if TYPE_CHECKING:
    from dynagen.cluster.elsewhere import Elsewhere

Made = TypeVar("Made")


class Object:
    """A manifest under check, and its plain data."""

    __slots__ = ("_made", "api_version", "data", "group", "kind", "manifest", "name", "namespace")

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.data: dict[str, Any] = manifest.to_data()
        self.api_version, self.kind = manifest.api_version, manifest.kind
        self.group, self.name, self.namespace = manifest.group, manifest.name, manifest.namespace
        self._made: dict[tuple[Hashable, ...], Any] = {}

    def __str__(self) -> str:
        return str(self.manifest)

    def at(self, path: KeyPath = ()) -> Origin:
        """The origin of the value at `path`, or of its nearest ancestor."""
        return self.manifest.origin(path)

    def once(self, make: Callable[..., Made], *given: Hashable) -> Made:
        """What `make` makes of this object: the first check that asks has it made, the others get the same."""
        key = (make, *given)
        if key not in self._made:
            self._made[key] = make(self, *given)
        return cast(Made, self._made[key])


def declared(entry: str, namespace: str, at: Position) -> Object:
    """An object of which kind and name are known only: `Secret/login`, `Secret/team-a/login`."""
    kind, *space, name = entry.split("/")
    data = {"kind": kind, "metadata": {"name": name, "namespace": space[0] if space else namespace}}
    tree = to_tree(data, Origin(at))
    assert isinstance(tree, Map)
    return Object(Manifest(tree, at))


def undescribed(objects: Sequence[Object], sound: Sequence[Object]) -> list[Object]:
    """What is not `sound`, as objects of which nobody knows what is in them: others may name them all the same."""
    good = {id(each) for each in sound}
    names = [(each, f"{each.namespace}/{each.name}".lstrip("/")) for each in objects if id(each) not in good]
    return [declared(f"{each.kind}/{name}", "", each.manifest.at) for each, name in names]


def external_objects(
    layers: Sequence[Layer], scope: Scope, namespace: str, schemas: Schemas, report: Report
) -> list[Object]:
    """What is in the cluster already, as layers say it under `external/`. Reports DG313 for what is no object.

    An object of a kind with namespaces is in that of the graph, unless it says another.
    """
    found = []
    for fragment in (each for layer in layers for each in render(layer, "external", scope, report)):
        manifest = Manifest(fragment.tree, fragment.at)
        if not (manifest.api_version and manifest.kind and manifest.name):
            report.add("DG313", "an object needs apiVersion, kind and metadata.name", fragment.at)
            continue
        schema = schemas.find(manifest.api_version, manifest.kind)
        if schema is None or schema.namespaced:
            shared = to_tree({"metadata": {"namespace": namespace}}, Origin(fragment.at))
            assert isinstance(shared, Map)
            manifest = manifest.with_tree(merge(shared, manifest.tree, None))
        found.append(Object(manifest))
    return found


class Later:
    """The releases of Dynamo after `than`, the one that is meant: looked at when something is missed in its CRDs.

    `releases` are the facts of all; `schemas` opens a set of CRDs.
    """

    __slots__ = ("_open", "_releases", "than")

    def __init__(self, than: str, releases: Mapping[str, Any], schemas: Callable[[str], Schemas]) -> None:
        self.than, self._releases, self._open = than, releases, schemas

    def sets(self) -> Iterator[tuple[str, Schemas]]:
        """The first release with each further set of CRDs, in their order, and what that set has."""
        near = nearest_version(self.than, self._releases)
        seen = {self._releases[near]["crds"] if near else ""}
        for version, name in sorted((parse_version(name), name) for name in self._releases):
            crds = self._releases[name]["crds"]
            if version > parse_version(self.than) and crds not in seen:
                seen.add(crds)
                yield name, self._open(crds)


class Cluster(NamedTuple):
    """What is known of the cluster that will take the objects.

    `release` is that of Dynamo's operator; `external` are objects that are there already, as far as they are known: one
    without `data` or `spec` could hold anything. `earlier` are objects that the new ones replace. `declaring` is how one
    says that Kind/name is there. A graph is taken in the version `graphs`; one that layers wrote in another has the form
    that `authoring` has schemas for. Without `graphs` it is taken as it is written. `releases` and `gpus` are the facts of all
    releases of Dynamo and of all GPUs, `look_up` has those that are read when they are asked for; `judged` are arguments of programs of which all has been
    said. `elsewhere` is what may be there; of a cluster that `is_open` nobody knows all.
    """

    schemas: Schemas
    kubernetes: str
    release: Version
    memory: Memory
    external: Sequence[Object] = ()
    declaring: str = "'external: [{}]' in the profile"
    earlier: Sequence[Object] = ()
    later: Later | None = None
    graphs: str = ""
    authoring: Schemas | None = None
    releases: Mapping[str, Any] = {}
    gpus: Mapping[str, Any] = {}
    look_up: Callable[[str, str], Mapping[str, Any]] | None = None
    judged: frozenset[str] = frozenset()
    elsewhere: Elsewhere | None = None
    is_open: bool = False

    def schemas_of(self, subject: Object) -> Schemas:
        """What an object is held against in the form that it has now."""
        if self.authoring is not None and needs_translation(subject.manifest, self.graphs):
            return self.authoring
        return self.schemas

    @property
    def kubernetes_version(self) -> tuple[int, ...]:
        """`1.34` as (1, 34)."""
        return tuple(map(int, self.kubernetes.split(".")[:2]))


class Findings:
    """Reports what is wrong with objects, at the line of the profile or the layer that caused it."""

    def __init__(self, report: Report, place: Callable[[Origin], Pointed]) -> None:
        self.report, self._place = report, place

    def add(
        self,
        code: str,
        subject: Object,
        path: KeyPath,
        message: str,
        hint: str = "",
        severity: str = "error",
        also: Sequence[tuple[str, Object, KeyPath]] = (),
        cause: str = "",
    ) -> None:
        """`also` names further values that matter, each with a few words; `cause` is that of a Diagnostic."""
        at, related = self._place_of(subject, path)
        others = tuple((words, self._place(other.at(inner))[0]) for words, other, inner in also)
        self.report.add(code, f"{subject}: {message}", at, hint, (*related, *others), severity, cause)

    def _place_of(self, subject: Object, path: KeyPath) -> Pointed:
        """Where a value was written; what a patch of the user says beside it comes first: without that all was well."""
        origin, changes = subject.at(path), subject.manifest.changes
        at, related = self._place(origin)
        if any(change.origin.written.file == origin.written.file for change in changes):
            return at, related
        for change in reversed(changes):
            said = said_beside(change, subject.manifest.tree, path, strangers=at == origin.written)
            if said is not None:
                return self._place(said)[0], (("together with this", at), *related)
        return at, related


# What is in the cluster already is not held against a schema: for it, a value can be anything.


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a map."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[dict[str, Any]]:
    """The maps in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
