"""The origin of a value in, the place to point at out: the profile's line that the value comes from, else the layer's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from dynagen.diagnostics import KeyPath, Origin, Pointed
from dynagen.profile import Profile

if TYPE_CHECKING:
    from dynagen.origins.influence import Influence


def where_written(origin: Origin) -> Pointed:
    """For objects that nobody compiled."""
    return origin.written, ()


def in_profile(profile: Profile, influence: Callable[[], Influence]) -> Callable[[Origin], Pointed]:
    """For what was compiled: the layer's place is the second one then. `influence` is asked when nothing simpler helps."""
    influence = cache(influence)

    def place(origin: Origin) -> Pointed:
        for path in _sources(origin, profile, influence):
            at = profile.written(path)
            if at is not None:
                return at, () if at == origin.written else (("used here", origin.written),)
        return origin.written, ()

    return place


def _sources(origin: Origin, profile: Profile, influence: Callable[[], Influence]) -> Iterator[KeyPath]:
    """The paths of the profile that a value may come from, the likeliest first."""
    for read in origin.reads:
        # What the plan takes over unchanged has the same path there; in expressions '-' of a section's name is '_'.
        yield from ((str(read[0]).replace("_", "-"), *read[1:]), read)
    if not origin.reads:
        return
    known = influence()
    found = known.of_expression(origin.expression, origin.reads, origin.given, lambda value: value)
    value = known.evaluate(origin.expression, origin.given, known.values)
    said = [path for path in found if profile.written(path)]
    # The same value, then what is said most precisely.
    yield from sorted(said, key=lambda path: (profile.value(path) != value, -len(path)))
    # At last what it is there for at all: `agg` for the name of its worker.
    yield from (path for path in known.of_presence(origin.given) if profile.written(path))
