"""`python -m tests.tools NAME...` prints the path of each tool, one a line, and builds what is missing."""

from __future__ import annotations

import sys

from tests.tools import ToolError, names, path


def main(arguments: list[str]) -> int:
    if not arguments or set(arguments) - set(names()):
        print(f"usage: python -m tests.tools NAME...\nnames: {' '.join(names())}", file=sys.stderr)
        return 2
    try:
        for name in arguments:
            print(path(name), flush=True)
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


sys.exit(main(sys.argv[1:]))
