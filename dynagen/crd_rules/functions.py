"""The functions that Kubernetes adds to CEL, in Python: a call in, its value out. Only families that shipped rules call.

CEL sees the values of Kubernetes' own types as maps with one telling key: `{"@quantity": "1/2"}`. Each family of functions
is in a module of its own, read when a rule needs it. Source: https://kubernetes.io/docs/reference/using-api/cel/ and
k8s.io/apiserver, pkg/cel/environment/base.go, which names the families.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any
from zlib import crc32

# Name and the type of the first argument -> the module of this package, and what is called there. The type is "" for a
# value of CEL itself.
_FUNCTIONS = {
    ("quantity", ""): ("quantities", "quantity"),
    ("isQuantity", ""): ("quantities", "is_quantity"),
    ("sign", "quantity"): ("quantities", "sign"),
    ("add", "quantity"): ("quantities", "add"),
    ("sub", "quantity"): ("quantities", "sub"),
    ("compareTo", "quantity"): ("quantities", "compare"),
    ("isGreaterThan", "quantity"): ("quantities", "is_greater"),
    ("isLessThan", "quantity"): ("quantities", "is_less"),
    ("isInteger", "quantity"): ("quantities", "is_integer"),
    ("asInteger", "quantity"): ("quantities", "as_integer"),
    ("asApproximateFloat", "quantity"): ("quantities", "as_float"),
    ("url", ""): ("urls", "url"),
    ("isURL", ""): ("urls", "is_url"),
    ("getScheme", "url"): ("urls", "scheme"),
    ("getHost", "url"): ("urls", "host"),
    ("getHostname", "url"): ("urls", "hostname"),
    ("getPort", "url"): ("urls", "port"),
    ("getEscapedPath", "url"): ("urls", "escaped_path"),
    ("getQuery", "url"): ("urls", "query"),
    ("substring", ""): ("texts", "substring"),
}
NAMES = frozenset(name for name, _ in _FUNCTIONS)
_KINDS = frozenset(kind for _, kind in _FUNCTIONS if kind)

# What an API server has beside these and beside CEL's own, by family: a rule that calls one is left to it. The last are
# macros with two variables. A name that CEL has too, as `indexOf`, is here because Kubernetes has it for lists as well.
_LISTED = """
    includes indexOf isSorted lastIndexOf lists.range max min sum
    find findAll
    family ip ip.isCanonical isGlobalUnicast isIP isLinkLocalMulticast isLinkLocalUnicast isLoopback isUnspecified
    cidr containsCIDR containsIP isCIDR masked prefixLength
    isSemver major minor patch semver
    format.byte format.date format.datetime format.dns1035Label format.dns1035LabelPrefix format.dns1123Label
    format.dns1123LabelPrefix format.dns1123Subdomain format.dns1123SubdomainPrefix format.labelValue format.named
    format.qualifiedName format.uri format.uuid validate
    all exists existsOne exists_one transformList transformMap transformMapEntry
"""
LEFT_OUT = frozenset(_LISTED.split())


# https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
_STANDARD = """
    @in @not_strictly_false _&&_ _||_ !_ -_ _?_:_ _==_ _!=_ _<_ _<=_ _>_ _>=_ _+_ _-_ _*_ _/_ _%_ _[_] _[?_] _?._
    bool bytes contains double duration dyn endsWith getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours
    getMilliseconds getMinutes getMonth getSeconds int matches size startsWith string timestamp type uint
"""
# The extensions that an API server has, as far as CEL itself has them: k8s.io/apiserver, pkg/cel/environment/base.go.
_EXTENSIONS = """
    charAt join lowerAscii replace split trim upperAscii format strings.quote
    distinct first flatten last reverse slice sort @sortByAssociatedKeys
    sets.contains sets.equivalent sets.intersects
    hasValue optional.none optional.of optional.ofNonZeroValue optional.unwrap or orValue unwrapOpt value
"""
IN_CEL = frozenset((_STANDARD + _EXTENSIONS).split())
# `oldSelf` of a rule with `optionalOldSelf`; there is at most one earlier object.
OPTIONAL = "size(earlier) == 0 ? optional.none() : optional.of(earlier[0])"

# Tells programs apart that were compiled with another meaning of functions.
COMPILER = crc32(repr((OPTIONAL, sorted(IN_CEL), sorted(NAMES), sorted(LEFT_OUT))).encode())


def call(request: list[Any]) -> Any:
    """`request` is the name and the arguments, the target of a member first. Raises ValueError."""
    name, *arguments = request
    kind = _kind(arguments[0]) if arguments else ""
    if (entry := _FUNCTIONS.get((name, kind))) is None:
        raise ValueError(f"no such overload: {name}({kind or _named(arguments)})")
    module, function = entry
    try:
        return getattr(import_module(f"dynagen.crd_rules.{module}"), function)(*arguments)
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"no such overload: {name}({_named(arguments)})") from error


def _kind(value: Any) -> str:
    """The type of Kubernetes' own that a map stands for, or ""."""
    if not isinstance(value, dict):
        return ""
    return next((kind for kind in _KINDS if f"@{kind}" in value), "")


def _named(arguments: list[Any]) -> str:
    return ", ".join(type(argument).__name__ for argument in arguments)
