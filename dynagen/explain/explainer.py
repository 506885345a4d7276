"""A compilation and its manifests in, where each of their values came from out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynagen.compiler import Compilation
from dynagen.diagnostics import Condition, Given, KeyPath
from dynagen.diagnostics.masks import holds_secret
from dynagen.explain.absent import AbsentFiles
from dynagen.explain.causes import Causes, Paths
from dynagen.explain.explained import Conditional, Explanation
from dynagen.explain.lists import ReplacedList, replaced_lists
from dynagen.explain.reads import Reads
from dynagen.explain.replaced import first_to_say, replaced
from dynagen.explain.steps import Steps
from dynagen.layers.rendering import Skipped
from dynagen.manifests.building import Manifest
from dynagen.trees.nodes import Leaf, find, find_exactly, leaves, scalar

_NAME, _NAMESPACE = ("metadata", "name"), ("metadata", "namespace")


class Explainer:
    """Explains the leaves of a compilation that succeeded; `skipped` is what did not count in it."""

    def __init__(self, compilation: Compilation, skipped: Sequence[Skipped]) -> None:
        assert compilation.profile is not None and compilation.authoring is not None
        self.layers = compilation.library.layers
        self._schemas = compilation.authoring
        self._authored = {manifest.identity[1:]: manifest for manifest in compilation.authored}
        self._steps = Steps(compilation.authoring)
        self._causes = Causes(compilation, self._steps)
        self._reads = Reads(compilation.profile, compilation.library)
        self._absent = AbsentFiles(skipped, compilation.library.layers, self._causes, self._steps)

    @property
    def own(self) -> list[str]:
        """The folders of the user's own layers, as places name them, each with its slash."""
        return [f"{layer.shown}/" for layer in self.layers if not layer.is_shipped]

    def lists(self, manifest: Manifest) -> list[ReplacedList]:
        """The lists of a manifest that patches replaced."""
        return replaced_lists(manifest, self._schemas, self.own)

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
            explanation = self._explain(authored, manifest, path, leaf, known)
            yield explanation.without_values() if _is_secret(manifest, path) else explanation.masked()

    def _explain(
        self, authored: Manifest, manifest: Manifest, path: KeyPath, leaf: Leaf, written: KeyPath | None
    ) -> Explanation:
        """`written` is the leaf's path in the form that layers are written in, None when that is not known."""
        names = [*self._steps.names(authored, written or ()), _NAME, _NAMESPACE]
        leaf = first_to_say(leaf, written in names and written != _NAMESPACE)
        reads = self._causes.of_value(leaf) if written is None else self._causes.of_value(leaf, authored, written)
        identity = self._causes.of_presence(authored.tree.origin.given)
        if written != path:  # another version of the kind, another form
            identity = identity | self._causes.of_value(manifest.tree["apiVersion"])
        for place in names:
            if place != written:
                identity = identity | self._of_name(authored, place)
        return Explanation(
            path=path,
            value=leaf.value,
            at=leaf.origin.written,
            expression=leaf.origin.expression,
            reads=self._reads.of(reads),
            conditions=self._conditions(leaf.origin.given),
            identity=self._reads.of(each for each in identity if each not in reads),
            absent=list(self._would_change(leaf, authored, written)) if written is not None else [],
            replaced=list(replaced(manifest.tree, path)),
        )

    def _of_name(self, authored: Manifest, place: KeyPath) -> Paths:
        """What a name follows from, and whether it is there."""
        name = find_exactly(authored.tree, place)
        if not isinstance(name, Leaf):
            return {}
        # A namespace that an object says itself is no repetition of the one that all objects have.
        first = first_to_say(name, place != _NAMESPACE)
        return self._causes.of_value(first, authored, place) | self._causes.of_presence(first.origin.given)

    def _conditions(self, given: Given | None) -> list[Conditional]:
        if given is None:
            return []
        found = []
        if given.when is not None:
            found.append(self._conditional("when", given.when, self._causes.of_presence(given)))
        if given.loop is not None:
            alone = given._replace(when=None)
            found.append(self._conditional("forEach", given.loop, self._causes.of_presence(alone)))
        return found

    def _would_change(self, leaf: Leaf, authored: Manifest, path: KeyPath) -> Iterator[Conditional]:
        for given, paths in self._absent.that_would_change(leaf, authored, path):
            if given.loop is not None:
                yield self._conditional("forEach", given.loop, paths)
            elif given.when is not None:
                yield self._conditional("when", given.when, paths)

    def _conditional(self, word: str, condition: Condition, paths: Paths) -> Conditional:
        return Conditional(word, condition.expression, condition.at, self._reads.of(paths))


def _is_secret(manifest: Manifest, path: KeyPath) -> bool:
    if manifest.kind == "Secret" and path[0] in ("data", "stringData"):
        return True
    if path[-1] != "value":
        return False
    value = find_exactly(manifest.tree, path)
    is_reference = isinstance(value, Leaf) and "$" in str(value.value)
    return not is_reference and holds_secret(scalar(find(manifest.tree, path[:-1]), "name"))
