r"""A regular expression as Kubernetes reads it in, something that searches texts for it out. The door to Google's RE2.

Go's own engine reads the same language (https://github.com/google/re2/wiki/Syntax), and both take time in proportion to
the text, whatever the expression: one in a user's schema cannot bring a build to a stop.
"""

from __future__ import annotations

from typing import Any

_MEMORY = 16 * 1024 * 1024  # of one expression; reached after a fraction of a second
LITTLE_MEMORY = 1024 * 1024  # enough for all that is published, and reached in no time


class Pattern:
    """Whether a text holds a match, which is all that a schema asks.

    RE2's set, here of one, answers just that; its other search takes nine times as long to say where the match is.
    """

    __slots__ = ("_set",)

    def __init__(self, compiled_set: Any) -> None:
        self._set = compiled_set

    def search(self, text: str) -> bool:
        # Half a character, which JSON can hold, is no character to RE2 either.
        return bool(self._set.Match(text.encode("utf-8", "surrogatepass")))


def compiled(pattern: str, memory: int = _MEMORY) -> Pattern:
    """Raises ValueError for what is no regular expression to RE2, or needs more memory."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    found = re2.Set.SearchSet(options)
    try:
        found.Add(pattern)
        found.Compile()
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(_reason(pattern, options)) from error
    return Pattern(found)


def _reason(pattern: str, options: Any) -> str:
    """What is wrong, which a set does not say."""
    import re2

    try:
        re2.compile(pattern, options)
    except re2.error as error:
        return bytes(error.args[0]).decode("utf-8", "replace")
    except UnicodeEncodeError:
        return "half a character"
    return "too large"
