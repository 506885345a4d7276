"""Routing by KV cache: the frontend chooses the worker that has most of a prompt, if workers tell it what they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.arguments import has, value_of
from dynagen.engine.events import silences
from dynagen.profile import Profile

_NO = ("0", "false", "no", "off")
_YES = ("1", "true", "yes", "on")


def routes_by_cache(data: Mapping[str, Any]) -> bool:
    """Whether the frontend's arguments or environment say `kv`."""
    return bool(_said(data, "--router-mode", "DYN_ROUTER_MODE") == "kv")


def needs_events(data: Mapping[str, Any]) -> bool:
    """Whether the frontend listens to what workers have cached. It guesses instead when it is told so
    (common/configuration/groups/kv_router_args.py in the wheel ai-dynamo 1.6.1; `kv-events` before 1.0)."""
    frontend = data["frontend"]
    off = has(frontend["args"], "--no-router-kv-events", "--no-kv-events")
    names = ("DYN_ROUTER_USE_KV_EVENTS", "DYN_USE_KV_EVENTS")
    return routes_by_cache(data) and not off and not any(_is(frontend["env"], name, _NO) for name in names)


def sync_arguments(data: Mapping[str, Any]) -> list[str]:
    """What makes several frontends tell each other what they routed, unless the profile says it, or says no."""
    frontend = data["frontend"]
    said = has(frontend["args"], "--router-replica-sync", "--no-router-replica-sync")
    if frontend["replicas"] < 2 or not routes_by_cache(data) or said or "DYN_ROUTER_REPLICA_SYNC" in frontend["env"]:
        return []
    return ["--router-replica-sync"]


def check_router(profile: Profile, workers: Sequence[KeyPath], report: Report) -> None:
    """Reports DG438 for frontends that must not tell each other, DG643 for workers that must not tell them."""
    data = profile.data
    frontend = data["frontend"]
    args, env = frontend["args"], frontend["env"]
    if not routes_by_cache(data):
        return
    silent = has(args, "--no-router-replica-sync") or _is_other(env, "DYN_ROUTER_REPLICA_SYNC", _YES)
    if frontend["replicas"] > 1 and silent and not has(args, "--router-replica-sync"):
        report.add(
            "DG438", f"{frontend['replicas']} frontends route by KV cache, and do not tell each other what they routed",
            profile.written(("frontend", "replicas")) or profile.at(("frontend",)),
            hint="leave it out: --router-replica-sync is added", severity="warning",
        )  # fmt: skip
    if not needs_events(data):
        return
    # Decode workers are chosen by load alone: "Disables overlap scoring" in docs/fern/pages/developer-guide/knowledge-base/
    # modular-components/router/disaggregated-serving.md of ai-dynamo/dynamo.
    asked = (worker for worker in workers if worker[-1] != "decode")
    for path in (("engineArgs",), *((*worker, "engineArgs") for worker in asked)):
        for index, why in silences(data["backend"], profile.value(path)):
            report.add(
                "DG643", f"the frontend routes by what workers have cached, and {why}: it never learns of anything",
                profile.at((*path, index)),
                hint="leave it out: the events are turned on then; or add --no-router-kv-events to frontend.args, and it guesses",
            )  # fmt: skip


def _said(data: Mapping[str, Any], flag: str, name: str) -> Any:
    frontend = data["frontend"]
    return value_of(frontend["args"], flag) or frontend["env"].get(name)


def _is(env: Mapping[str, Any], name: str, words: tuple[str, ...]) -> bool:
    return str(env.get(name, "")).lower() in words


def _is_other(env: Mapping[str, Any], name: str, words: tuple[str, ...]) -> bool:
    return name in env and isinstance(env[name], str) and not _is(env, name, words)
