"""What commands print: text to standard output, and diagnostics with the lines that they speak of."""

from __future__ import annotations

import codecs
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path


def say(text: str) -> None:
    """Writes to standard error, if there is one and there is something to write."""
    stream = sys.stderr
    if stream is None or not text:
        return
    if codecs.lookup(stream.encoding).name == "ascii":  # the locale says nothing; we write UTF-8
        stream.flush()
        stream.buffer.write(text.encode(errors="replace"))
    else:
        stream.write(text)
    stream.flush()


def print_text(text: str) -> None:
    """Writes to standard output. Exits with 1 when that fails, with a message unless the reader has just gone away."""
    try:
        if sys.stdout is None:  # it was closed before we began: `dynagen build ... >&-`
            raise OSError("it is closed")
        # Surrogates come from names of files that are not UTF-8.
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        say(f"error: cannot write to standard output: {(error.strerror or str(error)).lower()}\n")
        sys.exit(1)


class Texts(Mapping[str, str]):
    """The texts of the files that positions name: those in `known`, else what lies in one of `folders` or is shipped.

    Never shows a line of a file that a symbolic link leads to outside, or that holds a Secret. Remembers one file:
    positions come in order.
    """

    _SECRET = r"""(?i)\bkind["']?\s*:\s*(?:[&!]\S*\s+)*(?:["']?Secret(?:List)?\b|[^\n]*\$\{[^\n]*Secret)"""

    def __init__(self, known: Mapping[str, str], folders: Iterable[Path]) -> None:
        self._known, self._folders = known, folders
        self._last: tuple[str, str | None] = ("", None)

    def __getitem__(self, name: str) -> str:
        if self._last[0] != name:
            text = self._known[name] if name in self._known else self._read(name)
            self._last = (name, "" if text and re.search(self._SECRET, text) else text)
        if self._last[1] is None:
            raise KeyError(name)
        return self._last[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _read(self, name: str) -> str | None:
        from dynagen.schema.conformance import MAX_BYTES
        from dynagen.text.opening import read_bytes
        from dynagen.text.paths import ROOT

        if name.startswith("--"):
            return None
        places = [(Path(name), folder) for folder in self._folders] + [(ROOT / name, ROOT)]
        for file, folder in places:
            try:
                return read_bytes(file, MAX_BYTES, folder).decode("utf-8-sig", "replace")
            except (OSError, ValueError):
                continue
        return None


def write_file(text: str, path: str) -> None:
    """Writes a file as a whole or not at all. Exits with 1 when that fails."""
    from dynagen.manifests.files import write_whole

    try:
        write_whole(text.encode(errors="replace"), Path(path))
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        say(f"error: cannot write '{os.fsencode(path).decode(errors='replace')}': {reason}\n")
        sys.exit(1)
