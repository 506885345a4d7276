"""What expressions and loops of one compilation may make in all. Small layers could make more than a memory holds."""

from __future__ import annotations

from typing import Any

from dynagen.language.cel import ExpressionError

# Characters and values that expressions come to, and that are written out once for each time that a file counts. The
# largest example comes to some hundred thousand.
MOST = 8 * 1024 * 1024
# The same on the way to values, as far as it is foreseen (`size_limit`), which is generous.
MOST_ON_THE_WAY = 16 * MOST
# Objects and patches. The largest example has some fifty.
MOST_DOCUMENTS = 2_000


class OverBudget(ExpressionError):
    """The layers make too much in all. Said once: `is_news` for the first one."""

    def __init__(self, message: str, hint: str, is_news: bool) -> None:
        super().__init__("DG622", message, hint)
        self.is_news = is_news


class Budget:
    """What is left of it."""

    __slots__ = ("_characters", "_documents", "_on_the_way", "is_spent")

    def __init__(self) -> None:
        self._characters, self._documents, self._on_the_way = MOST, MOST_DOCUMENTS, MOST_ON_THE_WAY
        self.is_spent = False

    def spend(self, characters: int) -> None:
        """Raises OverBudget."""
        self._characters -= characters
        if self._characters < 0 or self.is_spent:
            self._end(f"expressions and loops make more than {MOST // 1024 // 1024} Mi characters in all")

    def spend_on_the_way(self, characters: int) -> None:
        """Raises OverBudget."""
        self._on_the_way -= characters
        if self._on_the_way < 0:
            self._end(
                f"expressions could make more than {MOST_ON_THE_WAY // 1024 // 1024} Mi characters on the way to their values"
            )

    def spend_document(self) -> None:
        """Raises OverBudget."""
        self._documents -= 1
        if self._documents < 0:
            self._end(f"loops make more than {MOST_DOCUMENTS} objects and patches in all")

    def _end(self, message: str) -> None:
        is_news, self.is_spent = not self.is_spent, True
        raise OverBudget(message, "is the list of a 'forEach' longer than it was meant to be?", is_news)


def size_of(value: Any) -> int:
    """Characters and values in plain data."""
    if isinstance(value, str):
        return len(value) + 1
    if isinstance(value, dict):
        return 1 + sum(len(key) + size_of(inner) for key, inner in value.items())
    return 1 + sum(map(size_of, value)) if isinstance(value, list) else 1
