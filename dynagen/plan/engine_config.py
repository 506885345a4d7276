"""The engine's own file: what dynagen says in it, and what the profile adds under `engineConfig`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan import backends
from dynagen.profile import Profile
from dynagen.trees.plain_merge import merge_data

KEY = "engineConfig"


def profile_config(data: Mapping[str, Any], worker: Mapping[str, Any]) -> dict[str, Any]:
    """What a profile says for a worker: its own over that of every worker."""
    return merge_data([data.get(KEY, {}), worker.get(KEY, {})])


def plan_config(data: Mapping[str, Any], worker: Mapping[str, Any], launch: backends.Launch) -> str | None:
    """The text of the file; None where there is nothing to say, or the engine has no such file."""
    from dynagen.manifests.yaml import to_yaml

    own = backends.load(data["backend"])
    if not hasattr(own, "settings"):
        return None
    merged = merge_data([own.settings(launch), profile_config(data, worker)])
    return to_yaml(merged) if merged else None


def check_config(profile: Profile, workers: Sequence[KeyPath], report: Report) -> None:
    """Reports DG720 for a backend without such a file, DG721 for what the profile says elsewhere, DG723 for caches of prefill that
    decode cannot read."""
    backend = backends.load(profile.data["backend"])
    owned: Mapping[str, str] = getattr(backend, "OWN_SETTINGS", {})
    for path in ((KEY,), *((*worker, KEY) for worker in workers)):
        at = profile.written(path)
        if at is None:
            continue
        if not hasattr(backend, "settings"):
            report.add(
                "DG720", f"'{KEY}' is TensorRT-LLM's, and the backend is {profile.data['backend']}", at,
                hint="say it with 'engineArgs', as flags of the engine",
            )  # fmt: skip
            continue
        for name, instead in owned.items():
            where = profile.written((*path, *name.split(".")))
            if where is not None:
                report.add(
                    "DG721", f"'{name}' is set by dynagen, and would be lost or win over it here", where,
                    hint=f"the profile says it with {instead}",
                )  # fmt: skip
    _check_caches(profile, workers, report)


def _check_caches(profile: Profile, workers: Sequence[KeyPath], report: Report) -> None:
    """Both sides must write the KV cache alike (docs/components/disagg-communication.md of ai-dynamo/dynamo)."""
    caches = [profile_config(profile.data, profile.value(path)).get("kv_cache_config") for path in workers]
    first, *rest = [each if isinstance(each, dict) else {} for each in caches]
    key = "dtype"
    for path, cache in zip(workers[1:], rest, strict=True):
        if cache.get(key) != first.get(key):
            said = [f"{each.get(key, 'the usual')}" for each in (first, cache)]
            places = [profile.written((*each, KEY, "kv_cache_config", key)) for each in (path, workers[0])]
            report.add(
                "DG723", f"prefill and decode hand the KV cache over, and 'kv_cache_config.{key}' is {said[0]} here and {said[1]} there",
                places[0] or places[1] or profile.at(path), hint=f"say it once, with '{KEY}' at the top",
            )  # fmt: skip
