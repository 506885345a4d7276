"""What decides on the nodes of pods: selectors, tolerations, affinity, spread.

Source: ValidateTolerations, ValidateNodeSelectorRequirement, validateTopologySpreadConstraints, ValidateLabels in
pkg/apis/core/validation/validation.go of k8s.io/kubernetes v1.37.2 and pkg/apis/meta/v1/validation of apimachinery.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Findings
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath
from dynagen.text.names import is_label_value, is_qualified

_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_VALUE_HINT = "letters, digits and inner '-', '_' and '.', at most 63"
_KEY_HINT = "a name of letters, digits and inner '-', '_' and '.', after a domain and a slash or not"

Problem = tuple[KeyPath, str, str]


def check_scheduling(template: PodTemplate, findings: Findings) -> None:
    """Reports DG449 for the pods of a template."""
    spec = template.spec
    affinity = spec.get("affinity") or {}
    for problem in (
        *_labels(spec.get("nodeSelector"), ("spec", "nodeSelector"), "node selector"),
        *_tolerations(spec.get("tolerations")),
        *_spread(spec.get("topologySpreadConstraints")),
        *_node_affinity(affinity.get("nodeAffinity") or {}),
        *_pod_affinity(affinity.get("podAffinity") or {}, ("spec", "affinity", "podAffinity")),
        *_pod_affinity(affinity.get("podAntiAffinity") or {}, ("spec", "affinity", "podAntiAffinity")),
    ):
        template.report(findings, "DG449", *problem)


def _labels(labels: Any, path: KeyPath, what: str) -> Iterator[Problem]:
    for key, value in (labels or {}).items():
        if not is_qualified(key):
            yield (*path, key), f"'{key}' is no key of a {what}", _KEY_HINT
        if isinstance(value, str) and not is_label_value(value):
            yield (*path, key), f"'{value}' is no value of a {what} ('{key}')", _VALUE_HINT


def _tolerations(tolerations: Any) -> Iterator[Problem]:
    for index, toleration in enumerate(tolerations or ()):
        at = ("spec", "tolerations", index)
        key, operator, value = (toleration.get(field) or "" for field in ("key", "operator", "value"))
        if key and not is_qualified(key):
            yield (*at, "key"), f"'{key}' is no key of a taint", _KEY_HINT
        if not key and operator != "Exists":
            yield at, "a toleration without a key tolerates all taints: its operator is 'Exists'", ""
        if operator == "Exists" and value:
            yield (*at, "value"), f"a toleration with 'operator: Exists' has the value '{value}'", "leave out the value"
        elif operator in ("", "Equal") and not is_label_value(value):
            yield (*at, "value"), f"'{value}' is no value of a taint", _VALUE_HINT
        if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
            message = "'tolerationSeconds' counts for 'effect: NoExecute' only"
            yield (*at, "tolerationSeconds"), message, "set the effect, or leave it out"


def _spread(constraints: Any) -> Iterator[Problem]:
    seen: set[tuple[Any, Any]] = set()
    for index, constraint in enumerate(constraints or ()):
        at, key = ("spec", "topologySpreadConstraints", index), constraint.get("topologyKey") or ""
        if constraint.get("maxSkew", 1) < 1:
            yield (*at, "maxSkew"), f"'maxSkew' is {constraint['maxSkew']}", "1 or more"
        if not key:
            yield (*at, "topologyKey"), "'topologyKey' is empty", "a label of nodes"
        if not constraint.get("whenUnsatisfiable"):
            yield (*at, "whenUnsatisfiable"), "'whenUnsatisfiable' is empty", "DoNotSchedule or ScheduleAnyway"
        pair = (key, constraint.get("whenUnsatisfiable"))
        if pair in seen:
            yield at, f"there is such a constraint for '{key}' already", "one for each key and 'whenUnsatisfiable'"
        seen.add(pair)
        domains = constraint.get("minDomains")
        if domains is not None and (domains < 1 or constraint.get("whenUnsatisfiable") != "DoNotSchedule"):
            hint = "1 or more, and with 'whenUnsatisfiable: DoNotSchedule' only"
            yield (*at, "minDomains"), f"'minDomains' is {domains}", hint
        yield from _selector(constraint.get("labelSelector"), (*at, "labelSelector"))


def _node_affinity(affinity: dict[str, Any]) -> Iterator[Problem]:
    base: KeyPath = ("spec", "affinity", "nodeAffinity")
    required = affinity.get(_REQUIRED)
    if required is not None:
        terms = required.get("nodeSelectorTerms") or ()
        if not terms:
            yield (*base, _REQUIRED), "there is no term that a node could fit", ""
        for index, term in enumerate(terms):
            yield from _requirements(term, (*base, _REQUIRED, "nodeSelectorTerms", index))
    for index, preferred in enumerate(affinity.get(_PREFERRED) or ()):
        at = (*base, _PREFERRED, index)
        yield from _weight(preferred, at)
        yield from _requirements(preferred.get("preference") or {}, (*at, "preference"))


def _requirements(term: dict[str, Any], path: KeyPath) -> Iterator[Problem]:
    for index, requirement in enumerate(term.get("matchExpressions") or ()):
        yield from _requirement(requirement, (*path, "matchExpressions", index))


def _requirement(requirement: dict[str, Any], path: KeyPath) -> Iterator[Problem]:
    key, operator, values = requirement.get("key", ""), requirement.get("operator"), requirement.get("values") or ()
    if not is_qualified(key):
        yield (*path, "key"), f"'{key}' is no key of a label", _KEY_HINT
    if not operator:
        yield (*path, "operator"), "'operator' is empty", "for example In or Exists"
    elif operator in ("In", "NotIn") and not values:
        yield path, f"'{operator}' needs values", ""
    elif operator in ("Exists", "DoesNotExist") and values:
        yield (*path, "values"), f"'{operator}' takes no values", ""
    elif operator in ("Gt", "Lt") and len(values) != 1:
        yield path, f"'{operator}' takes one value", ""
    for index, value in enumerate(values):
        if not is_label_value(value):
            yield (*path, "values", index), f"'{value}' is no value of a label", _VALUE_HINT


def _pod_affinity(affinity: dict[str, Any], path: KeyPath) -> Iterator[Problem]:
    for index, term in enumerate(affinity.get(_REQUIRED) or ()):
        yield from _pod_affinity_term(term, (*path, _REQUIRED, index))
    for index, preferred in enumerate(affinity.get(_PREFERRED) or ()):
        at = (*path, _PREFERRED, index)
        yield from _weight(preferred, at)
        yield from _pod_affinity_term(preferred.get("podAffinityTerm") or {}, (*at, "podAffinityTerm"))


def _pod_affinity_term(term: dict[str, Any], path: KeyPath) -> Iterator[Problem]:
    key = term.get("topologyKey") or ""
    if not is_qualified(key):
        yield (*path, "topologyKey"), f"'{key}' is no label of a node", _KEY_HINT
    for field in ("labelSelector", "namespaceSelector"):
        yield from _selector(term.get(field), (*path, field))


def _selector(selector: Any, path: KeyPath) -> Iterator[Problem]:
    yield from _labels((selector or {}).get("matchLabels"), (*path, "matchLabels"), "label")
    yield from _requirements(selector or {}, path)


def _weight(preferred: dict[str, Any], path: KeyPath) -> Iterator[Problem]:
    if not 1 <= preferred.get("weight", 1) <= 100:
        yield (*path, "weight"), f"'weight' is {preferred['weight']}", "1 to 100"
