"""Components and containers that a patch makes by a name that is most likely misspelt: they have no image."""

from __future__ import annotations

from collections.abc import Iterator

from dynagen.diagnostics import Report, closest
from dynagen.trees.nodes import List, Map, Tree, find_exactly, scalar


def report_misspelt(before: Map, after: Map, name: str, report: Report) -> None:
    """Reports DG310 for each component of a graph, or container of one, that is new in `after` and has no image."""
    known = {scalar(each, "name"): each for each in _items(before, "spec", "components")}
    for component in _items(after, "spec", "components"):
        word = str(scalar(component, "name") or "")
        if word not in known:
            if not any(scalar(each, "image") for each in _containers(component)):
                _report("component", word, [str(each) for each in known], name, component, report)
            continue
        beside = [str(scalar(each, "name")) for each in _containers(known[word])]
        for container in _containers(component):
            own = str(scalar(container, "name") or "")
            if own not in beside and not scalar(container, "image"):
                _report(f"container of '{word}'", own, beside, name, container, report)


def _report(what: str, word: str, known: list[str], name: str, tree: Tree, report: Report) -> None:
    if not word:
        hint = f"a patch says which one it is for: 'name: {known[0]}'" if known else "give it a name"
        report.add("DG310", f"patch of {name}: a {what} without a name", tree.origin.written, hint)
        return
    near = closest(word, known)
    hint = f"did you mean '{near}'?" if near else f"there are {', '.join(known)}; a new one needs an image"
    report.add("DG310", f"patch of {name}: there is no {what} called '{word}'", tree.origin.written, hint)


def _containers(component: Tree) -> Iterator[Tree]:
    return _items(component, "podTemplate", "spec", "containers")


def _items(tree: Tree, *path: str) -> Iterator[Tree]:
    found = find_exactly(tree, path)
    return (item for item in found if isinstance(item, Map)) if isinstance(found, List) else iter(())
