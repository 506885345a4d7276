"""What is lost with workers whose nodes may go at any time."""

from __future__ import annotations

from dynagen.diagnostics import Report
from dynagen.profile import Profile

_LIMIT, _VARIABLE = ("frontend", "migrationLimit"), ("frontend", "env", "DYN_MIGRATION_LIMIT")


def check_spot(profile: Profile, report: Report) -> None:
    """Reports DG653. The variable wins over the key, and an argument over both."""
    if not profile.data["spot"] or any(
        str(each).startswith("--migration-limit") for each in profile.data["frontend"]["args"]
    ):
        return
    path = _VARIABLE if profile.written(_VARIABLE) else _LIMIT
    at = profile.written(path)
    if at is not None and str(profile.value(path)) == "0":
        report.add(
            "DG653", f"no migration ({path[-1]}) with 'spot': each request of a worker ends with an error when its node is taken away", at,
            hint="leave it out, which is 3, or say 1 or more", severity="warning",
        )  # fmt: skip
