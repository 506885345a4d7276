"""A text in, a mutant of it out: changed as the YAML that it is, or as mere text. All random numbers come from a seed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any

import yaml

from dynagen.manifests.yaml import to_yaml
from dynagen.schema.sets import Node
from tests.mutants import OPERATORS, TRAPS, Spelt, mark_spelt, places, replaced

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ANCHOR = re.compile(r"(?:^|[\s\[{,:-])&\S", re.MULTILINE)
MAX = 20_000  # characters; longer inputs only make every other mistake slower to find


def mutant_of(text: str, words: Sequence[str], root: Node | None, random: Random) -> str:
    """One to three changes. `words` are what a text of this kind is likely to mean something by."""
    for _ in range(random.choice([1, 1, 2, 3])):
        changed = _as_yaml(text, words, root, random) if random.random() < 0.6 else None
        text = changed if changed is not None else _as_text(text, words, random)
    return text[:MAX]


def _as_yaml(text: str, words: Sequence[str], root: Node | None, random: Random) -> str | None:
    if _ANCHOR.search(text):
        return None  # aliases of aliases would fill the memory here already
    try:
        documents = list(yaml.load_all(text, _Loader))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None
    chosen = [number for number, each in enumerate(documents) if isinstance(each, dict) and each]
    if not chosen:
        return None
    number = random.choice(chosen)
    whole = documents[number]
    try:
        written = [_written(each) for each in documents]
        written[number] = _changed(whole, words, root, random)
    except (TypeError, ValueError, RecursionError, AttributeError, KeyError):
        return None  # keys that are no texts, dates: nothing that our writer knows
    return "".join(f"---\n{each}" for each in written) if len(written) > 1 else written[0]


def _written(value: Any) -> str:
    return to_yaml(value) if isinstance(value, dict) else json.dumps(value) + "\n"


def _changed(whole: dict[str, Any], words: Sequence[str], root: Node | None, random: Random) -> str:
    found = list(places(whole, root))
    if random.random() < 0.4:
        place = random.choice(found[1:] or found)
        if isinstance(place.value, dict) and random.random() < 0.7:
            value: Any = {**place.value, random.choice(words): random.choice([*words, None, {}, [], 1, True])}
        elif isinstance(place.value, list) and random.random() < 0.7:
            value = [*place.value, random.choice(words)] * random.choice([1, 1, 1, 3])
        else:
            value = random.choice([*words, {random.choice(words): random.choice(words)}, [random.choice(words)] * 2])
        return _written(replaced(whole, place.path, value))
    name = random.choice(sorted(OPERATORS))
    accepts, change = OPERATORS[name]
    fitting = [place for place in found if accepts(place)]
    if not fitting or name in ("wrong version", "wrong kind"):
        return _written(whole)
    place = random.choice(fitting)
    value = change(place, random, whole)
    if isinstance(value, Spelt):
        return mark_spelt(whole, place, value) or _written(whole)
    return _written(replaced(whole, place.path, value))


def _as_text(text: str, words: Sequence[str], random: Random) -> str:
    lines = text.split("\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    at = random.randrange(len(text) + 1)
    to = min(len(text), at + random.choice([1, 1, 2, 5, 20, 200]))
    change = random.randrange(9)
    if change == 0:
        return text[:at] + text[to:]
    if change == 1:
        return text[:at] + random.choice(words) + text[at:]
    if change == 2:
        return text[:at] + random.choice(words) + text[to:]
    if change == 3:
        return text[:to] + text[at:to] * random.choice([1, 2, 50]) + text[to:]
    if change == 4:
        return (
            text[:at]
            + random.choice([*"{}[]:-,?&*!|>'\"%@`#\t\n\r\\ $~<=\x00\x85\u2028\ufeff\x7f", *TRAPS])
            + text[at:]
        )
    if change == 5:
        return "\n".join([*lines[:one], *lines[one + 1 :]])
    if change == 6:
        lines[one], lines[other] = lines[other], lines[one]
        return "\n".join(lines)
    if change == 7:
        return "\n".join([*lines[:one], lines[other], *lines[one:]])
    indent = random.choice(["  ", " ", "- ", "\t", ""])
    return "\n".join([*lines[:one], indent + lines[one].lstrip(" " if not indent else ""), *lines[one + 1 :]])
