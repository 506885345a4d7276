"""Each object against the CEL rules of its CRD, as an API server evaluates them when the object is applied."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from dynagen.crd_rules.evaluating import Broken, Rules
from dynagen.crd_rules.places import place_of
from dynagen.data import SCHEMAS
from dynagen.diagnostics import path_text
from dynagen.parsed import load_rules
from dynagen.schemas import Schema, Schemas
from dynagen.verify.objects import Findings, Object


def check_rules(
    objects: Sequence[Object], schemas: Schemas, findings: Findings, earlier: Sequence[Object] = ()
) -> None:
    """Reports DG215 for a rule that does not hold, DG216 for one that cannot be evaluated.

    The objects conform to their schemas. Those of `earlier` are what the new ones replace: with them, rules that compare
    `self` with `oldSelf` count as well.
    """
    known = {(each.api_version, *each.manifest.identity): each for each in earlier}
    kinds: dict[tuple[str, str], Rules | None] = {}
    for subject in objects:
        kind = subject.api_version, subject.kind
        if kind not in kinds:
            kinds[kind] = _rules(schemas.find(*kind))
        if (rules := kinds[kind]) is not None:
            old = known.get((subject.api_version, *subject.manifest.identity))
            for broken in rules.broken(subject.data, [old.data] if old else []):
                _report(broken, subject, findings)


def _rules(schema: Schema | None) -> Rules | None:
    place = place_of(schema.source.schema, schema.source) if schema else None
    if schema is None or place is None:
        return None
    if schema.file.is_relative_to(SCHEMAS):
        _load(schema.file.relative_to(SCHEMAS).parts[0])
    return Rules(place)


@cache
def _load(name: str) -> None:
    """Once for each set: the programs of its rules."""
    load_rules(name)


def _report(broken: Broken, subject: Object, findings: Findings) -> None:
    rule, where = broken.rule, path_text(broken.path)
    prefix = f"{where}: " if broken.path else ""
    text = " ".join(rule.text.split())
    if broken.reason:
        message = f"{prefix}rule '{text}' cannot be evaluated: {broken.reason}"
        findings.add("DG216", subject, broken.path, message, rule.message)
    else:
        findings.add("DG215", subject, broken.path, prefix + (broken.message or f"rule '{text}' does not hold"))
