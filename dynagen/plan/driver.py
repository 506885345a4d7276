"""The NVIDIA driver on the nodes against the CUDA in the images of the release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.diagnostics import Report
from dynagen.profile import Profile
from dynagen.profile.releases import facts_of_release


def check_driver(profile: Profile, facts: Mapping[str, Any], report: Report) -> None:
    """Reports DG477 for a driver that is too old; a warning when only GKE's version speaks for one.

    Images of another release may be in use: `runtimeVersionOverride` must agree with `release`, so its facts count.
    """
    release = profile.data["release"]
    wanted = facts_of_release(facts, release).get("driver")
    if wanted is None or "gke" not in profile.data:
        return
    given = profile.data["gke"].get("driverVersion")
    if given is not None:
        if int(given.split(".")[0]) < wanted:
            report.add(
                "DG477", f"release {release} needs NVIDIA driver {wanted} or later, the nodes have {given}",
                profile.at(("gke", "driverVersion")), hint=_hint(facts, int(given.split(".")[0])),
            )  # fmt: skip
        return
    known = facts.get("drivers", {}).get(profile.data["kubernetes"])
    if known and known["driver"] < wanted:
        report.add(
            "DG477", f"release {release} needs NVIDIA driver {wanted} or later; GKE {known['seen']} had {known['driver']}",
            profile.at(("kubernetes",)),
            hint="look with nvidia-smi, and say what it shows: 'gke: {driverVersion: ...}'; newer versions of GKE have newer drivers",
            severity="warning",
        )  # fmt: skip


def _hint(facts: Mapping[str, Any], driver: int) -> str:
    fitting = [name for name, each in facts["releases"].items() if each.get("driver", 0) <= driver]
    newest = max(fitting, key=lambda name: tuple(int(part) for part in name.split(".")), default=None)
    older = f", or use release {newest}" if newest else ""
    return f"use a node pool with 'gpu-driver-version=latest' on a newer version of GKE{older}"
