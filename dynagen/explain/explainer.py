"""A compilation and the path of a value in one of its manifests in, where that value came from out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from dynagen.compiler import Compilation, influence_on
from dynagen.diagnostics import Given, KeyPath, Origin, Position, Report
from dynagen.language.cel import ExpressionError
from dynagen.layers.rendering import Skipped
from dynagen.manifests.building import Manifest
from dynagen.origins.influence import Change, Influence
from dynagen.profile.library import fact_tree
from dynagen.profile.schema import default_place
from dynagen.trees.nodes import Leaf, Map, Tree, find, find_exactly, leaves, to_data


class Read(NamedTuple):
    """A value that was read. `kind` is profile, default, fact or unset: a key that the profile could have."""

    kind: str
    path: KeyPath
    value: Any
    at: Position | None


class Conditional(NamedTuple):
    """A `when` or `forEach`, as written, where, and what decides it."""

    word: str
    expression: str
    at: Position
    reads: Sequence[Read]


class Earlier(NamedTuple):
    """A value that was replaced."""

    value: Any
    at: Position
    expression: str


class Explanation(NamedTuple):
    """Where one leaf of a manifest came from.

    `reads` decide its value, `conditions` whether its file counts, `identity` what it is called on the way to it (the
    names of the object and of items of lists). `absent` are files that would change it and do not count. `replaced`
    are the values that it replaced, the last one first.
    """

    path: KeyPath
    value: Any
    at: Position
    expression: str
    reads: Sequence[Read]
    conditions: Sequence[Conditional]
    identity: Sequence[Read]
    absent: Sequence[Conditional]
    replaced: Sequence[Earlier]

    @property
    def named(self) -> set[KeyPath]:
        """The paths of all values of the profile that this explanation names."""
        conditional = [read for condition in [*self.conditions, *self.absent] for read in condition.reads]
        return {read.path for read in [*self.reads, *conditional, *self.identity] if read.kind != "fact"}


class Explainer:
    """Explains the leaves of a compilation that succeeded; `skipped` is what did not count in it."""

    def __init__(self, compilation: Compilation, skipped: Sequence[Skipped]) -> None:
        assert compilation.profile is not None and compilation.authoring is not None
        self._compilation, self._profile, self._library = compilation, compilation.profile, compilation.library
        self._skipped = skipped
        self._schemas = compilation.authoring
        self._authored = {manifest.identity[1:]: manifest for manifest in compilation.authored}
        self._known: dict[Any, dict[KeyPath, None]] = {}
        self._facts: dict[str, Map] = {}
        self._read_already: dict[KeyPath, Read] = {}
        self._awake: dict[Any, list[tuple[Change, Given]]] = {}

    @cached_property
    def influence(self) -> Influence:
        """Made with the first question: some hundred plans."""
        return influence_on(self._compilation)

    def _fact(self, path: KeyPath) -> Tree:
        """A fact with its place. Those of models and flags are in files of their own, which are not read with the others."""
        for only in ("", f"facts/{path[0]}/{path[1]}.yaml" if len(path) > 1 else ""):
            if only not in self._facts:
                self._facts[only] = fact_tree(self._library.layers, Report(), only)
            if (found := find_exactly(self._facts[only], path)) is not None:
                return found
        return self._facts[""]

    def explain(self, manifest: Manifest) -> Iterator[Explanation]:
        """All leaves of a manifest, in its order."""
        authored = self._authored[manifest.identity[1:]]
        written: dict[int, KeyPath] = {}
        for place, leaf in leaves(authored.tree):
            written[id(leaf)] = place
            # Where a release writes a value otherwise, its origin tells where it stood. Several can have one origin.
            written[id(leaf.origin)] = () if id(leaf.origin) in written else place
        for path, leaf in leaves(manifest.tree):
            # Releases before 1.2 have other paths; which list item a value belongs to is known in the layers' own form.
            known = written.get(id(leaf)) or written.get(id(leaf.origin)) or None
            yield self._explain(authored, manifest, path, leaf, known)

    def _explain(
        self, authored: Manifest, manifest: Manifest, path: KeyPath, leaf: Leaf, written: KeyPath | None
    ) -> Explanation:
        names = [*self._names(authored, written or ()), ("metadata", "name"), ("metadata", "namespace")]
        leaf = _first(leaf, written in names and written != ("metadata", "namespace"))
        origin = leaf.origin
        reads = self._deciding(authored, written, leaf)
        identity = dict(self._presence(authored.tree.origin.given))
        if written != path:  # another version of the kind, another form
            identity |= self._deciding(authored, None, manifest.tree["apiVersion"])
        for place in names:
            name = find_exactly(authored.tree, place)
            if isinstance(name, Leaf) and place != written:
                # A namespace that an object says itself is no repetition of the one that all objects have.
                first = _first(name, place != ("metadata", "namespace"))
                identity |= self._deciding(authored, place, first)
                identity |= self._presence(first.origin.given)
        explanation = Explanation(
            path=path,
            value=leaf.value,
            at=origin.written,
            expression=origin.expression,
            reads=[self._read(each) for each in reads],
            conditions=self._conditions(origin.given),
            identity=[self._read(each) for each in identity if each not in reads],
            absent=list(self._absent(authored, written, leaf)) if written is not None else [],
            replaced=list(_replaced(manifest.tree, path)),
        )
        return _without_values(explanation) if _is_secret(manifest, path) else explanation

    def _deciding(self, authored: Manifest, path: KeyPath | None, leaf: Leaf) -> dict[KeyPath, None]:
        """The paths that the value of a leaf follows from."""
        origin = leaf.origin
        if not origin.expression:
            return {}
        steps = list(_steps(authored.tree, path)) if path is not None else []
        first = next((number for number, step in enumerate(steps) if step.origin is origin), len(steps) - 1)
        if path is None or first == len(steps) - 1:
            return self._cached(origin, ())
        # A map or a list came out of one expression: only the part that became this leaf counts.
        keys = [self._key(authored, path[:depth], path[depth]) for depth in range(first, len(path))]
        item = [self._key(authored, path[: first - 1], path[first - 1])] if first else []
        for steps_inside in (keys, [*item, *keys]):
            try:
                value = self.influence.evaluate(origin.expression, origin.given, self._compilation.values)
                if _Pick(steps_inside)(value) == leaf.value:
                    return self._cached(origin, steps_inside)
            except (ExpressionError, LookupError, TypeError):
                continue
        return self._cached(origin, ())

    def _cached(self, origin: Origin, steps: Sequence[Any]) -> dict[KeyPath, None]:
        key = (origin.expression, _key_of(origin.given), repr(steps))
        if key not in self._known:
            pick = _Pick(steps)
            self._known[key] = self.influence.of_expression(origin.expression, origin.reads, origin.given, pick)
        return self._known[key]

    def _presence(self, given: Given | None) -> dict[KeyPath, None]:
        if given is None:
            return {}
        key = _key_of(given)
        if key not in self._known:
            self._known[key] = self.influence.of_presence(given)
        return self._known[key]

    def _conditions(self, given: Given | None) -> list[Conditional]:
        if given is None:
            return []
        found = []
        if given.when is not None:
            reads = self._reads(self._presence(given))
            found.append(Conditional("when", given.when.expression, given.when.at, reads))
        if given.loop is not None:
            reads = self._reads(self._presence(given._replace(when=None)))
            found.append(Conditional("forEach", given.loop.expression, given.loop.at, reads))
        return found

    def _reads(self, paths: Iterable[KeyPath]) -> list[Read]:
        return [self._read(path) for path in paths]

    def _read(self, path: KeyPath) -> Read:
        if path not in self._read_already:
            self._read_already[path] = self._look_up(path)
        return self._read_already[path]

    def _look_up(self, path: KeyPath) -> Read:
        if path[0] == "facts":
            found = self._fact(path[1:])
            return Read("fact", path, to_data(found), found.origin.written)
        value = find_exactly(self._profile.tree, path)
        if value is None:
            return Read("unset", path, None, None)
        at = self._profile.written(path)
        if at is not None:
            return Read("profile", path, to_data(value), at)
        return Read("default", path, to_data(value), default_place(path, value.origin.written, self._library.layers))

    def _names(self, authored: Manifest, path: KeyPath) -> Iterator[KeyPath]:
        """Where the values stand that tell the items of lists on a path apart."""
        for depth, step in enumerate(path):
            if isinstance(step, int):
                yield from ((*path[: depth + 1], key) for key in self._merge_keys(authored, path[:depth]))

    def _merge_keys(self, authored: Manifest, path: KeyPath) -> tuple[str, ...]:
        schema = self._schemas.find(authored.api_version, authored.kind)
        node = schema.root.at(path) if schema else None
        return node.merge_keys if node else ()

    def _key(self, authored: Manifest, path: KeyPath, step: str | int) -> Any:
        """A step of a path that does not depend on what else is in a list: the values of its keys, if it has any."""
        item = find_exactly(authored.tree, (*path, step))
        if isinstance(step, int) and isinstance(item, Map):
            keys = self._merge_keys(authored, path)
            if keys and all(isinstance(item.get(key), Leaf) for key in keys):
                return {key: item[key].value for key in keys}
        return step

    def _absent(self, authored: Manifest, path: KeyPath, leaf: Leaf) -> Iterator[Conditional]:
        """Files that do not count, come after the one that set the leaf, and would change it."""
        steps = [self._key(authored, path[:depth], step) for depth, step in enumerate(path)]
        mine = self._order(leaf.origin.written.file)
        for skipped in self._skipped:
            if self._order(skipped.document.file) < mine or not _may_touch(skipped.document.data, authored, steps):
                continue
            condition = skipped.given.loop or skipped.given.when
            assert condition is not None
            paths = self._paths_that_touch(skipped, authored, steps, leaf)
            if paths:
                word = "forEach" if skipped.given.loop else "when"
                yield Conditional(word, condition.expression, condition.at, self._reads(paths))

    def _paths_that_touch(
        self, skipped: Skipped, authored: Manifest, steps: Sequence[Any], leaf: Leaf
    ) -> dict[KeyPath, None]:
        found: dict[KeyPath, None] = {}
        for change, given in self._awakened(skipped.given):
            touch = _Touch(self.influence, given, change.values)
            if change.path not in found and touch.changes(skipped.document.data, authored, steps, leaf.value):
                found[change.path] = None
        return found

    def _awakened(self, given: Given) -> list[tuple[Change, Given]]:
        """For which changes a file that does not count would count."""
        key = _key_of(given)
        if key not in self._awake:
            self._awake[key] = list(self.influence.awakened(given))
        return self._awake[key]

    def _order(self, file: str) -> tuple[int, int, str]:
        """When a file of a layer has its turn: as in compile_profile."""
        for number, layer in enumerate(self._library.layers):
            if file.startswith(f"{layer.shown}/"):
                rest = file.removeprefix(f"{layer.shown}/")
                folder = rest.split("/", 1)[0]
                if folder == "common":
                    return (-1, number, rest)
                return (1, number, rest) if folder == "overrides" else (0, number, f"{folder != 'resources':d}{rest}")
        return (2, 0, file)  # a profile


_HIDDEN = "(hidden)"


def _is_secret(manifest: Manifest, path: KeyPath) -> bool:
    return manifest.kind == "Secret" and path[0] in ("data", "stringData")


def _without_values(leaf: Explanation) -> Explanation:
    """A secret's value is never shown; neither is what a layer made it from."""

    def hidden(reads: Iterable[Read]) -> list[Read]:
        return [read._replace(value=_HIDDEN if read.at else None) for read in reads]

    def hidden_too(conditions: Iterable[Conditional]) -> list[Conditional]:
        return [each._replace(reads=hidden(each.reads)) for each in conditions]

    return leaf._replace(
        value=_HIDDEN,
        expression=leaf.expression and _HIDDEN,
        reads=hidden(leaf.reads),
        conditions=hidden_too(leaf.conditions),
        absent=hidden_too(leaf.absent),
        replaced=[],
    )


def _key_of(given: Given | None) -> Any:
    return given and (given.when, given.loop, given.variable, given.number)


class _Pick:
    """The part of a value at the end of some steps: keys, numbers, or the keys of an item of a list."""

    def __init__(self, steps: Sequence[Any]) -> None:
        self._steps = steps

    def __call__(self, value: Any) -> Any:
        for step in self._steps:
            value = _item(value, step)[step if isinstance(step, str) else 0]
        return value


def _item(value: Any, step: Any) -> Any:
    """What a step leads to, as a map or a list of one. Raises LookupError."""
    if isinstance(step, dict):
        return [item for item in value if all(item.get(key) == wanted for key, wanted in step.items())]
    return value if isinstance(step, str) else [value[step]]


class _Touch:
    """What a document of a layer would do under other values."""

    def __init__(self, influence: Influence, given: Given, values: Mapping[str, Any]) -> None:
        self._influence, self._given, self._values = influence, given, values

    def changes(self, document: Any, authored: Manifest, steps: Sequence[Any], value: Any) -> bool:
        """Whether the value at the end of `steps` would be another one."""
        try:
            return all(
                wanted is None or self._scalar(wanted) == found for wanted, found in _identity(document, authored)
            ) and self._reaches(document, steps, value)
        except (ExpressionError, LookupError, TypeError):
            return False  # it cannot be built then, so it changes nothing

    def _reaches(self, node: Any, steps: Sequence[Any], value: Any) -> bool:
        node = self._scalar(node)
        if not steps:
            return bool(node != value)
        step = steps[0]
        if isinstance(node, dict):
            return "$patch" in node or (step in node and self._reaches(node[step], steps[1:], value))
        if isinstance(node, list) and isinstance(step, dict):
            items = [item for item in node if all(self._scalar(item.get(key)) == step[key] for key in step)]
            return bool(items) and self._reaches(items[0], steps[1:], value)
        return True  # a list that is replaced, or a scalar in place of what was there

    def _scalar(self, value: Any) -> Any:
        text = isinstance(value, str) and "${" in value
        return self._influence.evaluate(value, self._given, self._values) if text else value


def _identity(document: Any, authored: Manifest) -> list[tuple[Any, str]]:
    """What a document says of the object it is for, and what that object says."""
    metadata = document.get("metadata")
    return [
        (document.get("apiVersion"), authored.api_version),
        (document.get("kind"), authored.kind),
        (metadata.get("name") if isinstance(metadata, dict) else None, authored.name),
    ]


def _may_touch(node: Any, authored: Manifest, steps: Sequence[Any]) -> bool:
    """Whether a document could reach the end of `steps`, whatever its expressions say."""
    if not isinstance(node, dict):
        return False
    if any(isinstance(said, str) and "${" not in said and said != own for said, own in _identity(node, authored)):
        return False
    for step in steps:
        if not isinstance(node, dict) or "$patch" in node:
            return True
        if step not in node:
            return False
        node = node[step]
    return True


def _steps(tree: Tree, path: KeyPath) -> Iterator[Tree]:
    """The nodes on a path, from the root to its end."""
    yield tree
    for key in path:
        tree = tree[key]  # type: ignore[index]
        yield tree


def _first(leaf: Leaf, is_name: bool) -> Leaf:
    """The first that said the same: without the patches that repeat it, it would be as it is.

    What names an item is repeated by every patch of that item, in whatever words.
    """
    while isinstance(before := leaf.replaced, Leaf) and before.value == leaf.value:
        if not is_name and before.origin.expression != leaf.origin.expression:
            break
        leaf = before
    return leaf


def _replaced(tree: Tree, path: KeyPath) -> Iterator[Earlier]:
    """The values that the one at `path` replaced, with all on the way to it, the last one first, repetitions once."""
    leaf = find(tree, path)
    last: tuple[Any, str] | None = (to_data(leaf), leaf.origin.expression)
    for depth in range(len(path), -1, -1):
        node = find_exactly(tree, path[:depth])
        earlier = node.replaced if node is not None else None
        while earlier is not None:
            part = find_exactly(earlier, path[depth:])
            said = None if part is None else (to_data(part), part.origin.expression)
            if part is not None and said != last:
                yield Earlier(to_data(part), part.origin.written, part.origin.expression)
                last = said
            earlier = earlier.replaced
