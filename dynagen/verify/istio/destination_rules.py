"""A DestinationRule in, what Istio's webhook refuses of it out, as far as `rules.yaml` cannot say it: places and namespaces.

Source: pkg/config/validation/validation.go and pkg/config/validation/agent/validation.go of istio/istio.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import export_findings, items


def destination_rule_findings(subject: Object) -> Iterator[Finding]:
    spec = subject.data.get("spec") or {}
    for path, settings in _settings(spec):
        setting = (settings.get("loadBalancer") or {}).get("localityLbSetting") or {}
        if not setting.get("failover"):
            yield from _distribute_findings(setting, (*path, "loadBalancer", "localityLbSetting"))
        yield from _credential_findings(settings.get("tls") or {}, (*path, "tls"), subject.namespace)
    yield from export_findings(spec, subject.namespace, for_pods="workloadSelector" in spec)


def _settings(spec: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """The traffic policies and what they say of ports, as far as Istio reads on."""
    owners = [(("spec",), spec), *items(spec, "subsets", ("spec",))]
    for path, owner in owners:
        policy = owner.get("trafficPolicy") or {}
        if not ("tunnel" in policy and "proxyProtocol" in policy):
            yield (*path, "trafficPolicy"), policy
            yield from items(policy, "portLevelSettings", (*path, "trafficPolicy"))


def _credential_findings(tls: dict[str, Any], path: KeyPath, namespace: str) -> Iterator[Finding]:
    credential = tls.get("credentialName", "")
    if credential.startswith("configmap://"):
        space, slash, _ = credential.removeprefix("configmap://").partition("/")
        if not slash or (namespace and space != namespace):
            hint = f"configmap://{namespace or 'NAMESPACE'}/NAME"
            yield Finding((*path, "credentialName"), "a ConfigMap of certificates is in the rule's own namespace", hint)


def _distribute_findings(setting: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    sources = []
    for at, rule in items(setting, "distribute", path):
        sources.append(rule.get("from", ""))
        yield from _place_findings(sorted(rule.get("to") or {}), (*at, "to"))
    yield from _place_findings(sources, (*path, "distribute"))


def _place_findings(places: Iterable[str], path: KeyPath) -> Iterator[Finding]:
    seen: list[list[str]] = []
    for place in places:
        parts = place.split("/", 2)
        if "*" in place and (place.count("*") > 1 or not place.endswith("*")):
            yield Finding(path, f"'{place}': a wildcard stands at the end")
        elif not all(parts):
            yield Finding(path, f"'{place}' should look like region/zone/subzone, as far as it goes")
        elif any(_overlap(parts, other) for other in seen):
            yield Finding(path, f"'{place}' overlaps with another place")
        seen.append(parts)


def _overlap(one: list[str], other: list[str]) -> bool:
    for left, right in zip(one, other, strict=False):
        if "*" in (left, right):
            return True
        if left != right:
            return False
    return True
