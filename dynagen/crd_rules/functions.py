"""The functions that Kubernetes adds to CEL, in Python: a call in, its value out.

CEL sees the values of Kubernetes' own types as maps with one telling key: `{"@quantity": "1/2"}`. Each family of functions
is in a module of its own, read when a rule needs it. Source: https://kubernetes.io/docs/reference/using-api/cel/ and
k8s.io/apiserver, pkg/cel/environment/base.go, which names the families.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Name and the type of the first argument -> the module of this package, what is called there, what it is called with
# before the arguments. The type is "" for a value of CEL itself.
_Entry = tuple[str, str, tuple[Any, ...]]
_FUNCTIONS: dict[tuple[str, str], _Entry] = {
    ("quantity", ""): ("quantities", "quantity", ()),
    ("isQuantity", ""): ("quantities", "is_quantity", ()),
    ("sign", "quantity"): ("quantities", "sign", ()),
    ("add", "quantity"): ("quantities", "add", ()),
    ("sub", "quantity"): ("quantities", "sub", ()),
    ("compareTo", "quantity"): ("quantities", "compare", ()),
    ("isInteger", "quantity"): ("quantities", "is_integer", ()),
    ("asInteger", "quantity"): ("quantities", "as_integer", ()),
    ("asApproximateFloat", "quantity"): ("quantities", "as_float", ()),
    ("url", ""): ("urls", "url", ()),
    ("isURL", ""): ("urls", "is_url", ()),
    ("getScheme", "url"): ("urls", "scheme", ()),
    ("getHost", "url"): ("urls", "host", ()),
    ("getHostname", "url"): ("urls", "hostname", ()),
    ("getPort", "url"): ("urls", "port", ()),
    ("getEscapedPath", "url"): ("urls", "escaped_path", ()),
    ("getQuery", "url"): ("urls", "query", ()),
    ("ip", ""): ("addresses", "ip", ()),
    ("isIP", ""): ("addresses", "is_ip", ()),
    ("ip.isCanonical", ""): ("addresses", "is_canonical", ()),
    ("family", "ip"): ("addresses", "family", ()),
    ("isUnspecified", "ip"): ("addresses", "is_unspecified", ()),
    ("isLoopback", "ip"): ("addresses", "is_loopback", ()),
    ("isLinkLocalMulticast", "ip"): ("addresses", "is_link_local_multicast", ()),
    ("isLinkLocalUnicast", "ip"): ("addresses", "is_link_local_unicast", ()),
    ("isGlobalUnicast", "ip"): ("addresses", "is_global_unicast", ()),
    ("string", "ip"): ("addresses", "text", ()),
    ("cidr", ""): ("addresses", "cidr", ()),
    ("isCIDR", ""): ("addresses", "is_cidr", ()),
    ("containsIP", "cidr"): ("addresses", "contains_ip", ()),
    ("containsCIDR", "cidr"): ("addresses", "contains_cidr", ()),
    ("ip", "cidr"): ("addresses", "address_of", ()),
    ("masked", "cidr"): ("addresses", "masked", ()),
    ("prefixLength", "cidr"): ("addresses", "prefix_length", ()),
    ("string", "cidr"): ("addresses", "text", ()),
    ("semver", ""): ("versions", "semver", ()),
    ("isSemver", ""): ("versions", "is_semver", ()),
    ("compareTo", "semver"): ("versions", "compare", ()),
    ("format.named", ""): ("formats", "named", ()),
    ("validate", "format"): ("formats", "validate", ()),
    ("isSorted", ""): ("lists", "is_sorted", ()),
    ("sum", ""): ("lists", "total", ()),
    ("min", ""): ("lists", "best", ("min",)),
    ("max", ""): ("lists", "best", ("max",)),
    ("indexOf", ""): ("lists", "index_of", ()),
    ("lastIndexOf", ""): ("lists", "last_index_of", ()),
    ("substring", ""): ("lists", "substring", ()),
    ("includes", ""): ("lists", "includes", ()),
    ("find", ""): ("lists", "find", ()),
    ("findAll", ""): ("lists", "find_all", ()),
    ("lists.range", ""): ("lists", "too_long", ()),
    ("cel.@mapInsert", ""): ("lists", "inserted", ()),
}
_KINDS = frozenset(kind for _, kind in _FUNCTIONS if kind)
FORMATS = frozenset(
    [
        "dns1123Label",
        "dns1123Subdomain",
        "dns1035Label",
        "qualifiedName",
        "dns1123LabelPrefix",
        "dns1123SubdomainPrefix",
        "dns1035LabelPrefix",
        "labelValue",
        "uri",
        "uuid",
        "byte",
        "date",
        "datetime",
    ]
)
# As many steps as an API server allows for one rule: PerCallLimit in k8s.io/apiserver, pkg/apis/cel/config.go.
MAX_RANGE = 1_000_000
_PARTS = {"major": 0, "minor": 1, "patch": 2}

NAMES = frozenset({name for name, _ in _FUNCTIONS} | {"isGreaterThan", "isLessThan", *_PARTS})


def call(request: list[Any]) -> Any:
    """`request` is the name and the arguments, the target of a member first. Raises ValueError."""
    name, *arguments = request
    kind = _kind(arguments[0]) if arguments else ""
    if name in ("isGreaterThan", "isLessThan") and kind in ("quantity", "semver") and len(arguments) == 2:
        _expect(arguments[1], kind, name)
        return call(["compareTo", *arguments]) == (1 if name == "isGreaterThan" else -1)
    if name in _PARTS and kind == "semver":
        return arguments[0]["@semver"][_PARTS[name]]
    if (entry := _FUNCTIONS.get((name, kind))) is None:
        raise ValueError(f"no such overload: {name}({kind or _named(arguments)})")
    if name == "compareTo":
        _expect(arguments[1], kind, name)
    module, function, before = entry
    try:
        return getattr(import_module(f"dynagen.crd_rules.{module}"), function)(*before, *arguments)
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"no such overload: {name}({_named(arguments)})") from error


def _kind(value: Any) -> str:
    """The type of Kubernetes' own that a map stands for, or ""."""
    if not isinstance(value, dict):
        return ""
    return next((kind for kind in _KINDS if f"@{kind}" in value), "")


def _expect(value: Any, kind: str, name: str) -> None:
    if _kind(value) != kind:
        raise ValueError(f"no such overload: {name}({_named([value])})")


def _named(arguments: list[Any]) -> str:
    return ", ".join(type(argument).__name__ for argument in arguments)
