"""What layers say, one object at a time: a tree, and where it was written."""

from __future__ import annotations

from typing import NamedTuple

from dynagen.diagnostics import Position
from dynagen.trees.nodes import Map


class Fragment(NamedTuple):
    """A rendered resource or patch: a tree with origins, and the file it was written in.

    `plain` when it holds neither null nor `$patch`: then it says what is there, and takes nothing away.
    """

    tree: Map
    at: Position
    plain: bool = False
