"""Selectors select something, and the names of ports that stand with them are ports of what they select."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.graphs import WORKERS
from dynagen.cluster.objects import Findings, Object, mapping
from dynagen.cluster.operator import HASH, PREFIX
from dynagen.cluster.pods import Pod
from dynagen.diagnostics import KeyPath, closest
from dynagen.verify.references.known import Known, key_of
from dynagen.verify.references.rows import at, split
from dynagen.verify.references.selection import Pods, Requirement, all_pods, all_services, requirements

_ROOT = "istio-system"  # the root namespace of a mesh: what stands there counts everywhere


def check_selectors(known: Known, findings: Findings) -> None:
    """Reports DG473 for a selector that selects nothing, or that will soon; DG472 for a port that no selected pod has."""
    pods = all_pods(known)
    services = all_services(known) if known.has_any("monitoring.coreos.com", "ServiceMonitor") else pods
    table, terms = known.table.data["selectors"], known.table.data["terms"]
    for subject in known.objects:
        rule = table.get(key_of(subject))
        if rule:
            those = services if subject.kind == "ServiceMonitor" else pods
            for path, value in at(subject.data, split(rule["at"])):
                required = requirements(value, rule.get("form") == "labels")
                found = _check(known, findings, subject, path, required, _namespaces(subject, rule), those)
                if found and "ports" in rule:
                    _check_ports(findings, subject, found, split(rule["ports"]), those.what)
        for path, required in _terms(subject.data, terms.get(key_of(subject), ())):
            _check(known, findings, subject, path, required, {subject.namespace}, pods)
    for graph in known.graphs:
        for component in graph.components:
            for path, required in _terms(component.pod, terms["pods"], (*component.path, "podTemplate", "spec")):
                _check(known, findings, graph.subject, path, required, {graph.source.namespace}, pods)


def _namespaces(subject: Object, rule: dict[str, Any]) -> set[str] | None:
    """The namespaces whose pods count; None for all."""
    kind = rule.get("where", "own")
    if kind == "all" or (kind == "root" and subject.namespace == _ROOT):
        return None
    chosen = mapping(mapping(subject.data.get("spec")).get("namespaceSelector")) if kind == "given" else {}
    if chosen.get("any") is True:
        return None
    return set(chosen.get("matchNames") or [subject.namespace])


def _check(
    known: Known, findings: Findings, subject: Object, path: KeyPath, required: list[Requirement],
    namespaces: set[str] | None, pods: Pods,
) -> list[Pod]:  # fmt: skip
    """What a selector selects, reported when that is nothing."""
    for each in required:
        if each.key == HASH and each.operator == "In":
            hint = "select nvidia.com/dynamo-component, or nvidia.com/dynamo-component-type"
            message = f"'{HASH}' changes with every rollout: this selects nothing afterwards"
            findings.add("DG473", subject, (*path, *each.path), message, hint)
            return []
    found = pods.matching(required, namespaces)
    if found or not required or not _is_judged(pods, subject, required, namespaces):
        return found
    wrong, values = _at_fault(pods, required, namespaces) if known.may_search() else (required[0], {})
    message, hint = _words(known, wrong, values, pods.what)
    if "podAntiAffinity" in path:  # what is not there keeps nobody away: useless, and harmless
        hint = "it keeps away from nothing: leave it out, or say that the cluster has these pods"
        findings.add("DG473", subject, (*path, *wrong.path), message, hint, severity="warning")
        return []
    findings.add("DG473", subject, (*path, *wrong.path), message, hint)
    return []


def _is_judged(pods: Pods, subject: Object, required: list[Requirement], namespaces: set[str] | None) -> bool:
    """Only the operator's own labels say for sure whose pods are meant; others may be on pods that we do not see."""
    if any(each.key.startswith(f"{PREFIX}dynamo-") for each in required):
        return not pods.graphs_elsewhere
    if pods.may_be_others(namespaces):
        return False
    if subject.kind == "Gateway":
        return pods.has_gateways
    if namespaces is None:
        return False
    if subject.group.endswith("istio.io") and not namespaces & pods.namespaces:
        return False  # for gateways that somebody else runs
    return namespaces <= {subject.namespace}


def _at_fault(
    pods: Pods, required: list[Requirement], namespaces: set[str] | None
) -> tuple[Requirement, dict[str, list[str]]]:
    """The requirement without which something would be selected, and the labels of that.

    Of several, the first with a label that is there. When leaving out one is not enough: the first that nothing fulfils.
    """
    choices = []
    for index, each in enumerate(required):
        rest = pods.matching([*required[:index], *required[index + 1 :]], namespaces)
        if rest:
            choices.append((each, _labels(rest)))
    if not choices:
        alone = next((each for each in required if not pods.matching([each], namespaces)), required[0])
        return alone, _labels(pods.matching([], namespaces))
    return next(((each, labels) for each, labels in choices if each.key in labels), choices[0])


def _labels(pods: list[Pod]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for pod in pods:
        for key, values in pod.labels.items():
            found.setdefault(key, {}).update(dict.fromkeys(values))
    return {key: sorted(values) for key, values in found.items()}


def _words(known: Known, wrong: Requirement, labels: dict[str, list[str]], what: str) -> tuple[str, str]:
    """Message and hint."""
    shown = f"{wrong.key} {wrong.operator} {', '.join(wrong.values)}".strip()
    if wrong.operator == "In" and len(wrong.values) == 1:
        shown = f"{wrong.key}: {wrong.values[0]}"
    message = f"selects no {what}: none has '{shown}'"
    values = labels.get(wrong.key)
    if values and wrong.values:
        near = next((each for each in (closest(value, values) for value in wrong.values) if each), None)
        hint = f"did you mean '{near}'?" if near else f"the {what}s have: " + ", ".join(values)
        workers = [value for value in WORKERS if value in values]
        if wrong.key == f"{PREFIX}dynamo-component-type" and "worker" in wrong.values and workers:
            hint = f"the workers here are {' and '.join(workers)}: operator In, values [{', '.join(workers)}]"
        return message, hint
    near = closest(wrong.key, labels)
    if near and near != wrong.key:
        return message, f"did you mean '{near}'?"
    if labels:
        return message, f"labels of the {what}s: " + ", ".join(sorted(labels)[:8])
    declaring = known.cluster.declaring.format("Service/NAME" if what == "Service" else "Deployment/NAME")
    return message, f"add the {what}s, or say that the cluster has them: {declaring}"


def _check_ports(findings: Findings, subject: Object, found: list[Pod], pattern: tuple[str, ...], what: str) -> None:
    for path, name in at(subject.data, pattern):
        if not isinstance(name, str) or name.isdecimal() or any(pod.has_port(name) for pod in found):
            continue
        names = sorted({port for pod in found for port in pod.ports or ()})
        near = closest(name, names)
        hint = f"did you mean '{near}'?" if near else "ports with a name: " + (", ".join(names) or "none")
        source = found[0].source
        also = [(f"the {what} is of this", source, ("metadata", "name"))] if source and source is not subject else []
        findings.add("DG472", subject, path, f"no port of the selected {what}s is called '{name}'", hint, also=also)


def _terms(
    value: Any, rows: Sequence[dict[str, str]], path: KeyPath = ()
) -> Iterator[tuple[KeyPath, list[Requirement]]]:
    """Selectors that may be about somebody else's pods: those with the operator's labels that stay in the namespace."""
    for row in rows:
        for inner, term in at(value, split(row["at"]), path):
            required = requirements(mapping(term).get(row["key"]), False)
            speaks_of_graphs = any(each.key.startswith(f"{PREFIX}dynamo-") for each in required)
            if speaks_of_graphs and not {"namespaces", "namespaceSelector"} & mapping(term).keys():
                yield (*inner, row["key"]), required
