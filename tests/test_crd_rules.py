"""Our verdict on rules of CRDs against that of Kubernetes' own code: on examples, on functions, on objects bred for rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest

from dynagen.crd_rules.compiling import compile_rule
from dynagen.crd_rules.evaluating import Rules
from dynagen.crd_rules.functions import LEFT_OUT
from dynagen.crd_rules.rule_nodes import Rule, RuleNode, Step, find_rule_paths, resolved
from dynagen.memory import Memory
from dynagen.schema.conformance import Source
from dynagen.schema_import.crds import custom_resource_definitions
from dynagen.schema_import.set_files import read_catalogue
from dynagen.text.paths import SCHEMAS
from tests.crd_rules import EXPRESSIONS, Breeder, Specimen, as_findings, ask, rules_of, theirs
from tests.unit.test_crd_rules import EXAMPLES

pytestmark = pytest.mark.oracle

# How many objects are bred for each place with rules.
LITTER = 12


def test_examples_are_judged_alike() -> None:
    schemas = {name: schema for name, (schema, *_) in EXAMPLES.items()}
    cases = [{"schema": name, "object": value, "old": old} for name, (_, value, old, _) in EXAMPLES.items()]
    answers = ask(schemas=schemas, cases=cases, expressions=[])["cases"]
    for name, answer in zip(EXAMPLES, answers, strict=True):
        assert sorted(map(theirs, answer)) == EXAMPLES[name][3], name


def test_functions_are_judged_alike() -> None:
    answers = ask(schemas={}, cases=[], expressions=[text for text, _ in EXPRESSIONS])["expressions"]
    for (text, is_error), answer in zip(EXPRESSIONS, answers, strict=True):
        assert (answer["value"], bool(answer["error"])) == (None if is_error else True, is_error), (text, answer)


def test_functions_that_are_left_out_are_those_of_kubernetes() -> None:
    """Each is declared, or a macro: whatever else is wrong with such a call, its name is not unknown."""
    names = sorted(LEFT_OUT)
    calls = [f"{name}()" if "." in name else f"[1].{name}(k, v, true)" for name in names]
    answers = ask(schemas={}, cases=[], expressions=calls)["expressions"]
    for name, answer in zip(names, answers, strict=True):
        assert f"undeclared reference to '{name.rpartition('.')[2]}'" not in answer["error"]


def test_objects_bred_for_the_shipped_rules_are_judged_alike() -> None:
    """And nearly every rule is seen to hold and not to hold."""
    schemas, memory = shipped(), Memory()
    seen: dict[tuple[str, str], set[bool]] = defaultdict(set)
    bred: list[tuple[str, Specimen]] = []
    found = []
    for kind, schema in schemas.items():
        source = Source(schema)
        paths = list(find_rule_paths(schema, source))
        place = RuleNode([resolved(schema, source)], paths)
        rules, breeder = Rules(place, memory), Breeder(schema, seed=7)
        for path in paths:
            here = rules_at(place, path)
            for specimen in breeder.specimens(path, LITTER):
                earlier = [] if specimen.earlier is None else [specimen.earlier]
                broken = list(rules.broken(specimen.object, earlier))
                bred.append((kind, specimen))
                found.append(as_findings(broken))
                for each in broken:
                    if not each.reason:
                        seen[kind, each.rule.text].add(False)
                others = set(here) - {each.rule for each in broken}  # asked, for there is a value at the path
                for rule in others if earlier else others - compares(here):
                    seen[kind, rule.text].add(True)
    cases = [{"schema": name, "object": each.object, "old": each.earlier} for name, each in bred]
    answers = ask(schemas=schemas, cases=cases, expressions=[])["cases"]
    for (name, specimen), ours, answer in zip(bred, found, answers, strict=True):
        assert ours == sorted(map(theirs, answer)), (name, specimen)

    every = {(name, rule["rule"]) for name, schema in schemas.items() for rule in rules_of(schema)}
    both = {key for key in every if {True, False} <= seen[key]}
    assert len(every) >= 511
    assert len(both) / len(every) > 0.8


def rules_at(place: RuleNode | None, path: Sequence[Step]) -> Sequence[Rule]:
    for step in path:
        assert place is not None
        place = place.step(step)
    assert place is not None
    return place.rules


def compares(rules: Sequence[Rule]) -> set[Rule]:
    """Those that are asked only when there is an earlier object."""
    return {rule for rule in rules if not rule.optional and compile_rule(rule.text, False, Memory()).transition}


def shipped() -> dict[str, dict[str, object]]:
    """The schemas with rules, as CRDs have them."""
    found = {}
    for name in read_catalogue(SCHEMAS / "SOURCES.yaml")["sets"]:
        if not name.startswith("kubernetes"):
            for crd in custom_resource_definitions(SCHEMAS, [name]):
                for version in crd["spec"]["versions"]:
                    schema = version["schema"]["openAPIV3Schema"]
                    if list(find_rule_paths(schema, Source(schema))):
                        found[f"{name}/{crd['metadata']['name']}/{version['name']}"] = schema
    return found
