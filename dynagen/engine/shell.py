"""The text of a shell script in, the simple commands in it out: words without their quotes.

Source: 2.2 (quoting), 2.3 (tokens), 2.7 (redirection) and 2.9 (commands) of the shell command language of POSIX.
"""

from __future__ import annotations

from collections.abc import Iterator

from dynagen.diagnostics import KeyPath
from dynagen.engine.words import Word

_BLANKS, _ENDS = " \t\r", "\n;&|()"
_ESCAPED = '$`"\\'
# What stands between commands as a word of its own.
_RESERVED = frozenset(("then", "do", "else", "elif", "if", "while", "until", "!", "{", "}", "time", "fi", "done"))


class Unclear(Exception):
    """The script cannot be taken apart with certainty."""


class Script:
    """The simple `commands` of a script, in their order; none of one that cannot be taken apart with certainty.

    `joined`: a word that begins with a blank, because a backslash stands before that and not at the end of its line.
    """

    __slots__ = ("commands", "joined")

    def __init__(self, text: str, path: KeyPath) -> None:
        reader = _Reader(_without_documents(text) if "<<" in text else text, path)
        try:
            self.commands = [command for command in reader.commands() if command]
        except (Unclear, RecursionError):
            self.commands = []
        self.joined = reader.joined if self.commands else ""


def _without_documents(script: str) -> str:
    """A script without its here-documents."""
    lines, found = iter(script.split("\n")), []
    for line in lines:
        before, sign, after = line.partition("<<")
        if sign and not after.startswith("<"):
            words = after.lstrip("-").split()
            end = words[0].strip("'\"\\;") if words else ""
            line = before + " " + " ".join(words[1:])
            if not end or not any(each.strip("\t ") == end for each in lines):
                return before  # the document has no end: what follows belongs to it
        found.append(line)
    return "\n".join(found)


class _Reader:
    def __init__(self, text: str, path: KeyPath) -> None:
        self.text, self.path, self.at, self.end = text, path, 0, len(text)
        self.arrays: dict[str, list[Word]] = {}  # of bash
        self.joined = ""

    def commands(self) -> Iterator[list[Word]]:
        words: list[Word] = []
        while self.at < self.end:
            char = self.text[self.at]
            if char in _BLANKS or self.text.startswith("\\\n", self.at):
                self.at += 1 if char in _BLANKS else 2
            elif char == "#":
                self.at = self._find("\n", self.end)
            elif char in "<>" or self.text.startswith(("&>", ">&"), self.at):
                self._redirection(words)
            elif char in _ENDS:
                yield words
                words = []
                self.at += 1
            else:
                word = self._word()
                if word.text.endswith("=") and self.text.startswith("(", self.at):
                    self._array(word.text.removesuffix("="))
                elif words or word.text not in _RESERVED:
                    words.extend(self._elements(word))
        yield words

    def _array(self, name: str) -> None:
        """`name=(word...)`, `name+=(word...)`: what it can hold is what is put in anywhere."""
        self.at += 1
        found = self.arrays.setdefault(name.removesuffix("+"), [])
        while self.at < self.end and (char := self.text[self.at]) != ")":
            if char in _BLANKS or char == "\n" or self.text.startswith("\\\n", self.at):
                self.at += 2 if char == "\\" else 1
            elif char == "#":
                self.at = self._find("\n", self.end)
            elif char in _ENDS or char in "<>":
                raise Unclear
            else:
                found.append(self._word())
        self.at += 1

    def _elements(self, word: Word) -> list[Word]:
        """The words of `"${name[@]}"`, and any other word itself."""
        name, sign, rest = word.text.removeprefix("${").partition("[@]")
        if not sign or not word.text.startswith("${") or not rest.endswith("}"):
            return [word]
        return self.arrays.get(name) or [Word(word.text, self.path, known=False, open=True)]

    def _find(self, what: str, otherwise: int | None = None) -> int:
        found = self.text.find(what, self.at)
        if found >= 0:
            return found
        if otherwise is None:
            raise Unclear
        return otherwise

    def _redirection(self, words: list[Word]) -> None:
        """Skips `2> file`; the digit is no word of the command."""
        if words and words[-1].text.isdigit() and self.text[self.at - 1].isdigit():
            words.pop()
        while self.at < self.end and self.text[self.at] in "<>&":
            self.at += 1
        while self.at < self.end and self.text[self.at] in _BLANKS:
            self.at += 1
        if self.at < self.end and self.text[self.at] == "(":  # <(command)
            self._nested()
        elif self.at < self.end and self.text[self.at] not in _ENDS:
            self._word()

    def _word(self) -> Word:
        parts: list[str] = []
        known, open, quoted = True, False, False
        joins = self.text.startswith("\\ ", self.at)
        while self.at < self.end and (char := self.text[self.at]) not in _BLANKS and char not in "\n;&|()<>":
            if char == "'":
                self.at += 1
                end = self._find("'")
                parts.append(self.text[self.at : end])
                self.at, quoted = end + 1, True
            elif char == '"':
                text, sure = self._double()
                parts.append(text)
                known, quoted = known and sure, True
            elif char == "\\":
                if self.at + 1 >= self.end:
                    raise Unclear
                parts.append("" if self.text[self.at + 1] == "\n" else self.text[self.at + 1])
                self.at += 2
            elif char in "$`":
                parts.append(self._expansion())
                known, open = False, True
            else:
                parts.append(char)
                self.at += 1
        text = "".join(parts)
        if joins and (not text.strip() or text.strip().startswith(("-", "python"))):
            self.joined = text
        return Word(text, self.path, known, text == "$@" or (open and not quoted and text[:1] == "$"))

    def _double(self) -> tuple[str, bool]:
        """What stands in double quotes, and whether all of it is known."""
        parts: list[str] = []
        known = True
        self.at += 1
        while True:
            if self.at >= self.end:
                raise Unclear
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return "".join(parts), known
            if char == "\\" and self.at + 1 < self.end:
                following = self.text[self.at + 1]
                parts.append("" if following == "\n" else following if following in _ESCAPED else char + following)
                self.at += 2
            elif char in "$`":
                sign = self._expansion()
                parts.append(sign)
                known = known and sign == "$"
            else:
                parts.append(char)
                self.at += 1

    def _expansion(self) -> str:
        """Skips `$x`, `${x}`, `$(...)` or a command in backquotes; its text. `$` alone means itself."""
        start = self.at
        if self.text[start] == "`":
            self.at += 1
            self.at = self._find("`") + 1
            return "$()"
        self.at += 1
        following = self.text[self.at : self.at + 1]
        if following == "(":
            self._nested()
        elif following == "{":
            self._nested("{", "}")
        else:
            while self.at < self.end and (self.text[self.at].isalnum() or self.text[self.at] == "_"):
                self.at += 1
            if self.at == start + 1 and following and following in "@*#?$!-":
                self.at += 1
        return self.text[start : self.at]

    def _nested(self, opening: str = "(", closing: str = ")") -> None:
        """Skips to the closing one, over what is quoted."""
        depth = 0
        while self.at < self.end:
            char = self.text[self.at]
            if char == "\\":
                self.at += 1
            elif char == "'" and opening == "(":
                self.at += 1
                self.at = self._find("'")
            elif char == '"':
                self._double()
                continue
            elif char == opening:
                depth += 1
            elif char == closing:
                depth -= 1
            self.at += 1
            if not depth:
                return
        raise Unclear
