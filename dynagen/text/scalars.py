"""What a plain YAML scalar means: the same to every reader, or not. Used when reading and when writing.

Two readers stand for all: YAML 1.2 (ruamel.yaml, editors) and YAML 1.1 as in front of Kubernetes (sigs.k8s.io/yaml,
which keeps 1.1's booleans, octals and dates: https://github.com/kubernetes-sigs/yaml/tree/master/goyaml.v2) and PyYAML.
"""

from __future__ import annotations

import re
from typing import Any

# Numbers that every reader reads alike. More than 18 digits do not fit int64 everywhere.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}(?:[eE][-+][0-9]{1,2})?\Z")

_CONSTANTS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip

# Whatever at least one reader takes for something else than a string.
_NOT_A_STRING = re.compile(
    r"""(?: y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF       # 1.1 booleans
      | [-+]? 0b [01_]+ | [-+]? 0o? [0-7_]+ | [-+]? 0x [0-9a-fA-F_]+  # 1.1 and 1.2 bases
      | [-+]? [0-9][0-9_]*                                          # integers
      | [-+]? (?: \.[0-9_]+ | [0-9][0-9_]* (?:\.[0-9_]*)? ) (?:[eE][-+]?[0-9]+)?   # floats
      | [-+]? \.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
      | [-+]? [0-9][0-9_]* (?: : [0-5]?[0-9] )+ (?:\.[0-9_]*)?      # 1.1: 12:30:45 in base 60
      | [0-9]{4} - [0-9]{1,2} - [0-9]{1,2} (?: [Tt\ \t] .* )?       # 1.1: dates
      | = | <<                                                      # 1.1: default value, merge
    )\Z""",
    re.VERBOSE,
)
_MAY_BEGIN = frozenset("yYnNoO=<+-.0123456789")  # what these begin with


class Ambiguous(Exception):
    """Readers disagree about this plain scalar."""


def parse_plain(text: str) -> str | int | float | bool | None:
    """The value of a plain (unquoted) scalar. Raises Ambiguous when YAML 1.1 and YAML 1.2 readers disagree."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.match(text) and text != "-0":
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    if text[0] in _MAY_BEGIN and _NOT_A_STRING.match(text):
        raise Ambiguous(text)
    return text


# What kubectl and an API server make of a plain scalar that YAML 1.2 reads otherwise, as far as it is what is meant.
# source: sigs.k8s.io/yaml, goyaml.v2/resolve.go (ParseInt with base 0) and decode.go (a date in data is a string)
_OCTAL = re.compile(r"0[0-7]{1,18}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?\Z")


def parse_for_kubernetes(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar in a manifest that only Kubernetes reads: `0644` is a mode. Raises Ambiguous."""
    if _OCTAL.match(text):
        return int(text, 8)
    return text if _DATE.match(text) else parse_plain(text)


def is_string_to_all(text: str) -> bool:
    """Whether every reader takes this plain text for a string."""
    return text not in _CONSTANTS and not (text[0] in _MAY_BEGIN and _NOT_A_STRING.match(text))


_BOOLEANS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


def requoted(value: Any, message: str) -> str:
    """What to write for a scalar of the wrong type, when quotes are all that is wrong; empty otherwise.

    `message` says which type was expected.
    """
    expected = message.removeprefix("expected ").split(", got")[0]
    if "string" in expected and isinstance(value, (int, float)):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f'quote it: "{text}"'
    if isinstance(value, str) and expected == "boolean" and value.lower() in _BOOLEANS:
        return f"write {_BOOLEANS[value.lower()]}, without quotes"
    if isinstance(value, str) and expected in ("integer", "number") and value.isdecimal() and len(value) < 18:
        return f"write {int(value)}, without quotes"
    return ""
