"""A Telemetry or an EnvoyFilter in, what Istio's webhook refuses of it out.

Source: pkg/config/validation/validation.go, validation_istiod.go and envoyfilter/envoyfilter.go of istio/istio.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import (
    duration_findings,
    items,
    regex_problem,
    selector_findings,
    target_findings,
    warning,
)

_LISTENERS = ("LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER")
_ROUTES = ("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE")
_MATCHES = {
    **dict.fromkeys(_LISTENERS, "listener"),
    **dict.fromkeys(_ROUTES, "routeConfiguration"),
    "CLUSTER": "cluster",
}
_MANAGERS = ("envoy.filters.network.http_connection_manager", "envoy.http_connection_manager")


def telemetry_findings(subject: Object) -> Iterator[Finding]:
    spec = subject.data.get("spec") or {}
    yield from target_findings(spec)
    for path, metrics in items(spec, "metrics", ("spec",)):
        yield from _provider_findings(metrics, path)
        yield from duration_findings(metrics, path, "reportingInterval")
        for at, override in items(metrics, "overrides", path):
            yield from _override_findings(override, at)
    tracing = spec.get("tracing") or ()
    if len(tracing) > 1:
        yield warning(("spec", "tracing"), "Istio uses the first entry of tracing only")
    for path, trace in items(spec, "tracing", ("spec",)):
        if len(trace.get("providers") or ()) > 1:
            yield warning((*path, "providers"), "Istio uses the first provider of tracing only")
        yield from _provider_findings(trace, path)
        if not 0 <= trace.get("randomSamplingPercentage", 0) <= 100:
            yield Finding((*path, "randomSamplingPercentage"), f"{trace['randomSamplingPercentage']} is no percentage")
        for at, tag in items(trace, "customTags", path):
            for kind, key in (("literal", "value"), ("header", "name"), ("environment", "name")):
                if kind in tag and not tag[kind].get(key):
                    yield Finding((*at, kind), f"{kind} needs {key}")
            if not at[-1]:
                yield Finding(at, "a tag needs a name")
    for path, logging in items(spec, "accessLogging", ("spec",)):
        yield from _provider_findings(logging, path)
        if "filter" in logging:
            yield from _filter_findings(logging["filter"].get("expression", ""), (*path, "filter", "expression"))


def _provider_findings(tree: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    for at, provider in items(tree, "providers", path):
        if not provider.get("name"):
            yield Finding((*at, "name"), "a provider needs a name")


def _override_findings(override: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    for at, tag in items(override, "tagOverrides", path):
        operation, value = tag.get("operation", "UPSERT"), tag.get("value", "")
        if operation == "UPSERT" and not value:
            yield Finding(at, "UPSERT needs a value", "operation REMOVE takes a tag away")
        if operation == "REMOVE" and value:
            yield Finding((*at, "value"), "REMOVE has no value")
        if not at[-1]:
            yield warning(at, "a tag needs a name")
    if (override.get("match") or {}).get("customMetric") == "":
        yield Finding((*path, "match", "customMetric"), "a metric needs a name")


def _filter_findings(expression: str, path: KeyPath) -> Iterator[Finding]:
    from dynagen.language.cel import ExpressionError, compile_program

    try:
        compile_program(expression)
    except ExpressionError as error:
        yield Finding(path, f"no expression of CEL: {error.message}")


def envoy_filter_findings(subject: Object) -> Iterator[Finding]:
    spec = subject.data.get("spec") or {}
    yield Finding(("kind",), "Envoy's own settings may change with every release", "try after each upgrade", "note")
    yield from selector_findings(spec.get("workloadSelector"), ("spec", "workloadSelector"), "labels")
    for path, patch in items(spec, "configPatches", ("spec",)):
        if (patch.get("match") or {}).get("context") != "WAYPOINT":
            yield from _patch_findings(patch, path)


def _patch_findings(patch: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    kind, change, match = patch.get("applyTo", "INVALID"), patch.get("patch"), patch.get("match") or {}
    if kind == "INVALID":
        yield Finding((*path, "applyTo"), "a patch needs applyTo")
        return
    operation = (change or {}).get("operation", "INVALID")
    if change is None or operation == "INVALID":
        yield Finding((*path, "patch", "operation"), "a patch needs an operation")
        return
    if operation != "REMOVE" and "value" not in change:
        yield Finding((*path, "patch"), f"{operation} needs a value")
        return
    version = (match.get("proxy") or {}).get("proxyVersion", "")
    if len(version.encode()) > 1024:
        yield warning((*path, "match", "proxy", "proxyVersion"), "Istio ignores an expression of that length")
    elif version and (problem := regex_problem(version)):
        yield Finding((*path, "match", "proxy", "proxyVersion"), problem)
        return
    given = next((key for key in ("listener", "routeConfiguration", "cluster", "waypoint") if key in match), None)
    wanted = _MATCHES.get(kind)
    if given and wanted and given != wanted:
        yield Finding((*path, "match", given), f"a patch of {kind} is matched by {wanted}")
    elif given == "listener" and kind in _LISTENERS:
        found = (match["listener"].get("filterChain") or {}).get("filter")
        if found is not None:
            yield from _filter_match_findings(found, kind, (*path, "match", "listener", "filterChain", "filter"))


def _filter_match_findings(found: dict[str, Any], kind: str, path: KeyPath) -> Iterator[Finding]:
    if kind in ("LISTENER", "FILTER_CHAIN"):
        yield warning(path, f"a match by filter does nothing for {kind}")
    name, sub = found.get("name", ""), found.get("subFilter")
    if not name:
        yield Finding(path, "a match by filter needs a name")
    elif sub is not None:
        if kind != "HTTP_FILTER":
            yield Finding((*path, "subFilter"), "subFilter is for HTTP_FILTER")
        elif name not in _MANAGERS:
            yield Finding((*path, "name"), f"subFilter needs filter {_MANAGERS[0]}")
        elif not sub.get("name"):
            yield Finding((*path, "subFilter"), "a subFilter needs a name")
