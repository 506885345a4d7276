"""CustomResourceDefinitions that stand beside their objects in, schemas of these objects out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dynagen.diagnostics import Position, closest
from dynagen.schema.conformance import Source
from dynagen.schema.sets import Schema, Schemas

# Published definitions have a dozen expressions and fifty rules at most.
MAX_PATTERNS, MAX_RULES = 1000, 2000


class Budget:
    """How many regular expressions and rules, which take long to compile when they are made for it, strangers may bring."""

    __slots__ = ("_patterns", "_rules")

    def __init__(self) -> None:
        self._patterns: set[str] = set()
        self._rules: set[str] = set()

    def takes_pattern(self, text: str) -> bool:
        self._patterns.add(text)
        return len(self._patterns) <= MAX_PATTERNS

    def takes_rule(self, text: str) -> bool:
        self._rules.add(text)
        return len(self._rules) <= MAX_RULES


class UnusableDefinition(Exception):
    """Why there are no schemas of a definition. Its argument is the reason."""


class Definition:
    """A CustomResourceDefinition that somebody wrote, at `at`; `versions` says of each whether it is served.

    `make` makes the schemas of the served versions. It is called when the first object asks, once: files of definitions
    are large, and most hold many that no object is of. It may raise UnusableDefinition; then `problem` says why.
    """

    __slots__ = ("_made", "_make", "at", "group", "kind", "name", "problem", "versions")

    def __init__(
        self,
        group: str,
        names: tuple[str, str],
        versions: Mapping[str, bool],
        at: Position,
        make: Callable[[], Mapping[str, Any]],
    ) -> None:
        """`names` are those of the definition and of its kind."""
        self.group, (self.name, self.kind), self.versions, self.at = group, names, versions, at
        self.problem = ""
        self._make = make
        self._made: dict[str, Schema] | None = None

    @property
    def is_made(self) -> bool:
        """Whether an object has asked."""
        return self._made is not None

    @property
    def served(self) -> list[str]:
        """The API versions that objects can have."""
        return [f"{self.group}/{version}" for version, is_served in self.versions.items() if is_served]

    def find(self, api_version: str) -> Schema | None:
        if self._made is None:
            self._made = {}
            try:
                for version, schema in self._make().items():
                    own = f"{self.group}/{version}"
                    self._made[own] = Schema(own, self.kind, None, Source(schema))
            except UnusableDefinition as error:
                self.problem = str(error)
        return self._made.get(api_version)


class Defined(Schemas):
    """Sets, and definitions beside the objects.

    Those in `own` win over the sets: they are what the cluster will have. `others`, of another cluster, only help out.
    """

    def __init__(self, own: Iterable[Definition], sets: Schemas, others: Iterable[Definition]) -> None:
        super().__init__(sets.folders)
        self._sets = sets
        self._own, self._others = _by_kind(own), _by_kind(others)

    def find(self, api_version: str, kind: str) -> Schema | None:
        key = (api_version.rpartition("/")[0], kind)
        if key in self._own:
            return self._own[key].find(api_version)
        found = self._sets.find(api_version, kind)
        return self._others[key].find(api_version) if found is None and key in self._others else found

    def definition(self, api_version: str, kind: str) -> Definition | None:
        key = (api_version.rpartition("/")[0], kind)
        if key in self._own or self._sets.find(api_version, kind) is not None:
            return self._own.get(key)
        return self._others.get(key)

    def near(self, api_version: str, kind: str) -> tuple[Sequence[str], str | None]:
        versions, word = self._sets.near(api_version, kind)
        group = api_version.rpartition("/")[0]
        if not versions and not word:
            kinds = [each for its_group, each in (*self._own, *self._others) if its_group == group]
            word = closest(kind, kinds)
        return versions, word


def _by_kind(definitions: Iterable[Definition]) -> dict[tuple[str, str], Definition]:
    """The first of each kind: a cluster has one, and says which is there twice."""
    found: dict[tuple[str, str], Definition] = {}
    for each in definitions:
        found.setdefault((each.group, each.kind), each)
    return found
