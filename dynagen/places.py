"""The origin of a value in, the place to point at out: the profile's line that the value comes from, else the layer's."""

from __future__ import annotations

from collections.abc import Callable

from dynagen.diagnostics import Origin, Position
from dynagen.plan import Plan
from dynagen.profile import Profile

Places = tuple[Position, tuple[tuple[str, Position], ...]]


def where_written(origin: Origin) -> Places:
    """For objects that nobody compiled."""
    return origin.written, ()


def in_profile(profile: Profile, plan: Plan) -> Callable[[Origin], Places]:
    """For what was compiled: the layer's place is the second one then."""

    def place(origin: Origin) -> Places:
        for read in origin.reads:
            for source in plan.sources_of(read):
                # Sections are named after folders; in expressions '-' becomes '_'.
                section = (str(source[0]).replace("_", "-"), *source[1:]) if source else ()
                at = profile.written(source) or profile.written(section)
                if at is not None:
                    return at, () if at == origin.written else (("used here", origin.written),)
        return origin.written, ()

    return place
