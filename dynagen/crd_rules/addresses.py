"""IP addresses and networks for CEL rules.

Source: k8s.io/apiserver, pkg/cel/library/ip.go and cidr.go; Go's net/netip says what an address is.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from typing import Any

IP, CIDR = "@ip", "@cidr"

_Address = IPv4Address | IPv6Address
_PREFIX = re.compile(r"[^/]+/(0|[1-9][0-9]{0,2})", re.ASCII)


def parse_ip(text: str) -> _Address:
    """Raises ValueError, also for addresses with a zone and for IPv4 inside IPv6."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and (address.scope_id is not None or address.ipv4_mapped is not None):
        raise ValueError(f"'{text}' has a zone or is an IPv4 address inside of an IPv6 address")
    return address


def parse_cidr(text: str) -> IPv4Interface | IPv6Interface:
    """Raises ValueError."""
    if not _PREFIX.fullmatch(text):
        raise ValueError(f"'{text}' is no network address")
    parse_ip(text.partition("/")[0])
    return ip_interface(text)


def ip(text: str) -> dict[str, str]:
    return {IP: str(parse_ip(text))}


def is_ip(text: str) -> bool:
    try:
        parse_ip(text)
    except ValueError:
        return False
    return True


def is_canonical(text: str) -> bool:
    return str(parse_ip(text)) == text


def cidr(text: str) -> dict[str, str]:
    return {CIDR: str(parse_cidr(text))}


def is_cidr(text: str) -> bool:
    try:
        parse_cidr(text)
    except ValueError:
        return False
    return True


def text(value: Any) -> str:
    found: str = value[IP] if IP in value else value[CIDR]
    return found


def family(value: Any) -> int:
    return ip_address(value[IP]).version


def is_unspecified(value: Any) -> bool:
    return ip_address(value[IP]).is_unspecified


def is_loopback(value: Any) -> bool:
    return ip_address(value[IP]).is_loopback


def is_link_local_multicast(value: Any) -> bool:
    packed = ip_address(value[IP]).packed
    if len(packed) == 4:
        return packed[:3] == bytes([224, 0, 0])
    return packed[0] == 0xFF and packed[1] & 0x0F == 2


def is_link_local_unicast(value: Any) -> bool:
    packed = ip_address(value[IP]).packed
    if len(packed) == 4:
        return packed[:2] == bytes([169, 254])
    return packed[0] == 0xFE and packed[1] & 0xC0 == 0x80


def is_global_unicast(value: Any) -> bool:
    address = ip_address(value[IP])
    if address.is_unspecified or address.is_loopback or address.is_multicast or is_link_local_unicast(value):
        return False
    return str(address) != "255.255.255.255"


def contains_ip(value: Any, other: Any) -> bool:
    address = parse_ip(other) if isinstance(other, str) else ip_address(other[IP])
    return address in ip_interface(value[CIDR]).network


def contains_cidr(value: Any, other: Any) -> bool:
    outer = ip_interface(value[CIDR]).network
    inner = (parse_cidr(other) if isinstance(other, str) else ip_interface(other[CIDR])).network
    return outer.version == inner.version and outer.overlaps(inner) and outer.prefixlen <= inner.prefixlen


def address_of(value: Any) -> dict[str, str]:
    return {IP: str(ip_interface(value[CIDR]).ip)}


def masked(value: Any) -> dict[str, str]:
    return {CIDR: str(ip_interface(value[CIDR]).network)}


def prefix_length(value: Any) -> int:
    return ip_interface(value[CIDR]).network.prefixlen
