"""What a rule of a CRD is compiled to."""

from __future__ import annotations

from typing import NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.language.python_programs import Tree


class Program(NamedTuple):
    """A compiled rule: CEL's serialised form, and the places that it looks at, in `self` or `oldSelf`.

    A `transition` looks at the earlier object as well. A `missing` function is one that is left out.
    """

    serialized: bytes
    touches: tuple[KeyPath, ...]
    transition: bool
    missing: str = ""
    tree: Tree = None  # what Python does instead where there is no earlier object; only shipped rules have it
