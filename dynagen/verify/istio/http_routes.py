"""One HTTP route of a VirtualService in, what Istio's webhook refuses of it out.

Source: pkg/config/validation/virtualservice.go, validation.go and header_value_validator.go of istio/istio.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import Finding, KeyPath, closest
from dynagen.text.durations import nanoseconds
from dynagen.verify.istio.common import (
    duration_findings,
    items,
    of,
    regex_problem,
    warning,
)
from dynagen.verify.istio.destinations import destination_findings, source_findings, weight_findings
from dynagen.verify.istio.headers import header_match_findings, header_name_findings, headers_findings, is_authority
from dynagen.verify.istio.hosts import is_host_label, port_problem

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*")
_RETRY_ON = frozenset((
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream",
    "retriable-status-codes", "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure", "cancelled",
    "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
))  # fmt: skip
# Source: pkg/util/grpc.
_GRPC = frozenset((
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
))  # fmt: skip
_MANY = 100 * 1024


def http_route_findings(route: dict[str, Any], path: KeyPath, delegate: bool) -> Iterator[Finding]:
    """`delegate` says that the VirtualService has no hosts, so that another one delegates to it."""
    yield from _conflicts(route, path, delegate)
    for at, match in items(route, "match", path):
        yield from _match_findings(match, at)
    yield from headers_findings(route.get("headers"), (*path, "headers"))
    yield from _cors_findings(route.get("corsPolicy") or {}, (*path, "corsPolicy"))
    yield from _fault_findings(route.get("fault"), (*path, "fault"))
    yield from _mirror_findings(route, path)
    yield from _redirect_findings(route.get("redirect"), route.get("match") or (), (*path, "redirect"))
    yield from _response_findings(route.get("directResponse"), (*path, "directResponse"))
    yield from _retry_findings(route.get("retries"), (*path, "retries"))
    yield from _rewrite_findings(route, path)
    for at, weighted in items(route, "route", path):
        yield from headers_findings(weighted.get("headers"), (*at, "headers"))
        yield from destination_findings(weighted.get("destination"), (*at, "destination"))
    yield from weight_findings(route, path)
    yield from duration_findings(route, path, "timeout")
    yield from _per_try_findings(route, path)


def _conflicts(route: dict[str, Any], path: KeyPath, delegate: bool) -> Iterator[Finding]:
    has: set[str] = {
        key for key in ("redirect", "fault", "rewrite", "directResponse", "mirror", "delegate") if key in route
    }
    if route.get("route"):
        has.add("route")
    if not delegate and "delegate" in has:
        for key in ("redirect", "route"):
            if key in has:
                yield Finding((*path, key), f"a route that delegates has no {key}", "keep one of the two")
        return
    if "delegate" in has:
        yield Finding((*path, "delegate"), "a delegate cannot delegate", "name hosts if this is no delegate")
    answer = "redirect" if "redirect" in has else "directResponse"
    if answer in has:
        for key in ("route", "fault", "rewrite", "directResponse"):
            if key in has and key != answer:
                yield Finding((*path, key), f"a route with {answer} has no {key}", "keep one of the two")
    elif "route" not in has:
        yield Finding(path, "a route needs one of route, redirect, directResponse or delegate")
    if "mirror" in has and route.get("mirrors"):
        yield Finding((*path, "mirrors"), "a route has mirror or mirrors, not both", "keep mirrors")


def _match_findings(match: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    for key in ("headers", "withoutHeaders"):
        for name, wanted in (match.get(key) or {}).items():
            at = (*path, key, name)
            yield from header_match_findings(name, at)
            if not (key == "withoutHeaders" and wanted.get("regex") == "*"):
                yield from _string_findings(wanted, at)
    if "uri" in match:
        yield from _string_findings(match["uri"], (*path, "uri"), may_be_empty=True)
    for key in ("scheme", "method", "authority"):
        if key in match:
            yield from _string_findings(match[key], (*path, key))
    for at, wanted in items(match, "queryParams", path):
        yield from _string_findings(wanted, at)
    yield from source_findings(match, path)
    space = match.get("sourceNamespace")
    if space and not is_host_label(space):
        yield Finding((*path, "sourceNamespace"), f"'{space}' is no namespace")


def _string_findings(wanted: dict[str, Any], path: KeyPath, may_be_empty: bool = False) -> Iterator[Finding]:
    if wanted.get("prefix") == "" and not may_be_empty:
        yield Finding((*path, "prefix"), "an empty prefix", "leave the match out if anything will do")
    if "regex" in wanted:
        yield from of((*path, "regex"), regex_problem(wanted["regex"]))


def _cors_findings(policy: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    for at, origin in items(policy, "allowOrigins", path):
        if not any(origin.get(key) for key in ("exact", "prefix", "regex")):
            yield Finding(at, "an origin needs exact, prefix or regex")
        elif "regex" in origin:
            yield from of((*at, "regex"), regex_problem(origin["regex"]))
    for at, method in items(policy, "allowMethods", path):
        if method not in _METHODS:
            yield Finding(at, f"'{method}' is no HTTP method", f"use one of {', '.join(_METHODS)}")
    for key in ("allowHeaders", "exposeHeaders"):
        for at, name in items(policy, key, path):
            yield from header_name_findings(name, at)
    yield from duration_findings(policy, path, "maxAge")
    age = nanoseconds(policy.get("maxAge", "1s"))
    if age and age % 10**9:
        yield Finding((*path, "maxAge"), f"maxAge {policy['maxAge']} is finer than seconds")


def _fault_findings(fault: dict[str, Any] | None, path: KeyPath) -> Iterator[Finding]:
    if fault is None:
        return
    abort, delay = fault.get("abort"), fault.get("delay")
    if abort is None and delay is None:
        yield Finding(path, "a fault needs abort or delay")
    if abort is not None:
        at = (*path, "abort")
        yield from _fraction_findings(abort, at)
        if "http2Error" in abort:
            yield Finding((*at, "http2Error"), "Istio does not support http2Error yet", "use httpStatus")
        elif "httpStatus" in abort:
            yield from _status_findings(abort["httpStatus"], (*at, "httpStatus"))
        elif "grpcStatus" in abort:
            if abort["grpcStatus"] not in _GRPC:
                near = closest(abort["grpcStatus"], _GRPC)
                hint = f"did you mean '{near}'?" if near else "for example NOT_FOUND"
                yield Finding((*at, "grpcStatus"), f"'{abort['grpcStatus']}' is no status of gRPC", hint)
        else:
            yield warning(at, "abort does not say with which status")
    if delay is not None:
        at = (*path, "delay")
        yield from _fraction_findings(delay, at)
        yield from duration_findings(delay, at, "fixedDelay")
        if "exponentialDelay" in delay:
            yield Finding((*at, "exponentialDelay"), "Istio does not support exponentialDelay yet", "use fixedDelay")


def _fraction_findings(tree: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    value = (tree.get("percentage") or {}).get("value", 0)
    if value != 0 and not 0.0001 <= value <= 100:
        yield Finding((*path, "percentage", "value"), f"{value} is no percentage", "0, or 0.0001 to 100")


def _status_findings(status: int, path: KeyPath) -> Iterator[Finding]:
    if not 200 <= status <= 600:
        yield Finding(path, f"{status} is no status of HTTP", "use 200 to 599")


def _mirror_findings(route: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    for key in ("mirrorPercent", "mirror_percent"):
        if key in route:
            if route[key] > 100:
                yield Finding((*path, key), f"{route[key]} is no percentage")
            yield warning((*path, key), f"{key} is deprecated", "use mirrorPercentage: {value: ...}")
    yield from _share_findings(route.get("mirrorPercentage"), (*path, "mirrorPercentage"))
    yield from destination_findings(route.get("mirror"), (*path, "mirror"))
    for at, mirror in items(route, "mirrors", path):
        yield from destination_findings(mirror.get("destination"), (*at, "destination"))
        yield from _share_findings(mirror.get("percentage"), (*at, "percentage"))


def _share_findings(share: dict[str, Any] | None, path: KeyPath) -> Iterator[Finding]:
    value = (share or {}).get("value", 0)
    if not 0 <= value <= 100:
        yield Finding((*path, "value"), f"{value} is no percentage", "use 0 to 100")


def _redirect_findings(redirect: dict[str, Any] | None, matches: Any, path: KeyPath) -> Iterator[Finding]:
    if redirect is None:
        return
    uri, rewrite = redirect.get("uri"), redirect.get("prefixRewrite")
    if uri and rewrite:
        yield Finding((*path, "prefixRewrite"), "a redirect has uri or prefixRewrite, not both")
    if rewrite and any("uri" in match and "prefix" not in match["uri"] for match in matches):
        yield Finding((*path, "prefixRewrite"), "prefixRewrite needs every match of the uri to be a prefix")
    if not any(redirect.get(key) for key in ("uri", "prefixRewrite", "authority", "scheme")) and not (
        {"port", "derivePort"} & set(redirect)
    ):
        yield Finding(path, "a redirect needs uri, prefixRewrite, authority, scheme or port")
    code = redirect.get("redirectCode", 0)
    if code and not 300 <= code <= 399:
        yield Finding((*path, "redirectCode"), f"{code} is no status of a redirect", "301, 302, 303, 307 or 308")
    if redirect.get("scheme", "") not in ("", "http", "https"):
        yield Finding((*path, "scheme"), f"'{redirect['scheme']}' is neither http nor https")
    if redirect.get("port", 0) > 0:
        yield from of((*path, "port"), port_problem(redirect["port"]))


def _response_findings(response: dict[str, Any] | None, path: KeyPath) -> Iterator[Finding]:
    if response is None:
        return
    body = response.get("body") or {}
    size = len(body.get("string", "").encode()) or len(re.sub("[\r\n=]", "", body.get("bytes", ""))) * 3 // 4
    if size > 1024 * 1024:
        yield Finding((*path, "body"), "a body of more than 1 MiB")
    elif size > _MANY:
        yield warning((*path, "body"), "a body of more than 100 KiB is a burden for istiod")
    yield from _status_findings(response.get("status", 0), (*path, "status"))


def _retry_findings(retries: dict[str, Any] | None, path: KeyPath) -> Iterator[Finding]:
    if retries is None:
        return
    attempts = retries.get("attempts", 0)
    if attempts < 0:
        yield Finding((*path, "attempts"), f"attempts cannot be {attempts}")
    if attempts == 0:
        for key in ("perTryTimeout", "retryOn", "retryRemoteLocalities"):
            if retries.get(key) or (key in retries and key != "retryOn"):
                message = f"attempts is 0, so nothing is retried, and {key} is refused beside it"
                yield Finding((*path, key), message, "write attempts: 0 alone, or a number of attempts")
    yield from duration_findings(retries, path, "perTryTimeout", "backoff")
    for word in retries["retryOn"].split(",") if retries.get("retryOn") else ():
        if word not in _RETRY_ON and not _is_status(word):
            near = closest(word.strip(), _RETRY_ON)
            hint = (
                f"did you mean '{near}'?"
                if near and near != word
                else "conditions stand between commas, without blanks"
            )
            yield Finding((*path, "retryOn"), f"'{word}' is no condition to retry on", hint)


def _per_try_findings(route: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    """Envoy ignores it then. Source: x-envoy-upstream-rq-per-try-timeout-ms in Envoy's page about its router filter."""
    per_try, whole = (
        nanoseconds(text or "") for text in ((route.get("retries") or {}).get("perTryTimeout"), route.get("timeout"))
    )
    if per_try and whole and per_try > whole > 0:
        message = f"perTryTimeout {route['retries']['perTryTimeout']} is longer than the timeout of the route, {route['timeout']}"
        hint = "Envoy ignores it then: make it shorter, so that there is time for a retry, or leave it out"
        yield warning((*path, "retries", "perTryTimeout"), message, hint)


def _is_status(word: str) -> bool:
    from http import HTTPStatus

    # 418 is in both lists, and so are the others.
    return bool(re.fullmatch("[+]?[0-9]+", word)) and int(word) in {status.value for status in HTTPStatus}


def _rewrite_findings(route: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    rewrite = route.get("rewrite")
    if rewrite is not None:
        at = (*path, "rewrite")
        regex = rewrite.get("uriRegexRewrite")
        if rewrite.get("uri") and regex is not None:
            yield Finding((*at, "uriRegexRewrite"), "a rewrite has uri or uriRegexRewrite, not both")
        if not rewrite.get("uri") and regex is None and not rewrite.get("authority"):
            yield Finding(at, "a rewrite needs uri, uriRegexRewrite or authority")
        if regex is not None:
            if not regex.get("match") or not regex.get("rewrite"):
                yield Finding((*at, "uriRegexRewrite"), "uriRegexRewrite needs match and rewrite")
            else:
                yield from of((*at, "uriRegexRewrite", "match"), regex_problem(regex["match"]))
    request = (route.get("headers") or {}).get("request") or {}
    setters = [("rewrite", "authority")] if (rewrite or {}).get("authority") else []
    setters += [(word, name) for word in ("set", "add") for name in request.get(word) or () if is_authority(name)]
    if len(setters) > 1:
        word, name = setters[1]
        message = f"'{name}' sets the authority, which is set already"
        yield Finding((*path, "headers", "request", word, name), message, "keep one of them")
