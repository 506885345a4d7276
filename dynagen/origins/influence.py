"""Which values of a profile, and which facts, a value of a manifest follows from: found by changing them one at a time.

Nothing is declared, so nothing can go stale: the plan is made anew for each change that the schema allows, which takes a
tenth of a millisecond, and the expressions that led to a value are evaluated against it. What comes out differently was
read. See docs/decisions/influence-is-measured.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import Condition, Given, KeyPath, Origin, Position, Report
from dynagen.language.cel import ExpressionError
from dynagen.language.scope import Scope
from dynagen.language.template import Template, names_in, parse_template
from dynagen.layers.loops import is_new, item_like, key_of
from dynagen.memory import Memory
from dynagen.origins.other_values import alternatives, with_value
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


class Influence:
    """The changes of one compilation, made once, and the answers that they give."""

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
        self.values, self._values_of, self._memory = values, values_of, memory
        self._scopes: dict[tuple[int, Condition | None, int | None], Scope] = {}
        self._made: list[Change] | None = None
        self._facts_made: list[Change] | None = None
        self._facts_of: dict[KeyPath, list[Change]] = {}

    @property
    def changes(self) -> Sequence[Change]:
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
    def fact_changes(self) -> Sequence[Change]:
        """One for each fact that the plan reads."""
        if self._facts_made is None:
            self._facts_made = [change for change in self._fact_changes() if change.differences]
        return self._facts_made

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
            return _Watched(self._look_up(folder, name), (folder, name), seen)

        self._values_of(self._profile, _Watched(self._facts, (), seen), watched)
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
        yield Change(path, values, list(_differences(self.values, values, ())), accepted)

    def of_expression(
        self, text: str, reads: Iterable[KeyPath], given: Given | None, pick: Pick
    ) -> dict[KeyPath, None]:
        """The paths whose change makes another value of what `pick` takes from the expression's value.

        A change that takes the whole file away, or the item of its loop, says nothing about the value; nor does one
        with which nothing could be built, unless that is so for every other value, as for a key into a map.
        """
        known = list(reads)
        before = self._value(text, given, self.values, pick)
        differs: dict[KeyPath, bool] = {}
        broken: set[KeyPath] = set()
        changes = [*self.changes, *self.fact_changes, *self._facts_read(known)]
        for change in changes:
            if differs.get(change.path) or not _touched(known, change.differences):
                continue
            if self.counts(given, change.values):
                after = self._value(text, given, change.values, pick)
                if after is _NOTHING:
                    broken.add(change.path)
                else:
                    differs[change.path] = after != before
        return {change.path: None for change in changes if differs.get(change.path, change.path in broken)}

    def _facts_read(self, reads: Sequence[KeyPath]) -> Iterator[Change]:
        """One for each fact that an expression reads itself, and the plan does not."""
        for read in reads:
            if read[0] != "facts":
                continue
            if read not in self._facts_of:
                planned = {change.path for change in self.fact_changes}
                self._facts_of[read] = [
                    change
                    for path in self._leaves_of(read)
                    if path not in planned
                    for other in _other_facts(_look_up(self._facts, path[1:]))
                    for change in self._change(
                        path, self._profile, with_value(self._facts, path[1:], other), self._look_up
                    )
                ]
            yield from self._facts_of[read]

    def _leaves_of(self, read: KeyPath) -> Iterator[KeyPath]:
        try:
            found = _look_up(self._facts, read[1:])
        except (LookupError, TypeError):  # asked for with `has()`, and not there
            return
        yield from _leaves(found, read)

    def counts(self, given: Given | None, values: Values) -> bool | None:
        """Whether a file, for its item, is there for other values; None when nothing can be built with them."""
        if given is None:
            return True
        try:
            # As when rendering: a condition that is the same for all items comes first.
            when, each = (
                given.when,
                bool(given.when and given.variable in names_in(given.when.expression, self._memory)),
            )
            if when is not None and not each and self.evaluate(when.expression, None, values) is not True:
                return False
            if given.loop is not None and item_like(given, self.evaluate(given.loop.expression, None, values)) is None:
                return False
            return when is None or not each or self.evaluate(when.expression, given, values) is True
        except (ExpressionError, LookupError, TypeError):
            return None

    def awakened(self, given: Given) -> Iterator[tuple[Change, Given]]:
        """The changes that let a file count which does not, and for what.

        A loop without a number stands for all items that it could have and has not.
        """
        reads = [path for condition in (given.when, given.loop) if condition for path in condition.reads]
        changes = [change for change in self.changes if _touched(reads, change.differences)]
        if given.loop is None or given.number is not None:
            yield from ((change, given) for change in changes if self.counts(given, change.values))
            return
        before = self._value(given.loop.expression, None, self.values, list)
        for change in changes:
            items = self._value(given.loop.expression, None, change.values, list)
            for number, item in enumerate(items if isinstance(items, list) else ()):
                each = given._replace(item=key_of(item), number=number)
                if is_new(each, before) and self.counts(each, change.values):
                    yield change, each

    def of_presence(self, given: Given | None) -> dict[KeyPath, None]:
        """The paths whose change takes a file, or the item of its loop, away."""
        if given is None:
            return {}
        reads = [path for condition in (given.when, given.loop) if condition for path in condition.reads]
        every = [*self.changes, *self.fact_changes, *self._facts_read(reads)]
        changes = [change for change in every if _touched(reads, change.differences)]
        return {change.path: None for change in changes if self.counts(given, change.values) is False}

    def evaluate(self, text: str, given: Given | None, values: Values) -> Any:
        """The value of a scalar for other values. Raises ExpressionError."""
        template = parse_template(text)
        if not isinstance(template, Template):
            return template
        return self._scope_of(values, given).evaluate(template)[0]

    def _value(self, text: str, given: Given | None, values: Values, pick: Pick) -> Any:
        try:
            return pick(self.evaluate(text, given, values))
        except LookupError:
            return _GONE  # the part that was picked
        except (ExpressionError, TypeError):
            return _NOTHING

    def _scope_of(self, values: Values, given: Given | None) -> Scope:
        loop = given.loop if given else None
        key = (id(values), loop, given.number if given and loop else 0)  # of changes, which stay as long as we do
        if key in self._scopes:
            return self._scopes[key]
        if given is None or given.loop is None:
            self._scopes[key] = Scope(values, self._memory)
        else:
            item = item_like(given, self.evaluate(given.loop.expression, None, values))
            if item is None:
                raise ExpressionError("DG308", "the item is not there")
            self._scopes[key] = Scope({given.variable: item}, self._memory, self._scope_of(values, None))
        return self._scopes[key]


Pick = Callable[[Any], Any]
_NOTHING, _GONE = object(), object()


def _touched(reads: Sequence[KeyPath], differences: Sequence[KeyPath]) -> bool:
    return any(read[: len(difference)] == difference[: len(read)] for read in reads for difference in differences)


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


class _Watched(Mapping[str, Any]):
    """Facts that note which of their leaves are looked at. No dict: `{**facts}` would not ask for them."""

    def __init__(self, facts: Mapping[str, Any], path: KeyPath, seen: dict[KeyPath, None]) -> None:
        self._facts, self._path, self._seen = facts, path, seen

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def _watched(self, key: Any, value: Any) -> Any:
        path = (*self._path, key)
        if isinstance(value, Mapping):
            return _Watched(value, path, self._seen)
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            return [
                _Watched(item, (*path, index), self._seen) if isinstance(item, Mapping) else item
                for index, item in enumerate(value)
            ]
        self._seen[path] = None
        return value

    def __getitem__(self, key: str) -> Any:
        return self._watched(key, self._facts[key])


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
