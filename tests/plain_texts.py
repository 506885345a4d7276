"""Random numbers in, texts of YAML out that are plain, or nearly so; and whether both readers agree about a text."""

from __future__ import annotations

from random import Random
from typing import Any

from dynagen.diagnostics import Report
from dynagen.text.exact_yaml import parse_exactly
from dynagen.text.plain_yaml import read_plain
from dynagen.text.scalars import parse_for_kubernetes
from dynagen.text.silences import read_silences

PLAIN = (
    "a", "b", "a b", "1", "0", "-1", "1.5", "true", "null", "~", "64Gi", "8080:80", "http://x/y?a=b", "--model", "-x", "a-b", "a#b", "a,b",
    "it's", 'a"b', "${a.b}", "${a ? b : c}", "$(x)", "a{b}", "a[0]", "nvidia.com/gpu", "é", "日本", "*", "1e3", "a  b", "a:b:c", "a::b", "<a>", "=a",
)  # fmt: skip
ODD = (
    "", "yes", "on", "0755", "12:30:45", "2024-01-01", "<<", "=", "-", "--", "---", "...", "?", ":", ": a", "a:", "a: b", "a :b", "a : b", "#a", "a #b", " a",
    "?a", ":a", "-:", "- a", "-- a", "---a", "-#", "--1", "*a", "&a b", "!a", "!!str a", "|", ">", ">-", "|2", "%a", "@a", "`a`", "{", "}", "[", "]", "{{a}}", "[a", "a]", ",",
    ",a", "a,", "\\", "'", '"', "''", '""', "'a'b", '"a"b', "'a' ", '"a\\x41"', '"a\\"', "'a", '"a', "-0", "+1", ".5", "0x1", "1_0", ".inf", "# dynagen: allow DG415: a",
    "\t", "a\tb", "\xa0", "\ufeff", "\x85", "\u2028", "\r", "\x00", "\x7f", "\ud800", "\U0001f600", "a\\", "a:#b", "a# b", "a:'b'", "'a': b", "-a: b", "- - a", "a?b", "? a", "\n... a", "\n--- a", "a" * 1100,
)  # fmt: skip
KEYS = (
    "a",
    "b",
    "c",
    "d",
    "name",
    "a b",
    "a-b",
    "'q'",
    '"q"',
    "a.b/c",
    "${a}",
    "-x",
    "http://x",
    "a#b",
    "a?",
    "a,b",
    "é",
    '"a\\nb"',
    "'a: b'",
)
ENDS = ("", "", "", "", "", " ", "  # c", " #", " # a: b", "   # - a")
COMMENTS = ("", " ", "#", "# a", "  # a: b", "      # - a", "#a", "        ")


def plain_text(random: Random) -> str:
    """One to three documents with all that may occur in plain YAML, and with a few oddities."""
    return _Writer(random).text()


class _Writer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.lines: list[str] = []
        self.odd = random.choice([0.0, 0.0, 0.01, 0.03, 0.1])

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def text(self) -> str:
        for number in range(self.random.choice([1, 1, 1, 2, 3])):
            if number or self.chance(0.2):
                self.line(0, self.random.choice(["---", "---", "---", "--- # c", "--- "]) if not self.chance(self.odd) else self.random.choice(["--- a", "---a", "--- a: b", "...", "--- |", "---#", " ---", "--- {}"]))  # fmt: skip
            self.block(0 if not self.chance(self.odd + 0.02) else 2, 0)
        return "\n".join(self.lines) + ("\n" if not self.chance(0.1) else self.random.choice(["", " ", "\n\n", "\n  "]))

    def line(self, indent: int, content: str) -> None:
        if self.chance(0.05):
            self.lines.append(self.random.choice(COMMENTS))
        if self.chance(self.odd):
            indent = max(0, indent + self.random.choice([-2, -1, 1, 2]))
        self.lines.append(" " * indent + content + self.random.choice(ENDS))

    def scalar(self, flow: bool = False) -> str:
        if self.chance(self.odd):
            return self.random.choice(ODD)
        if self.chance(0.25):
            quoted = self.random.choice(
                ["a", "a: b", "a #b", "", "[", "it''s", "- a", " a ", "{{ a }}", "yes", "a\\\\n"]
            )
            if self.chance(0.5):
                return f"'{quoted}'"
            return f'"{quoted}{self.random.choice(["", chr(92) + "n", chr(92) + chr(34), chr(92) * 2, chr(92) + "t"])}"'
        chosen = self.random.choice(PLAIN)
        if flow and any(character in chosen for character in ",[]{}") and not self.chance(self.odd):
            return "x"
        return chosen

    def key(self) -> str:
        return self.scalar() if self.chance(self.odd) else self.random.choice(KEYS)

    def keys(self) -> list[str]:
        many = self.random.choice([1, 1, 2, 2, 3])
        return [self.key() for _ in range(many)] if self.chance(self.odd) else self.random.sample(KEYS, many)

    def colon(self) -> str:
        return self.random.choice(["", ":", " :", " : ", ":  "]) if self.chance(self.odd) else ": "

    def flow(self, depth: int) -> str:
        """On one line, or over several: ruamel.yaml does not care how they are indented."""
        if depth > 2 or self.chance(0.5):
            return self.scalar(flow=True)
        gap = self.random.choice(["", " "]) if self.chance(0.85) else "\n" + " " * self.random.randrange(6)
        comma = self.random.choice([",", ", ", ", ", " , ", f",{gap}", ",  # c\n "]) if self.chance(0.3) else ", "
        last = self.random.choice([",", ", ", ",,"]) if self.chance(self.odd + 0.02) else ""
        if self.chance(0.5):
            items = [self.flow(depth + 1) for _ in range(self.random.randrange(4))]
            return f"[{gap}{comma.join(items)}{last}{gap}]"
        pairs = [key + (self.colon().rstrip(" ") + "\n " if self.chance(0.03) else self.colon()) + self.flow(depth + 1) for key in self.keys()]  # fmt: skip
        return "{" + gap + comma.join(pairs) + last + gap + "}"

    def literal(self, indent: int, lead: str) -> None:
        header = self.random.choice(["|", "|-"])
        if self.chance(self.odd + 0.1):
            header = self.random.choice(["|+", "|2", "|-2", ">", ">-", "| # c", "|a", "||", "|- ", "|  "])
        self.lines.append(" " * indent + lead + header)
        deep = indent + self.random.choice([1, 2, 2, 4]) if not self.chance(self.odd) else self.random.randrange(5)
        for _ in range(self.random.choice([1, 2, 3])):
            if self.chance(0.2):
                self.lines.append(" " * self.random.choice([0, deep - 1, deep, deep + 1, deep + 3]))
            inner = self.random.choice([0, 0, 0, 2])
            self.lines.append(
                " " * (deep + inner) + self.random.choice([*PLAIN, "# a", "a: b", "- a", "{{ a", "a ", "---", "|"])
            )
        if self.chance(0.15):
            self.lines += self.random.choice([["", ""], [" " * deep], [" " * (deep + 2)], [" " * (deep - 1) + "# a"]])

    def value(self, indent: int, lead: str, depth: int, is_key: bool) -> None:
        """What follows `key:` or `-`, which is `lead`, in a block at `indent`."""
        choice = self.random.random()
        gap = self.random.choice([" ", " ", " ", "  "])
        if choice < 0.4:
            self.line(indent, lead + gap + self.scalar())
        elif choice < 0.55:
            self.line(indent, lead + gap + self.flow(0))
        elif choice < 0.62:
            self.literal(indent, lead + gap)
        elif choice < 0.68 or depth > 4:
            self.line(indent, lead)
        else:
            self.line(indent, lead)
            if is_key and self.chance(0.2):
                self.list(indent, depth + 1)
            else:
                self.block(indent + self.random.choice([1, 2, 2, 2, 3, 4]), depth + 1)

    def block(self, indent: int, depth: int) -> None:
        choice = self.random.random()
        if choice < 0.04:
            self.line(indent, self.flow(0))
        elif choice < 0.35:
            self.list(indent, depth)
        else:
            for key in self.keys():
                colon = self.colon()[:1] if self.chance(self.odd) else ":"
                self.value(indent, key + colon, depth, True)

    def list(self, indent: int, depth: int) -> None:
        for _ in range(self.random.choice([1, 1, 2, 3])):
            if depth < 4 and self.chance(0.4):
                self.compact(indent, depth)
            else:
                self.value(indent, "-", depth, False)

    def compact(self, indent: int, depth: int) -> None:
        """A block that begins behind the dash of its entry."""
        first, gap = len(self.lines), self.random.choice([1, 1, 1, 2, 3])
        inner = indent + 1 + gap
        (self.list if self.chance(0.2) else self.block)(inner, depth + 1)
        if len(self.lines) > first and self.lines[first].startswith(" " * inner):
            self.lines[first] = " " * indent + "-" + self.lines[first][indent + 1 :]


CHARACTERS = (*" \n:-#'\"[]{},|>&*!?%@`\\~.0ay\t\r=<", ": ", " #", "- ", "\n  ", "\n- ", "---\n", "\n---", "\n...", "...", "|+", "''", '"', "\\n", "\u2028", "é", "\xa0", "\ufeff")  # fmt: skip


def edited(text: str, random: Random) -> str:
    """A piece of a text with a few characters changed, as a slip of the hand would."""
    lines = text.split("\n")
    first = random.randrange(len(lines)) if random.random() < 0.5 else 0
    text = "\n".join(lines[first : first + random.choice([5, 10, 30])])
    for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
        at = random.randrange(len(text) + 1)
        to = min(len(text), at + random.choice([0, 0, 1, 1, 2, 6]))
        text = text[:at] + random.choice(["", *CHARACTERS, text[at:to] * 2, random.choice(ODD)]) + text[to:]
        if random.random() < 0.2:
            text = _moved(text, random)
    return text + ("\n" if random.random() < 0.7 else "")


def _moved(text: str, random: Random) -> str:
    """With one line further to the left or right, twice there, or gone."""
    lines = text.split("\n")
    at = random.randrange(len(lines))
    line = lines[at]
    lines[at : at + 1] = random.choice(
        [[], [line, line], [" " + line], ["  " + line], [line[1:]], [line[2:]], ["- " + line]]
    )
    return "\n".join(lines)


def agree(text: str) -> bool:
    """Whether the text is plain enough. What is read of it then is what `source` reads, for Kubernetes too."""
    found, for_kubernetes = read_plain(text), read_plain(text, parse_for_kubernetes)
    if found is not None:
        _compare(text, found, False)
    if for_kubernetes is not None and repr(for_kubernetes) != repr(found):
        _compare(text, for_kubernetes, True)
    return found is not None


def _compare(text: str, found: list[tuple[Any, list[int]]], for_kubernetes: bool) -> None:
    report, silences = Report(), Report()
    expected = [(document.data, document.marks) for document in parse_exactly(text, "text", report, for_kubernetes)]
    read_silences(text, "text", silences)  # as `source` does for a plain text
    assert vars(report) == vars(silences), (text, found, [each.message for each in report.diagnostics])
    assert repr(found) == repr(expected), (text, found, expected)  # 1 equals 1.0 and true, but is neither
