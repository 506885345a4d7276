"""A value and the places of its schema in, the rules that it breaks out: as an API server goes through them.

Source: k8s.io/apiextensions-apiserver, pkg/apiserver/schema/cel/validation.go. Limits of cost are not counted.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from dynagen.crd_rules import functions
from dynagen.crd_rules.costs import Costs, largest
from dynagen.crd_rules.earlier import NONE, aligned, earlier_field, earlier_item
from dynagen.crd_rules.programs import program_of
from dynagen.crd_rules.rule_nodes import Rule, RuleNode, escaped
from dynagen.crd_rules.rule_program import Program
from dynagen.crd_rules.values import Literal, Values, default_of, taken_out, touched, with_opaque, written_out
from dynagen.crd_rules.wanted import Wanted, want, want_both
from dynagen.diagnostics import KeyPath
from dynagen.language.cel import ExpressionError, RuleEnvironment, Undecided
from dynagen.language.python_programs import Names, evaluate
from dynagen.memory import Memory


class BrokenRule(NamedTuple):
    """A rule that does not hold at `path`, or, with `reason`, one that cannot be evaluated there.

    `touches` are the places below that it looks at, with names as rules write them. `known` is False when an API server
    could come to a verdict, and only we cannot.
    """

    rule: Rule
    path: KeyPath
    message: str
    reason: str = ""
    touches: tuple[KeyPath, ...] = ()
    known: bool = True


# Functions whose value can be larger than what goes in. CEL's macros for lists add with the first.
_GROWING = frozenset(["_+_", "replace", "join", "format"])


def _can_grow(serialized: bytes) -> bool:
    from dynagen.language.syntax_tree import calls, expression

    return any(call.function in _GROWING for call in calls(expression(serialized)))


class _Judge:
    """Programs of rules, and CEL to evaluate them."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.environment = memory.once(RuleEnvironment, functions.call)

    def program(self, text: str, optional: bool) -> Program:
        """Raises ExpressionError."""
        return program_of(text, optional, self._memory)

    def loaded(self, text: str, optional: bool) -> Any:
        return self._memory.once(RuleEnvironment.load, self.environment, self.program(text, optional).serialized)

    def with_values(self, text: str, read: tuple[tuple[KeyPath, Literal], ...]) -> Any:
        """A rule with the times and durations that it reads written into it."""
        return self._memory.once(_Judge._with_values, self, text, read)

    def _with_values(self, text: str, read: tuple[tuple[KeyPath, Literal], ...]) -> Any:
        from dynagen.language.syntax_tree import changed, expression, path_of, without_positions

        values = {path: literal.written for path, literal in read}
        serialized = self.program(text, False).serialized
        expr = changed(expression(serialized), lambda inner: values.get(path_of(inner) or ()))
        return self.environment.load(without_positions(serialized, expr))

    def mind_size(self, text: str, optional: bool, values: dict[str, Any]) -> None:
        """Raises Undecided for a rule that could fill the memory on its way: few steps are enough for that."""
        program = self.program(text, optional).serialized
        if self._memory.once(_can_grow, program):
            from dynagen.language.size_limit import MAX_SIZE, largest

            if largest(program, values, lambda part: None) > MAX_SIZE:
                raise Undecided("DG216", f"could make a text of more than {MAX_SIZE} characters")

    def touched(self, text: str, optional: bool) -> tuple[KeyPath, ...]:
        """What an expression looks at in `self`; nothing if it cannot be compiled."""
        try:
            touches = self.program(text, optional).touches if text else ()
        except ExpressionError:
            return ()
        return tuple(path[1:] for path in touches if path[0] == "self")

    def wanted(self, place: RuleNode) -> Wanted:
        """What the rules at a place and below it look at."""
        found: Wanted = {}
        for rule in place.rules:
            for path in (*self.touched(rule.text, rule.optional), *self.touched(rule.message_expression, False)):
                found = want(found, path)
        for step in place.steps:
            if (below := place.step(step)) is not None:
                found = want_both(
                    found, self.wanted(below), [(escaped(step) or step) if isinstance(step, str) else "*"]
                )
        return found


# Values that a place remembers as sound, and bytes of one.
_MOST_KEPT, _MOST_BYTES = 300, 4000


# An API server gives an object a budget, too: RuntimeCELCostBudget in k8s.io/apiserver, pkg/apis/cel/config.go.
MOST_EVALUATIONS = 100_000


class Rules:
    """The rules of one kind, and what has been found out about its schema."""

    def __init__(self, place: RuleNode, memory: Memory) -> None:
        self._place, self._values, self._judge = place, Values(), memory.once(_Judge, memory)
        self._left, self._costs = MOST_EVALUATIONS, Costs()
        self._wanted: dict[RuleNode, Wanted | None] = {}
        self._sound: dict[RuleNode, set[bytes]] = {}

    def broken(self, value: Any, earlier: Sequence[Any] = NONE, costs: Costs | None = None) -> Iterator[BrokenRule]:
        """`earlier` holds the value that is there already, if there is one. Rules that compare with it need it.

        `costs` are shared by all objects of a check. Raises TooCostly when they are used up.
        """
        self._left, self._costs = MOST_EVALUATIONS, costs or Costs()
        yield from self._outside(self._place, value, earlier, ())

    def _outside(self, place: RuleNode, value: Any, earlier: Sequence[Any], path: KeyPath) -> Iterator[BrokenRule]:
        """Where no rule has been met yet, the value is as it was written."""
        if place.rules:
            old = [self._values.convert(aligned(earlier[0], value, place.part), place.part)] if earlier else NONE
            converted, found = self._values.to_cel(value, place.part, True if earlier else self._wanted_at(place))
            yield from self._inside(place, converted, old, path, found)
            return
        if isinstance(value, dict) and place.names:
            for key in place.names:
                inner = value.get(key)
                if inner is None:
                    inner = default_of(key, place.part)
                if inner is not None and (below := place.step(key)):
                    yield from self._outside(below, inner, earlier_field(earlier, key), (*path, key))
        for step, item, below in _each(place, value):
            old = earlier_item(earlier, item, place, False) if isinstance(step, int) else earlier_field(earlier, step)
            yield from self._outside(below, item, old, (*path, step))

    def _wanted_at(self, place: RuleNode) -> Wanted:
        """All for the first value: finding out what is enough costs more than one value."""
        if place not in self._wanted:
            self._wanted[place] = None
            return True
        known = self._wanted[place]
        if known is None:
            known = self._wanted[place] = self._judge.wanted(place)
        return known

    def _inside(
        self, place: RuleNode, value: Any, earlier: Sequence[Any], path: KeyPath, found: dict[KeyPath, Literal]
    ) -> Iterator[BrokenRule]:
        """`value` is as CEL sees it, with text where `found` has times and durations.

        What many profiles say is held against rules once: what these look at seldom holds a name.
        """
        if not place.rules or earlier or found:
            yield from self._at_and_below(place, value, earlier, path, found)
            return
        key, sound = marshal.dumps(value, 0), self._sound.setdefault(place, set())
        if key in sound:
            return
        holds = True
        for broken in self._at_and_below(place, value, earlier, path, found):
            holds = False
            yield broken
        if holds and self._left > 0 and len(sound) < _MOST_KEPT and len(key) < _MOST_BYTES:
            sound.add(key)

    def _at_and_below(
        self, place: RuleNode, value: Any, earlier: Sequence[Any], path: KeyPath, found: dict[KeyPath, Literal]
    ) -> Iterator[BrokenRule]:
        if place.rules:
            yield from self._evaluated(place, value, earlier, path, found)
        if isinstance(value, dict):
            for key in place.names:
                name = escaped(key) or key
                if value.get(name) is not None and (below := place.step(key)):
                    yield from self._inside(
                        below, value[name], earlier_field(earlier, name), (*path, key), _found_in(found, name)
                    )
        for step, item, below in _each(place, value):
            old = earlier_item(earlier, item, place, True) if isinstance(step, int) else earlier_field(earlier, step)
            yield from self._inside(below, item, old, (*path, step), _found_in(found, step))

    def _evaluated(
        self, place: RuleNode, value: Any, earlier: Sequence[Any], path: KeyPath, found: dict[KeyPath, Literal]
    ) -> Iterator[BrokenRule]:
        scope = _Scope(value, earlier, found, self._judge, self._costs)
        for rule in place.rules:
            self._left -= 1
            if self._left <= 0:
                if self._left == 0:
                    yield BrokenRule(rule, path, "", "comes after too many others", known=False)
                return
            try:
                if not earlier and not rule.optional and self._judge.program(rule.text, False).transition:
                    continue
                holds = scope.evaluate(rule.text, rule.optional)
                if not isinstance(holds, bool):
                    raise ExpressionError("DG216", "its value is neither true nor false")
            except ExpressionError as error:
                known = not isinstance(error, Undecided)
                yield BrokenRule(rule, path, "", str(error), self._judge.touched(rule.text, rule.optional), known)
                continue
            if not holds:
                touches = () if rule.field else self._judge.touched(rule.text, rule.optional)
                yield BrokenRule(rule, (*path, *rule.field), _message(rule, scope), touches=touches)


def _each(place: RuleNode, value: Any) -> Iterator[tuple[str | int, Any, RuleNode]]:
    """The values of a map, the items of a list."""
    below = place.step(None if isinstance(value, dict) else 0)
    if below is None or not isinstance(value, (dict, list)):
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if inner is not None:
            yield key, inner, below


def _found_in(found: dict[KeyPath, Literal], key: str | int) -> dict[KeyPath, Literal]:
    return {path[1:]: literal for path, literal in found.items() if path[0] == key} if found else found


class _Scope:
    """What the rules of one place see. Times and durations are written into the rules that read them."""

    def __init__(
        self,
        value: Any,
        earlier: Sequence[Any],
        found: dict[KeyPath, Literal],
        judge: _Judge,
        costs: Costs | None = None,
    ) -> None:
        self._judge, self._costs = judge, costs or Costs()
        self._found = {("self", *path): literal for path, literal in found.items()}
        if earlier:
            earlier = [taken_out(earlier[0], ("oldSelf",), self._found)]
        self._value, self._earlier = value, earlier

    @cached_property
    def _activation(self) -> Any:
        return self._judge.environment.activate(self._value, self._earlier)

    @cached_property
    def _names(self) -> Names:
        value = with_opaque(self._value, self._found, ("self",)) if self._found else self._value
        return Names({"self": value}, {})

    @cached_property
    def _largest(self) -> int:
        return largest(self._value)

    def evaluate(self, text: str, optional: bool) -> Any:
        """Python is believed when it says that a rule holds. Raises ExpressionError."""
        self._costs.charge(text, self._largest, False)
        if not self._earlier and evaluate(self._judge.program(text, optional).tree, self._names)[1] is True:
            return True
        self._costs.charge(text, self._largest, True)
        old = self._earlier[0] if self._earlier else None
        self._judge.mind_size(text, optional, {"self": self._value, "oldSelf": old, "earlier": list(self._earlier)})
        loaded = self._with_literals(text, optional) if self._found else None
        try:
            return self._judge.environment.evaluate(loaded or self._judge.loaded(text, optional), self._activation)
        except ExpressionError as error:
            if missing := self._judge.program(text, optional).missing:
                raise Undecided("DG216", f"calls '{missing}'") from error
            raise

    def _with_literals(self, text: str, optional: bool) -> Any:
        """The rule with the times and durations that it reads; None if it reads none."""
        program = self._judge.program(text, optional)
        read = [(path, place) for path in program.touches if path[-1] != "?" for place in touched(path, self._found)]
        if not read:
            return None
        if not optional and all(path == place for path, place in read):
            return self._judge.with_values(text, tuple((place, self._found[place]) for _, place in read))
        from dynagen.crd_rules.compiling import bound
        from dynagen.language.syntax_tree import expression, sequence, without_positions

        values = {"self": written_out(self._value, self._found, ("self",))}
        if self._earlier:
            values["oldSelf"] = written_out(self._earlier[0], self._found, ("oldSelf",))
        values["earlier"] = sequence([values["oldSelf"]] if self._earlier else [])
        expr = bound(expression(program.serialized), values)
        return self._judge.environment.load(without_positions(program.serialized, expr))


def _message(rule: Rule, scope: _Scope) -> str:
    """An API server falls back on `message` when `messageExpression` comes to nothing, so that is no mistake."""
    if rule.message_expression:
        try:
            said = scope.evaluate(rule.message_expression, False)
            if isinstance(said, str) and said.strip() and "\n" not in said.strip():
                return said.strip()
        except ExpressionError:
            pass
    return rule.message
