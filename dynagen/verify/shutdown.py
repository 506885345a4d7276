"""What a pod waits for when it ends, and the time that it is given for that: by itself, by a Spot node, by the autoscaler."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object, listing, mapping
from dynagen.cluster.pod_templates import PodTemplate, pod_templates
from dynagen.diagnostics import KeyPath
from dynagen.text.durations import seconds_said

# Of the 30 seconds of notice, pods of users have 15 (cloud.google.com/kubernetes-engine/docs/concepts/spot-vms).
_NOTICE = 15
# What the autoscaler waits for when it takes a node away, whatever a pod asks for; the annotation keeps the node.
# source: cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler; kubernetes/kubernetes#94435
_AUTOSCALER = 600
_STAYS = "cluster-autoscaler.kubernetes.io/safe-to-evict"
# Seconds that Dynamo waits when it ends (common/utils/graceful_shutdown.py in the wheel ai-dynamo 1.6.1; of the frontend:
# docs/kubernetes/graceful-shutdown.md of ai-dynamo/dynamo).
_WAITS = (
    "DYN_GRACEFUL_SHUTDOWN_GRACE_PERIOD_SECS",
    "DYN_HTTP_GRACEFUL_SHUTDOWN_TIMEOUT_SECS",
    "DYN_RUNTIME_GRACEFUL_SHUTDOWN_TIMEOUT_SECS",
    "DYN_WORKER_GRACEFUL_SHUTDOWN_TIMEOUT",
    "DYN_PREFILL_DRAIN_TIMEOUT_S",
)
# What a pod has when it does not say: of a graph, of Kubernetes.
# source: deploy/operator/internal/dynamo/component_common.go of ai-dynamo/dynamo
_OF_GRAPHS, _OF_KUBERNETES = 60, 30
# The names of the label, and the value with which a node is a Spot one.
_SPOT = {"cloud.google.com/gke-spot": "true", "cloud.google.com/gke-provisioning": "spot"}

_GRACE: KeyPath = ("spec", "terminationGracePeriodSeconds")
# A path in the template, what waits there, for how long.
Wait = tuple[KeyPath, str, float]


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG433 for pods on Spot nodes; DG647 and DG651 for others."""
    for template in pod_templates(objects):
        if _is_on_spot(template.spec):
            _check_on_spot(template, findings)
        else:
            _check_grace(template, findings)


def _is_on_spot(spec: dict[str, Any]) -> bool:
    """Whether a pod runs on Spot nodes and on no others."""
    if any(mapping(spec.get("nodeSelector")).get(key) == value for key, value in _SPOT.items()):
        return True
    affinity = mapping(mapping(spec.get("affinity")).get("nodeAffinity"))
    required = mapping(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))
    terms = [listing(each.get("matchExpressions")) for each in listing(required.get("nodeSelectorTerms"))]
    return bool(terms) and all(any(map(_asks_for_spot, term)) for term in terms)


def _asks_for_spot(expression: dict[str, Any]) -> bool:
    value = _SPOT.get(str(expression.get("key")))
    return value is not None and expression.get("operator") == "In" and expression.get("values") == [value]


def _check_on_spot(template: PodTemplate, findings: Findings) -> None:
    hint = f"use up to {_NOTICE}; what is not done by then, another worker takes over"
    grace = template.spec.get("terminationGracePeriodSeconds")
    notice = f"a Spot node that goes away gives its pods {_NOTICE} seconds"
    if isinstance(grace, int) and grace > _NOTICE:
        message = f"{notice}, and this one wants {grace}"
        findings.add("DG433", template.subject, (*template.path, *_GRACE), message, hint, "warning")
    for path, name, seconds in _waits(template):
        if seconds > _NOTICE:
            message = f"{notice}, and {name} is {seconds:g}"
            findings.add("DG433", template.subject, (*template.path, *path), message, hint, "warning")


def _check_grace(template: PodTemplate, findings: Findings) -> None:
    """A pod that is killed before what it waits for is over."""
    given = template.spec.get("terminationGracePeriodSeconds")
    default = _OF_GRAPHS if template.component else _OF_KUBERNETES
    grace = given if isinstance(given, int) else default
    asleep = {path[:3]: _sleep(container) for path, container in template.containers()}
    for path, name, seconds in _waits(template):
        before = asleep[path[:3]]
        if seconds + before > grace:
            after = f" after {before:g} of preStop" if before else ""
            of = f"component '{template.component.name}': " if template.component else ""
            message = f"{of}{name} is {seconds:g}{after}, and the pod is killed after {grace}"
            hint = f"a 'terminationGracePeriodSeconds' of {seconds + before:g} or more, or a shorter wait"
            said = [("the pod's time", template.subject, (*template.path, *_GRACE))] if isinstance(given, int) else []
            findings.add("DG647", template.subject, (*template.path, *path), message, hint, "warning", said)
    stays = mapping(mapping(template.data.get("metadata")).get("annotations")).get(_STAYS) == "false"
    if isinstance(given, int) and given > _AUTOSCALER and not stays and list(_waits(template)):
        message = (
            f"the autoscaler gives a pod {_AUTOSCALER} seconds when it takes the node away, and this one wants {given}"
        )
        hint = f'the annotation {_STAYS}: "false" keeps the node; upgrades of nodes wait for an hour at most'
        template.report(findings, "DG651", _GRACE, message, hint, "note")


def _waits(template: PodTemplate) -> Iterator[Wait]:
    for path, container in template.containers():
        for index, variable in enumerate(container.get("env") or ()):
            if variable.get("name") in _WAITS and (seconds := seconds_said(variable.get("value"))):
                yield (*path, "env", index, "value"), str(variable["name"]), seconds


def _sleep(container: dict[str, Any]) -> float:
    """The seconds of preStop, before which nobody hears of the end; 0 if it does something else."""
    hook = mapping(mapping(container.get("lifecycle")).get("preStop"))
    if isinstance(seconds := mapping(hook.get("sleep")).get("seconds"), int):
        return seconds
    words = " ".join(map(str, mapping(hook.get("exec")).get("command") or ()))
    found = re.fullmatch(r"(?:(?:/usr)?(?:/bin/)?(?:ba)?sh -c )?(?:exec )?(?:/usr)?(?:/bin/)?sleep ([0-9.]+)s?", words)
    return seconds_said(found[1]) if found else 0
