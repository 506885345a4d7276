"""`${...}` in a scalar: found, compiled and evaluated. The door to CEL (https://cel.dev, Google's cel-expr-python).

A scalar that is one expression keeps the expression's type; in a longer text the values are written out. `$${` stands
for a literal `${`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, closest, path_text

# `worker.name`, the most common expression by far, is looked up without CEL: it is faster and keeps a map's order.
_NAME_CHAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z")


class ExpressionError(Exception):
    """What is wrong with an expression: a code, a message, a hint."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


class Template(NamedTuple):
    """A scalar with expressions: literal texts and expressions in turn, as written."""

    parts: tuple[tuple[bool, str], ...]  # (is an expression, text)

    @property
    def is_one_expression(self) -> bool:
        return len(self.parts) == 1 and self.parts[0][0]

    @property
    def expression(self) -> str:
        """What `Origin.expression` shows: the expressions alone."""
        return "; ".join(text for is_expression, text in self.parts if is_expression)


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


def _closing_brace(text: str, index: int) -> int:
    """The index of the brace that ends an expression, mindful of CEL's strings and maps."""
    end = text.find("}", index)
    if end > 0 and not any(character in "'\"{" for character in text[index:end]):
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


def names_in(text: str) -> set[str]:
    """The names that the expressions in a scalar use. Raises ExpressionError."""
    template = parse_template(text)
    found: set[str] = set()
    for is_expression, part in template.parts if isinstance(template, Template) else ():
        if is_expression and _NAME_CHAIN.match(part):
            found.add(part.split(".")[0])
        elif is_expression:
            program = known_programs.get(part) or _compile(part)
            found.update(str(path[0]) for path in program.reads)
    return found


class Scope:
    """Names and their values for expressions, with what was compiled for them."""

    def __init__(
        self,
        values: Mapping[str, Any],
        parent: Scope | None = None,
        aliases: Mapping[str, KeyPath] | None = None,
    ) -> None:
        """`values` holds plain data; a `parent` lends what they do not name.

        `aliases` says which path of the parent a name stands for: `worker` for `('workers', 1)`.
        """
        self.values: dict[str, Any] = {**parent.values, **values} if parent else dict(values)
        self._aliases = aliases or {}
        self._known: dict[str, tuple[Any, tuple[KeyPath, ...]]] = {}
        self._activation: Any = None
        self._environment = _environment_for(frozenset(self.values))

    def path_of(self, item: Any, reads: tuple[KeyPath, ...]) -> KeyPath:
        """The path of `item` in one of the lists at `reads`; the list's own path when it is not found there."""
        for path in reads:
            found = self._look_up(path, path_text(path))
            if isinstance(found, list) and item in found:
                return (*path, found.index(item))
        return reads[0] if reads else ()

    def evaluate(self, template: Template) -> tuple[Any, tuple[KeyPath, ...]]:
        """The value of a template and the paths it read. Raises ExpressionError."""
        value, reads = self._evaluate(template)
        if self._aliases:
            reads = tuple((*self._aliases.get(str(path[0]), path[:1]), *path[1:]) for path in reads)
        return value, reads

    def _evaluate(self, template: Template) -> tuple[Any, tuple[KeyPath, ...]]:
        if template.is_one_expression:
            return self.evaluate_one(template.parts[0][1])
        text = ""
        reads: list[KeyPath] = []
        for is_expression, part in template.parts:
            if not is_expression:
                text += part
                continue
            value, paths = self.evaluate_one(part)
            reads.extend(paths)
            if value is None or isinstance(value, (dict, list)):
                what = "null" if value is None else "a map" if isinstance(value, dict) else "a list"
                raise ExpressionError("DG308", f"'{part}' is {what}, which cannot stand inside a text")
            text += str(value).lower() if isinstance(value, bool) else str(value)
        return text, tuple(dict.fromkeys(reads))

    def evaluate_one(self, text: str) -> tuple[Any, tuple[KeyPath, ...]]:
        known = self._known.get(text)  # rules and dashboards say the same thing hundreds of times
        if known is None:
            known = self._known[text] = self._evaluate_one(text)
        return known

    def _evaluate_one(self, text: str) -> tuple[Any, tuple[KeyPath, ...]]:
        if _NAME_CHAIN.match(text):
            path: KeyPath = tuple(text.split("."))
            if path[0] in self.values:
                return self._look_up(path, text), (path,)
        program, reads = self._environment.compile(text)
        if self._activation is None:
            self._activation = self._environment.activate(self.values)
        value = program.eval(self._activation)
        if value.type().name() in ("*error*", "ERROR", "*unknown*", "UNKNOWN"):
            for path in reads:  # says which key is missing, and the closest one
                self._look_up(path, text)
            raise ExpressionError("DG308", f"'{text}': {_first_line(str(value.plain_value()))}")
        return _sorted_maps(value.plain_value()), reads

    def _look_up(self, path: KeyPath, text: str) -> Any:
        value: Any = self.values
        for depth, key in enumerate(path):
            if isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
                continue
            if not isinstance(value, dict) or key not in value:
                parent = path_text(path[:depth])
                if not isinstance(value, dict):
                    raise ExpressionError("DG308", f"'{text}': '{parent}' has no keys, so no '{key}'")
                near = closest(str(key), value)
                hint = f"did you mean '{near}'?" if near else "known: " + ", ".join(sorted(value)[:12])
                raise ExpressionError("DG308", f"'{text}': no key '{key}' in '{parent}'", hint)
            value = value[key]
        return value


class Program(NamedTuple):
    """A compiled expression: CEL's serialised form, and what it reads."""

    serialized: bytes
    reads: tuple[KeyPath, ...]


# Expressions of the shipped layers, compiled when the package was built. The text alone decides what a program is.
known_programs: dict[str, Program] = {}


def compile_expressions(text: str) -> dict[str, Program]:
    """The programs of the expressions in a scalar that need CEL; a wrong expression is left out."""
    try:
        template = parse_template(text)
    except ExpressionError:
        return {}
    programs = {}
    for is_expression, part in template.parts if isinstance(template, Template) else ():
        if is_expression and not _NAME_CHAIN.match(part):
            try:
                programs[part] = _compile(part)
            except ExpressionError:
                continue
    return programs


@cache
def _cel() -> Any:
    """CEL's module. cel-expr-python 0.1.3 gives away a reference to None with every null and every activation.

    Python 3.12 counts no references to None any more. Before, the count reaches zero after some thousand expressions and
    the interpreter aborts, so it gets more of them than any run can use up.
    """
    from cel_expr_python import cel

    if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        import ctypes

        ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40
    return cel


def _compile(text: str) -> Program:
    cel = _cel()
    try:
        # Without CEL's type check: all names are dynamic, so it would find next to nothing, and we say more about
        # unknown names than it does. So no name has to be declared either.
        serialized = cel.NewEnv().compile(text, disable_check=True).serialize()
    except RuntimeError as error:
        raise ExpressionError("DG306", f"'{text}': {_first_line(str(error))}") from error
    return Program(_without_positions(serialized), tuple(dict.fromkeys(_reads(serialized))))


class _Environment:
    """CEL with a set of variables, and the expressions compiled for it."""

    def __init__(self, names: frozenset[str]) -> None:
        from cel_expr_python.ext import ext_math, ext_strings

        cel = _cel()

        self._cel = cel.NewEnv(
            variables=dict.fromkeys(names, cel.Type.DYN),
            extensions=[ext_strings.ExtStrings(), ext_math.ExtMath()],
        )
        self._names = names
        self._compiled: dict[str, tuple[Any, tuple[KeyPath, ...]]] = {}

    def activate(self, values: Mapping[str, Any]) -> Any:
        return self._cel.Activation(values)

    def compile(self, text: str) -> tuple[Any, tuple[KeyPath, ...]]:
        """Something to evaluate, and what it reads. Raises ExpressionError."""
        if text not in self._compiled:
            program = known_programs.get(text) or _compile(text)
            for path in program.reads:
                if path[0] not in self._names:
                    near = closest(str(path[0]), self._names)
                    hint = f"did you mean '{near}'?" if near else "`dynagen plan` prints what there is"
                    raise ExpressionError("DG307", f"'{text}': unknown name '{path[0]}'", hint)
            self._compiled[text] = self._cel.deserialize(program.serialized), program.reads
        return self._compiled[text]


_environments: dict[frozenset[str], _Environment] = {}


def _environment_for(names: frozenset[str]) -> _Environment:
    return _LazyEnvironment(names)  # type: ignore[return-value]


class _LazyEnvironment:
    """Imports CEL when the first expression needs it."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def __getattr__(self, attribute: str) -> Any:
        environment = _environments.get(self._names)
        if environment is None:
            environment = _environments[self._names] = _Environment(self._names)
        return getattr(environment, attribute)


def evaluate_rule(rule: str, self_value: Any) -> bool | str:
    """A schema's rule over a value called `self`: true, false, or the words of an evaluation error."""
    scope = Scope({"self": self_value})
    try:
        value, _ = scope.evaluate_one(rule)
    except ExpressionError as error:
        return error.message
    return value if isinstance(value, bool) else f"not a boolean: {value!r}"


def _first_line(text: str) -> str:
    """CEL's message without its status and without the picture under it."""
    line = text.splitlines()[0] if text else "cannot be evaluated"
    line = re.sub(r"^[A-Z_]+: (?:ERROR: <input>:\d+:\d+: )?", "", line)
    return re.sub(r" \[[A-Z_]+\]$", "", line)


def _sorted_maps(value: Any) -> Any:
    """CEL's maps have no order; ours are sorted by key, so that output never moves about."""
    if isinstance(value, dict):
        return {key: _sorted_maps(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list):
        return [_sorted_maps(item) for item in value]
    return value


# What an expression reads, from the syntax tree that CEL serialises
# (https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto; numbers below are its field numbers).

_CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 3, 4, 5, 6, 7, 8, 9


def _reads(serialized: bytes) -> Iterator[KeyPath]:
    container = dict(_fields(serialized))[2]  # google.protobuf.Any.value: ParsedExpr or CheckedExpr
    fields = dict(_fields(container))
    yield from _walk(fields[4] if 4 in fields and 2 not in fields else fields.get(2, b""), frozenset())


def _without_positions(serialized: bytes) -> bytes:
    """The same program without CEL's own map of positions, which is large and in another order each time."""
    fields = dict(_fields(serialized))
    parsed = _field(2, dict(_fields(fields[2]))[2])
    return _field(1, fields[1]) + _field(2, parsed)


def _field(number: int, payload: bytes) -> bytes:
    length, size = len(payload), b""
    while length > 0x7F:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + payload


def _walk(expr: bytes, bound: frozenset[str]) -> Iterator[KeyPath]:
    chain = _chain(expr)
    if chain is not None:
        if chain[0] not in bound:
            yield chain
        return
    for number, payload in _fields(expr):
        if number == _SELECT:
            yield from _walk(dict(_fields(payload))[1], bound)
        elif number == _CALL:
            for inner, part in _fields(payload):
                if inner in (1, 3):
                    yield from _walk(part, bound)
        elif number == _LIST:
            for inner, part in _fields(payload):
                if inner == 1:
                    yield from _walk(part, bound)
        elif number == _STRUCT:
            for inner, entry in _fields(payload):
                if inner == 2:
                    for place, part in _fields(entry):
                        if place in (3, 4):
                            yield from _walk(part, bound)
        elif number == _COMPREHENSION:
            parts = dict(_fields(payload))
            names = {bytes(parts[n]).decode() for n in (1, 3, 8) if n in parts}
            inside = bound | names
            yield from _walk(parts[2], bound)
            for n in (4, 5, 6, 7):
                if n in parts:
                    yield from _walk(parts[n], inside)


def _chain(expr: bytes) -> KeyPath | None:
    """`a.b[0]['c']` as a path; None when the expression is anything else."""
    for number, payload in _fields(expr):
        if number == _IDENT:
            return (bytes(dict(_fields(payload)).get(1, b"")).decode(),)
        if number == _SELECT:
            parts = dict(_fields(payload))
            operand = _chain(parts[1])
            if operand is None:
                return None
            # has(a.b) does not need b: it reads a.
            return operand if parts.get(3) else (*operand, bytes(parts[2]).decode())
        if number == _CALL:
            entries = list(_fields(payload))
            function = next((bytes(p).decode() for n, p in entries if n == 2), "")
            arguments = [p for n, p in entries if n == 3]
            if function == "_[_]" and len(arguments) == 2:
                operand, key = _chain(arguments[0]), _constant(arguments[1])
                return None if operand is None or key is None else (*operand, key)
            return None
    return None


def _constant(expr: bytes) -> str | int | None:
    for number, payload in _fields(expr):
        if number == _CONST:
            for kind, value in _fields(payload):
                if kind == 3 and isinstance(value, int):  # int64_value
                    return value
                if kind == 6:  # string_value
                    return bytes(value).decode()
    return None


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer: (number, bytes or integer)."""
    index = 0
    while index < len(message):
        key, index = _varint(message, index)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, index = _varint(message, index)
            yield number, value
        elif wire == 2:
            length, index = _varint(message, index)
            yield number, message[index : index + length]
            index += length
        else:  # 1: eight bytes, 5: four bytes; doubles in constants
            index += 8 if wire == 1 else 4


def _varint(message: bytes, index: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[index]
        index += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, index
