"""The outermost edge: runs a command, turns what went wrong into an exit code."""

from __future__ import annotations

import gc
import sys

# New objects until Python looks for cycles among them: we make few, and a run is short (its own 700 costs a tenth of it).
_OBJECTS = 100_000


def main() -> None:
    """Exit codes: 0 fine, 1 the input was refused, 2 the command line was wrong, 3 a fault of dynagen's own."""
    gc.set_threshold(_OBJECTS)
    try:
        if sys.argv[1:2] == ["build"]:
            from dynagen.commands._building import build_plainly

            build_plainly(sys.argv[1:])
        from dynagen.commands._group import dynagen

        dynagen()
    except SystemExit as end:
        _leave(end.code)
    except BrokenPipeError:
        _stop_writing()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except RecursionError:
        print("error: the input is nested too deep", file=sys.stderr)
        sys.exit(1)
    except Exception:
        import traceback

        traceback.print_exc()
        print(
            "\nThis is a fault of dynagen, not of your profile. Please report it with the text above and the profile.",
            file=sys.stderr,
        )
        sys.exit(3)


def _leave(code: str | int | None) -> None:
    """Ends the process without taking it apart piece by piece, which costs a tenth of a build."""
    import os

    if isinstance(code, str):
        print(code, file=sys.stderr)
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # None when it was closed before we began
                stream.flush()
    except OSError:
        _stop_writing()
        code = code or 1
    os._exit(1 if isinstance(code, str) else code or 0)


def _stop_writing() -> None:
    """Standard output was closed (a pipe to `head`): keep the interpreter from flushing into it once more."""
    import os

    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
