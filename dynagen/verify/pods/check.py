"""Pod templates of every kind, and the words that fields of Kubernetes take: what an API server checks by code."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.graphs import is_graph
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import PodTemplate, pod_templates
from dynagen.verify.pods.enums import check_enums


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG444 to DG449: words, containers, volumes, resources, probes and restarts, placement."""
    templates = pod_templates(objects)
    check_enums(objects, templates, findings)
    if templates:
        _check_templates(templates, cluster.kubernetes, findings)
    for subject in filter(is_graph, objects):
        from dynagen.verify.pods.containers import check_environment

        for field in ("env", "envs"):
            variables = (subject.data.get("spec") or {}).get(field)
            for problem in check_environment(variables, ("spec", field), cluster.kubernetes):
                findings.add("DG445", subject, *problem)


def _check_templates(templates: Sequence[PodTemplate], kubernetes: str, findings: Findings) -> None:
    from dynagen.verify.pods.containers import check_containers
    from dynagen.verify.pods.lifecycle import check_lifecycle
    from dynagen.verify.pods.resources import check_resources
    from dynagen.verify.pods.scheduling import check_scheduling
    from dynagen.verify.pods.volumes import check_volumes

    for template in templates:
        check_containers(template, kubernetes, findings)
        check_volumes(template, findings)
        check_resources(template, findings)
        check_lifecycle(template, kubernetes, findings)
        check_scheduling(template, findings)
