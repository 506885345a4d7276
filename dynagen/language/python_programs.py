"""Programs of shipped expressions that Python evaluates itself, exactly as CEL does, or leaves to CEL.

A program is a tree: a list is a step and its operands, all else is a constant. `translation.py` makes it of CEL's syntax
tree. Whatever is not certain to come to CEL's own value and type is declined, and errors are among it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple

Tree = Any

_LARGEST, _EXACT = 2**63, 2**53  # integers that CEL has; those that doubles have, too
_MOST_ITERATIONS = 5_000  # CEL gives up after 10,000
_DURATION = re.compile(r"([0-9]{1,6})(ms|s|m|h)")
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
OPAQUE = object()  # stands for a value that only CEL has
_TEXTS = {str}
_PLAIN = frozenset([type(None), bool, int, float, str, list, dict])


class _Declined(Exception):
    """CEL has to say what comes of this."""


class _Duration(NamedTuple):
    milliseconds: int


class Names(dict[str, Any]):
    """Names and values as steps see them. CEL reads all of a variable when it is used, so what it cannot read counts."""

    def __init__(self, values: Mapping[str, Any], outer: Mapping[str, Any]) -> None:
        super().__init__()
        self._values, self._outer = values, outer

    def __missing__(self, name: str) -> Any:
        if name in self._values:
            found = self._values[name]
            _check(found)
        else:
            found = self._outer[name]
        self[name] = found
        return found


def evaluate(tree: Tree, names: Names) -> tuple[bool, Any]:
    """Whether the tree has a value here, and the value, whose parts may be parts of those of `names`."""
    if tree is None:
        return False, None
    inside = Names({}, names)
    inside[""] = [_MOST_ITERATIONS]
    try:
        return True, _run(tree, inside)
    except (_Declined, LookupError, TypeError, ValueError, RecursionError):
        return False, None


def _check(value: Any) -> None:
    """Declines values that CEL has not, or has otherwise: it ends texts at NUL."""
    found = [value]
    for each in found:  # grows as it goes
        kind = type(each)
        if kind is str:
            if not each.isascii():
                each.encode()
            if "\0" in each:
                raise _Declined
        elif kind is dict:
            if not _TEXTS.issuperset(map(type, each)):
                raise _Declined
            found += each
            found += each.values()
        elif kind is list:
            found += each
        elif kind is int:
            _integer(each)
        elif each is not None and kind is not bool and each is not OPAQUE and not (kind is float and isfinite(each)):
            raise _Declined


def _integer(value: int) -> int:
    if not -_LARGEST <= value < _LARGEST:
        raise _Declined
    return value


def _run(tree: Tree, names: Names) -> Any:
    if type(tree) is not list:
        return tree
    step = tree[0]
    if step in _STEPS:
        return _STEPS[step](tree, names)
    return _FUNCTIONS[step](*[_run(each, names) for each in tree[1:]])


def _at(tree: Tree, names: Names) -> Any:
    value = names[tree[1]]
    for key in tree[2:]:
        value = _item(value, key)
    return value


def _map(tree: Tree, names: Names) -> dict[str, Any]:
    found = {_of(str, _run(key, names)): _run(value, names) for key, value in tree[1:]}
    if len(found) < len(tree) - 1:
        raise _Declined
    return found


def _fold(tree: Tree, names: Names) -> Any:
    """What all macros are made of. A map has no order to rely on, so all there may be is a question of each key."""
    _, item, result, over, begin, goes_on, step, end = tree
    items = _run(over, names)
    if type(items) is not list and not (type(items) is dict and type(begin) is bool):
        raise _Declined
    left = names[""]
    left[0] -= len(items)
    if left[0] < 0:
        raise _Declined
    inside = Names({}, names)
    inside[result] = _run(begin, names)
    for each in items:
        if not _truth(_run(goes_on, inside)):
            break
        inside[item] = each
        inside[result] = _run(step, inside)
    return _run(end, inside)


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise _Declined
    return value


def _truth(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise _Declined


def _item(whole: Any, key: Any) -> Any:
    if type(whole) is dict:
        return whole[_of(str, key)]
    if _of(int, key) < 0:
        raise _Declined
    return _of(list, whole)[key]


def _same(one: Any, other: Any) -> bool:
    kind = type(one)
    if kind not in _PLAIN or type(other) not in _PLAIN:
        raise _Declined
    if kind is not type(other):
        return _numbers(one, other) and bool(one == other)
    if kind is list:
        return len(one) == len(other) and all(map(_same, one, other))
    if kind is dict:
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


def _numbers(one: Any, other: Any) -> bool:
    """Whether both are numbers. Declines an integer beside a double that may not be exactly it."""
    if not {type(one), type(other)} <= {int, float}:
        return False
    if type(one) is not type(other) and any(type(each) is int and abs(each) > _EXACT for each in (one, other)):
        raise _Declined
    return True


def _less(one: Any, other: Any) -> bool:
    if not (_numbers(one, other) or (type(one) is type(other) and type(one) in (str, _Duration))):
        raise _Declined
    return bool(one < other)


def _in(item: Any, whole: Any) -> bool:
    if type(whole) is dict:
        return _of(str, item) in whole
    return any(_same(item, each) for each in _of(list, whole))


def _plus(one: Any, other: Any) -> Any:
    if type(one) not in (int, str, list):
        raise _Declined
    total = one + _of(type(one), other)
    return _integer(total) if type(total) is int else total


def _size(value: Any) -> int:
    if type(value) not in (str, list, dict):
        raise _Declined
    return len(value)


def _string(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float:
        text = f"{value:g}"
        if float(text) != value or not 1e-4 <= abs(value) < 1e6:
            raise _Declined
        return text
    return str(value) if type(value) is int else _of(str, value)


def _duration(value: Any) -> _Duration:
    found = _DURATION.fullmatch(_of(str, value))
    if found is None:
        raise _Declined
    return _Duration(int(found[1]) * _MILLISECONDS[found[2]])


def _lower(text: Any) -> str:
    if not _of(str, text).isascii():
        raise _Declined
    return str(text.lower())


def _texts(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of texts that looks for something: CEL has rules of its own for looking for nothing."""

    def call(*texts: Any) -> Any:
        if not texts[1]:
            raise _Declined
        return method(*[_of(str, each) for each in texts])

    return call


_STEPS: dict[str, Callable[[Tree, Names], Any]] = {
    "at": _at,
    "has": lambda tree, names: tree[2] in _of(dict, _run(tree[1], names)),
    "map": _map,
    "fold": _fold,
    # CEL forgives an error beside false or true. Python has declined by then.
    "_&&_": lambda tree, names: _truth(_run(tree[1], names)) and _truth(_run(tree[2], names)),
    "_||_": lambda tree, names: _truth(_run(tree[1], names)) or _truth(_run(tree[2], names)),
    "_?_:_": lambda tree, names: _run(tree[2 if _truth(_run(tree[1], names)) else 3], names),
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "list": lambda *items: list(items),
    "@not_strictly_false": lambda value: value is not False,
    "!_": lambda value: not _truth(value),
    "_==_": _same,
    "_!=_": lambda one, other: not _same(one, other),
    "_<_": _less,
    "_>_": lambda one, other: _less(other, one),
    "_<=_": lambda one, other: not _less(other, one),
    "_>=_": lambda one, other: not _less(one, other),
    "@in": _in,
    "_+_": _plus,
    "_[_]": _item,
    "dyn": lambda value: value,
    "size": _size,
    "string": _string,
    "duration": _duration,
    "lowerAscii": _lower,
    "contains": _texts(str.__contains__),
    "startsWith": _texts(str.startswith),
    "endsWith": _texts(str.endswith),
    "split": _texts(str.split),
    "replace": _texts(str.replace),
}
