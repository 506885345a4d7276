"""The tests of values that `rules.yaml` names, after what is right: what is wrong comes out as a few words, or as True."""

from __future__ import annotations

import re
from importlib import import_module
from math import isqrt
from typing import Any

from dynagen.diagnostics import closest
from dynagen.text.durations import duration_problem, nanoseconds
from dynagen.verify.istio import hosts
from dynagen.verify.istio.common import regex_problem
from dynagen.verify.predicates import Form

Tree = dict[str, Any]

_TARGETS = {
    ("", "Service"), ("core", "Service"), ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"), ("gateway.networking.k8s.io", "GatewayClass"),
}  # fmt: skip
# Source: pkg/config/protocol/instance.go.
_HTTP = frozenset(("http", "http2", "http_proxy", "grpc", "grpc-web"))
_TLS = frozenset(("https", "tls"))
_TCP = frozenset(("tcp", "udp", "mongo", "redis", "mysql"))
_UNIX = "unix://"
# Source: pkg/util/grpc.
_GRPC = frozenset((
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
))  # fmt: skip
_MAX_TABLE = 5000011
_MANY, _MOST = 100 * 1024, 1024 * 1024  # bytes of a body
_LONG = 1024  # bytes of an expression
_HEADER = r"[!#$%&'*+\-.^_`|~A-Za-z0-9]+"
_PSEUDO = (":method", ":scheme", ":authority", ":path", ":status")
_CONTROL = "[\x00-\x08\x0a-\x1f\x7f]"
_STRING = r"(?:[^\\)\"]|\\.)*"
# %VAR%, %VAR(argument)%, %VAR(["one", "two"])%.
_VARIABLE = rf'%[^%(]*(?:\((?: *\[ *"{_STRING}"(?: *, *"{_STRING}")* *\] *| *[^\[ ](?:[^\\)\"]|\\.)*)\) *)?%'
_IDENTITY = ("principals", "notPrincipals", "namespaces", "notNamespaces")


def _target_problem(target: Tree) -> str | None:
    group, kind = target.get("group", ""), target.get("kind", "")
    return None if (group, kind) in _TARGETS else f"{group + '/' if group else ''}{kind} is no target of a policy"


# Of a Gateway.


def _bind_problem(bind: str) -> str | None:
    if bind.startswith(_UNIX):
        return hosts.socket_problem(bind.removeprefix(_UNIX))
    return f"'{bind}' is no address" if bind and not hosts.is_address(bind) else None


def _is_socket(server: Tree) -> bool:
    return bool(server.get("bind", "").startswith(_UNIX))


def _number(server: Tree) -> int:
    number: int = (server.get("port") or {}).get("number", 0)
    return number


def _number_problem(server: Tree) -> str | None:
    return hosts.port_problem(_number(server)) if _number(server) > 0 or not _is_socket(server) else None


def _has_certificate_of_http(server: Tree) -> bool:
    tls, protocol = server.get("tls") or {}, str((server.get("port") or {}).get("protocol", ""))
    return protocol.lower() in _HTTP and (
        tls.get("mode", "PASSTHROUGH") not in ("PASSTHROUGH", "AUTO_PASSTHROUGH")
        or any(tls.get(key) for key in ("caCertificates", "privateKey", "serverCertificate"))
    )


# Of a VirtualService.


def _has_no_weight(routes: list[Tree]) -> bool:
    return len(routes) > 1 and sum(each.get("weight", 0) for each in routes) == 0


def _matches_more_than_prefixes(matches: list[Tree]) -> bool:
    return any("uri" in each and "prefix" not in each["uri"] for each in matches)


def _is_outlasting(route: Tree) -> bool:
    """Whether one try takes longer than all of them may."""
    per_try = nanoseconds((route.get("retries") or {}).get("perTryTimeout", "")) or 0
    return per_try > (nanoseconds(route.get("timeout", "")) or per_try) > 0


def _size(body: Tree) -> int:
    return len(body.get("string", "").encode()) or len(re.sub("[\r\n=]", "", body.get("bytes", ""))) * 3 // 4


def _grpc_hint(status: str) -> str | None:
    """The hint, not what is wrong: that is always the same."""
    if status in _GRPC:
        return None
    near = closest(status, _GRPC)
    return f"did you mean '{near}'?" if near else "for example NOT_FOUND"


def _host_of_destination_problem(host: str) -> str | None:
    return "'*' is no destination" if host == "*" else hosts.host_problem(host)


# Of headers. Source: header_value_validator.go of istio/istio.


def _is_no_name(name: str) -> bool:
    return not re.fullmatch(_HEADER, name)


def _is_never_matched(name: str) -> bool:
    return not hosts.is_jwt_claim(name) and name not in _PSEUDO and _is_no_name(name)


def is_authority(name: str) -> bool:
    return name.lower() in (":authority", "host")


def _is_fixed(name: str) -> bool:
    return name.startswith(":") or name.lower() == "host"


def _is_fixed_in_requests(name: str) -> bool:
    return _is_fixed(name) and not is_authority(name)


def _has_control_character(value: str) -> bool:
    return bool(re.search(_CONTROL, value))


def _has_stray_percent(value: str) -> bool:
    """Whether a '%' begins no variable of Envoy, in a value without control characters."""
    if "%" not in value or _has_control_character(value):
        return False
    return "%" in re.sub(_VARIABLE, "", value.replace("%%", ""), flags=re.DOTALL)


# Of a DestinationRule.


def _duration_or_zero_problem(text: str) -> str | None:
    value = nanoseconds(text)
    return duration_problem(text) if value is None or abs(value) >= 10**6 else None  # zero turns it off


def _fails_over(setting: Tree) -> bool:
    """What has `distribute` too is refused."""
    failover = bool(setting.get("failover"))
    return (failover or bool(setting.get("failoverPriority"))) and not (failover and setting.get("distribute"))


def _sum_of_shares(shares: dict[str, int] | str) -> str | None:
    total = sum(shares.values()) if isinstance(shares, dict) else 0
    return None if total == 100 else str(total)


def _table_problem(size: Any) -> str | None:
    if not size:
        return "maglev needs a tableSize"
    return None if size < _MAX_TABLE and _is_prime(size) else f"tableSize {size} is no prime number below {_MAX_TABLE}"


def _is_prime(number: int) -> bool:
    if number < 4:
        return number > 0
    return number % 2 == 1 and all(number % factor for factor in range(3, isqrt(number) + 1, 2))


# Of policies and of what extends the proxies.


def _identity(source: Tree) -> str | None:
    return next((key for key in _IDENTITY if source.get(key)), None)


def _expression_problem(text: str) -> str | None:
    from dynagen.language.cel import ExpressionError, compile_program

    try:
        compile_program(text)
    except ExpressionError as error:
        return error.message
    return None


def _is_long(text: str) -> bool:
    return len(text.encode()) > _LONG


def _late(module: str, name: str) -> Form:
    """A form whose module is read when it is asked."""
    return lambda value: getattr(import_module(f"dynagen.verify.istio.{module}"), name)(value)


def _value(name: str) -> Form:
    """Of a value in a rule of an AuthorizationPolicy."""
    problem = _late("conditions", name)
    return lambda value: problem(value) if value else "an empty value"


FORMS: dict[str, Form] = {
    "address": _value("address_problem"),
    "address-or-block": hosts.address_or_block_problem,
    "any-duration": lambda text: nanoseconds(text) is None,
    "bind": _bind_problem,
    "body-of-100-kibibytes": lambda body: _MANY < _size(body) <= _MOST,
    "body-of-a-mebibyte": lambda body: _size(body) > _MOST,
    "cel": _expression_problem,
    "changeable-header": _is_fixed,
    "changeable-in-requests": _is_fixed_in_requests,
    "duration": duration_problem,
    "duration-or-zero": _duration_or_zero_problem,
    "fraction": lambda share: share != 0 and not 0.0001 <= share <= 100,
    "grpc-status": _grpc_hint,
    "header-or-any": lambda name: name != "*" and _is_no_name(name),
    "host": hosts.host_problem,
    "host-label": lambda text: not hosts.is_host_label(text),
    "host-of-destination": _host_of_destination_problem,
    "host-or-address": lambda host: hosts.fqdn_problem(host) and not hosts.is_address(host),
    "http": lambda protocol: protocol.lower() not in _HTTP,
    "http-without-certificate": _has_certificate_of_http,
    "jwks": _late("keys", "keys_problem"),
    "jwks-uri": _late("keys", "uri_problem"),
    "labels": hosts.labels_problem,
    "low-port": _late("keys", "high_port"),
    "matched-header": _is_never_matched,
    "no-jwt-claim": hosts.is_jwt_claim,
    "not-empty": lambda text: not text,
    "not-failing-over": _fails_over,
    "number-of-server": _number_problem,
    "of-tcp": _late("conditions", "is_of_http"),
    "other-than-tcp": lambda protocol: protocol.lower() in _TCP and protocol.upper(),
    "other-than-tls": lambda protocol: protocol.lower() in _TLS and protocol.upper(),
    "path-template": _value("template_problem"),
    "plain-header": lambda name: not re.fullmatch("[-_A-Za-z0-9]+", name),
    "port": lambda number: hosts.port_problem(number or 0),
    "port-in-text": _value("port_problem"),
    "port-of-peers": lambda port: not re.fullmatch("[0-9]+", str(port)) or not 1 <= int(port) <= 65535,
    "positive": lambda number: number <= 0,
    "prefixes": _matches_more_than_prefixes,
    "protocol": lambda protocol: protocol.lower() not in _HTTP | _TLS | _TCP,
    "regex": regex_problem,
    "regex-or-any": lambda text: text != "*" and regex_problem(text),
    "region": lambda text: "/" in text or "*" in text,
    "scoped-host": hosts.scoped_host_problem,
    "service-account": _value("service_account_problem"),
    "shares": _sum_of_shares,
    "short": _is_long,
    "socket-without-number": lambda server: _is_socket(server) and _number(server),
    "table-size": _table_problem,
    "target": _target_problem,
    "trust-domain": _value("trust_domain_problem"),
    "try-within-timeout": _is_outlasting,
    "two-regions": lambda step: step.get("from", "") == step.get("to", ""),
    "version-regex": lambda text: text and not _is_long(text) and regex_problem(text),
    "weights": _has_no_weight,
    "whole-seconds": lambda text: (nanoseconds(text) or 0) % 10**9,
    "whole-variables": _has_stray_percent,
    "without-control-characters": _has_control_character,
    "without-identity": _identity,
    "without-wildcard": lambda text: "*" in text,
}
