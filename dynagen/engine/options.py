"""What the argument parsers of a program know: facts/flags in, one option of one version out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.profile.facts import LookUp

# By program: the file of facts, and its sections in the order in which their parsers are asked.
_SECTIONS = {
    "dynamo.vllm": ("vllm", ("dynamo", "engine")),
    "dynamo.sglang": ("sglang", ("dynamo", "engine")),
    "dynamo.trtllm": ("trtllm", ("dynamo",)),
    "dynamo.frontend": ("frontend", ("dynamo",)),
    "dynamo.mocker": ("mocker", ("dynamo",)),
    "vllm.serve": ("vllm", ("engine", "serve")),
    "sglang.launch_server": ("sglang", ("engine",)),
}
NAMES = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "trtllm": "TensorRT-LLM",
    "frontend": "the frontend",
    "mocker": "the mocker",
}


def order(version: str) -> tuple[int, ...]:
    """`0.5.6.post2` as (0, 5, 6, 2)."""
    return tuple(int(digits) for part in version.split(".") if (digits := "".join(filter(str.isdigit, part))))


class Option:
    """An option in the version that is meant, or in any if none is.

    `kind` and `words` are empty when what it takes is not known, `is_open` when plugins bring more words; `since` and `until`
    are set when the version lacks it.
    """

    __slots__ = ("is_open", "kind", "name", "since", "until", "words")

    def __init__(
        self, name: str, kind: str, words: Sequence[str] = (), since: str = "", until: str = "", is_open: bool = False
    ) -> None:
        self.name, self.kind, self.words, self.is_open = name, kind, words, is_open
        self.since, self.until = since, until

    @property
    def is_here(self) -> bool:
        return not self.since and not self.until


class Section:
    """The options of one parser. `version` is the one that is meant, empty for any."""

    __slots__ = ("flags", "is_taken", "name", "version")

    def __init__(self, name: str, data: Mapping[str, Any], version: str) -> None:
        self.name, self.version = name, version
        self.flags: Mapping[str, Any] = data.get("flags", {})
        # Whether the parser of this very version was asked; another counts as the one before it.
        self.is_taken = version in data.get("versions", ())

    def option(self, name: str) -> Option | None:
        """None for one that no version has."""
        entry = self.flags.get(name)
        if entry is None:
            return None
        limits = entry if isinstance(entry, Mapping) else {"kind": entry}
        spans = [_span(text) for text in str(limits.get("kind", "text")).split("|")]
        here = [span for span in spans if self._within(span)]
        if not here:
            return self._missing(name, spans)
        kinds = {kind for kind, _, _ in here}
        words = [word for word, *ends in map(_span, limits.get("words", ())) if self._within((word, *ends))]
        limited = _span(f"x {limits['limited']}") if "limited" in limits else None
        # Without a version, what some version takes as any text is not held against the words of others.
        if limited is not None and (not self.version or not self._within(limited)):
            words = []
        return Option(name, kinds.pop() if len(kinds) == 1 else "", words, is_open=bool(limits.get("open")))

    def beginning_with(self, name: str) -> list[str]:
        return [flag for flag in self.flags if flag.startswith(name) and (found := self.option(flag)) and found.is_here]

    def since(self, name: str, word: str) -> str:
        """The version that brings a word of an option; empty for one that this version has, or none."""
        entry = self.flags.get(name)
        words = entry.get("words", ()) if isinstance(entry, Mapping) else ()
        found = [since for each, since, _ in map(_span, words) if each == word and since]
        return next((since for since in found if self.version and order(since) > order(self.version)), "")

    def known(self) -> Iterator[str]:
        """The options of the version that is meant."""
        return (flag for flag in self.flags if (found := self.option(flag)) and found.is_here)

    def _within(self, span: Sequence[str]) -> bool:
        if not self.version:
            return True
        _, since, until = span
        own = order(self.version)
        return (not since or own >= order(since)) and (not until or own < order(until))

    def _missing(self, name: str, spans: Sequence[Sequence[str]]) -> Option:
        own = order(self.version)
        later = [since for _, since, _ in spans if since and own < order(since)]
        earlier = [until for _, _, until in spans if until and own >= order(until)]
        return (
            Option(name, "", since=min(later, key=order)) if later else Option(name, "", until=max(earlier, key=order))
        )


def _span(text: str) -> tuple[str, str, str]:
    """`int since 0.20.1 until 0.31.0` as its three parts."""
    text, _, until = text.strip().partition(" until ")
    word, _, since = text.partition(" since ")
    return (word, since, until) if not word.startswith("since ") else ("", word[6:], until)


class Parser:
    """The parsers of one program. `version` is that of Dynamo, `engine` that of the engine in it; empty for any."""

    __slots__ = ("engine", "look_up", "name", "program", "sections", "version")

    def __init__(self, program: str, look_up: LookUp, version: str, engine: str) -> None:
        self.program, self.look_up, self.version, self.engine = program, look_up, version, engine
        self.name, sections = _SECTIONS[program]
        data = look_up("flags", self.name)
        self.sections = [
            Section(each, data.get(each, {}), version if each == "dynamo" else engine) for each in sections
        ]

    @property
    def title(self) -> str:
        return NAMES[self.name]

    def others(self) -> Iterator[tuple[str, Parser]]:
        """Other engines, with what they know in any version."""
        for program in ("dynamo.vllm", "dynamo.sglang", "dynamo.trtllm"):
            if _SECTIONS[program][0] != self.name:
                other = Parser(program, self.look_up, "", "")
                yield other.title, other


def is_known(program: str) -> bool:
    return program in _SECTIONS
