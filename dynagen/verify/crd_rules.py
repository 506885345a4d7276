"""Each object against the CEL rules of its CRD, as an API server evaluates them when the object is applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dynagen.cluster.earlier import Earlier, applied, manifest_of
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.compiled.reading import know_rules
from dynagen.crd_rules.costs import Costs, TooCostly
from dynagen.crd_rules.evaluating import BrokenRule, Rules
from dynagen.crd_rules.rule_nodes import escaped, rule_node_of
from dynagen.diagnostics import KeyPath, path_text
from dynagen.memory import Memory
from dynagen.schema.sets import Schema
from dynagen.text.paths import SCHEMAS


def check_rules(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG215 for a rule that does not hold, DG216 for one that cannot be evaluated, DG701 when all take too long.

    The objects conform to their schemas. With the earlier ones that they replace, rules count that compare `self` with
    `oldSelf`.
    """
    earlier, costs = Earlier(cluster.earlier) if cluster.earlier else None, Costs()
    kinds: dict[tuple[str, str], Rules | None] = {}
    for subject in objects:
        kind = subject.api_version, subject.kind
        if kind not in kinds:
            kinds[kind] = _rules(cluster.schemas.find(*kind), cluster.memory)
        if (rules := kinds[kind]) is not None:
            old = earlier.of(subject) if earlier else None
            try:
                for broken in _broken(rules, subject, old, cluster.schemas.find(*kind), costs):
                    _report(broken, subject, findings)
            except TooCostly:
                message = (
                    "the rules of its CRD, and of all that follow, are not evaluated: those before took too many steps"
                )
                findings.add(
                    "DG701", subject, (), message, "check fewer files at once, or look what makes a list so long"
                )
                return


def _broken(rules: Rules, new: Object, old: Object | None, schema: Schema | None, costs: Costs) -> Iterable[BrokenRule]:
    if old is None or old.api_version != new.api_version:
        return rules.broken(new.data, [], costs)
    after = applied(old.data, manifest_of(old), new.data, schema.root if schema else None)
    return rules.broken(after, [old.data], costs)


def _rules(schema: Schema | None, memory: Memory) -> Rules | None:
    if schema is None:
        return None
    if schema.file is None or not schema.file.is_relative_to(SCHEMAS):
        return _made(schema, memory)
    memory.once(know_rules, schema.file.relative_to(SCHEMAS).parts[0], memory)
    return memory.once(_made, schema, memory)


def _made(schema: Schema, memory: Memory) -> Rules | None:
    place = rule_node_of(schema.source.schema, schema.source)
    return Rules(place, memory) if place else None


def _report(broken: BrokenRule, subject: Object, findings: Findings) -> None:
    rule, where = broken.rule, path_text(broken.path)
    prefix = f"{where}: " if broken.path else ""
    text = " ".join(rule.text.split())
    path = (*broken.path, *_common([_present(subject.data, broken.path, each) for each in broken.touches]))
    if not broken.known:
        message = f"{prefix}rule '{text}' cannot be evaluated here, because it {broken.reason}; the API server will"
        findings.add("DG216", subject, path, message, rule.message, severity="note")
    elif broken.reason:
        message = f"{prefix}rule '{text}' cannot be evaluated: {broken.reason}"
        findings.add("DG216", subject, path, message, rule.message)
    else:
        findings.add("DG215", subject, path, prefix + (broken.message or f"rule '{text}' does not hold"))


def _present(value: Any, place: KeyPath, path: KeyPath) -> KeyPath | None:
    """What a rule at `place` looks at, as far as it is one value and was written; None if it was not."""
    for key in place:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return None  # a default brought the place
    found: list[str | int] = []
    for name in path:
        if name in ("*", "?"):
            break
        keys: Iterable[Any] = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        known = next((each for each in keys if name in (each, escaped(each) if isinstance(each, str) else None)), None)
        if known is None:
            return None
        found.append(known)
        value = value[known]
    return tuple(found)


def _common(paths: Sequence[KeyPath | None]) -> KeyPath:
    """The longest beginning that all share: the value at fault, when a rule looks at one only."""
    found = [path for path in paths if path is not None]
    shared = 0
    while found and all(len(path) > shared and path[shared] == found[0][shared] for path in found):
        shared += 1
    return found[0][:shared] if found else ()
