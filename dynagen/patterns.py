r"""A regular expression as Kubernetes reads it (Go's RE2) in, a compiled Python one that matches the same texts out.

Where the two differ: `$` and `\z` mean the very end, `\d`, `\w`, `\s` and `\b` are ASCII, `\s` lacks the vertical tab,
flags may stand in the middle, `[[:alpha:]]` and `\Q...\E` exist (https://github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import re
import warnings
from functools import cache

_NAMED = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7F", "blank": r"\t ", "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t-\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_SPACE = r"\t\n\f\r "
_OUTSIDE = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\x\{[0-9A-Fa-f]{1,6}\}|\\.|\[\^?\]?|\(\?P?<[A-Za-z_]\w*>|\(\?[A-Za-z-]*[:)]|\(\?|[*+?}][+]|\{,\d*\}|.",
    re.DOTALL,
)
_INSIDE = re.compile(r"\[:\^?\w+:\]|\\Q.*?(?:\\E|\Z)|\\x\{[0-9A-Fa-f]{1,6}\}|\\.|.", re.DOTALL)
_SAME_IN_BOTH = re.compile(r"(?:[^\\$(\[*+?}]|[*+?}](?![+])|\((?!\?)|\[(?!\[)|\\[.\-/*+?$^()\[\]|d])*\$?")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    r"""Raises ValueError for what is no RE2, and for the little that Python cannot express, such as `\p{L}`."""
    if _SAME_IN_BOTH.fullmatch(pattern) and not any(word in pattern for word in ("[^]", "[]", "{,")):
        text = pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern
    else:
        text = _translated(pattern)
    try:
        with warnings.catch_warnings():
            # Python keeps doubled signs in a class for set operations of its future; today they mean themselves.
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _translated(pattern: str) -> str:
    out: list[str] = []
    # For each open group what was opened inside it, because Python wants flags in the middle as a group of their own.
    opened: list[list[str]] = [[]]
    position, inside = 0, False
    while position < len(pattern):
        match = (_INSIDE if inside else _OUTSIDE).match(pattern, position)
        assert match is not None  # both end with "any character"
        token, position = match.group(), match.end()
        if inside:
            inside = token != "]"
            out.append(_in_class(token))
        elif token.startswith("\\"):
            out.append(_escaped(token))
        elif token.startswith("["):
            inside = True
            out.append(token.replace("]", r"\]"))
        elif token == ")":
            if len(opened) == 1:
                raise ValueError("a group ends that did not begin")
            out.append(")" * (1 + len(opened.pop())))
        elif token.startswith("(?") and token.endswith(")"):
            flags = f"(?{token[2:-1]}:"
            opened[-1].append(flags)
            out.append(flags)
        elif token == "(?":
            raise ValueError("look-around is not in RE2")
        elif token.startswith("("):
            opened.append([])
            out.append(token.replace("(?<", "(?P<"))
        elif token == "|":
            out.append(")" * len(opened[-1]) + "|" + "".join(opened[-1]))
        elif token.startswith("{,"):
            out.append("\\" + token)  # no repetition there
        elif len(token) == 2:
            raise ValueError(f"'{token}' repeats a repetition")
        else:
            out.append(r"\Z" if token == "$" and not _multiline(pattern) else token)
    return "".join(out) + ")" * len(opened[0])


def _multiline(pattern: str) -> bool:
    if re.match(r"\(\?[is]*m[ims]*\)", pattern):
        return True
    if re.search(r"\(\?[a-z]*m", pattern):
        raise ValueError("the flag m is only supported at the start")
    return False


def _escaped(token: str) -> str:
    if token in (r"\s", r"\S"):
        return f"[{_SPACE}]" if token == r"\s" else f"[^{_SPACE}]"
    return r"\Z" if token == r"\z" else _character(token)


def _in_class(token: str) -> str:
    if token.startswith("[:"):
        name = token[2:-2]
        if name not in _NAMED:
            raise ValueError(f"'{token}' is not supported")
        return _NAMED[name]
    if token == r"\s":
        return _SPACE
    if token in (r"\S", r"\b", r"\B", r"\z", r"\A"):
        raise ValueError(f"'{token}' inside a class is not supported")
    return _character(token)


def _character(token: str) -> str:
    if token.startswith(r"\Q"):
        return re.escape(token[2:].removesuffix(r"\E"))
    if token.startswith(r"\x{"):
        return re.escape(chr(int(token[3:-1], 16)))
    if token.startswith("\\") and (token[1:] in tuple("123456789") or token[1:] in tuple("CEGHKNPRUXZhpu")):
        raise ValueError(f"'{token}' is not supported")
    return token
