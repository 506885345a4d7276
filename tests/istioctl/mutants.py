"""Good objects in, many that are one or two steps away from them out. The same seed gives the same ones."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

_TEXTS = [
    "", "*", "a", "a b", "-a", "a.", ".a", "*.example.com", "*a.example.com", "a.*.com", "example.com", "*.com",
    "x" * 64, "10.0.0.1", "10.0.0.0/8", "10.0.0.0/33", "10.0.0.300", "fd00::1", "fd00::/8", "a/b", "a/b/c", "./a", "/a",
    "/a/", "*/*", "~/*", "~", ".", "team", "Team", "team/gateway", "a.b", "a.team.svc.cluster.local", "1.2", "0", "80",
    "70000", "-1", "+1", "x", "0s", "1ms", "1us", "1500us", "1.5s", "-1s", "1h30m", "1d", "10", "https://a.example.com",
    "http://a:99999/x", "ftp://a", "unix:///a", "unix://a", "unix://@a", "unix:///a/", "(", "a.*", "(?=a)", r"\pL+", r"\1",
    "[[:alpha:]]+", "a{2,1}", "a**", "%", "%%", "%A%", "%A(b)%", '%A(["b", "c"])%', "%A(", ":path", ":authority", "Host",
    "host", "@request.auth.claims.a", "@request.auth.claims", "@request.auth.claims[a][b]", "5xx", "5xx,503", "5xx, 503",
    "599", "{*}", "/a/{**}", "/{**}/a", "/a{b}", "source.ip", "source.namespace", "request.headers[a]", "request.headers",
    "destination.labels[a]", "destination.user", "unknown", "GET", "get", "HTTP", "HTTPS", "TCP", "UDP", "SQL", "outbound_.80_._.a.b",
    "127.0.0.1:80", "[::1]:80", ":80", "1.1.1.1:80", "configmap://team/a", "configmap://b/a", "NOT_FOUND", "a == 1", "a ==",
    '{"keys": []}', '{"keys": [{}]}', "\t", "a\u00e9",
]  # fmt: skip
_NUMBERS = [-1, 0, 1, 2, 99, 100, 101, 199, 200, 299, 301, 400, 600, 601, 1024, 65535, 65536, 65537, 5000011]


def mutants(seeds: list[dict[str, Any]], count: int, seed: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)
    by_key = _values_by_key(seeds)
    for number in range(count):
        made = copy.deepcopy(seeds[number % len(seeds)])
        for _ in range(chance.choice((1, 1, 2))):
            _change(made, by_key, chance)
        made["metadata"]["name"] = f"m{number}"
        yield made


def _values_by_key(seeds: list[dict[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for seed in seeds:
        for path, value in _places(seed["spec"], ()):
            if isinstance(path[-1], str):
                found.setdefault(path[-1], []).append(value)
    return found


def _places(tree: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*path, key), value
        if isinstance(value, (dict, list)):
            yield from _places(value, (*path, key))


def _change(made: dict[str, Any], by_key: dict[str, list[Any]], chance: random.Random) -> None:
    places = list(_places(made["spec"], ()))
    if not places:
        return
    path, value = chance.choice(places)
    parent = made["spec"]
    for key in path[:-1]:
        parent = parent[key]
    key = path[-1]
    what = chance.random()
    if what < 0.2:
        del parent[key]
    elif what < 0.3 and isinstance(parent, list):
        parent.append(copy.deepcopy(value))
    elif what < 0.4 and isinstance(value, dict):  # a field that such an object has elsewhere
        name = chance.choice(sorted(by_key))
        value[name] = copy.deepcopy(chance.choice(by_key[name]))
    elif what < 0.5 and isinstance(parent, list) and len(parent) > 1:
        parent.reverse()
    elif what < 0.6 and key in by_key:
        parent[key] = copy.deepcopy(chance.choice(by_key[key]))
    elif isinstance(value, bool):
        parent[key] = not value
    elif isinstance(value, (int, float)):
        parent[key] = chance.choice(_NUMBERS)
    elif isinstance(value, str):
        if isinstance(parent, dict) and chance.random() < 0.2:
            parent[chance.choice(_TEXTS)] = parent.pop(key)
        else:
            parent[key] = chance.choice(_TEXTS)
    elif isinstance(value, (dict, list)):
        parent[key] = type(value)()
