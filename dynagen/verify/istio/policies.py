"""Policies in, what Istio's webhook refuses of them out, as far as `rules.yaml` cannot say it: conditions, and keys one by one.

Source: pkg/config/validation/validation.go and pkg/config/security/security.go of istio/istio.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import items, warning
from dynagen.verify.istio.conditions import (
    address_problem,
    attribute_problem,
    port_problem,
    service_account_problem,
    trust_domain_problem,
)
from dynagen.verify.istio.keys import private_keys

_CHECKS = {
    "source.ip": address_problem, "remote.ip": address_problem, "destination.ip": address_problem,
    "destination.port": port_problem, "source.serviceAccount": service_account_problem,
    "source.trustDomain": trust_domain_problem,
}  # fmt: skip


def authorization_findings(subject: Object) -> Iterator[Finding]:
    spec = subject.data.get("spec") or {}
    for path, rule in items(spec, "rules", ("spec",)):
        for at, condition in items(rule, "when", path):
            yield from _condition_findings(condition, at, spec.get("action", "ALLOW"))


def _condition_findings(condition: dict[str, Any], path: KeyPath, action: str) -> Iterator[Finding]:
    key = condition.get("key", "")
    values = [pair for name in ("values", "notValues") for pair in items(condition, name, path)]
    if not key:
        yield Finding((*path, "key"), "a condition needs a key")
        return
    by_identity = ("source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal")
    if action == "CUSTOM" and (key in by_identity or key.startswith("request.auth.")):
        yield Finding((*path, "key"), f"CUSTOM cannot tell by {key}", "let the provider decide")
    if not values:
        yield Finding(path, f"a condition of {key} needs values or notValues")
        return
    for name in ("values", "notValues"):
        if key == "source.serviceAccount" and len(condition.get(name) or ()) > 16:
            yield Finding((*path, name), "more than 16 service accounts")
    unknown = attribute_problem(key)
    if unknown:
        yield Finding((*path, "key"), *unknown)
        return
    check = _CHECKS.get(key)
    for at, value in values:
        if key == "source.trustDomain" and "/" in value:
            value = value.replace("/", "-")  # a condition may have one, a source may not
        problem = "an empty value" if not value else check(value) if check else None
        if problem:
            yield Finding(at, problem)


def request_authentication_findings(subject: Object) -> Iterator[Finding]:
    for path, rule in items(subject.data.get("spec") or {}, "jwtRules", ("spec",)):
        for index in private_keys(rule["jwks"]) if rule.get("jwks") else ():
            message = f"key {index} of jwks holds a private or symmetric key, and only public ones verify"
            yield warning((*path, "jwks"), message, "write the public key, and take the other out of circulation")
