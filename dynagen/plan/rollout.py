"""How workers are replaced when they change: what the profile says, or what its machines and its disk allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.diagnostics import Report
from dynagen.plan.values import ModelCache, Rollout
from dynagen.profile import Profile
from dynagen.text.versions import Version

_LEFT_TO_THE_OPERATOR = Rollout(None, None, None)


def plan_rollout(data: Mapping[str, Any], replicas: int, cache: ModelCache | None, release: Version) -> Rollout:
    """For one kind of worker, where the operator reads it from its pods. The operator's default is 25 % for both numbers, which starts a whole worker more when there are
    few (docs/kubernetes/operate/rolling-update.md of ai-dynamo/dynamo)."""
    given = data.get("rollout")
    if release < (1, 2, 0) or data["platform"]["grove"]:
        return _LEFT_TO_THE_OPERATOR  # v1alpha1 has these annotations in another place
    if given:
        return Rollout(given.get("strategy"), _text(given.get("maxSurge")), _text(given.get("maxUnavailable")))
    if cache and cache.access_mode == "ReadWriteOnce":
        # The new worker would wait for the disk of the old one. Before 1.4 (docs/pages/kubernetes/rolling-update.md, Recreate
        # Strategy) that is only true of one generation, and each rollout makes another, whose pace these two numbers are.
        return Rollout("Recreate", None, None) if release >= (1, 4, 0) else Rollout(None, "0", "100%")
    capacity = (data.get("gke") or {}).get("capacity", "on-demand")
    # Of two workers that are replaced in turn, the second one may go before the frontend knows the first
    # (ai-dynamo/dynamo#13622). Spot machines may be there; reserved ones are all in use.
    if (data["spot"] and replicas > 2) or (not data["spot"] and capacity != "on-demand"):
        return Rollout(None, "0", "1")
    return _LEFT_TO_THE_OPERATOR


def check_rollout(profile: Profile, release: Version, report: Report) -> None:
    """Reports DG644 for a wish that the operator of the release would not hear."""
    if release < (1, 2, 0) and profile.data.get("rollout"):
        report.add(
            "DG644", f"'rollout' is for release 1.2.0 and later, and this is {profile.data['release']}", profile.at(("rollout",)),
            hint="leave it out, or use a newer release",
        )  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
