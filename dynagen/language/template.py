"""`${...}` in a scalar, found: literal texts and expressions in turn. `$${` stands for a literal `${`."""

from __future__ import annotations

import re
from typing import NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.language.cel import ExpressionError, program_of
from dynagen.memory import Memory

# `worker.name`, the most common expression by far, is looked up without CEL: it is faster and keeps a map's order.
_NAME_CHAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_QUOTE_OR_BRACE = re.compile("['\"{]")


class Template(NamedTuple):
    """A scalar with expressions: literal texts and expressions in turn, as written."""

    parts: tuple[tuple[bool, str], ...]  # (is an expression, text)

    @property
    def is_one_expression(self) -> bool:
        return len(self.parts) == 1 and self.parts[0][0]


def parse_template(text: str) -> Template | str:
    """The template in a scalar; a plain string when it holds no expression. Raises ExpressionError (DG306)."""
    if "${" not in text:
        return text
    parts: list[tuple[bool, str]] = []
    literal, index = "", 0
    while True:
        start = text.find("${", index)
        if start < 0:
            literal += text[index:]
            break
        if start > index and text[start - 1] == "$":  # $${ is an escape
            literal += text[index : start - 1] + "${"
            index = start + 2
            continue
        literal += text[index:start]
        end = _closing_brace(text, start + 2)
        if literal:
            parts.append((False, literal))
        parts.append((True, text[start + 2 : end].strip()))
        literal, index = "", end + 1
    if literal:
        parts.append((False, literal))
    if not any(is_expression for is_expression, _ in parts):
        return literal
    return Template(tuple(parts))


def template_of(text: str, memory: Memory) -> Template | str:
    """The same, made once for a text that many profiles see. Raises ExpressionError."""
    return memory.once(parse_template, text)


def name_chain(text: str) -> KeyPath:
    """`worker.name` as a path; empty for any other expression."""
    return tuple(text.split(".")) if _NAME_CHAIN.match(text) else ()


def _closing_brace(text: str, index: int) -> int:
    """The index of the brace that ends an expression, mindful of CEL's strings and maps."""
    end = text.find("}", index)
    if end > 0 and not _QUOTE_OR_BRACE.search(text, index, end):
        return end
    depth, quote = 1, ""
    while index < len(text):
        character = text[index]
        if quote:
            if character == "\\":
                index += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    raise ExpressionError("DG306", "'${' without its '}'", hint="write $${ for a literal ${")


def names_in(text: str, memory: Memory) -> frozenset[str]:
    """The names that the expressions in a scalar use. Raises ExpressionError."""
    template = parse_template(text)
    found: set[str] = set()
    for is_expression, part in template.parts if isinstance(template, Template) else ():
        if is_expression and _NAME_CHAIN.match(part):
            found.add(part.split(".")[0])
        elif is_expression:
            found.update(str(path[0]) for path in program_of(part, memory).reads)
    return frozenset(found)
