"""What profiles share is made once, kept within bounds, and can be forgotten."""

from __future__ import annotations

from dynagen.memory import ROOM, Memory


def test_an_answer_is_made_once_for_what_it_follows_from() -> None:
    asked = []

    def double(number: int) -> int:
        asked.append(number)
        return 2 * number

    memory = Memory()
    assert [memory.once(double, number) for number in (1, 2, 1)] == [2, 4, 2]
    assert asked == [1, 2]
    memory.forget()
    assert memory.once(double, 1) == 2
    assert asked == [1, 2, 1]


def test_what_is_known_beforehand_is_not_made() -> None:
    memory = Memory()
    memory.know("two", str, 2)
    assert memory.once(str, 2) == "two"
    assert memory.once(str, 3) == "3"


def test_the_oldest_goes_when_there_is_no_room() -> None:
    asked = []
    memory = Memory()
    for number in [*range(ROOM + 1), ROOM, 0]:
        memory.once(asked.append, number)
    assert asked == [*range(ROOM + 1), 0]
