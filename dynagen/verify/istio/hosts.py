"""Hosts, labels, addresses and ports as Istio reads them. What is wrong with one comes out as a few words, or None.

Source: pkg/config/validation/agent/validation.go, pkg/config/labels/instance.go and pkg/config/host/name.go of istio/istio.
"""

from __future__ import annotations

import re

CLUSTER_DOMAIN = ".svc.cluster.local"

_LABEL = "[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
_QUALIFIED = "(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_KEY = rf"(?:{_LABEL}(?:\.{_LABEL})*/)?{_QUALIFIED}"
_OUTBOUND = "outbound_[^_]*[0-9][^_]*_[^_]*_[^_]*[a-zA-Z].*"


def is_host_label(text: str) -> bool:
    if not 0 < len(text) <= 63 or not text.isascii() or text[0] == "-" or text[-1] == "-":
        return False
    return text.replace("-", "0").isalnum()


def fqdn_problem(name: str) -> str | None:
    return _length_problem(name) or _labels_problem(name, name)


def host_problem(name: str) -> str | None:
    """Of a host that may begin with a wildcard."""
    problem = _length_problem(name)
    if problem:
        return problem
    first, dot, rest = name.partition(".")
    plain = first.removeprefix("*").removeprefix("-") if first.startswith("*") else first
    if len(first) > 63 or not (first == "*" or is_host_label(plain)):
        return f"'{name}' is no host name: '{first}' is no label"
    return _labels_problem(rest, name) if dot else None


def sni_problem(name: str) -> str | None:
    """Of a host that a gateway routes by SNI: it may be one that Istio makes for AUTO_PASSTHROUGH."""
    if name.startswith("outbound_"):
        return None if re.fullmatch(_OUTBOUND, name) else f"'{name}' should look like outbound_.<port>_._.<host>"
    return host_problem(name)


def _length_problem(name: str) -> str | None:
    if not name:
        return "an empty host name"
    return f"'{name}' is longer than 255 characters" if len(name.encode()) > 255 else None


def _labels_problem(text: str, name: str) -> str | None:
    labels = text.split(".")
    if labels[-1].lstrip("+-").isdecimal() and re.fullmatch("[+-]?[0-9]+", labels[-1]):
        return f"'{name}' is no host name: its last label is a number"
    for index, label in enumerate(labels):
        if index == len(labels) - 1 and not label:
            return None  # names may end with a dot
        if not is_host_label(label):
            return f"'{name}' is no host name: '{label}' is no label"
    return None


def scoped_host_problem(text: str) -> str | None:
    """Of a host of a Gateway: `namespace/host` or `host`, which may be an address."""
    namespace, slash, host = text.partition("/")
    if not slash:
        return _full_host_problem(text)
    if not namespace or not host:
        return f"'{text}': namespace and host cannot be empty"
    if namespace not in ("*", ".") and not is_host_label(namespace):
        return f"'{text}': '{namespace}' is no namespace"
    return _full_host_problem(host)


def _full_host_problem(host: str) -> str | None:
    if host != "*" and "." not in host:
        return f"'{host}' is a short name; Istio wants a full one here"
    problem = host_problem(host)
    if problem and not is_address(host):
        return problem
    if "*" in host and len(host) != 1 and not host.startswith("*."):
        return f"'{host}': a wildcard stands for whole labels, as in *.example.com"
    return None


def is_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text or ":" in text


def address_or_block_problem(text: str) -> str | None:
    """Of an address or a block such as 10.0.0.0/8."""
    if text.count("/") == 1:
        return None if is_block(text) else f"'{text}' is no block of addresses"
    return None if is_address(text) else f"'{text}' is no address"


def is_block(text: str) -> bool:
    """Address and number of bits; bits that lie outside may be set."""
    address, slash, bits = text.partition("/")
    if (
        not slash
        or not is_address(address)
        or "%" in address
        or not bits.isdecimal()
        or (bits[0] == "0" and bits != "0")
    ):
        return False
    return int(bits) <= (128 if ":" in address else 32)


def socket_problem(path: str) -> str | None:
    """Of what follows unix://."""
    if path.startswith("@"):
        return None
    if not path.startswith("/") or path.endswith("/"):
        return f"'unix://{path}' is no absolute path of a socket"
    return None


def labels_problem(labels: dict[str, str]) -> str | None:
    for key, value in labels.items():
        prefix, slash, name = key.partition("/")
        if not re.fullmatch(_LABEL_KEY, key) or (slash and len(prefix) > 253) or len(name or prefix) > 63:
            return f"'{key}' is no name of a label"
        if value and not re.fullmatch(_QUALIFIED, value):
            return f"'{value}' is no value of a label"
    return None


def port_problem(number: int) -> str | None:
    return None if 1 <= number <= 65535 else f"{number} is no port"


def overlap(one: str, other: str) -> bool:
    """Whether there is a name that both hosts, wildcards or not, stand for."""
    if one.startswith("*") and other.startswith("*"):
        return one[1:].endswith(other[1:]) or other[1:].endswith(one[1:])
    if one.startswith("*"):
        return other.endswith(one[1:])
    return one.endswith(other[1:]) if other.startswith("*") else one == other


def covered_by(inner: str, outer: str) -> bool:
    """Whether every name of `inner` is one of `outer`."""
    if inner.startswith("*"):
        return outer.startswith("*") and len(inner) >= len(outer) and inner[1:].endswith(outer[1:])
    return inner.endswith(outer[1:]) if outer.startswith("*") else inner == outer


def full_name(host: str, namespace: str) -> str:
    """A name without a dot is a Service of the rule's namespace; anything else is taken as it stands."""
    return host if host.startswith("*") or "." in host else f"{host}.{namespace}{CLUSTER_DOMAIN}"


def is_jwt_claim(header: str) -> bool:
    """`@request.auth.claims.group` or `@request.auth.claims[group]`. Source: pkg/jwt/routing.go."""
    if not header.lower().startswith("@request.auth.claims"):
        return False
    name = header[len("@request.auth.claims") :]
    return len(name) > 1 if name.startswith(".") else len(name) > 2 and name.startswith("[") and name.endswith("]")
