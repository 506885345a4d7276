"""What NVIDIA and Google publish for Dynamo, as profiles: each builds without complaint, and deploys what is published."""

from __future__ import annotations

from typing import Any

import pytest

from tests.recipes import FOLDER, LINES, built, lines, profiles, published, verdict, wanted

SAID = [entry for entry in published() if "profile" in entry]


@pytest.mark.parametrize("entry", SAID, ids=lambda entry: entry["source"])
def test_a_profile_deploys_what_is_published(entry: dict[str, Any]) -> None:
    found = built(entry["profile"])
    assert not found.codes
    assert found.facts == wanted(entry)


@pytest.mark.parametrize("profile", profiles())
def test_a_profile_is_short(profile: str) -> None:
    text = (FOLDER / profile).read_text("utf-8")
    assert len([line for line in text.splitlines() if line and not line.startswith("#")]) <= LINES


def test_every_profile_is_of_something_published() -> None:
    assert {entry["profile"] for entry in SAID} == set(profiles())


def test_every_recipe_is_said_or_it_is_said_why_not() -> None:
    assert all(word == "said" or why for word, why in map(verdict, published()))
    assert all("differs" in entry for entry in published() if "ours" in entry)
    assert len({entry["source"] for entry in published()}) == len(published())
    assert len([entry for entry in published() if entry["source"].startswith("recipes/")]) == 136
    assert len(list(lines())) > len(published())
