"""What kubectl takes of YAML, and readers of YAML 1.2 do not: merge keys, and tabs behind values; and what only it refuses.

source: kubernetes/apimachinery, pkg/util/yaml/decoder.go (YAMLReader); sigs.k8s.io/yaml, goyaml.v2/scannerc.go and decode.go (merge)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

_BLOCK = re.compile(r"(?:^|[:\-?\s])[|>][-+0-9]{0,2}\s*(?:#.*)?$")
_BEHIND = re.compile(r"(?<=\S)[ \t]*\t[ \t]*(?=#|\r?$)|(?<=:)[ \t]*\t[ \t]*|^ [ \t]*(?=#|\r?$)")
_REFUSED = re.compile(r"%\S+|---[ \t]+(?=[^\s#])")


def without_tabs(text: str) -> str:
    """The text with spaces for the tabs that kubectl reads as such: behind values and colons, before comments.

    Every character stays where it is. One that indents is left, and so are those inside of block scalars.
    """
    lines = text.split("\n")
    inside = -1  # the column of the line that a block scalar hangs on
    for number, line in enumerate(lines):
        column = len(line) - len(line.lstrip(" "))
        if inside >= 0 and (column > inside or not line.strip()):
            continue
        inside = column if _BLOCK.search(line) else -1
        if "\t" in line:
            lines[number] = _BEHIND.sub(lambda found: " " * len(found[0]), line)
    return "\n".join(lines)


def refused_line(text: str) -> tuple[int, str] | None:
    """The number of the first line that kubectl stumbles over though it is YAML, and why: it takes streams apart by hand."""
    for number, line in enumerate(text.split("\n")) if "%" in text or "---" in text else ():
        found = _REFUSED.match(line)
        if found:
            what = "a directive" if found[0][0] == "%" else "a value in the line of '---'"
            return number + 1, what
    return None


class TooMuch(Exception):
    """Written out, merge keys make more of a text than anybody wants. Its argument is the event at which that shows."""


class _Open:
    """A mapping or a list whose end is yet to come. `parts` are its items; in a mapping keys and values in turn."""

    __slots__ = ("parts", "start")

    def __init__(self, start: Any) -> None:
        self.start = start
        self.parts: list[list[Any]] = []


def with_merges(events: Iterable[Any], most: int, depth: int) -> Iterator[Any]:
    """The events of a YAML text with what merge keys merge written out.

    Later keys win, as kubectl has it, whether they are merged or written. A merge key with anything but a mapping or a
    list of mappings comes out as it is. Raises TooMuch when more than `most` events are merged, or something is nested
    deeper than `depth`.
    """
    anchors: dict[str, list[Any]] = {}
    frames: list[_Open] = []
    for event in events:
        node, kind = [event], type(event).__name__
        if kind == "DocumentStartEvent":
            anchors.clear()
        elif kind in _STARTS:
            frames.append(_Open(event))
            if len(frames) > depth:
                raise TooMuch(event)
            continue
        elif kind in _ENDS:
            frame = frames.pop()
            parts, merged = _merged(frame.parts, anchors) if kind == "MappingEndEvent" else (frame.parts, 0)
            most -= merged
            if most < 0:
                raise TooMuch(frame.start)
            node = [frame.start, *(each for part in parts for each in part), event]
        if kind != "AliasEvent" and getattr(node[0], "anchor", None):
            anchors[node[0].anchor] = node
        if frames:
            frames[-1].parts.append(node)
        else:
            yield from node


_STARTS, _ENDS = ("MappingStartEvent", "SequenceStartEvent"), ("MappingEndEvent", "SequenceEndEvent")


def _merged(parts: list[list[Any]], anchors: dict[str, list[Any]]) -> tuple[list[list[Any]], int]:
    """The keys and values of a mapping with those that it merges, and how many events came with these."""
    found: list[tuple[str | None, list[Any], list[Any], bool]] = []
    count = 0
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        sources = _sources(value, anchors) if _is_merge(key) else None
        if sources is None:
            name = _name(key)
            found = [each for each in found if each[0] != name or name is None or not each[3]]
            found.append((name, key, value, False))
        for source in sources or ():
            inner = list(_nodes(source[1:-1]))
            names = {_name(each) for each in inner[::2]} - {None}
            found = [each for each in found if each[0] not in names]
            found += [(_name(key), key, value, True) for key, value in zip(inner[::2], inner[1::2], strict=True)]
            count += len(source)
    return [part for _, key, value, _ in found for part in (key, value)], count


def _is_merge(key: list[Any]) -> bool:
    event = key[0]
    return type(event).__name__ == "ScalarEvent" and event.style is None and event.value == "<<" and not event.tag


def _name(key: list[Any]) -> str | None:
    """None for a key that is no scalar."""
    return str(key[0].value) if type(key[0]).__name__ == "ScalarEvent" else None


def _sources(value: list[Any], anchors: dict[str, list[Any]]) -> list[list[Any]] | None:
    """The mappings to merge, those that win last; None for what is none."""
    kind = type(value[0]).__name__
    given = list(_nodes(value[1:-1]))[::-1] if kind == "SequenceStartEvent" else [value]
    found = []
    for node in given:
        if type(node[0]).__name__ == "AliasEvent":
            node = anchors.get(node[0].anchor, node)
        if type(node[0]).__name__ != "MappingStartEvent":
            return None
        found.append(node)
    return found


def _nodes(events: list[Any]) -> Iterator[list[Any]]:
    """Takes apart what stands side by side."""
    first = depth = 0
    for number, event in enumerate(events):
        kind = type(event).__name__
        depth += (kind in _STARTS) - (kind in _ENDS)
        if depth == 0:
            yield events[first : number + 1]
            first = number + 1
