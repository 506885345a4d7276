"""Who reaches the frontend, which asks nobody who he is (docs/kubernetes/security.md of ai-dynamo/dynamo)."""

from __future__ import annotations

from dynagen.diagnostics import Report
from dynagen.profile import Profile


def check_gateway(profile: Profile, report: Report) -> None:
    """Reports DG645 for a gateway that the whole internet reaches and nothing guards. That it is encrypted is asked of all (DG646)."""
    data = profile.data
    gateway = (data.get("gke") or {}).get("gateway") or {}
    kind = gateway.get("class", "")
    if "external" not in kind or not gateway.get("enabled", "istio" not in data["overlays"]):
        return
    missing = [f"'{key}'" for key in ("host", "securityPolicy") if key not in gateway]
    if not missing:
        return
    ways = {
        "'host'": "'host' with 'certificateMap' or 'tlsSecret'",
        "'securityPolicy'": "'securityPolicy' (Cloud Armor)",
    }
    report.add(
        "DG645", f"'{kind}' is reached from the internet, and the frontend asks nobody who he is: there is no " + ", no ".join(missing),
        profile.at(("gke", "gateway", "class")), severity="warning",
        hint="set " + ", and ".join(ways[each] for each in missing) + "; or silence this and say what guards it",
    )  # fmt: skip
