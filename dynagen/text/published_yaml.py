"""YAML as others publish it in, plain data out, without positions; and plain data in, YAML for people out.

What `exact_yaml` refuses because readers disagree about it is taken here as YAML 1.2 has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError


class NotYaml(ValueError):
    """What is wrong, and in which line if that is known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line


def parse_documents(text: str) -> Iterator[Any]:
    """Each document. Raises NotYaml, and RecursionError for one that is nested too deep."""
    try:
        yield from YAML(typ="safe", pure=True).load_all(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(_one_line(error.problem or error.context), mark.line + 1 if mark else None) from error
    except (YAMLError, ValueError, OverflowError, TypeError) as error:  # TypeError: a mapping as a key
        raise NotYaml(_one_line(error)[:200]) from error


def block_text(data: dict[str, Any]) -> str:
    """One document in block style, wrapped at 110 columns, in the order of its keys."""
    yaml = YAML()
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def _one_line(words: object) -> str:
    return " ".join(str(words).split())
