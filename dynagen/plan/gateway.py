"""Who reaches the frontend, which asks nobody who he is (docs/kubernetes/security.md of ai-dynamo/dynamo)."""

from __future__ import annotations

from dynagen.diagnostics import Report
from dynagen.profile import Profile


def check_gateway(profile: Profile, report: Report) -> None:
    """Reports DG645 for a gateway that the whole internet reaches and nothing guards."""
    data = profile.data
    gateway = (data.get("gke") or {}).get("gateway") or {}
    kind = gateway.get("class", "")
    if "external" not in kind or not gateway.get("enabled", "istio" not in data["overlays"]):
        return
    is_plain = "tlsSecret" not in gateway and "certificateMap" not in gateway
    missing = [
        *(["TLS (prompts and answers go in plain text)"] if is_plain else []),
        *(["'host'"] if "host" not in gateway else []),
        *(["'securityPolicy'"] if "securityPolicy" not in gateway else []),
    ]
    if not missing:
        return
    ways = ["'host' with 'certificateMap' or 'tlsSecret'"] if is_plain or "host" not in gateway else []
    ways += ["'securityPolicy' (Cloud Armor)"] if "securityPolicy" not in gateway else []
    report.add(
        "DG645", f"'{kind}' is reached from the internet, and the frontend asks nobody who he is: there is no " + ", no ".join(missing),
        profile.at(("gke", "gateway", "class")), severity="warning",
        hint="set " + ", and ".join(ways) + "; or silence this and say what guards it",
    )  # fmt: skip
