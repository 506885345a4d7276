"""A graph in, what the table of its package says about it out: `rules.yaml`."""

from __future__ import annotations

import re
from typing import Any

from dynagen.cluster.graphs import RUNTIME, Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import KeyPath
from dynagen.text.quantities import amount
from dynagen.verify.predicates import Form
from dynagen.verify.table import Rules

# semver.NewVersion of github.com/Masterminds/semver/v3: parts may be missing.
_IDENTIFIERS = r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*"
_SEMVER = rf"v?[0-9]+(\.[0-9]+)?(\.[0-9]+)?(-{_IDENTIFIERS})?(\+{_IDENTIFIERS})?"
_FORMS: dict[str, Form] = {
    "executor": lambda text: text.lower() not in ("mp", "ray"),
    "version": lambda text: not re.fullmatch(_SEMVER, text),
    "watts": lambda text: not re.fullmatch(r"[+-]?[0-9]+", text) or int(text) <= 0,
}


def prepared() -> Rules:
    return Rules("dynamo", _FORMS)


def check_rules(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    """Reports DG450, DG453, DG454, DG457 to DG461."""
    rules = cluster.memory.once(prepared)
    about = {"alone": graph.alone, "alpha": graph.is_alpha, "list": "services" if graph.is_alpha else "components"}
    for code, finding in rules.judge("graph", graph.subject.data, (), cluster.release, **about):
        graph.report(findings, code, *finding)
    for component in graph.components:
        words = {**about, **_words(component)}
        for code, finding in rules.judge("component", component.data, (), cluster.release, **words):
            component.report(findings, code, *finding)
    if graph.is_alpha:
        _check_written(graph, rules, cluster, findings)


def _check_written(graph: Graph, rules: Rules, cluster: Cluster, findings: Findings) -> None:
    """The fields that v1alpha1 alone has."""
    for code, finding in rules.judge("alpha", graph.source.data, (), cluster.release):
        findings.add(code, graph.source, *finding)
    spec = graph.source.data.get("spec") or {}
    for name, service in ({"": spec} if graph.alone else spec.get("services") or {}).items():
        path: KeyPath = ("spec",) if graph.alone else ("spec", "services", name)
        where = f"service '{name}': " if name else ""
        for code, each in rules.judge("service", service or {}, path, cluster.release):
            findings.add(code, graph.source, each.path, where + each.message, each.hint, each.severity)


def _words(component: Component) -> dict[str, Any]:
    graph = component.graph
    return {
        "type": component.type,
        "typed": f"of type '{component.type}'" if component.type else "without a type",
        "backend": graph.spec.get("backendFramework") or "not set",
        "discovery": graph.annotations.get("nvidia.com/dynamo-kube-discovery-mode"),
        "gpus": _gpus(component) if component.experimental else 0,
        "claims": "gpuMemoryService" in component.experimental or _has_claims(component),
        "runtime": component.container(RUNTIME, "initContainers")[1] is not None,
    }


def _has_claims(component: Component) -> bool:
    containers = [each for field in ("containers", "initContainers") for each in component.pod.get(field) or ()]
    return any((container.get("resources") or {}).get("claims") for container in containers)


def _gpus(component: Component) -> int:
    """What the main container has of GPUs; limits count before requests (deploy/operator/internal/dra)."""
    resources = (component.main or {}).get("resources") or {}
    for section in ("limits", "requests"):
        amounts = resources.get(section) or {}
        for name in sorted(amounts):
            lower = name.lower()
            named = lower in ("gpu", "nvidia.com/gpu") or lower.endswith("/gpu")
            if named or "/mig-" in lower or lower.startswith("gpu."):
                count = amount(amounts[name])
                return int(count) if count is not None and count >= 1 else 0
    return 0
