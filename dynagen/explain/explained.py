"""What there is to say about one leaf of a manifest, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, Position
from dynagen.diagnostics.masks import masked, masked_data


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

    def without_values(self) -> Explanation:
        """A secret's value is never shown; neither is what a layer made it from."""
        return self._replace(
            value=_HIDDEN,
            expression=self.expression and _HIDDEN,
            reads=_hidden(self.reads),
            conditions=[each._replace(reads=_hidden(each.reads)) for each in self.conditions],
            absent=[each._replace(reads=_hidden(each.reads)) for each in self.absent],
            replaced=[],
        )

    def masked(self) -> Explanation:
        """Tokens are not shown either, nor are the values of variables that hold one."""
        return self._replace(
            value=masked_data(self.value, self.path[-1]),
            expression=masked(self.expression),
            reads=_masked(self.reads),
            conditions=[_masked_condition(each) for each in self.conditions],
            identity=_masked(self.identity),
            absent=[_masked_condition(each) for each in self.absent],
            replaced=[
                each._replace(value=masked_data(each.value, self.path[-1]), expression=masked(each.expression))
                for each in self.replaced
            ],
        )


def _masked(reads: Iterable[Read]) -> list[Read]:
    return [read._replace(value=masked_data(read.value, read.path[-1])) for read in reads]


def _masked_condition(condition: Conditional) -> Conditional:
    return condition._replace(expression=masked(condition.expression), reads=_masked(condition.reads))


_HIDDEN = "(hidden)"


def _hidden(reads: Iterable[Read]) -> list[Read]:
    return [read._replace(value=_HIDDEN if read.at else None) for read in reads]
