"""What profiles of one process share: made once, and kept while there is room. Imports nothing of ours.

A command makes one and passes it down; nothing else remembers. Forgetting changes how long the next profile takes, and
nothing that comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

Made = TypeVar("Made")

# Answers that each question keeps. Layers have some hundred documents, and their expressions read some hundred values.
ROOM = 2000


class Memory:
    """The answers to questions that many profiles ask: what a file holds, what an expression means, what a kind's schema is."""

    __slots__ = ("_answers",)

    def __init__(self) -> None:
        self._answers: dict[Callable[..., Any], dict[tuple[Hashable, ...], Any]] = {}

    def once(self, make: Callable[..., Made], *given: Hashable) -> Made:
        """What `make(*given)` gives. It must follow from `given` alone, and nobody may change it."""
        answers = self._answers.get(make)
        if answers is None:
            answers = self._answers[make] = {}
        if given not in answers:
            made = make(*given)
            if len(answers) >= ROOM:  # the oldest goes
                del answers[next(iter(answers))]
            answers[given] = made
            return made
        return cast(Made, answers[given])

    def know(self, made: Any, make: Callable[..., Any], *given: Hashable) -> None:
        """What `make(*given)` would give is known beforehand."""
        self._answers.setdefault(make, {})[given] = made

    def forget(self) -> None:
        self._answers.clear()
