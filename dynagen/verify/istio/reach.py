"""Routes of a VirtualService that no request reaches, and matches that are there twice.

Source: analyzeUnreachableHTTPRules and its neighbours in pkg/config/validation/validation.go of istio/istio.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.common import items


class Unreached:
    """`whole` routes are dead (IST0130); single matches only do nothing (IST0131)."""

    __slots__ = ("hint", "message", "path", "whole")

    def __init__(self, path: KeyPath, message: str, hint: str, whole: bool) -> None:
        self.path, self.message, self.hint, self.whole = path, message, hint, whole


# A route, the prefix of one of its matches, and that match.
_Prefix = tuple[str, str, dict[str, Any]]


def unreached(spec: dict[str, Any]) -> Iterator[Unreached]:
    for kind in ("http", "tcp", "tls"):
        yield from _of_routes(spec, kind)
    yield from _covered(spec)


def _of_routes(spec: dict[str, Any], kind: str) -> Iterator[Unreached]:
    seen: dict[str, str] = {}
    catch_all = ""
    for path, route in items(spec, kind, ("spec",)):
        shown, matches = _shown(route, path), route.get("match") or ()
        if catch_all:
            if not matches:
                yield Unreached(
                    path,
                    f"route {shown} is never used: {catch_all} before it has no match either",
                    "keep one of them",
                    True,
                )
            else:
                yield Unreached(
                    path,
                    f"route {shown} is never used: {catch_all} before it matches everything",
                    "put that one last",
                    True,
                )
        if not matches:
            catch_all = shown
        if catch_all:
            continue
        repeated = []
        for at, match in items(route, "match", path):
            key = json.dumps(_plain(match), sort_keys=True)
            if key in seen:
                repeated.append((at, seen[key]))
            seen.setdefault(key, shown)
        if len(repeated) == len(matches):
            yield Unreached(path, f"route {shown} is never used: {repeated[0][1]} matches the same", "drop it", True)
            continue
        for at, other in repeated:
            yield Unreached(at, f"this match does nothing: {other} has the same", "drop it", False)


def _shown(route: dict[str, Any], path: KeyPath) -> str:
    return f"'{route['name']}'" if route.get("name") else f"number {int(path[-1]) + 1}"


def _plain(match: dict[str, Any]) -> dict[str, Any]:
    """Without its name, and without what is as if it were not written."""
    return {key: value for key, value in match.items() if key != "name" and (value or value == {})}


def _covered(spec: dict[str, Any]) -> Iterator[Unreached]:
    """Prefixes that an earlier route takes with a shorter one."""
    earlier: list[_Prefix] = []
    for path, route in items(spec, "http", ("spec",)):
        for at, match in items(route, "match", path):
            prefix = (match.get("uri") or {}).get("prefix")
            if not prefix:
                continue
            for other, taken, wider in earlier:
                if taken != prefix and prefix.startswith(taken) and covers(wider, match):
                    message = f"prefix '{prefix}' does nothing: {other} takes '{taken}' before"
                    yield Unreached((*at, "uri"), message, "put the longer prefix first", False)
                    break
            earlier.append((_shown(route, path), prefix, match))


def covers(earlier: dict[str, Any], later: dict[str, Any]) -> bool:
    """Whether every request of the later match is one of the earlier, their prefixes apart."""
    for key, wanted in earlier.items():
        if key in ("uri", "name", "statPrefix") or not wanted:
            continue
        given = later.get(key)
        if key in ("headers", "queryParams"):
            if any(not _within((given or {}).get(name), value) for name, value in wanted.items()):
                return False
        elif key in ("method", "authority", "scheme"):
            if not _within(given, wanted):
                return False
        elif given != wanted:
            return False
    return True


def _within(inner: dict[str, Any] | None, outer: dict[str, Any]) -> bool:
    if inner is None or inner == outer:
        return inner == outer
    text = inner.get("exact") or inner.get("prefix") or ""
    return bool(text) and "prefix" in outer and text.startswith(outer["prefix"])
