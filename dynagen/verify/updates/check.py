"""Objects beside those that the cluster has now in, fields that an update cannot change out. The table is `kept.yaml`."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.earlier import Earlier, applied, manifest_of
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.compiled.reading import table
from dynagen.diagnostics import KeyPath, path_text, shortened
from dynagen.trees.nodes import value_at
from dynagen.verify.updates.claims import CLAIM, Classes, check_claim
from dynagen.verify.updates.defaults import Defaults
from dynagen.verify.updates.judging import JUDGES
from dynagen.verify.updates.update import Update

Row = dict[str, Any]
Change = tuple[KeyPath, Any, Any]
_SHOWN = 60


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG670, and DG671 for a claim whose class does not let it grow."""
    earlier, kept, defaults = Earlier(cluster.earlier), table("verify/updates/kept.yaml"), Defaults()
    classes = Classes([*objects, *cluster.earlier, *cluster.external])
    for new in objects:
        key = f"{new.group}/{new.kind}".lstrip("/")
        old = earlier.of(new) if key in kept["kinds"] else None
        if old is None:
            continue
        schema = cluster.schemas.find(new.api_version, new.kind)
        before = defaults.filled(key, old.data)
        after = applied(copy.deepcopy(before), manifest_of(old), new.data, schema.root if schema else None)
        update = Update((old, before), (new, defaults.filled(key, after)))
        entry = kept["kinds"][key]
        for row in entry["rows"]:
            if _counts(row, update, cluster.kubernetes_version):
                _judge(row, row.get("hint") or entry.get("hint") or kept["hints"]["another"], update, findings)
        if key == CLAIM:
            check_claim(update, classes, findings)


def _judge(row: Row, hint: str, update: Update, findings: Findings) -> None:
    path = _path(row["at"])
    before, after = (_without(value_at(data, path), row.get("but", ())) for data in (update.before, update.after))
    if JUDGES[row.get("how", "same")](before, after, update.after) or (before is None and row.get("once")):
        return
    changes = list(_changes(before, after, path))
    where, was, now = changes[0] if changes else (path, before, after)
    if not isinstance(was, (dict, list)) and not isinstance(now, (dict, list)):
        # As it was written: `100Gi`, not its bytes.
        was, now = (
            value if (raw := value_at(data, where)) is None else raw
            for data, value in ((update.old.data, was), (update.new.data, now))
        )
    # What may be a password is not shown.
    is_secret = (update.new.kind == "Secret" and path[0] == "data") or "env" in where
    how = "" if is_secret else _from_to(was, now)
    if where == path or path == ("spec",):
        message = f"'{path_text(where)}' cannot change{how}"
    else:
        message = f"'{path_text(path)}' cannot change, and '{path_text(where[len(path) :])}' does{how}"
    if len(changes) > 1:
        message += f"; so do {len(changes) - 1} more" if len(changes) > 2 else "; so does 1 more"
    update.report(findings, "DG670", where, message, hint)


def _counts(row: Row, update: Update, version: tuple[int, ...]) -> bool:
    since, until = (tuple(map(int, row[key].split("."))) if key in row else None for key in ("since", "until"))
    if (since and version < since) or (until and version >= until):
        return False
    if row.get("given") and value_at(update.new.data, _path(row["at"])) in (None, "", []):
        return False
    before, after, unless = update.before, update.after, row.get("unless", {})
    return (
        all(_is(before, path, word) for path, word in row.get("when", {}).items())
        and all(_is(after, path, word) for path, word in row.get("after", {}).items())
        and not any(_is(data, path, word) for path, word in unless.items() for data in (before, after))
    )


def _is(data: Row, path: str, word: Any) -> bool:
    value = value_at(data, _path(path))
    return value is not None if word == "*" else bool(value == word)


def _path(at: str | list[str]) -> KeyPath:
    return tuple(at.split(".") if isinstance(at, str) else at)


def _without(value: Any, parts: Sequence[str]) -> Any:
    """A value without these parts: `a.b`, `a[].b` of every item."""
    if not parts or value is None:
        return value
    copied = copy.deepcopy(value)
    for part in parts:
        _remove(copied, part.replace("[]", ".[]").strip(".").split("."))
    return copied


def _remove(value: Any, steps: list[str]) -> None:
    step, *rest = steps
    if step == "[]":
        for item in value if isinstance(value, list) else ():
            _remove(item, rest)
    elif isinstance(value, dict) and step in value:
        if rest:
            _remove(value[step], rest)
        if not rest or value[step] == {}:
            del value[step]


def _changes(before: Any, after: Any, path: KeyPath) -> Iterator[Change]:
    """Where two values differ, as deep as they have the same form."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**after, **before}:
            yield from _changes(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _changes(one, other, (*path, index))
    elif before != after:
        yield path, before, after


def _from_to(before: Any, after: Any) -> str:
    if isinstance(before, (dict, list)) or isinstance(after, (dict, list)):
        return ""
    was, now = ("nothing" if each is None else f"'{shortened(str(each), _SHOWN)}'" for each in (before, after))
    return f" from {was} to {now}"
