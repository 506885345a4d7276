"""Arguments of a command line, as people write them: `--flag value`, `--flag=value`, flags that stand alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite


def flag_of(argument: str) -> str:
    """`--max-model-len=8192` as `--max-model-len`; vLLM takes `_` for `-` as well. Empty for what is no flag."""
    if not argument.startswith("-") or argument[1:2].isdigit():
        return ""
    return argument.split("=", 1)[0].replace("_", "-")


def values_of(arguments: Sequence[str], *flags: str) -> list[str | None]:
    """The values of these flags in the order in which they are given; None where nothing follows a flag."""
    return [value for value, _ in places_of(arguments, *flags)]


def places_of(arguments: Sequence[str], *flags: str) -> Iterator[tuple[str | None, int]]:
    """The same, each with the index of the argument that it stands in."""
    for index, argument in enumerate(arguments):
        if flag_of(argument) in flags:
            _, equals, value = argument.partition("=")
            if equals:
                yield value, index
            else:
                yield arguments[index + 1] if index + 1 < len(arguments) else None, index + 1


def value_of(arguments: Sequence[str], *flags: str) -> str | None:
    """The value of the first of these flags that is given last; None when none is."""
    found = values_of(arguments, *flags)
    return found[-1] if found else None


def has(arguments: Sequence[str], *flags: str) -> bool:
    return any(flag_of(argument) in flags for argument in arguments)


def number_of(arguments: Sequence[str], *flags: str) -> float | None:
    """As `value_of`, as a number; `8k` is 8000 and `8K` 8192, as vLLM reads them. None for anything else."""
    text = value_of(arguments, *flags)
    if not text:
        return None
    unit = {"k": 1e3, "m": 1e6, "g": 1e9, "K": 2**10, "M": 2**20, "G": 2**30}.get(text[-1], 0)
    try:
        found = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        return None
    return found if isfinite(found) else None


def without(arguments: Sequence[str], *flags: str) -> list[str]:
    """The arguments that are left when these flags and their values are taken out."""
    gone = {index for index, argument in enumerate(arguments) if flag_of(argument) in flags}
    gone |= {index for _, index in places_of(arguments, *flags)}
    return [argument for index, argument in enumerate(arguments) if index not in gone]
