"""Rules of CRDs by their texts: compiled when the package was built, or when somebody asks. Loads what compiles when it must."""

from __future__ import annotations

from typing import NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.language.python_programs import Tree
from dynagen.memory import Memory


class Program(NamedTuple):
    """A compiled rule: CEL's serialised form, and the places that it looks at, in `self` or `oldSelf`.

    A `transition` looks at the earlier object as well. A `missing` function is one that is left out.
    """

    serialized: bytes
    touches: tuple[KeyPath, ...]
    transition: bool
    missing: str = ""
    tree: Tree = None  # what Python does instead where there is no earlier object; only shipped rules have it


def program_of(text: str, optional: bool, memory: Memory) -> Program:
    """`optional` is the rule's `optionalOldSelf`. Raises ExpressionError (DG216)."""
    return memory.once(_compiled, text, optional, memory)


def know_program(program: Program, text: str, optional: bool, memory: Memory) -> None:
    """One that was compiled beforehand."""
    memory.know(program, _compiled, text, optional, memory)


def _compiled(text: str, optional: bool, memory: Memory) -> Program:
    from dynagen.crd_rules.compiling import compile_rule

    return compile_rule(text, optional, memory)
