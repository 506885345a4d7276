"""What every stage speaks: where a value was written, what is wrong with it, and the list of all that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from dynagen.diagnostics.masks import masked

KeyPath = tuple[str | int, ...]

# What positions name beside files.
STANDARD_INPUT = "(standard input)"


class Position(NamedTuple):
    """A place in a text. `line` and `column` count from 1; `width` is what a caret underlines, 0 if unknown."""

    file: str
    line: int = 1
    column: int = 1
    width: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Condition(NamedTuple):
    """A `when` or a `forEach`: the scalar as written, where, and the paths of the plan that it read."""

    expression: str
    at: Position
    reads: tuple[KeyPath, ...] = ()


class Given(NamedTuple):
    """Why a file of a layer counts, and for which item of its `forEach`: `variable` stands for item `number` of it.

    `item` is what the item is found again by in another list. Without a number, any item is meant that is not in the list.
    """

    when: Condition | None = None
    loop: Condition | None = None
    variable: str = ""
    item: Hashable = None
    number: int | None = None


class Origin(NamedTuple):
    """Where a leaf of a manifest came from.

    `written` is the place in a layer or a profile, `expression` the scalar with its `${}` as written (empty for a
    literal), `reads` the paths of the plan that it read, `given` what the whole file depends on.
    """

    written: Position
    expression: str = ""
    reads: tuple[KeyPath, ...] = ()
    given: Given | None = None


# Where a finding points: a position, and others that matter, each with a few words.
Pointed = tuple[Position, tuple[tuple[str, Position], ...]]

# Of those that one missing object is missed at.
_PLACES = 4
# Findings of each severity, and findings with one cause: nobody reads more, and small inputs could make millions of them.
MOST_FINDINGS = 300
_MOST_OF_A_CAUSE = 5_000
# Characters of a message or a hint.
_LONGEST = 1_500


class Diagnostic(NamedTuple):
    """One mistake in the input. The first digit of `code` is its stage: 1 reading, 2 schema, 3 layers, 4, 6 and 7 rules, 5 output.

    `related` names further places that matter, each with a few words. `cause` says what is to be put right: findings
    of one file with the same cause are said once. `silenced` is the reason for which a comment silences it.
    """

    code: str
    message: str
    at: Position
    hint: str = ""
    related: tuple[tuple[str, Position], ...] = ()
    severity: str = "error"
    cause: str = ""
    silenced: str | None = None

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        return (self.at.file, self.at.line, self.at.column, self.code, self.message)


class Finding:
    """One mistake inside one value, at a path of it, before anybody knows whose value that is and where it was written.

    What a rule yields. Unpacked it is what `report` of a pod template, a component or a graph takes after the code.
    """

    __slots__ = ("hint", "message", "path", "severity")

    def __init__(self, path: KeyPath, message: str, hint: str = "", severity: str = "error") -> None:
        self.path, self.message, self.hint, self.severity = path, message, hint, severity

    def __iter__(self) -> Iterator[Any]:
        return iter((self.path, self.message, self.hint, self.severity))


class Silence(NamedTuple):
    """`# dynagen: allow DG415: two are enough here`, at the line that it speaks of. `at` is where the comment stands."""

    code: str
    reason: str
    at: Position


class Report:
    """All diagnostics of one compilation. Stages add to it; nobody takes anything out.

    Rules (stage 4) can be silenced at the line where they arise. With `strict` a warning counts as an error in the end;
    on the way it stops no stage, so that what comes later is found as well.
    """

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict
        self._found: dict[Diagnostic, None] = {}
        self._counts: dict[str, int] = {}
        self._causes: dict[tuple[str, ...], int] = {}
        self._more: dict[
            str, tuple[int, Position]
        ] = {}  # of a severity: how many are not kept, and where the first one is
        self._silenced: dict[Diagnostic, Silence] = {}
        self._silences: dict[tuple[str, int], list[Silence]] = {}
        self._accepted: dict[tuple[str, str], list[tuple[Collection[str], Silence]]] = {}
        self._overridden: set[str] = set()

    def add(
        self,
        code: str,
        message: str,
        at: Position,
        hint: str = "",
        related: Sequence[tuple[str, Position]] = (),
        severity: str = "error",
        cause: str = "",
    ) -> None:
        at, others = _shown_place(at), tuple((_said(words), _shown_place(place)) for words, place in related)
        diagnostic = Diagnostic(code, _said(message), at, _said(hint), others, severity, cause)
        accepted = (each for files, each in self._accepted.get((code, diagnostic.message), ()) if at.file in files)
        for silence in (*self._silences.get((at.file, at.line), ()), *accepted):
            if silence.code == code:
                if len(self._silenced) < _MOST_OF_A_CAUSE:
                    self._silenced.setdefault(diagnostic, silence)
                return
        self._keep(diagnostic)

    def _keep(self, diagnostic: Diagnostic) -> None:
        severity, cause = diagnostic.severity, _cause(diagnostic)
        if diagnostic in self._found:
            return
        if cause and cause in self._causes and self._causes[cause] < _MOST_OF_A_CAUSE:
            self._causes[cause] += 1
        elif self.is_full(severity):
            number, first = self._more.get(severity, (0, diagnostic.at))
            self._more[severity] = number + 1, first
            return
        else:
            self._counts[severity] = self._counts.get(severity, 0) + 1
            if cause:
                self._causes[cause] = 1
        self._found[diagnostic] = None

    def is_full(self, severity: str) -> bool:
        """Whether further findings are counted only: what they would say need not be found out."""
        return self._counts.get(severity, 0) >= MOST_FINDINGS

    def silence(self, line: int, silence: Silence) -> None:
        """What arises at this line of the comment's file, with the comment's code, is kept apart from now on."""
        self._silences.setdefault((silence.at.file, line), []).append(silence)

    def accept(self, files: Collection[str], message: str, silence: Silence) -> None:
        """One finding, with these words in any line of the files, is kept apart from now on."""
        self._accepted.setdefault((silence.code, message), []).append((files, silence))

    def override(self, files: Iterable[str]) -> None:
        """Something else has the last word over these files: a comment that silences nothing there is no mistake of theirs."""
        self._overridden.update(files)

    def take(self, other: Report) -> None:
        """Adds what another report holds, its silences included."""
        for diagnostic in other._found:
            self._keep(diagnostic)
        for severity, (number, first) in other._more.items():
            mine, earlier = self._more.get(severity, (0, first))
            self._more[severity] = mine + number, earlier
        self._silenced |= other._silenced
        for place, silences in other._silences.items():
            self._silences.setdefault(place, []).extend(silences)

    @property
    def failed(self) -> bool:
        """Whether there is an error: a stage that needs what is wrong does not go on."""
        return any(diagnostic.severity == "error" for diagnostic in self._found)

    @property
    def refused(self) -> bool:
        """Whether the input is refused in the end: for an error, or with `strict` for a warning."""
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Sorted by file, line, column and code; each said once, and so is each cause in a file."""
        groups: dict[tuple[str, ...], list[Diagnostic]] = {}
        found = map(self._counted, (*self._found, *self._not_kept()))
        for each in sorted(found, key=lambda diagnostic: diagnostic.sort_key):
            groups.setdefault(_cause(each) or (str(len(groups)),), []).append(each)
        return [_as_one(group) for group in groups.values()]

    def _not_kept(self) -> Iterator[Diagnostic]:
        for severity, (number, first) in self._more.items():
            message = f"and {number} more {severity}{'s' if number > 1 else ''} from here on, which are not shown"
            yield Diagnostic("DG621", message, first, f"the first {MOST_FINDINGS} are shown", severity=severity)

    def _counted(self, diagnostic: Diagnostic) -> Diagnostic:
        is_raised = self._strict and diagnostic.severity == "warning"
        return diagnostic._replace(severity="error") if is_raised else diagnostic

    @property
    def silenced(self) -> list[Diagnostic]:
        """What was silenced, with the reason, in the same order."""
        found = sorted(self._silenced, key=lambda diagnostic: diagnostic.sort_key)
        return [self._counted(each)._replace(silenced=self._silenced[each].reason) for each in found]

    @property
    def idle_silences(self) -> list[Silence]:
        """Comments that silenced nothing."""
        used = set(self._silenced.values())
        found = (silence for silences in self._silences.values() for silence in silences if silence not in used)
        return [silence for silence in found if silence.at.file not in self._overridden]


def _said(text: str) -> str:
    """What a finding says as it is shown: without tokens, and no longer than anybody reads."""
    return shortened(masked(text[: 4 * _LONGEST]), _LONGEST)


def _shown_place(at: Position) -> Position:
    """A setting may hold a token; the name of a file stays, to be found by it."""
    return at._replace(file=_said(at.file)) if at.file.startswith("--") else at


def _cause(diagnostic: Diagnostic) -> tuple[str, ...]:
    """What findings that are said once have in common; () for one that stands alone."""
    at, cause = diagnostic.at, diagnostic.cause
    return (diagnostic.code, diagnostic.severity, at.file, cause) if cause else ()


def _as_one(group: Sequence[Diagnostic]) -> Diagnostic:
    """The first of several with one cause, with the places of the others."""
    first = group[0]
    places = [at for at in dict.fromkeys(each.at for each in group) if at != first.at]
    if not places:
        return first
    words = ["also here"] * min(len(places), _PLACES)
    if len(places) > _PLACES:
        words[-1] = f"also here, and at {len(places) - _PLACES} more places"
    return first._replace(related=(*first.related, *zip(words, places, strict=False)))


def path_text(path: KeyPath) -> str:
    """`('spec', 'components', 0, 'name')` as people write it: `spec.components[0].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif text and part.replace("-", "").replace("_", "").isalnum():
            text += f".{part}"
        else:
            text += part if not text else f"[{part!r}]"
    return text or "(top)"


def shortened(text: str, most: int) -> str:
    """A text for a message, with dots where it is too long."""
    return text if len(text) <= most else text[: most - 3] + "..."


def misspelt(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` surely is a misspelling of: nearly all letters are the same, and none is a word of its own."""
    import difflib

    folded = {each.lower(): each for each in known if abs(len(each) - len(word)) < 3}
    if len(word) > _LONGEST_WORD or len(folded) > _MOST_WORDS:
        return None
    turned = [each for each in folded if sorted(each) == sorted(word.lower())]
    found = turned or difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.8)
    return folded[found[0]] if found else None


_LONGEST_WORD, _MOST_WORDS = 100, 2_000


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is most likely a misspelling of, or None."""
    import difflib

    known = list(known)
    if len(word) > _LONGEST_WORD or len(known) > _MOST_WORDS:  # nobody's slip, and it would take long
        return None
    folded = {
        candidate.lower(): candidate for candidate in sorted(known, reverse=True) if len(candidate) <= _LONGEST_WORD
    }
    longer = [candidate for lower, candidate in folded.items() if len(word) > 2 and lower.startswith(word.lower())]
    if longer:
        return min(longer, key=len)
    found = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None
