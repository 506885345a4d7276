"""Wishes of a profile that nothing would fulfil, because another one excludes them. They are refused, and not dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynagen.cluster.objects import mapping
from dynagen.diagnostics import KeyPath, Report, path_text
from dynagen.plan.values import ModelCache
from dynagen.profile import Profile
from dynagen.trees.nodes import value_at

# Defaults of the sections' schemas: who writes them wishes for nothing.
USUAL: dict[KeyPath, Any] = {
    ("gke", "gateway", "class"): "gke-l7-rilb",
    ("gke", "gateway", "timeoutSeconds"): 3600,
    ("gke", "network"): "default",
    ("monitoring", "dashboard", "label"): "grafana_dashboard",
}

_GATEWAY, _DASHBOARD, _CACHE = ("gke", "gateway"), ("monitoring", "dashboard"), ("modelCache",)
_NETWORK = ("gke", "network")


def check_wishes(profile: Profile, cache: ModelCache | None, facts: Mapping[str, Any], report: Report) -> None:
    """Reports DG613 for each."""
    for path, why, hint in (*_idle(profile), *_idle_network(cache, facts)):
        at = profile.written(path)
        if at is not None and profile.value(path) != USUAL.get(path):
            report.add("DG613", f"'{path_text(path)}' does nothing: {why}", at, hint)


def _idle_network(cache: ModelCache | None, facts: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str, str]]:
    if cache is None or not cache.create:
        yield _NETWORK, "it is for a model cache on Filestore that is made here", "leave it out"
        return
    classes = facts.get("storage", {}).get("classes", {})
    if not classes.get(cache.storage_class_name, {}).get("tier"):
        usable = ", ".join(f"'{name}'" for name, each in classes.items() if each.get("tier"))
        hint = f"leave it out, or use {usable}; a class of your own names the network in its 'parameters'"
        yield (
            _NETWORK,
            f"'{cache.storage_class_name}' is not one of the classes of Filestore that can be had in another network",
            hint,
        )


def _idle(profile: Profile) -> Iterator[tuple[KeyPath, str, str]]:
    """Path, reason and hint of what would do nothing if it were written."""
    data = profile.data
    gateway = mapping(value_at(data, _GATEWAY))
    if gateway and not gateway.get("enabled", "istio" not in data["overlays"]):
        why = "no gateway of GKE is built" + ("" if "enabled" in gateway else ", because Istio's is")
        for key in gateway.keys() - {"enabled"}:
            yield (*_GATEWAY, key), why, "leave it out, or say 'enabled: true' beside it"
    dashboard = mapping(value_at(data, _DASHBOARD))
    if dashboard and not dashboard.get("enabled", True):
        for key in dashboard.keys() - {"enabled"}:
            yield (*_DASHBOARD, key), "there is no dashboard", "leave it out, or say 'enabled: true' beside it"
    cache = mapping(value_at(data, _CACHE))
    if cache and cache.get("download"):
        if "claimName" in cache:
            hint = "fill the claim yourself and leave it out, or say 'size' instead of 'claimName'"
            yield (*_CACHE, "download"), "a claim that exists is taken as it is", hint
        elif cache.get("accessMode") == "ReadWriteOnce":
            yield (*_CACHE, "download"), "the one worker of a ReadWriteOnce cache fills it itself", "leave it out"
    if data["platform"]["grove"]:
        yield ("rollout",), "Grove replaces workers one by one", "leave it out"
    if "huggingFaceSecret" not in data:
        yield ("huggingFaceSecretKey",), "no Secret is named", "name it: 'huggingFaceSecret'"
    if not data["createNamespace"] and value_at(data, ("istio", "mesh")) == "csm-managed":
        hint = "label the Namespace yourself and silence this, or leave 'createNamespace: false' out"
        yield ("istio", "mesh"), "the managed mesh goes by a label of the Namespace, which is not built here", hint
