"""Where the pods of a graph may stand in a Grove topology.

Source: validateDynamoGraphDeploymentSpec and validateKvTransferPolicy in
deploy/operator/internal/webhook/validation/dynamographdeployment.go, validateTopologyConstraint in shared_v1beta1.go of
ai-dynamo/dynamo.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.graphs import Graph
from dynagen.cluster.objects import Findings, Object
from dynagen.diagnostics import KeyPath, closest
from dynagen.text.names import is_subdomain


def check_topology(graph: Graph, known: Sequence[Object], findings: Findings) -> None:
    """Reports DG462. `known` are the objects among which a ClusterTopologyBinding may be."""
    if graph.alone:
        return
    spec = graph.spec.get("topologyConstraint")
    narrower = [component for component in graph.components if component.data.get("topologyConstraint") is not None]
    if spec is None:
        for component in narrower:
            message, hint = "'topologyConstraint' of a component only", "set one on the graph as well"
            component.report(findings, "DG462", ("topologyConstraint",), message, hint)
    else:
        domains = _domains(str(spec.get("clusterTopologyName")), known)
        wide = spec.get("packDomain")
        if not wide and not narrower:
            message = "'topologyConstraint' has no 'packDomain', and no component has one"
            graph.report(findings, "DG462", ("spec", "topologyConstraint"), message, "set 'packDomain'")
        if wide and domains and wide not in domains:
            _report_unknown(graph, ("spec", "topologyConstraint", "packDomain"), wide, domains, findings)
        for component in narrower:
            domain = component.data["topologyConstraint"].get("packDomain")
            path: KeyPath = (*component.path, "topologyConstraint", "packDomain")
            if not domains:
                continue
            if domain not in domains:
                _report_unknown(graph, path, str(domain), domains, findings)
            elif wide in domains and domains.index(domain) < domains.index(wide):
                message = f"component '{component.name}': '{domain}' is wider than the graph's '{wide}'"
                graph.report(findings, "DG462", path, message, f"'{wide}' or narrower")
    policy = (graph.spec.get("experimental") or {}).get("kvTransferPolicy") or {}
    name, path = policy.get("clusterTopologyName"), ("spec", "experimental", "kvTransferPolicy")
    if name:
        domains = _domains(name, known)
        if not is_subdomain(name):
            graph.report(findings, "DG462", (*path, "clusterTopologyName"), f"'{name}' is no name of an object")
        elif domains and policy.get("domain") not in domains:
            _report_unknown(graph, (*path, "domain"), str(policy.get("domain")), domains, findings)


def _domains(name: str, known: Sequence[Object]) -> list[str]:
    """The domains of a topology, from wide to narrow; empty when it is not known."""
    for each in known:
        if each.kind == "ClusterTopologyBinding" and each.name == name:
            levels = (each.data.get("spec") or {}).get("levels") or ()
            return [str(level.get("domain")) for level in levels]
    return []


def _report_unknown(graph: Graph, path: KeyPath, domain: str, domains: list[str], findings: Findings) -> None:
    near = closest(domain, domains)
    hint = f"did you mean '{near}'?" if near else "domains: " + ", ".join(domains)
    graph.report(findings, "DG462", path, f"the topology has no domain '{domain}'", hint)
