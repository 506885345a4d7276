"""YAML text in, its documents out, and exactly what is wrong with it.

Refuses what readers of YAML 1.1 and 1.2 understand differently, duplicate keys, tags, and texts that would not end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from dynagen.diagnostics import Position, Report, shortened
from dynagen.text.document import Document
from dynagen.text.kubectl_yaml import TooMuch, refused_line, with_merges, without_tabs
from dynagen.text.scalars import Ambiguous, parse_for_kubernetes, parse_plain
from dynagen.text.silences import read_silences

# After aliases are written out. Stops "billion laughs" early and keeps memory bounded.
MAX_VALUES = 50_000
MAX_DEPTH = 50
# That aliases write out. Values that stand there once and are merely repeated would fill the memory when they are printed.
MAX_REPEATED = 1024 * 1024

_SECRET_KEYS = frozenset({"data", "stringData"})


def parse_exactly(text: str, file: str, report: Report, for_kubernetes: bool) -> list[Document]:
    """As `source.parse`, whatever the text."""
    if for_kubernetes and (refused := refused_line(text)):
        line, what = refused
        report.add("DG104", f"{what}, which kubectl does not read", Position(file, line, 1), "write it without")
        return []
    reader = _Reader(file, text, report, for_kubernetes)
    found = _read(reader, text, file, report)
    read_silences(text, file, report, reader.scalars)
    return found


class _Yaml(YAML):
    """ruamel.yaml without its search for plug-ins, which takes a tenth of the time of a small text."""

    def official_plug_ins(self) -> list[Any]:
        return []


def _read(reader: _Reader, text: str, file: str, report: Report) -> list[Document]:
    try:
        for event in _events(reader, text):
            reader.take(event)
    except _Stop:
        return []
    except MarkedYAMLError as error:
        if reader.for_kubernetes and "\t" in text and (spaced := without_tabs(text)) != text:
            reader.start_anew()
            return _read(reader, spaced, file, report)
        from dynagen.text.yaml_mistakes import explain

        mark, message, hint = explain(text, error)
        at = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
        if mark and text[mark.index : mark.index + 1] == "\t":
            report.add("DG105", "a tab where YAML wants spaces", at, hint="indent with spaces")
        else:
            report.add("DG104", f"not YAML: {message}", at, hint)
        return []
    except YAMLError as error:  # ReaderError: a character that YAML forbids
        index = getattr(error, "position", 0)
        index = index if isinstance(index, int) else 0
        line = text.count("\n", 0, index) + 1
        column = index - (text.rfind("\n", 0, index) + 1) + 1
        report.add("DG104", "not YAML: a control character", Position(file, line, column))
        return []
    except (ValueError, OverflowError) as error:
        # ruamel.yaml 0.19 lets int() and chr() fail on absurd directives and escapes.
        report.add("DG104", f"not YAML: {error}", Position(file))
        return []
    return reader.documents


def _events(reader: _Reader, text: str) -> Iterator[Any]:
    """What ruamel.yaml finds in a text; for Kubernetes with merge keys written out."""
    events = _Yaml(typ="safe", pure=True).parse(text)
    if not (reader.for_kubernetes and "<<" in text):
        yield from events
        return
    try:
        yield from with_merges(events, MAX_VALUES, MAX_DEPTH + 2)
    except TooMuch as error:
        reader.stop(error.args[0])


def _way_out(value: str, shown: str) -> str:
    """What to write instead of a plain scalar that readers understand differently."""
    if value == "<<":
        return "merge keys are read in manifests only, and merge a mapping or a list of mappings: write the keys out"
    if value.lower() in ("y", "yes", "on", "n", "no", "off"):
        meant = "true" if value.lower() in ("y", "yes", "on") else "false"
        return f'quote it if it is a text: "{shown}"; for a boolean write {meant}'
    if re.match(r"0[0-7]{1,17}\Z", value):
        return (
            f'quote it if it is a text: "{shown}"; for a number write {int(value, 8)} (YAML 1.1) or {int(value)} (1.2)'
        )
    return f'quote it: "{shown}"; for a number write plain decimal digits'


def _is_text(event: Any) -> bool:
    """Whether a tag says of a scalar that it is a text."""
    return type(event).__name__ == "ScalarEvent" and str(event.tag) in ("!!str", "tag:yaml.org,2002:str")


def _has_half_characters(text: str) -> bool:
    r"""Whether a text holds surrogates: `"\ud800"` stands for no character, so no file could hold it."""
    if text.isascii():
        return False
    return any("\ud800" <= character <= "\udfff" for character in text)


class _Stop(Exception):
    """Reading on makes no sense; the reason is in the report."""


class _Frame:
    """A mapping or a list under construction."""

    __slots__ = ("container", "key", "seen")

    def __init__(self, container: Any) -> None:
        self.container = container
        self.key: str | None = None
        self.seen: dict[str, Position] = {}


class _Reader:
    def __init__(self, file: str, text: str, report: Report, for_kubernetes: bool) -> None:
        self.file, self.text, self.report = file, text, report
        self.for_kubernetes = for_kubernetes
        self._plain = parse_for_kubernetes if for_kubernetes else parse_plain
        self.documents: list[Document] = []
        self.scalars: list[tuple[int, int]] = []  # those that hold what would be a silence if it were a comment
        self._has_silences = "dynagen:" in text
        self._is_json = text.lstrip().startswith(("{", "["))  # kubectl looks at the first character as well
        self._values = self._repeated = 0
        # A text that is all values, without aliases, has no more than these.
        self._most = max(MAX_VALUES, len(text) // 2)
        self._start()

    def start_anew(self) -> None:
        self.documents.clear()
        self.scalars.clear()
        self._values = 0
        self._start()

    def stop(self, event: Any) -> None:
        """For what is too much to go on."""
        self._error(
            "DG108", "nested too deep, or too many values, aliases written out", event, "is this the right file?"
        )
        raise _Stop

    def _start(self) -> None:
        self._frames: list[_Frame] = []
        self._marks: list[int] = []
        self._data: Any = None
        self._good = True
        self._recordings: dict[str, list[Any]] = {}  # anchor -> its events
        self._open_anchors: list[tuple[str, int]] = []  # anchor, depth of its node

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "DocumentStartEvent":
            self._start()
        elif kind == "DocumentEndEvent":
            if self._good:
                self.documents.append(Document(self.file, self._data, self._marks))
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind not in ("StreamStartEvent", "StreamEndEvent", "CommentEvent"):
            self._node(event, kind)

    def _position(self, event: Any) -> Position:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 0
        return Position(self.file, start.line + 1, start.column + 1, max(width, 0))

    def _error(self, code: str, message: str, event: Any, hint: str = "", related: Any = ()) -> None:
        self._good = False
        if self.report.is_full("error"):  # nobody reads on, and a text of mistakes takes as long as a good one
            raise _Stop
        self.report.add(code, message, self._position(event), hint, related)

    def _alias(self, event: Any) -> None:
        events = self._recordings.get(event.anchor)
        if events is None or any(anchor == event.anchor for anchor, _ in self._open_anchors):
            self._error("DG104", f"not YAML: alias '*{event.anchor}' without an anchor before it", event)
            raise _Stop
        for replayed in events:
            self._node(replayed, type(replayed).__name__, replay=True)

    def _node(self, event: Any, kind: str, replay: bool = False) -> None:
        anchor = getattr(event, "anchor", None)
        for open_anchor, _ in self._open_anchors:
            self._recordings[open_anchor].append(event)
        if anchor and not replay:
            self._recordings[anchor] = [event]
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._frames.pop()
            if self._open_anchors and self._open_anchors[-1][1] == len(self._frames):
                self._open_anchors.pop()
            return

        self._values += 1
        if replay and kind == "ScalarEvent":
            self._repeated += len(event.value)
        if self._values > self._most or len(self._frames) > MAX_DEPTH or self._repeated > MAX_REPEATED:
            what = "too many values, aliases written out"
            if self._repeated > MAX_REPEATED:
                what = f"aliases write out more than {MAX_REPEATED // 1024} KiB"
            self._error(
                "DG108",
                "nested too deep" if len(self._frames) > MAX_DEPTH else what,
                event,
                hint="is this the right file?",
            )
            raise _Stop
        if getattr(event, "tag", None) and not (self.for_kubernetes and _is_text(event)):
            self._error("DG112", f"tag '{event.tag}' is not supported", event, hint="remove the tag; quote strings")
        if kind == "ScalarEvent":
            if self._has_silences and not replay and "dynagen:" in event.value:
                self._note_scalar(event)
            self._scalar(event)
            return
        if anchor and not replay:
            self._open_anchors.append((anchor, len(self._frames)))
        if self._frames and self._is_key():
            is_template = self.text[: event.end_mark.index].endswith("{{") or self.text[
                event.start_mark.index - 1 :
            ].startswith("{{")
            hint = (
                "a template? check what comes out of it: `helm template CHART | dynagen check -`" if is_template else ""
            )
            self._error("DG113", "a key must be a string", event, hint)
            raise _Stop
        container: Any = {} if kind == "MappingStartEvent" else []
        self._place(container, event)
        self._frames.append(_Frame(container))

    def _is_key(self) -> bool:
        frame = self._frames[-1]
        return isinstance(frame.container, dict) and frame.key is None

    def _note_scalar(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if event.style in ("|", ">"):  # what follows the sign itself is a comment
            start = self.text.index("\n", start)
        self.scalars.append((start, end))

    def _is_secret(self) -> bool:
        """Whether the next value is one of a Secret. Its `kind` may be yet to come."""
        objects = [frame.container for frame in self._frames if isinstance(frame.container, dict)]
        inside = [next(reversed(each), "") for each in objects[:-1]]
        kinds = {each.get("kind", "Secret") for each, key in zip(objects, inside, strict=False) if key in _SECRET_KEYS}
        return "Secret" in kinds

    def _scalar(self, event: Any) -> None:
        value: Any = event.value
        if event.style is None and not event.tag:
            try:
                value = self._plain(event.value)
            except Ambiguous:
                shown = shortened(event.value, 40)
                secret = self._is_secret()
                said, hint = ("this value", "quote it") if secret else (f"'{shown}'", _way_out(event.value, shown))
                self._error("DG107", f"{said} is read differently by YAML 1.1 and YAML 1.2", event, hint)
        elif _has_half_characters(value):
            if self._is_json:  # JSON writes other characters than the first 65536 as two halves
                value = value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
            if _has_half_characters(value):
                hint = "write the character itself, or \\U and its eight digits"
                self._error("DG104", "not YAML: an escape for half a character", event, hint)
        elif "\0" in event.value and not self.for_kubernetes:  # CEL would end the text there
            hint = "no variable, argument or file name can hold it, so a container would not start"
            self._error("DG104", "not YAML: an escape for the character NUL", event, hint)
        if not (self._frames and self._is_key()):
            self._place(value, event)
            return
        frame = self._frames[-1]
        at = self._position(event)
        if type(value) is int and self.for_kubernetes:
            value = str(value)  # source: sigs.k8s.io/yaml, yaml.go (convertToJSONableObject)
        if not isinstance(value, str):
            self._error("DG113", f"key '{event.value}' is not a string", event, hint=f'quote it: "{event.value}"')
            value = event.value
        if value in frame.seen:
            first = frame.seen[value]
            self._error(
                "DG106", f"key '{value}' is written twice", event, hint="keep one of them",
                related=(("first here", first),),
            )  # fmt: skip
        frame.seen.setdefault(value, at)
        frame.key = value
        self._marks += at[1:]

    def _place(self, value: Any, event: Any) -> None:
        """Puts a value where it belongs."""
        if not self._frames:
            self._data = value
            self._marks += self._position(event)[1:]
            return
        frame = self._frames[-1]
        if isinstance(frame.container, dict):
            assert frame.key is not None
            frame.container[frame.key] = value
            frame.key = None
        else:
            frame.container.append(value)
            self._marks += self._position(event)[1:]
