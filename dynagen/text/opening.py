"""A path in, the bytes of a regular file out: the one door to files that somebody else wrote.

What lies in a layer, beside a profile or in a set of schemas may be a link to anywhere, a pipe that nobody writes into, or
a device without an end.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dynagen.text.paths import lies_in

# A profile has some twenty lines and a layer's file some hundred; a dashboard is the largest thing in a layer.
MAX_BYTES = 1024 * 1024


class Unreadable(OSError):
    """A file that is there and is not read; its text says why."""


class TooLarge(Unreadable):
    """It holds more than it may."""


def read_bytes(path: Path, limit: int, home: Path | None = None) -> bytes:
    """The content of a regular file, which lies below `home` once symbolic links are followed. Raises OSError, ValueError."""
    if home is not None and not lies_in(path, home):
        raise Unreadable("it leads out of its folder")
    try:
        is_regular = stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116  # pathlib is slow, and this is every call
    except FileNotFoundError:
        if not os.path.lexists(path):
            raise
        is_regular = False  # a link that leads nowhere
    if not is_regular:
        raise Unreadable("not a regular file")
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # should it have become a pipe by now
    with open(descriptor, "rb") as stream:  # noqa: PTH123  # a descriptor has no path
        return within(stream.read(limit + 1), limit)


def read_stream(path: Path, limit: int) -> bytes:
    """The content of what the command line names, which may be what a shell passes as /dev/fd/63. Raises OSError, ValueError."""
    with path.open("rb") as stream:
        return within(stream.read(limit + 1), limit)


def within(raw: bytes, limit: int) -> bytes:
    """The same bytes. Raises TooLarge."""
    if len(raw) > limit:
        raise TooLarge(f"larger than {limit // 1024} KiB")
    return raw


def reason(error: Exception) -> str:
    """Why a file cannot be read, in words."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
