"""CEL's module, for those that evaluate: its import takes as long as reading a profile.

cel-expr-python 0.1.3 gives away a reference to None with every null and every activation. Python 3.12 counts no references
to None any more. Before, the count reaches zero after some thousand expressions and the interpreter aborts, so it gets more
of them than any run can use up.
"""

from __future__ import annotations

import sys
from typing import Any

from cel_expr_python import cel as _cel

if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
    import ctypes

    ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40

cel: Any = _cel
