"""Rules of CRDs by their texts: compiled when the package was built, or when somebody asks. Loads what compiles when it must."""

from __future__ import annotations

from dynagen.crd_rules.rule_program import Program
from dynagen.memory import Memory


def program_of(text: str, optional: bool, memory: Memory) -> Program:
    """`optional` is the rule's `optionalOldSelf`. Raises ExpressionError (DG216)."""
    return memory.once(_compiled, text, optional, memory)


def know_program(program: Program, text: str, optional: bool, memory: Memory) -> None:
    """One that was compiled beforehand."""
    memory.know(program, _compiled, text, optional, memory)


def _compiled(text: str, optional: bool, memory: Memory) -> Program:
    from dynagen.crd_rules.compiling import compile_rule

    return compile_rule(text, optional, memory)
