"""Rules of an AuthorizationPolicy, and values in them. What is wrong with one comes out as a few words, or None.

Source: pkg/config/security/security.go of istio/istio.
"""

from __future__ import annotations

import re
from typing import Any

from dynagen.diagnostics import closest
from dynagen.verify.istio.hosts import is_address, is_block

_ATTRIBUTES = (
    "source.ip", "remote.ip", "source.namespace", "source.serviceAccount", "source.principal", "source.trustDomain",
    "request.auth.principal", "request.auth.audiences", "request.auth.presenter", "destination.ip", "destination.port",
    "connection.sni",
)  # fmt: skip
_WITH_KEY = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
_GONE = {
    "destination.namespace": "the policy is for its own namespace",
    "destination.labels": "use a selector",
    "destination.name": "use a selector",
    "destination.user": "use a selector",
}
_LITERAL = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]+"
_OF_TCP = (
    "principals", "notPrincipals", "namespaces", "notNamespaces", "serviceAccounts", "notServiceAccounts", "ipBlocks",
    "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks",
)  # fmt: skip


def attribute_problem(key: str) -> tuple[str, str] | None:
    """Of the key of a condition: a message and a hint."""
    if key.startswith(_WITH_KEY):
        opened = key.find("[")
        if key.endswith("]") and 0 < opened < len(key) - 2:
            return None
        return f"'{key}' should look like {key.partition('[')[0]}[name]", ""
    if key in _ATTRIBUTES:
        return None
    for gone, hint in _GONE.items():
        if key == gone or (gone == "destination.labels" and key.startswith(gone)):
            return f"'{key}' is no condition any more", hint
    near = closest(key, (*_ATTRIBUTES, *_WITH_KEY[:2]))
    return f"Istio knows no attribute '{key}'", f"did you mean '{near}'?" if near else ""


def address_problem(value: str) -> str | None:
    if "/" in value:
        return None if is_block(value) else f"'{value}' is no block of addresses"
    return None if is_address(value) else f"'{value}' is no address"


def port_problem(value: str) -> str | None:
    return None if re.fullmatch("[0-9]{1,9}", value) and int(value) <= 65535 else f"'{value}' is no port"


def service_account_problem(value: str) -> str | None:
    if "*" in value:
        return f"'{value}': names of service accounts have no wildcards here"
    parts = value.split("/")
    if len(parts) > 2 or not all(parts):
        return f"'{value}' should look like NAME or NAMESPACE/NAME"
    return f"'{value}' is longer than 320 characters" if len(value.encode()) > 320 else None


def trust_domain_problem(value: str) -> str | None:
    if "/" in value:
        return f"'{value}' is no trust domain: it has a slash"
    if value.count("*") > 1 or ("*" in value and not value.startswith("*") and not value.endswith("*")):
        return f"'{value}': one wildcard, at the start or at the end"
    return None


def template_problem(path: str) -> str | None:
    """Of a path that may hold {*} and {**}."""
    is_template = "{*}" in path or "{**}" in path
    ended = False
    for part in path.strip("/").split("/"):
        if part in ("{*}", "{**}"):
            if ended:
                return f"'{path}': {{**}} stands last"
            ended = part == "{**}"
        elif "{" in part or "}" in part:
            return f"'{path}': braces are for {{*}} and {{**}} alone"
        elif is_template and not re.fullmatch(_LITERAL, part):
            return f"'{path}': '{part}' cannot stand beside {{*}} or {{**}}"
    return None


def is_of_http(rule: dict[str, Any]) -> bool:
    """Of a rule: whether only HTTP has what it looks at."""
    sources = [entry["source"] for entry in rule.get("from") or () if "source" in entry]
    operations = [entry["operation"] for entry in rule.get("to") or () if "operation" in entry]
    if operations:
        return not any(operation.get(key) for operation in operations for key in ("ports", "notPorts"))
    return bool(sources) and not any(source.get(key) for source in sources for key in _OF_TCP)
