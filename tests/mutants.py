"""Objects in, seeded mutants of them out: each with one change of a kind that has a name.

What holds our verdicts against other judges (`tests/agree`, `tests/e2e`) and what looks for crashes (`tests/fuzz`) share
them. One seed gives the same mutants everywhere.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.manifests.yaml import to_yaml
from dynagen.schema.sets import Node, Schemas
from dynagen.text.patterns import compiled

Object = dict[str, Any]


class Mutant(NamedTuple):
    """`data` is None for a change that only a text can have, such as a key that is written twice."""

    operator: str
    kind: str
    path: KeyPath
    text: str
    data: Object | None


class Place(NamedTuple):
    """A value in an object and what the schema says about it, if anything."""

    path: KeyPath
    value: Any
    node: Node | None


# What YAML readers, quantities, names and numbers are known to stumble over.
TRAPS = (
    "y", "n", "yes", "NO", "on", "off", "true", "null", "~", "0755", "0o7", "1e3", "1_000", "0x1F", "12:30:45",
    "2024-01-01", ".5", "-0", "+1", "=", "<<", "-", "---", "...", "a: b", "a #b", "*a", "&a", "!a", "%a", "@a", "`a", "[a", "{a",
    "|", ">", "", " ", " a", "a ", "a\n", "a\nb", "\t", "é", "e\u0301", "\u2028", "a\u0000b", "\\", "'", '"', ".inf", ".NaN",
    "1.0", "10Gi", "1Gi ", "1.5.2", "100m", "5%", "101%", "-1%", "30s", "1h30m", "1d", "http", "8080", "0", "65536",
    "UPPER", "under_score", "a.b", "a/b", "a/b/c", "-a", "a-", "a..b", "a" * 63, "a" * 64, "a" * 253, "a" * 254,
    "${a}", "$(A)", "{{a}}", "../a", "/a/../b", "2001-12-14T21:59:43Z", "nvidia.com/gpu", "kubernetes.io/a", "Always", "None",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 100, 101, 65535, 65536, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 0.5, 1.0, -0.5, 1e3, 1e21, 100.0,
)  # fmt: skip
_WORDS = ("a", "demo", "nvidia", "100", "value", "x-y", "1Gi", "5s", "*", "a.example.com", "/a", "IfNotPresent", "Name")


def mutants(objects: Sequence[Object], schemas: Schemas, count: int, seed: int) -> Iterator[Mutant]:
    """`count` mutants, spread evenly over the kinds of the objects and over the operators."""
    random = Random(seed)
    by_kind: dict[str, list[Object]] = {}
    for each in objects:
        by_kind.setdefault(f"{each['apiVersion']} {each['kind']}", []).append(each)
    kinds, made = sorted(by_kind), 0
    while made < count:
        kind = kinds[made % len(kinds)]
        mutant = mutate(random.choice(by_kind[kind]), schemas, random)
        if mutant is not None:
            made += 1
            yield mutant


def mutate(whole: Object, schemas: Schemas, random: Random) -> Mutant | None:
    """One mutant; None when the operator that was drawn finds no place in this object."""
    schema = schemas.find(whole["apiVersion"], whole["kind"])
    name = random.choice(sorted(OPERATORS))
    accepts, change = OPERATORS[name]
    found = [place for place in places(whole, schema.root if schema else None) if accepts(place)]
    if not found:
        return None
    place = random.choice(found)
    kind = f"{whole['apiVersion']} {whole['kind']}"
    value = change(place, random, whole)
    if isinstance(value, Spelt):
        text = mark_spelt(whole, place, value)
        return None if text is None else Mutant(name, kind, place.path, text, None)
    data = replaced(whole, place.path, value)
    if not isinstance(data, dict) or (data == whole and list(data) == list(whole) and name != "reorder"):
        return None
    return Mutant(name, kind, place.path, to_yaml(data), data)


def places(value: Any, node: Node | None, path: KeyPath = ()) -> Iterator[Place]:
    """Every value in `value`, itself first."""
    yield Place(path, value, node)
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, node.child(key) if node else None, (*path, key))


def replaced(whole: Any, path: KeyPath, value: Any) -> Any:
    """A copy with another value at `path`."""
    if not path:
        return value
    copied = copy.deepcopy(whole)
    parent = copied
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return copied


def grow(node: Node | None, random: Random, depth: int = 3) -> Any:
    """A value that a place of a schema most likely takes."""
    if node is None:
        return random.choice(_WORDS)
    words = node.get("enum")
    if words:
        return random.choice(words)
    kind = node.get("type")
    if isinstance(kind, list):
        kind = random.choice([each for each in kind if each != "null"] or ["string"])
    if kind is None and node.get("anyOf"):
        kind = random.choice(["string", "integer"])
    if kind in ("integer", "number"):
        low, high = node.get("minimum"), node.get("maximum")
        return random.choice([low if low is not None else 1, high if high is not None else (low or 0) + 1])
    if kind == "boolean":
        return random.choice([True, False])
    if kind == "array":
        size = max(node.get("minItems") or 0, random.choice([0, 1, 1, 2]) if depth > 0 else 0)
        return [grow(node.child(0), random, depth - 1) for _ in range(size)]
    if kind == "object":
        return _grow_map(node, random, depth)
    return _grow_text(node, random)


def _grow_map(node: Node, random: Random, depth: int) -> Object:
    known = sorted(node.get("properties") or ())
    optional = random.sample(known, min(len(known), random.choice([0, 1, 2]))) if depth > 0 else []
    grown = {
        name: grow(node.child(name), random, depth - 1)
        for name in dict.fromkeys([*(node.get("required") or ()), *optional])
    }
    if not known and node.child("a") is not None:
        grown["a"] = grow(node.child("a"), random, depth - 1)
    return grown


def _grow_text(node: Node, random: Random) -> str:
    pattern, low, high = node.get("pattern"), node.get("minLength") or 0, node.get("maxLength")
    fitting = [
        word
        for word in (*_WORDS, *TRAPS)
        if low <= len(word) <= (high if high is not None else 300) and (not pattern or compiled(pattern).search(word))
    ]
    return random.choice(fitting or _WORDS)


def seedlings(schemas: Schemas, kinds: Sequence[tuple[str, str]], seed: int) -> list[Object]:
    """Small objects of kinds that no example has, grown from their schemas; those that conform."""
    random, found = Random(seed), []
    for api_version, kind in kinds:
        schema = schemas.find(api_version, kind)
        for _ in range(10 if schema else 0):
            assert schema is not None
            data = grow(schema.root, random, 5)
            data |= {"apiVersion": api_version, "kind": kind, "metadata": {"name": "demo"}}
            if schema.conforms(data):
                found.append(data)
    return found


class Spelt(NamedTuple):
    """How a value is to be written, where only the text can tell: `{}` stands for what is there already."""

    text: str


def mark_spelt(whole: Object, place: Place, spelt: Spelt) -> str | None:
    """The object as text with one value spelt by hand."""
    mark = "dynagen-mark"
    text = to_yaml(replaced(whole, place.path, mark))
    return text.replace(mark, spelt.text, 1) if text.count(mark) == 1 else None


def _has_items(place: Place) -> bool:
    return isinstance(place.value, (dict, list)) and bool(place.value)


def _is_map(place: Place) -> bool:
    return isinstance(place.value, dict)


def _is_scalar(place: Place) -> bool:
    return bool(place.path) and not isinstance(place.value, (dict, list))


def _is_text(place: Place) -> bool:
    return bool(place.path) and isinstance(place.value, str)


def _keyword(*names: str) -> Callable[[Place], bool]:
    return lambda place: (
        bool(place.path) and place.node is not None and any(place.node.get(name) is not None for name in names)
    )


def _drop(place: Place, random: Random, whole: Object) -> Any:
    if isinstance(place.value, list):
        gone = random.randrange(len(place.value))
        return [item for index, item in enumerate(place.value) if index != gone]
    key = random.choice(list(place.value))
    return {name: inner for name, inner in place.value.items() if name != key}


def _known(place: Place) -> list[str]:
    return sorted(place.node.get("properties") or ()) if place.node else []


def _unknown(place: Place, random: Random, whole: Object) -> Any:
    key = random.choice([*(_misspelt(name, random) for name in _known(place)), "frobnicate", "x-a", "a/b"])
    return {**place.value, key: random.choice(["a", 1, True, {}, [], None, "1Gi"])}


def _optional(place: Place, random: Random, whole: Object) -> Any:
    free = [name for name in _known(place) if name not in place.value]
    if not free:
        return place.value
    name = random.choice(free)
    # One of four is grown for another field.
    shape = place.node.child(name if random.random() < 0.75 else random.choice(_known(place))) if place.node else None
    return {**place.value, name: grow(shape, random)}


def _is_open(place: Place) -> bool:
    return _is_map(place) and place.node is not None and not _known(place) and place.node.child("a") is not None


def _free_key(place: Place, random: Random, whole: Object) -> Any:
    key = random.choice([*TRAPS, *_WORDS])
    return {**place.value, key: random.choice([*TRAPS, *NUMBERS, True, None, {}, []]) if random.random() < 0.8 else "a"}


def _number_as_text(place: Place, random: Random, whole: Object) -> Any:
    value = place.value
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 18 else random.choice(NUMBERS)
    return str(value)


def _is_number_or_text(place: Place) -> bool:
    """Ports, quantities, percentages, and whatever looks like a number."""
    if isinstance(place.value, bool) or not place.path or not isinstance(place.value, (int, float, str)):
        return False
    return (place.node is not None and not isinstance(place.node.get("type"), str)) or str(place.value).isdecimal()


def _retype(place: Place, random: Random, whole: Object) -> Any:
    value = place.value
    others: list[Any] = ["a", 1, 1.5, True, {}, [], {"a": "b"}, ["a"], [value]]
    if isinstance(value, str):
        others += [int(value)] * 9 if value.isdecimal() and value.isascii() and len(value) < 18 else [len(value)]
    elif not isinstance(value, (dict, list)):
        others += [str(value).lower()] * 9
    elif isinstance(value, list):
        others += [{str(index): item for index, item in enumerate(value)}, value[:1] and value[0]]
    else:
        others += [list(value.values()), list(value)]
    return random.choice([each for each in others if type(each) is not type(value)])


def _misspelt(word: str, random: Random) -> str:
    if not word:
        return "a"
    at = random.randrange(len(word))
    return random.choice(
        [word[:at] + word[at + 1 :], word[: at + 1] + word[at:], word.upper(), word.capitalize(), word.lower(), f"{word}s", f" {word}"]
    )  # fmt: skip


def _rename(place: Place, random: Random, whole: Object) -> Any:
    old = random.choice(list(place.value))
    new = random.choice(
        [_misspelt(str(old), random), *_known(place)[:8], "a", "a.b/c", "UPPER", "-a", "a" * 64, "a/b/c"]
    )
    return {new if key == old else key: inner for key, inner in place.value.items()}


def _reorder(place: Place, random: Random, whole: Object) -> Any:
    if isinstance(place.value, list):
        return random.sample(place.value, len(place.value))
    return dict(random.sample(list(place.value.items()), len(place.value)))


def _out_of_range(place: Place, random: Random, whole: Object) -> Any:
    node, value = place.node, place.value
    if isinstance(value, bool) or not isinstance(value, (int, float, str, list)):
        return value
    if isinstance(value, (int, float)):
        bounds = [node.get(word) for word in ("minimum", "maximum")] if node else []
        near = [bound + step for bound in bounds if bound is not None for step in (-1, 0, 1)]
        return random.choice([*near, *NUMBERS, value + 1, -value])
    low, high = (node.get("minLength"), node.get("maxLength")) if node and isinstance(value, str) else (None, None)
    if isinstance(value, list):
        low, high = (node.get("minItems"), node.get("maxItems")) if node else (None, None)
    sizes = [
        bound + step for bound in (low, high) if bound is not None for step in (-1, 0, 1) if 0 <= bound + step < 3000
    ]
    size = random.choice(sizes or [0, 1, 63, 64, 253, 254])
    if isinstance(value, str):
        return (value * (size // max(len(value), 1) + 1) or "a" * size)[:size]
    return (value * (size + 1))[: min(size, 300)]


def _empty(place: Place, random: Random, whole: Object) -> Any:
    return random.choice(["", {}, [], 0]) if random.random() < 0.3 else type(place.value)()


def _wrong_word(place: Place, random: Random, whole: Object) -> Any:
    words = [word for word in (place.node.get("enum") if place.node else None) or () if isinstance(word, str)] or ["a"]
    word = random.choice(words)
    return random.choice([word, word, _misspelt(word, random), word.swapcase(), f"{word} ", "a"])


def _wrong_pattern(place: Place, random: Random, whole: Object) -> Any:
    value = place.value if isinstance(place.value, str) else "a"
    extra = random.choice([*"aA0-_./:% \n\u00e9$", "..", "\u2028"])
    at = random.randrange(len(value) + 1)
    longer = value[:at] + extra + value[at:]
    return random.choice(
        [longer, value[:at] + value[at + 1 :], random.choice(TRAPS), value[:at] + extra + value[at + 1 :]]
    )


def _wrong_version(place: Place, random: Random, whole: Object) -> Any:
    group, slash, version = whole["apiVersion"].rpartition("/")
    siblings = [f"{group}{slash}{word}" for word in ("v1", "v1beta1", "v1beta1", "v1alpha1", "v1alpha3", "v2")]
    misspelt = [f"{group}{slash}{word}" for word in ("V1", "", f"{version} ", "v1 ", "v1.0", "1")]
    elsewhere = [version, f"{group}.io/{version}", f"{group}//{version}", "apps/v1", "../v1", "v1", "a/b/c"]
    return random.choice([random.choice(siblings), random.choice([*misspelt, *elsewhere])])


def _wrong_kind(place: Place, random: Random, whole: Object) -> Any:
    kind = whole["kind"]
    return random.choice(
        [
            *_TWINS.get(kind, ()),
            kind.lower(),
            kind.upper(),
            _misspelt(kind, random),
            "List",
            f"{kind}List",
            "Pod",
            "Job",
            "Service",
            "a/b",
            "../a",
        ]
    )


# Kinds of one group that are alike enough to be taken for each other.
_TWINS = {
    "Namespace": ["ServiceAccount"] * 3, "ServiceAccount": ["Namespace", "ConfigMap", "Secret"], "ConfigMap": ["Secret"] * 2,
    "Rules": ["ClusterRules"] * 3, "PodMonitoring": ["ClusterPodMonitoring"] * 3, "Role": ["ClusterRole"],
    "AuthorizationPolicy": ["PeerAuthentication"],
}  # fmt: skip


def _twice(place: Place, random: Random, whole: Object) -> Any:
    item = copy.deepcopy(random.choice(place.value))
    if isinstance(item, dict) and item and random.random() < 0.5:
        key = random.choice(list(item))
        item = (
            _drop(Place((), item, None), random, whole)
            if random.random() < 0.5
            else {**item, key: random.choice(_WORDS)}
        )
    at = random.randrange(len(place.value) + 1)
    return [*place.value[:at], item, *place.value[at:]]


def _trap(place: Place, random: Random, whole: Object) -> Any:
    return random.choice(TRAPS)


def _swap(place: Place, random: Random, whole: Object) -> Any:
    keys = list(place.value) if isinstance(place.value, dict) else list(range(len(place.value)))
    one, two = random.sample(keys, 2) if len(keys) > 1 else (keys[0], keys[0])
    swapped = copy.copy(place.value)
    swapped[one], swapped[two] = place.value[two], place.value[one]
    return swapped


def _graft(place: Place, random: Random, whole: Object) -> Any:
    return copy.deepcopy(random.choice(list(places(whole, None))[1:]).value)


def _unquoted(place: Place, random: Random, whole: Object) -> Any:
    readable = [word for word in TRAPS if word.isprintable() and not re.match(r"[\[{|>'\"]", word)]
    written = [
        *readable, f"'{place.value}'", "!!str a", "!!int '1'", "&a a", "*a", "? a", "0b1", "1e400", "1e-400", "9223372036854775808",
        "99999999999999999999", "0.1e1", "1.", "+.5", "0_1", "1__0", "2024-01-01T00:00:00", "~ ", "NULL", "False", "0.30000000000000004",
        "!!binary aGVsbG8=", "|2-\n  a", "\"a\\u0000b\"", "\"\\ud800\"", "\"a\\x41\"", "{a: 1, a: 2}", "{1: a}", "{true: a}", "{null: a}", "{[a]: b}",
    ]  # fmt: skip
    return Spelt(random.choice(written))


def _key_twice(place: Place, random: Random, whole: Object) -> Any:
    return Spelt('{"a": "b", "a": "b"}' if random.random() < 0.5 else '{"a": "b", "b": "c"}')


Operator = tuple[Callable[[Place], bool], Callable[[Place, Random, Object], Any]]
OPERATORS: dict[str, Operator] = {
    "drop": (_has_items, _drop),
    "unknown field": (_is_map, _unknown),
    "known field": (lambda place: bool(_known(place)) and _is_map(place), _optional),
    "free key": (_is_open, _free_key),
    "number as text": (_is_number_or_text, _number_as_text),
    "retype": (lambda place: bool(place.path), _retype),
    "rename": (lambda place: _is_map(place) and _has_items(place), _rename),
    "reorder": (lambda place: _has_items(place) and len(place.value) > 1, _reorder),
    "out of range": (lambda place: bool(place.path), _out_of_range),
    "empty": (lambda place: bool(place.path) and place.value is not None, _empty),
    "null": (lambda place: bool(place.path), lambda place, random, whole: None),
    "wrong word": (lambda place: len((place.node.get("enum") if place.node else None) or ()) > 1, _wrong_word),
    "wrong pattern": (lambda place: _is_text(place) and (_keyword("pattern")(place) or "name" in str(place.path[-1]).lower()), _wrong_pattern),
    "wrong version": (lambda place: place.path == ("apiVersion",), _wrong_version),
    "wrong kind": (lambda place: place.path == ("kind",), _wrong_kind),
    "twice": (lambda place: isinstance(place.value, list) and bool(place.value), _twice),
    "trap": (_is_text, _trap),
    "swap": (lambda place: _has_items(place) and len(place.value) > 1, _swap),
    "graft": (lambda place: bool(place.path), _graft),
    "unquoted": (_is_scalar, _unquoted),
    "key twice": (lambda place: bool(place.path) and _is_map(place), _key_twice),
}  # fmt: skip
