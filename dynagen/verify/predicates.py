"""The predicates of rows and the forms of texts: a value in, what is wrong with it out. `table.py` says what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dynagen.diagnostics import KeyPath, closest
from dynagen.text import names
from dynagen.text.quantities import amount

Words = dict[str, Any]
# What is wrong with a value, as text or as True; nothing if it is right.
Form = Callable[[Any], Any]

FORMS: dict[str, Form] = {
    "config-key": names.config_key_problem,
    "dns-label": names.label_problem,
    "label-key": names.key_problem,
    "label-value": names.value_problem,
    "port-name": lambda text: not names.is_port_name(text),
    "subdomain": names.subdomain_problem,
    "not-negative": lambda quantity: (number := amount(quantity)) is not None and number < 0,
    "without-nul": lambda text: "\0" in text,
}


def is_given(value: Any) -> bool:
    return value is not None and value != "" and value != []


def lookup(value: Any, steps: Iterable[str]) -> Any:
    """The value below a map; None where there is none."""
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


# Each says None of what is right, and of what is wrong the words that texts may have of it.
Wrong = Words | None


def _required(_: bool, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return None if is_given(value) else {}


def _refused(_: bool, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return None if value is None else {}


def _need(keys: list[str], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return None if any(is_given(lookup(value, key.split("."))) for key in keys) else {"$missing": keys[0]}


def _exclusive(keys: list[str], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    given = [key for key in keys if is_given(value.get(key))]
    return {"$given": ", ".join(given), "$second": given[1]} if len(given) > 1 else None


def _in(words: list[Any], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    if value in words:
        return None
    near = closest(str(value), words)
    return {"$closest": f"did you mean '{near}'?" if near else "one of " + ", ".join(words)}


def _not(words: list[Any], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return {} if value in words else None


def _within(ends: list[Any], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    least, most = ends
    if isinstance(value, str) or ((least is None or value >= least) and (most is None or value <= most)):
        return None
    return {}


def _size(ends: list[int], value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return None if ends[0] <= len(value or ()) <= ends[1] else {}


def _unique(keys: Any, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    mark = (*(step for step in path if isinstance(step, str)), value if keys is True else tuple(map(value.get, keys)))
    if mark in seen:
        return {}
    seen.add(mark)
    return None


def _form(form: Form, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    problem = form("" if value is None else value)
    return {"$problem": problem} if problem else None


def _keys(form: Form, value: Any, path: KeyPath, seen: set[Any]) -> Wrong:
    return _form(form, path[-1], path, seen)


PREDICATES: dict[str, Callable[..., Wrong]] = {
    "refused": _refused, "need": _need, "exclusive": _exclusive, "in": _in, "not": _not, "within": _within, "size": _size,
    "unique": _unique, "form": _form, "keys": _keys, "required": _required,
}  # fmt: skip
