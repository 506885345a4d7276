"""A pattern and a text in, whether it matches out, in time that grows with their length only. And the module of CEL.

Python's `re` tries all ways to match, which `(a+)+` has millions of. CEL brings Google's RE2 along, which does not.
"""

from __future__ import annotations

import sys
from functools import cache, lru_cache
from typing import Any


@cache
def cel_module() -> Any:
    """CEL's module. cel-expr-python 0.1.3 gives away a reference to None with every null and every activation.

    Python 3.12 counts no references to None any more. Before, the count reaches zero after some thousand expressions and
    the interpreter aborts, so it gets more of them than any run can use up.
    """
    from cel_expr_python import cel

    if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        import ctypes

        ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40
    return cel


@lru_cache(maxsize=4096)
def matches(pattern: str, text: str) -> bool | None:
    """Whether the pattern matches somewhere in the text. None for a pattern that is too large for RE2."""
    environment, expression = _expression()
    try:
        result = expression.eval(environment.Activation({"pattern": pattern, "text": text}))
    except RuntimeError:
        return None
    value = result.value() if result.type() == cel_module().Type.BOOL else None
    return value if isinstance(value, bool) else None


@cache
def _expression() -> Any:
    cel = cel_module()
    environment = cel.NewEnv(variables=dict.fromkeys(("pattern", "text"), cel.Type.STRING))
    return environment, environment.compile("text.matches(pattern)")
