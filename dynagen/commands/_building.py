"""What `dynagen build` does once its words are understood; and the plainest words, understood without click."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from dynagen.commands._output import print_text, say
from dynagen.commands._reading import Input, WrongWords
from dynagen.compiler import Compilation, compile_profile
from dynagen.manifests.yaml import HEADER, to_files, to_stream


def build_plainly(words: Sequence[str]) -> None:
    """Runs `build FILE` and `build FILE -o DIR`, and exits. Comes back from all else, which click understands."""
    if len(words) not in (2, 4) or words[0] != "build" or any(word.startswith("-") for word in (words[1], *words[3:])):
        return
    if len(words) == 4 and words[2] != "-o":
        return
    try:
        given = Input(words[1], (), (), None, False)
    except WrongWords:
        return
    run_build(given, words[3] if len(words) == 4 else None)


def run_build(given: Input, output: str | None, force: bool = False) -> NoReturn:
    """Exits with 0 or 1. With `force` a tree is written over what somebody changed by hand."""
    if not given.report.failed:
        compilation = compile_profile(given.request, given.report)
    if given.report.refused:
        given.print_report()
        sys.exit(1)
    if output is None:
        print_text(to_stream(compilation.manifests))
    else:
        from dynagen.console.formats.text import printable

        foreign = _write(compilation, given, output, force)
        for name in foreign if not given.report.refused else ():
            say(printable(f"left alone: {output.rstrip('/')}/{name} (not written by dynagen)") + "\n")
    given.print_report()
    if output is not None and not given.report.refused and sys.stderr is not None and sys.stderr.isatty():
        say(f"{len(compilation.manifests)} objects in {output.rstrip('/')}/\n")
    sys.exit(1 if given.report.refused else 0)


def _write(compilation: Compilation, given: Input, output: str, force: bool) -> list[str]:
    """The tree with its record, unless what is there is another's. Returns the names of files that were left alone."""
    from dynagen.manifests.files import write_tree
    from dynagen.manifests.record import FILE, check_owner, read_record, with_record

    plan = compilation.plan
    assert plan is not None
    owner = f"{plan.metadata['namespace']}/{plan.metadata['name']}"
    # What every cluster of GKE has, whoever checks the tree knows.
    external = [each.data for each in compilation.external if each.kind != "StorageClass" or each.data.keys() - _NAMING]
    versions = (plan.release, plan.kubernetes)
    tree = with_record(to_files(compilation.manifests), owner, given.names, versions, external, given.report.silenced)

    def look(folder: Path) -> list[str] | None:
        record = read_record(folder)
        check_owner(record, owner, folder, output, force, given.report)
        return [FILE, *record.files, *tree] if record else None

    return write_tree(tree, Path(output), HEADER, output, given.report, look)


_NAMING = {"apiVersion", "kind", "metadata"}
