"""A profile and facts in, what expressions would see after one change of them out: one for each change, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, Origin, Position, Report
from dynagen.memory import Memory
from dynagen.origins.other_values import alternatives, with_value
from dynagen.origins.watching import Watched
from dynagen.plan import LookUp
from dynagen.profile import Profile, Schema
from dynagen.profile.checks import check_rules
from dynagen.profile.schema import fill_defaults
from dynagen.trees.nodes import Map, to_tree

Values = Mapping[str, Any]
# What expressions see for a profile and facts, and whether the plan accepts them.
ValuesOf = Callable[[Profile, Mapping[str, Any], LookUp], tuple[Values, bool]]


class Change(NamedTuple):
    """What expressions see after one change at `path` of the profile, or of the facts, and which of their paths differ."""

    path: KeyPath
    values: Values
    differences: Sequence[KeyPath]
    accepted: bool


class Changes:
    def __init__(
        self,
        profile: Profile,
        schema: Schema,
        facts: Mapping[str, Any],
        look_up: LookUp,
        values: Values,
        values_of: ValuesOf,
        memory: Memory,
    ) -> None:
        self._profile, self._schema, self._facts, self._look_up = profile, schema, facts, look_up
        self._values, self._values_of, self._memory = values, values_of, memory
        self._made: list[Change] | None = None
        self._facts_made: list[Change] | None = None
        self._facts_of: dict[KeyPath, list[Change]] = {}

    @property
    def of_profile(self) -> Sequence[Change]:
        """One for each other value of the profile that schema, rules and plan allow.

        Where the plan allows no other value, those that it refuses: what they would have changed was read all the same.
        """
        if self._made is None:
            made = list(self._profile_changes())
            possible = {change.path for change in made if change.accepted}
            kept = [change for change in made if change.accepted or change.path not in possible]
            self._made = [change for change in kept if change.differences]
        return self._made

    @property
    def of_facts(self) -> Sequence[Change]:
        """One for each fact that the plan reads."""
        if self._facts_made is None:
            self._facts_made = [change for change in self._fact_changes() if change.differences]
        return self._facts_made

    def for_reads(self, reads: Sequence[KeyPath]) -> list[Change]:
        """All that an expression that reads these paths could see, of the profile first."""
        return [*self.of_profile, *self.of_facts, *self._facts_read(reads)]

    def _profile_changes(self) -> Iterator[Change]:
        nowhere = Map({}, Origin(Position("")))
        for path, data in alternatives(self._profile.data, self._schema):
            filled = fill_defaults(to_tree(data, nowhere.origin), self._schema, self._schema)
            assert isinstance(filled, Map)
            report = Report()
            changed = Profile(filled, frozenset())
            check_rules(changed.data, self._schema, self._schema, filled, (), report, self._memory)
            if changed.data != self._profile.data and not report.failed:
                yield from self._change(path, changed, self._facts, self._look_up)

    def _fact_changes(self) -> Iterator[Change]:
        seen: dict[KeyPath, None] = {}
        files: list[KeyPath] = []

        def watched(folder: str, name: str) -> Mapping[str, Any]:
            files.append((folder, name))
            return Watched(self._look_up(folder, name), (folder, name), seen)

        self._values_of(self._profile, Watched(self._facts, (), seen), watched)
        for path in seen:
            file, inner = path[:2], path[2:]
            if file not in files:
                for other in _other_facts(_look_up(self._facts, path)):
                    facts = with_value(self._facts, path, other)
                    yield from self._change(("facts", *path), self._profile, facts, self._look_up)
                continue
            found = self._look_up(str(file[0]), str(file[1]))
            for other in _other_facts(_look_up(found, inner)):
                changed = with_value(found, inner, other)
                yield from self._change(("facts", *path), self._profile, self._facts, self._with_file(file, changed))

    def _with_file(self, file: KeyPath, content: Mapping[str, Any]) -> LookUp:
        return lambda folder, name: content if (folder, name) == file else self._look_up(folder, name)

    def _change(self, path: KeyPath, profile: Profile, facts: Mapping[str, Any], look_up: LookUp) -> Iterator[Change]:
        try:
            values, accepted = self._values_of(profile, facts, look_up)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
            return  # facts that no file could hold; a profile that the plan takes for granted
        yield Change(path, values, list(_differences(self._values, values, ())), accepted)

    def _facts_read(self, reads: Sequence[KeyPath]) -> Iterator[Change]:
        """One for each fact that an expression reads itself, and the plan does not."""
        for read in reads:
            if read[0] != "facts":
                continue
            if read not in self._facts_of:
                planned = {change.path for change in self.of_facts}
                self._facts_of[read] = [
                    self._of_layers_alone(path, with_value(self._facts, path[1:], other))
                    for path in self._leaves_of(read)
                    if path not in planned
                    for other in _other_facts(_look_up(self._facts, path[1:]))
                ]
            yield from self._facts_of[read]

    def _of_layers_alone(self, path: KeyPath, facts: Mapping[str, Any]) -> Change:
        """Facts of which the plan reads nothing, or nothing that makes a difference: the plan stays."""
        return Change(path, {**self._values, "facts": facts}, [path], True)

    def _leaves_of(self, read: KeyPath) -> Iterator[KeyPath]:
        try:
            found = _look_up(self._facts, read[1:])
        except (LookupError, TypeError):  # asked for with `has()`, and not there
            return
        yield from _leaves(found, read)


def _differences(one: Any, other: Any, path: KeyPath) -> Iterator[KeyPath]:
    """The paths at which two values differ; nothing below them."""
    if one is other or (type(one) is type(other) and one == other):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            if key not in one or key not in other:
                yield (*path, key)
            else:
                yield from _differences(one[key], other[key], (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, (*path, index))
    else:
        yield path


def _leaves(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path


def _other_facts(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (value * 2, value + 1, max(value - 1, 0))
    elif isinstance(value, str):
        yield from (f"{value}-x", "7")
    elif isinstance(value, list):
        yield from (value[:-1], [*value, "x"])


def _look_up(value: Any, path: KeyPath) -> Any:
    for key in path:
        value = value[key]
    return value
