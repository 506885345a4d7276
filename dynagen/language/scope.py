"""Templates in, their values out: evaluated against names and their values.

A scalar that is one expression keeps the expression's type; in a longer text the values are written out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import isfinite
from typing import Any

from dynagen.diagnostics import KeyPath, closest, path_text, shortened
from dynagen.language.budget import Budget, size_of
from dynagen.language.cel import (
    Environment,
    ErrorValue,
    EvaluationError,
    ExpressionError,
    Program,
    compile_program,
    program_of,
)
from dynagen.language.python_programs import Names, evaluate
from dynagen.language.template import Template, name_chain, parse_template, template_of
from dynagen.memory import Memory
from dynagen.schema.conformance import canonical

# Functions whose results can be many times as large as what they are given.
_GROWS = r"\b(?:replace|join|format|map)\b"


class Scope:
    """Names and their values for expressions, with what was compiled for them."""

    def __init__(
        self,
        values: Mapping[str, Any],
        memory: Memory,
        parent: Scope | None = None,
        aliases: Mapping[str, KeyPath] | None = None,
        budget: Budget | None = None,
    ) -> None:
        """`values` holds plain data; a `parent` lends what they do not name. All that is made comes out of the `budget`.

        `aliases` says which path of the parent a name stands for: `worker` for `('workers', 1)`.
        """
        self.values: dict[str, Any] = {**parent.values, **values} if parent else dict(values)
        self._parent, self._own = parent, values.keys()
        self._aliases = aliases or {}
        self._known: dict[str, tuple[Any, tuple[KeyPath, ...]]] = {}
        self._loops: dict[tuple[str, str], list[tuple[Scope, Any]]] = {}
        self._items: dict[KeyPath, dict[Any, KeyPath]] = {}
        self._names: Names = Names(values, parent._names if parent else {})
        self.memory, self.budget = memory, budget or Budget()
        self._environment = memory.once(Environment, frozenset(self.values), memory)

    @cached_property
    def _activation(self) -> Any:
        """The values as CEL has them. Made when the first expression needs it: building it costs as much as copying them."""
        return self._environment.activate(self.values)

    def each(self, variable: str, text: str) -> list[tuple[Scope, Any]] | None:
        """For each item of the list that a scalar comes to, a scope in which `variable` stands for it, and the item.

        None for what is no list. Raises ExpressionError.
        """
        known = self._loops.get((variable, text))  # many files of a layer go through the same list
        if known is None:
            template = template_of(text, self.memory)
            items, reads = (template, ()) if isinstance(template, str) else self.evaluate(template)
            if not isinstance(items, list):
                return None
            paths = self.paths_of(items, reads)
            scopes = [
                Scope({variable: item}, self.memory, self, {variable: path}, self.budget)
                for item, path in zip(items, paths, strict=True)
            ]
            known = self._loops[variable, text] = list(zip(scopes, items, strict=True))
        return known

    def paths_of(self, items: Sequence[Any], reads: tuple[KeyPath, ...]) -> list[KeyPath]:
        """The path of each item in one of the lists at `reads`; the list's own path for one that is not found there."""
        if len(reads) == 1 and self._look_up(reads[0], path_text(reads[0])) is items:
            return [(*reads[0], index) for index in range(len(items))]
        known: dict[Any, KeyPath] = {}
        for path in reversed(reads):
            known |= self._items_of(path)
        return [known.get(canonical(item), reads[0] if reads else ()) for item in items]

    def _items_of(self, path: KeyPath) -> dict[Any, KeyPath]:
        """The items of a list, each with its path; the first of equal ones."""
        if path not in self._items:
            found = self._look_up(path, path_text(path))
            items = list(enumerate(found)) if isinstance(found, list) else []
            self._items[path] = {canonical(item): (*path, index) for index, item in reversed(items)}
        return self._items[path]

    def evaluate(self, template: Template) -> tuple[Any, tuple[KeyPath, ...]]:
        """The value of a template and the paths it read. Raises ExpressionError."""
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
        """The same for the text of one expression."""
        known = self._known.get(text)  # rules and dashboards say the same thing hundreds of times
        if known is None:
            self.budget.spend(0)
            value, reads = self._evaluate_one(text)
            if not name_chain(text):
                self.budget.spend(size_of(value))
            if self._aliases:
                reads = tuple((*self._aliases.get(str(path[0]), path[:1]), *path[1:]) for path in reads)
            known = self._known[text] = value, reads
        return known

    def _evaluate_one(self, text: str) -> tuple[Any, tuple[KeyPath, ...]]:
        path = name_chain(text)
        if path and path[0] in self.values:
            return self._look_up(path, text), (path,)
        if self._parent is not None:
            names = {path[0] for path in program_of(text, self.memory).reads}
            if self._own.isdisjoint(names) and names <= self.values.keys():
                return self._parent.evaluate_one(text)  # the same for all items of a loop
        program = self._environment.compile(text)
        done, found = evaluate(program.tree, self._names)
        return _plain(found if done else self._ask_cel(program, text), text), program.reads

    def _ask_cel(self, program: Program, text: str) -> Any:
        if re.search(_GROWS, text):
            self._refuse_if_it_fills_the_memory(text)
        try:
            return self._environment.evaluate(self._environment.loaded(program.serialized), self._activation)
        except ErrorValue as error:
            for path in program.reads:  # says which key is missing, and the closest one
                self._look_up(path, text)
            raise ExpressionError("DG308", f"'{text}': {error}") from error
        except EvaluationError as error:
            raise ExpressionError("DG308", f"'{text}': {error}") from error

    def _refuse_if_it_fills_the_memory(self, text: str) -> None:
        from dynagen.language.size_limit import MAX_SIZE

        most = self.most(text)
        if most > MAX_SIZE:
            hint = "replace(), join(), format() and map() of each other multiply"
            raise ExpressionError(
                "DG308", f"'{shortened(text, 80)}' could become larger than {MAX_SIZE} characters", hint
            )
        self.budget.spend_on_the_way(most)

    def most(self, text: str) -> int:
        """The most characters and items that the value of an expression, or anything on the way to it, can have."""
        from dynagen.language.size_limit import largest

        return largest(program_of(text, self.memory).serialized, self.values, self._part)

    def _part(self, program: bytes) -> Any:
        """The value of a part of an expression; None for one that has none."""
        try:
            return self._environment.evaluate(self._environment.load(program), self._activation)
        except EvaluationError:
            return None

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


def compile_expressions(text: str) -> dict[str, Program]:
    """The programs of the expressions in a scalar that need CEL; a wrong expression is left out."""
    try:
        template = parse_template(text)
    except ExpressionError:
        return {}
    programs = {}
    for is_expression, part in template.parts if isinstance(template, Template) else ():
        if is_expression and not name_chain(part):
            try:
                programs[part] = compile_program(part)
            except ExpressionError:
                continue
    return programs


def evaluate_rule(rule: str, self_value: Any, memory: Memory) -> bool:
    """Whether a schema's rule holds over a value called `self`. Raises ExpressionError."""
    value, _ = Scope({"self": self_value}, memory).evaluate_one(rule)
    if not isinstance(value, bool):
        raise ExpressionError("DG308", f"not a boolean: {value!r}")
    return value


def _plain(value: Any, text: str) -> Any:
    """CEL's value as YAML can hold it. Its maps have no order; ours are sorted by key, so that output never moves about."""
    if isinstance(value, str) and "\0" in value:
        hint = "no variable, argument or file name can hold it, so a container would not start"
        raise ExpressionError("DG308", f"'{shortened(text, 80)}' holds the character NUL", hint)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(value[key], text) for key in sorted(value)}
    if isinstance(value, list):
        return [_plain(item, text) for item in value]
    if isinstance(value, float) and isfinite(value):
        return value
    what = "a map with keys that are no strings" if isinstance(value, dict) else f"the {type(value).__name__} {value}"
    raise ExpressionError("DG308", f"'{text}' is {what}, which YAML cannot hold", "string(...) makes a text of it")
