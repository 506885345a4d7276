"""A set of files written all or nothing: an interrupted write leaves the old tree or the new one, never a mix.

The new tree is made in a folder beside the target and the two change places in one step of the kernel. Files that are
not ours go along: they are linked into the new tree first.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from dynagen.diagnostics import Position, Report
from dynagen.text.paths import leads_away


def write_tree(
    files: Mapping[str, str], target: Path, header: str, shown: str, report: Report,
    look: Callable[[Path], Collection[str] | None] = lambda _: None,
) -> list[str]:  # fmt: skip
    """Makes `target` hold `files`. Returns the names of files that are not ours, which were left alone.

    A file is ours when it begins with `header`; ours that are not in `files` go away. `look` may say of a tree that is
    there which files were written into it, when no others are ours, and report why it must not be written. Reports
    DG501 to DG504 and DG623. When something is reported, nothing has changed.
    """
    at = Position(shown)
    real = Path(os.path.realpath(target))
    if leads_away(target):
        hint = f"a tree there is written with -o {real}"
        report.add("DG623", f"'{shown}' leads out of the current folder by a symbolic link", at, hint)
        return []
    if os.path.lexists(real) and not os.path.isdir(real):
        report.add("DG501", f"'{shown}' is not a folder", at, hint="give -o a folder")
        return []
    if real == Path(real.anchor) or Path(os.path.realpath(".")).is_relative_to(real):
        report.add(
            "DG504",
            f"'{shown}' is the current folder or holds it",
            at,
            hint="give -o a folder of its own, such as out/",
        )
        return []
    try:
        known = look(real) if real.exists() else None
        return [] if report.failed else _write(files, real, header, shown, report, known)
    except OSError as error:
        report.add("DG502", f"cannot write '{shown}': {(error.strerror or str(error)).lower()}", at)
        return []


def _write(
    files: Mapping[str, str], real: Path, header: str, shown: str, report: Report, known: Collection[str] | None
) -> list[str]:
    foreign = _foreign_files(real, header, known) if real.exists() else []
    taken = sorted(set(foreign) & files.keys())
    for name in taken:
        report.add(
            "DG503", f"'{name}' is in the way: it was not written by dynagen", Position(f"{shown.rstrip('/')}/{name}"),
            hint="move it away, or choose another folder",
        )  # fmt: skip
    if taken:
        return []
    real.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(real)
    fresh = Path(_make_beside(real))
    try:
        if real.exists():
            os.chmod(fresh, os.stat(real).st_mode & 0o7777)
        for name in foreign:
            _carry(real / name, fresh / name)
        for name, text in files.items():
            (fresh / name).write_bytes(text.encode())
        if real.exists():
            _exchange(fresh, real)
        else:
            os.rename(fresh, real)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)  # the old tree, or what was made in vain
    return foreign


def _foreign_files(real: Path, header: str, known: Collection[str] | None) -> list[str]:
    """Names in the folder that are not ours: a symbolic link or a folder never is, nor what is not `known`."""
    mark = header.encode().rstrip(b"\n")  # git may have changed the end of the line
    foreign = []
    for entry in os.scandir(real):
        if entry.is_file(follow_symlinks=False) and (known is None or entry.name in known):
            with open(entry.path, "rb") as stream:
                if stream.read(len(mark)) == mark:
                    continue
        foreign.append(entry.name)
    return sorted(foreign)


_MARK = ".dynagen-"
_ASIDE = "-old"


def _make_beside(real: Path) -> str:
    fresh = real.with_name(f".{real.name}{_MARK}{os.getpid()}")
    os.mkdir(fresh)
    return str(fresh)


def _remove_leftovers(real: Path) -> None:
    """Folders that killed runs left beside the target. One of a running process stays."""
    prefix = f".{real.name}{_MARK}"
    for entry in list(os.scandir(real.parent)):
        if entry.name.startswith(prefix) and entry.name.endswith(_ASIDE) and not real.exists():
            os.rename(entry.path, real)  # killed between the two renames of _exchange
    for entry in list(os.scandir(real.parent)):
        if entry.name.startswith(prefix) and not _runs(entry.name.removeprefix(prefix)):
            shutil.rmtree(entry.path, ignore_errors=True)


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return int(pid) != os.getpid()


def _carry(source: Path, target: Path) -> None:
    """A second name for the same file, so that nothing is copied and nothing can get lost; folders are made anew."""
    if source.is_dir() and not source.is_symlink():
        os.mkdir(target)
        for entry in os.scandir(source):
            _carry(Path(entry.path), target / entry.name)
        shutil.copystat(source, target)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _exchange(fresh: Path, real: Path) -> None:
    """Swaps two folders: one system call on Linux and macOS; elsewhere two renames."""
    import ctypes
    import sys

    libc = ctypes.CDLL(None, use_errno=True)
    one, two = os.fsencode(fresh), os.fsencode(real)
    result = -1
    if sys.platform == "linux" and hasattr(libc, "renameat2"):
        at_fdcwd, rename_exchange = -100, 2  # <fcntl.h>, <linux/fs.h>
        result = libc.renameat2(at_fdcwd, one, at_fdcwd, two, rename_exchange)
    elif sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        rename_swap = 2  # <sys/stdio.h>
        result = libc.renamex_np(one, two, rename_swap)
    if result == 0:
        return
    aside = fresh.with_name(fresh.name + _ASIDE)
    os.rename(real, aside)
    try:
        os.rename(fresh, real)
    except OSError:
        os.rename(aside, real)
        raise
    os.rename(aside, fresh)


def write_whole(content: bytes, target: Path) -> None:
    """Makes a file hold `content`, or leaves it as it is. What is no regular file (a pipe, /dev/stdout) is written to."""
    real = os.path.realpath(target)
    if leads_away(target):
        raise ValueError("a symbolic link leads out of the current folder")
    if os.path.lexists(target) and not os.path.isfile(real):
        with open(target, "wb") as stream:
            stream.write(content)
        return
    partial = f"{os.path.dirname(real)}/.{os.path.basename(real)[:200]}{_MARK}{os.getpid()}"
    try:
        with open(partial, "xb") as stream:
            stream.write(content)
        if os.path.exists(real):
            os.chmod(partial, os.stat(real).st_mode & 0o7777)
        os.replace(partial, real)
    finally:
        if os.path.lexists(partial):
            os.unlink(partial)
