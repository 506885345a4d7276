"""URLs for CEL rules: absolute URLs and absolute paths, read as Go's net/url reads them.

Source: k8s.io/apiserver, pkg/cel/library/urls.go; Go's net/url/url.go (`ParseRequestURI`, `Parse`).
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

KIND = "@url"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_USER = re.compile(r"[A-Za-z0-9\-._~:!$&'()*+,;=%@]*")
_HOST = re.compile(r"""(?:[A-Za-z0-9\-._~!$&'()*+,;=:\[\]<>"]|%[89A-Fa-f][0-9A-Fa-f]|%25|[^\x00-\x7f])*""")
_PORT = re.compile(r"(:[0-9]*)?")
_BYTE = re.compile(r"%([0-9A-Fa-f]{2})")
# What a path may hold as it is, and what Go leaves alone when it escapes one.
_IN_PATH = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]]|%[0-9A-Fa-f]{2})*")
_UNESCAPED = "-_.~$&+,/:;=@"


class Url(NamedTuple):
    scheme: str
    host: str
    path: str
    query: str


def parse(text: str, request: bool = False) -> Url:
    """Raises ValueError. A `request` must be absolute, and its fragment counts as a part of the path."""
    if not request:
        text, _, fragment = text.partition("#")
        _check_escapes(fragment)
    if _CONTROL.search(text):
        raise ValueError("a control character in a URL")
    if not text and request:
        raise ValueError("an empty URL")
    if text == "*":
        return Url("", "", "*", "")
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match else ("", text)
    if text.startswith(":"):
        raise ValueError("a URL without its scheme")
    rest, _, query = rest.partition("?")
    host = ""
    if not rest.startswith("/"):
        if scheme:
            return Url(scheme, "", "", query)  # opaque, as mailto:
        if request:
            raise ValueError("neither an absolute URL nor an absolute path")
        if ":" in rest.partition("/")[0]:
            raise ValueError("a colon in the first part of a path")
    if rest.startswith("//") and (scheme or not request):
        authority, slash, after = rest[2:].partition("/")
        host, rest = _host(authority), slash + after
    _check_escapes(rest)
    return Url(scheme, host, rest, query)


def _host(authority: str) -> str:
    user, at, host = authority.rpartition("@")
    if at:
        if not _USER.fullmatch(user):
            raise ValueError("a character in the user of a URL")
        _check_escapes(user)
    if "[" in host:
        if not host.startswith("[") or "]" not in host:
            raise ValueError("a bracket in the host of a URL")
        inside, _, port = host[1:].rpartition("]")
        address, zoned, zone = inside.partition("%25")
        if zoned and not zone:
            raise ValueError(f"'{inside}' names no zone")
        _check_escapes(zone)
        try:
            IPv6Address(address)
        except AddressValueError as error:
            raise ValueError(f"'{inside}' is no IPv6 address") from error
        if zoned:
            return "[" + address + "%" + _unescaped(zone) + "]" + _checked_port(port)
    else:
        _, colon, digits = host.partition(":")
        port = colon + digits
    _checked_port(port)
    if not _HOST.fullmatch(host):
        raise ValueError("a character in the host of a URL")
    return _unescaped(host)


def _checked_port(port: str) -> str:
    if not _PORT.fullmatch(port):
        raise ValueError(f"'{port}' is no port")
    return port


def _check_escapes(text: str) -> None:
    if bad := _BAD_ESCAPE.search(text):
        raise ValueError(f"'{text[bad.start() : bad.start() + 3]}' is no escape in a URL")


def _unescaped(text: str) -> str:
    return _BYTE.sub(lambda match: chr(int(match[1], 16)), text).encode("latin-1", "replace").decode("utf-8", "replace")


def url(text: str) -> dict[str, str]:
    parse(text, request=True)
    parse(text)
    return {KIND: text}


def is_url(text: str) -> bool:
    try:
        parse(text, request=True)
    except ValueError:
        return False
    return True


def scheme(value: Any) -> str:
    return parse(value[KIND]).scheme


def host(value: Any) -> str:
    return parse(value[KIND]).host


def hostname(value: Any) -> str:
    found = host(value)
    if found.startswith("["):
        return found[1:].rpartition("]")[0]
    return found.rpartition(":")[0] if ":" in found else found


def port(value: Any) -> str:
    return host(value).rpartition("]")[2].rpartition(":")[2] if ":" in host(value).rpartition("]")[2] else ""


def escaped_path(value: Any) -> str:
    path = parse(value[KIND]).path
    if path == "*" or _IN_PATH.fullmatch(path):
        return path
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), path.encode())
    return quote(raw, safe=_UNESCAPED)


def query(value: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in parse(value[KIND]).query.split("&"):
        if part and ";" not in part and not _BAD_ESCAPE.search(part):
            name, text = (parse_qsl(part, keep_blank_values=True, separator="&") or [("", "")])[0]
            found.setdefault(name, []).append(text)
    return found
