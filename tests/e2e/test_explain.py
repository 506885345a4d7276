"""Every change of every value of every example: what `explain` names is exactly what matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_explain import EXAMPLES, OLD, check_explanations


@pytest.mark.parametrize("profile", [*EXAMPLES, OLD], ids=lambda path: path.stem)
def test_what_is_named_is_what_matters(profile: Path) -> None:
    compiled_profiles, confirmed = check_explanations(profile, None)
    assert compiled_profiles > 200
    assert confirmed > 200
