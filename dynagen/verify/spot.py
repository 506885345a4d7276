"""Pods on Spot nodes of GKE must be done within the notice that they get, whatever they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import pod_templates
from dynagen.diagnostics import KeyPath

# Of the 30 seconds of notice, pods of users have 15 (cloud.google.com/kubernetes-engine/docs/concepts/spot-vms).
_NOTICE = 15
# Seconds that Dynamo waits when it ends (common/utils/graceful_shutdown.py in the wheel ai-dynamo 1.6.1).
_WAITS = (
    "DYN_GRACEFUL_SHUTDOWN_GRACE_PERIOD_SECS",
    "DYN_RUNTIME_GRACEFUL_SHUTDOWN_TIMEOUT_SECS",
    "DYN_WORKER_GRACEFUL_SHUTDOWN_TIMEOUT",
    "DYN_PREFILL_DRAIN_TIMEOUT_S",
)


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG433."""
    for template in pod_templates(objects):
        selector = template.spec.get("nodeSelector") or {}
        spots = (selector.get("cloud.google.com/gke-spot"), selector.get("cloud.google.com/gke-provisioning"))
        if spots[0] == "true" or spots[1] == "spot":
            _check_pod(template.subject, (*template.path, "spec"), template.spec, findings)


def _check_pod(each: Object, path: KeyPath, spec: dict[str, Any], findings: Findings) -> None:
    grace = spec.get("terminationGracePeriodSeconds")
    hint = f"use up to {_NOTICE}; what is not done by then, another worker takes over"
    if isinstance(grace, int) and grace > _NOTICE:
        findings.add(
            "DG433", each, (*path, "terminationGracePeriodSeconds"),
            f"a Spot node that goes away gives its pods {_NOTICE} seconds, and this one wants {grace}", hint, severity="warning",
        )  # fmt: skip
    for number, container in enumerate(spec.get("containers") or ()):
        for index, variable in enumerate(container.get("env") or ()):
            value = variable.get("value")
            if variable.get("name") in _WAITS and _seconds(value) > _NOTICE:
                findings.add(
                    "DG433", each, (*path, "containers", number, "env", index, "value"),
                    f"a Spot node that goes away gives its pods {_NOTICE} seconds, and {variable['name']} is {value}", hint,
                    severity="warning",
                )  # fmt: skip


def _seconds(value: object) -> float:
    try:
        return float(value) if isinstance(value, str) else 0
    except ValueError:
        return 0
