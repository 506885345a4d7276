"""What ends answers before a frontend has given them: its own wait, when it goes away, says how long they take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynagen.cluster.frontends import ISTIO, Frontends, Route
from dynagen.cluster.objects import Findings, Object, mapping
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath
from dynagen.text.durations import nanoseconds, seconds_said
from dynagen.text.versions import Version
from dynagen.trees.nodes import value_at

_WAIT = "DYN_HTTP_GRACEFUL_SHUTDOWN_TIMEOUT_SECS"
# Since this release the variable is the time for answers under way; before, the time in which new requests are taken.
# source: start_draining in lib/llm/src/http/service/service_v2.rs of ai-dynamo/dynamo
_SINCE = (1, 3, 0)
# What takes long; the list of models does not.
# source: docs/kubernetes/security.md of ai-dynamo/dynamo (paths of the frontend)
_LONG = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages")
# The fields of a rule of a route that bound a whole answer, by the group of the route.
_FIELDS: dict[bool, Sequence[KeyPath]] = {
    True: (("timeout",), ("retries", "perTryTimeout")),
    False: (("timeouts", "request"), ("timeouts", "backendRequest")),
}


def check_timeouts(frontends: Frontends, routes: Sequence[Route], release: Version, findings: Findings) -> None:
    """Reports DG648."""
    if release < _SINCE:
        return
    for route in routes:
        wait = longest_wait(route.pods)
        for field in _FIELDS[route.subject.group == ISTIO] if wait and takes_long(route) else ():
            seconds = _seconds(value_at(route.data, field))
            if wait and seconds and seconds < wait[0]:
                _report(findings, route.subject, (*route.path, *field), seconds, wait)
    for subject in frontends.objects:
        if (subject.group, subject.kind) == ("networking.gke.io", "GCPBackendPolicy"):
            _check_policy(subject, frontends, findings)


# Seconds, and where a frontend is told so.
Wait = tuple[float, PodTemplate, KeyPath]


def longest_wait(pods: Sequence[PodTemplate]) -> Wait | None:
    found = [
        (seconds, pod, (*pod.path, *path, "env", index, "value"))
        for pod in pods
        for path, container in pod.containers()
        for index, variable in enumerate(container.get("env") or ())
        if variable.get("name") == _WAIT and (seconds := seconds_said(variable.get("value")))
    ]
    return max(found, key=lambda each: each[0], default=None)


def _check_policy(policy: Object, frontends: Frontends, findings: Findings) -> None:
    spec = mapping(policy.data.get("spec"))
    target, default = mapping(spec.get("targetRef")), mapping(spec.get("default"))
    space = target.get("namespace") or policy.namespace
    wait = longest_wait(frontends.behind(target.get("name"), space, target.get("kind", "Service")) or ())
    if wait is None:
        return
    seconds = default.get("timeoutSec")
    if isinstance(seconds, int) and seconds < wait[0]:
        _report(findings, policy, ("spec", "default", "timeoutSec"), seconds, wait)
    path: KeyPath = ("connectionDraining", "drainingTimeoutSec")
    drains = value_at(default, path)
    if isinstance(drains, int) and drains < wait[0]:
        message = f"connections to a pod that goes away are cut after {drains} seconds"
        _report(findings, policy, ("spec", "default", *path), drains, wait, message)


def _report(findings: Findings, subject: Object, path: KeyPath, seconds: float, wait: Wait, message: str = "") -> None:
    message = message or f"every answer is cut after {seconds:g} seconds"
    message += f", and the frontend has {wait[0]:g} for those under way when it goes away"
    hint = f"{wait[0]:g} or more here, or less there: 'frontend.longestAnswerSeconds' in a profile, {_WAIT} in a graph"
    findings.add("DG648", subject, path, message, hint, "warning", [("the frontend's time", wait[1].subject, wait[2])])


def takes_long(route: Route) -> bool:
    """Whether a rule surely takes requests for answers that are long."""
    matches = route.data.get("match" if route.subject.group == ISTIO else "matches")
    return not matches or any(any(_takes(match, path) for path in _LONG) for match in matches)


def _takes(match: dict[str, Any], path: str) -> bool:
    method = match.get("method")
    if method is not None and method != "POST" and mapping(method).get("exact") != "POST":
        return False
    if "uri" in match:
        uri = mapping(match["uri"])
        return uri.get("exact") == path or ("prefix" in uri and path.startswith(str(uri["prefix"])))
    given = mapping(match.get("path"))
    how, text = given.get("type", "PathPrefix"), str(given.get("value", "/"))
    if how == "PathPrefix":
        return f"{path}/".startswith(f"{text.rstrip('/')}/")
    return bool(how == "Exact" and path == text)


def _seconds(given: Any) -> float:
    return (nanoseconds(given) or 0) / 10**9 if isinstance(given, str) else 0
