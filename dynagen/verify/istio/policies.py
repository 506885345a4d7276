"""An AuthorizationPolicy, PeerAuthentication or RequestAuthentication in, what Istio's webhook refuses of it out.

Source: pkg/config/validation/validation.go and pkg/config/security/security.go of istio/istio.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import (
    duration_findings,
    items,
    of,
    selector_findings,
    target_findings,
    warning,
)
from dynagen.verify.istio.conditions import (
    address_problem,
    attribute_problem,
    port_problem,
    service_account_problem,
    template_problem,
    trust_domain_problem,
)
from dynagen.verify.istio.keys import keys_problem, private_keys

_BY_IDENTITY = ("principals", "notPrincipals", "namespaces", "notNamespaces")
_ACCOUNTS = ("serviceAccounts", "notServiceAccounts")
_DOMAINS = ("trustDomains", "notTrustDomains")
_BLOCKS = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")
_REQUESTS = ("requestPrincipals", "notRequestPrincipals")
_SOURCE = (*_BY_IDENTITY, *_ACCOUNTS, *_DOMAINS, *_BLOCKS, *_REQUESTS)
_CHECKS = {
    **dict.fromkeys(_ACCOUNTS, service_account_problem),
    **dict.fromkeys(_DOMAINS, trust_domain_problem),
    **dict.fromkeys(_BLOCKS, address_problem),
}
_OPERATION = ("ports", "notPorts", "methods", "notMethods", "paths", "notPaths", "hosts", "notHosts")
_TRUE = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
_HEADER = "[-_A-Za-z0-9]+"


def authorization_findings(subject: Object) -> Iterator[Finding]:
    spec = subject.data.get("spec") or {}
    action, rules = spec.get("action", "ALLOW"), spec.get("rules") or ()
    yield from _dry_run_findings(subject, action)
    yield from target_findings(spec)
    if action in ("DENY", "CUSTOM") and not rules:
        yield Finding(
            ("spec", "action"), f"{action} without rules applies to nothing", "rules: [{}] applies to everything"
        )
    if action == "CUSTOM" and rules and not (spec.get("provider") or {}).get("name"):
        yield Finding(("spec", "action"), "CUSTOM needs provider.name", "that of an extensionProvider of the mesh")
    if action != "CUSTOM" and "provider" in spec:
        yield Finding(("spec", "provider"), f"a provider is for CUSTOM, not for {action}", "drop it")
    for path, rule in items(spec, "rules", ("spec",)):
        for at, entry in items(rule, "from", path):
            yield from _source_findings(entry, at, action)
        for at, entry in items(rule, "to", path):
            yield from _operation_findings(entry, at)
        for at, condition in items(rule, "when", path):
            yield from _condition_findings(condition, at, action)
        if action == "DENY" and _is_of_http(rule):
            message = "DENY by attributes of HTTP alone denies all traffic to ports that are plain TCP"
            yield warning(path, message, "name the ports in to.operation.ports")


def _is_of_http(rule: dict[str, Any]) -> bool:
    sources = [entry["source"] for entry in rule.get("from") or () if "source" in entry]
    operations = [entry["operation"] for entry in rule.get("to") or () if "operation" in entry]
    tcp = (*_BY_IDENTITY, *_ACCOUNTS, *_BLOCKS)
    if operations:
        return not any(operation.get(key) for operation in operations for key in ("ports", "notPorts"))
    return bool(sources) and not any(source.get(key) for source in sources for key in tcp)


def _dry_run_findings(subject: Object, action: str) -> Iterator[Finding]:
    annotations = (subject.data.get("metadata") or {}).get("annotations") or {}
    value = annotations.get("istio.io/dry-run")
    path = ("metadata", "annotations", "istio.io/dry-run")
    if value is not None and action not in ("ALLOW", "DENY"):
        yield Finding(path, f"dry-run is for ALLOW and DENY, not for {action}", "drop the annotation")
    elif value is not None and value not in _TRUE:
        yield Finding(path, f"'{value}' is neither true nor false")


def _source_findings(entry: dict[str, Any], path: KeyPath, action: str) -> Iterator[Finding]:
    source, at = entry.get("source"), (*path, "source")
    if source is None:
        yield Finding(path, "an entry of from needs a source")
        return
    if not any(source.get(key) for key in _SOURCE):
        yield Finding(at, "a source that says nothing", "leave `from` out if any will do")
    accounts = next((key for key in _ACCOUNTS if source.get(key)), None)
    identity = next((key for key in _BY_IDENTITY if source.get(key)), None)
    if accounts and identity:
        yield Finding((*at, accounts), f"a source has {accounts} or {identity}, not both", "use two entries of from")
    for key in (*_BY_IDENTITY, *_ACCOUNTS, *_DOMAINS, *_REQUESTS) if action == "CUSTOM" else ():
        if source.get(key):
            yield Finding((*at, key), f"CUSTOM cannot tell by {key}", "let the provider decide")
    for key in _ACCOUNTS:
        if len(source.get(key) or ()) > 16:
            yield Finding((*at, key), "more than 16 service accounts", "use several entries of from")
    for key in _SOURCE:
        check = _CHECKS.get(key)
        for inner, value in items(source, key, at):
            yield from of(inner, "an empty value" if not value else check(value) if check else None)


def _operation_findings(entry: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    operation, at = entry.get("operation"), (*path, "operation")
    if operation is None:
        yield Finding(path, "an entry of to needs an operation")
        return
    if not any(operation.get(key) for key in _OPERATION):
        yield Finding(at, "an operation that says nothing", "leave `to` out if any will do")
    for key in _OPERATION:
        for inner, value in items(operation, key, at):
            if not value:
                yield Finding(inner, "an empty value")
            elif key in ("ports", "notPorts"):
                yield from of(inner, port_problem(value))
            elif key in ("paths", "notPaths"):
                yield from of(inner, template_problem(value))


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
    problem = attribute_problem(key)
    if problem:
        yield Finding((*path, "key"), *problem)
        return
    checks = {
        "source.ip": address_problem, "remote.ip": address_problem, "destination.ip": address_problem,
        "destination.port": port_problem, "source.serviceAccount": service_account_problem,
        "source.trustDomain": trust_domain_problem,
    }  # fmt: skip
    for at, value in values:
        check = checks.get(key)
        if key == "source.trustDomain" and "/" in value:
            value = value.replace("/", "-")  # a condition may have one, a source may not
        yield from of(at, "an empty value" if not value else check(value) if check else None)


def peer_authentication_findings(subject: Object) -> Iterator[Finding]:
    spec = subject.data.get("spec") or {}
    selector, ports = spec.get("selector"), spec.get("portLevelMtls")
    at = ("spec", "portLevelMtls")
    if ports and not (selector or {}).get("matchLabels"):
        yield Finding(at, "portLevelMtls is for pods of a selector", "add selector.matchLabels")
    if ports == {}:
        yield Finding(at, "portLevelMtls without a port", "leave it out")
    for port in ports or {}:
        if not re.fullmatch("[0-9]+", str(port)) or not 1 <= int(port) <= 65535:
            yield Finding((*at, port), f"'{port}' is no port")
    yield from selector_findings(selector, ("spec", "selector"))


def request_authentication_findings(subject: Object) -> Iterator[Finding]:
    spec = subject.data.get("spec") or {}
    yield from target_findings(spec)
    for path, rule in items(spec, "jwtRules", ("spec",)):
        yield from _jwt_findings(rule, path)


def _jwt_findings(rule: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    if not rule.get("issuer") and not rule.get("jwksUri"):
        yield Finding(path, "a rule of JWT needs issuer or jwksUri")
    for key in ("audiences", "fromParams", "fromCookies"):
        for at, value in items(rule, key, path):
            if not value:
                yield Finding(at, "an empty value")
    uri = rule.get("jwksUri", "")
    if uri:
        yield from of((*path, "jwksUri"), _uri_problem(uri))
        port = _port(uri)
        if port.isdecimal() and int(port) > 65535:  # Istio takes any number
            yield warning((*path, "jwksUri"), f"'{uri}': {port} is no port", "use 1 to 65535, or leave it out")
    if rule.get("jwks"):
        yield from of((*path, "jwks"), keys_problem(rule["jwks"]))
        for index in private_keys(rule["jwks"]):
            message = f"key {index} of jwks holds a private or symmetric key, and only public ones verify"
            yield warning((*path, "jwks"), message, "write the public key, and take the other out of circulation")
    for at, header in items(rule, "fromHeaders", path):
        if not header.get("name"):
            yield Finding((*at, "name"), "a header needs a name")
    for at, claim in items(rule, "outputClaimToHeaders", path):
        if not claim.get("claim") or not claim.get("header"):
            yield Finding(at, "outputClaimToHeaders needs header and claim")
        elif not re.fullmatch(_HEADER, claim["header"]):
            yield Finding(
                (*at, "header"), f"'{claim['header']}' is no name of a header here", "letters, digits, - and _"
            )
    yield from duration_findings(rule, path, "timeout")


def _uri_problem(uri: str) -> str | None:
    """Source: ParseJwksURI in pkg/config/security/security.go of istio/istio."""
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        return f"'{uri}' is no address of the web: {error}"
    if parts.scheme not in ("http", "https"):
        return f"'{uri}' begins neither with https:// nor with http://"
    if not re.fullmatch("[0-9]{0,18}", _port(uri)):
        return f"'{uri}' is no address of the web: '{_port(uri)}' is no port"
    return f"'{uri}' has a blank or a control character" if re.search(r"[\x00-\x20\x7f]", parts.netloc) else None


def _port(uri: str) -> str:
    """What stands for the port in an address, "" for none."""
    found = re.match(r"[a-zA-Z]+://[^/?#]*:([^/?#:\]@]*)(?=[/?#]|\Z)", uri)
    return found[1] if found else ""
