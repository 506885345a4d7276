"""Which values of a profile, and which facts, a value of a manifest follows from: found by changing them one at a time.

Nothing is declared, so nothing can go stale: the plan is made anew for each change that the schema allows, which takes a
tenth of a millisecond, and the expressions that led to a value are evaluated against it. What comes out differently was
read. See docs/decisions/influence-is-measured.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dynagen.diagnostics import Condition, Given, KeyPath
from dynagen.language.cel import ExpressionError
from dynagen.language.scope import Scope
from dynagen.language.template import Template, names_in, parse_template
from dynagen.layers.loops import is_new, item_like, key_of
from dynagen.memory import Memory
from dynagen.origins.changes import Change, Changes, Values


class Influence:
    """The answers that the changes of one compilation give."""

    def __init__(self, changes: Changes, values: Values, memory: Memory) -> None:
        """`values` are what expressions see before any change."""
        self._changes, self.values, self._memory = changes, values, memory
        self._scopes: dict[tuple[int, Condition | None, int | None], Scope] = {}

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
        changes = self._changes.for_reads(known)
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
        changes = [change for change in self._changes.of_profile if _touched(reads, change.differences)]
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
        every = self._changes.for_reads(reads)
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
            found = self.evaluate(text, given, values)
            return _GONE if found is None else pick(found)  # null means not there
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
