"""How the frontend chooses workers: by what they have cached, if they tell it or it can guess, or in another way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.arguments import flag_of, has, places_of
from dynagen.engine.events import silences
from dynagen.engine.options import Parser
from dynagen.plan.engine_arguments import argument_lists
from dynagen.plan.known_values import check_word, is_certain
from dynagen.profile import Profile
from dynagen.profile.facts import LookUp
from dynagen.text.versions import Version

_MODE, _SIZE = "--router-mode", "--kv-cache-block-size"
_EVENTS, _NO_EVENTS = "router: {mode: kv}", "router: {mode: kv, events: false}"
# What the profile says otherwise; VALUE stands for the value. source: frontend/main.py in the wheel ai-dynamo 0.9.1;
#   frontend/frontend_args.py and common/configuration/groups/{router_args,kv_router_args}.py in 1.0.2 and 1.6.1
OWN_FLAGS = {
    _MODE: "router: {mode: VALUE}", _SIZE: "blockSize: VALUE", "--router-kv-events": _EVENTS, "--kv-events": _EVENTS,
    "--no-router-kv-events": _NO_EVENTS, "--no-kv-events": _NO_EVENTS,
}  # fmt: skip
_VARIABLES = {
    "DYN_ROUTER_MODE": _MODE, "DYN_KV_CACHE_BLOCK_SIZE": _SIZE, "DYN_ROUTER_USE_KV_EVENTS": "--router-kv-events",
    "DYN_USE_KV_EVENTS": "--router-kv-events", "DYN_KV_EVENTS": "--router-kv-events",
}  # fmt: skip
_NO = ("0", "false", "no", "off")
_YES = ("1", "true", "yes", "on")


def routes_by_cache(data: Mapping[str, Any]) -> bool:
    return bool(data["router"].get("mode") == "kv")


def needs_events(data: Mapping[str, Any]) -> bool:
    """Whether the frontend listens to what workers have cached. It guesses instead when it is told so
    (common/configuration/groups/kv_router_args.py in the wheel ai-dynamo 1.6.1)."""
    return routes_by_cache(data) and data["router"].get("events", True)


def router_arguments(data: Mapping[str, Any], release: Version) -> list[str]:
    """The arguments of the frontend that follow from `router` and `blockSize`."""
    mode, size = data["router"].get("mode"), data.get("blockSize")
    found = [_MODE, mode] if mode else []
    if mode == "kv" and not needs_events(data):
        found.append("--no-router-kv-events" if release >= (1, 0, 0) else "--no-kv-events")
    return [*found, _SIZE, str(size)] if size else found


def sync_arguments(data: Mapping[str, Any]) -> list[str]:
    """What makes several frontends tell each other what they routed, unless the profile says it, or says no."""
    frontend = data["frontend"]
    said = has(frontend["args"], "--router-replica-sync", "--no-router-replica-sync")
    if frontend["replicas"] < 2 or not routes_by_cache(data) or said or "DYN_ROUTER_REPLICA_SYNC" in frontend["env"]:
        return []
    return ["--router-replica-sync"]


def check_router(profile: Profile, workers: Sequence[KeyPath], look_up: LookUp, report: Report) -> None:
    """Reports DG404 for what the profile says with a key, DG740 for a mode that the release does not have, DG438 for frontends that
    must not tell each other, DG643 for workers that must not tell them."""
    data = profile.data
    parser = Parser("dynamo.frontend", look_up, data["release"], "")
    _check_owned(profile, parser, report)
    if "mode" in data["router"]:
        certain = is_certain(profile) and "image" not in data["frontend"]
        check_word(profile, ("router", "mode"), _MODE, parser, certain, report)
    if not routes_by_cache(data):
        return
    _check_sync(profile, report)
    if not needs_events(data):
        return
    # Decode workers are chosen by load alone: "Disables overlap scoring" in docs/fern/pages/developer-guide/knowledge-base/
    # modular-components/router/disaggregated-serving.md of ai-dynamo/dynamo.
    asked = [worker for worker in workers if worker[-1] != "decode"]
    for path in argument_lists(asked):
        for index, why in silences(data["backend"], profile.value(path)):
            report.add(
                "DG643", f"the frontend routes by what workers have cached, and {why}: it never learns of anything",
                profile.at((*path, index)),
                hint="leave it out: the events are turned on then; or add 'events: false' to 'router', and it guesses",
            )  # fmt: skip


def _check_owned(profile: Profile, parser: Parser, report: Report) -> None:
    """Reports DG404 for arguments and variables of the frontend that a key of the profile stands for."""
    args, env = profile.data["frontend"]["args"], profile.data["frontend"]["env"]
    for index, argument in enumerate(args):
        flag = _whole(parser, flag_of(argument))
        if flag in OWN_FLAGS:
            value = next((text for text, at in places_of(args[index : index + 2], flag_of(argument))), None)
            _say(profile, ("frontend", "args", index), f"'{flag_of(argument)}'", flag, value, parser, report)
    for name in _VARIABLES.keys() & env.keys():
        flag = _VARIABLES[name]
        if flag not in (_MODE, _SIZE) and _is(env, name, _NO):
            flag = "--no-router-kv-events"
        _say(profile, ("frontend", "env", name), f"the variable '{name}'", flag, env[name], parser, report)


def _say(profile: Profile, path: KeyPath, what: str, flag: str, value: Any, parser: Parser, report: Report) -> None:
    option = parser.sections[0].option(flag)
    is_one = isinstance(value, str) and value.isdigit() if flag == _SIZE else option and value in option.words
    key = OWN_FLAGS[flag].replace("VALUE", value if is_one else "...")
    report.add(
        "DG404", f"{what} is set by dynagen", profile.at(path), hint=f"the profile says it with '{key}', at its top"
    )


def _whole(parser: Parser, flag: str) -> str:
    """The flag that a beginning stands for: the frontend's parser takes one that only one flag has."""
    found = parser.sections[0].beginning_with(flag) if len(flag) > 2 else []
    return found[0] if len(found) == 1 else flag


def _check_sync(profile: Profile, report: Report) -> None:
    frontend = profile.data["frontend"]
    args, env = frontend["args"], frontend["env"]
    silent = has(args, "--no-router-replica-sync") or _is_other(env, "DYN_ROUTER_REPLICA_SYNC", _YES)
    if frontend["replicas"] > 1 and silent and not has(args, "--router-replica-sync"):
        report.add(
            "DG438", f"{frontend['replicas']} frontends route by KV cache, and do not tell each other what they routed",
            profile.written(("frontend", "replicas")) or profile.at(("frontend",)),
            hint="leave it out: --router-replica-sync is added", severity="warning",
        )  # fmt: skip


def _is(env: Mapping[str, Any], name: str, words: tuple[str, ...]) -> bool:
    return str(env.get(name, "")).lower() in words


def _is_other(env: Mapping[str, Any], name: str, words: tuple[str, ...]) -> bool:
    return name in env and isinstance(env[name], str) and not _is(env, name, words)
