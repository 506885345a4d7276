"""Who asks the frontend's port without a sidecar, which a mesh with mutual TLS only would keep away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.cluster.objects import mapping
from dynagen.diagnostics import Report
from dynagen.profile import Profile


def plain_clients(data: Mapping[str, Any]) -> list[str]:
    """The keys of a profile that bring them."""
    overlays = data["overlays"]
    scrape = mapping(data.get("monitoring")).get("scrape") if "monitoring" in overlays else "none"
    gateway = mapping(mapping(data.get("gke")).get("gateway")) if "gke" in overlays else {"enabled": False}
    return [
        *(["monitoring.scrape"] if scrape != "none" else []),
        *(["gke.gateway"] if gateway.get("enabled", "istio" not in overlays) else []),
    ]


def check_mesh(profile: Profile, report: Report) -> None:
    """Reports DG650 for a frontend that is to be strict, and cannot be altogether."""
    found = plain_clients(profile.data)
    if mapping(profile.data.get("istio")).get("mtls") != "strict" or not found:
        return
    who = " and ".join(f"'{each}'" for each in found)
    hint = (
        "'monitoring.scrape: none' where something in the mesh scrapes"
        if "monitoring.scrape" in found
        else "leave GKE's gateway out"
    )
    report.add(
        "DG650", f"the frontend's port takes plain text as well: {who} asks it without a sidecar", profile.at(("istio", "mtls")),
        f"{hint}; or silence this and say why it may", severity="warning",
    )  # fmt: skip
