"""Pod templates of every kind, and the words that fields of Kubernetes take: what an API server checks by code."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.graphs import is_graph
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import PodTemplate, pod_templates
from dynagen.verify.pods.enums import check_enums


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG444 to DG449: words, containers, volumes, resources, probes and restarts, placement.

    What can be said of one map is in `rules.yaml`.
    """
    templates = pod_templates(objects)
    check_enums(objects, templates, findings)
    if templates:
        _check_templates(templates, cluster.kubernetes_version, findings)
    for subject in filter(is_graph, objects):
        from dynagen.verify.pods.forms import RULES

        for code, finding in RULES.judge("graph", subject.data, (), cluster.kubernetes_version):
            findings.add(code, subject, *finding)


def _check_templates(templates: Sequence[PodTemplate], version: tuple[int, ...], findings: Findings) -> None:
    from dynagen.verify.pods.containers import check_containers
    from dynagen.verify.pods.forms import RULES
    from dynagen.verify.pods.lifecycle import check_lifecycle
    from dynagen.verify.pods.resources import check_resources
    from dynagen.verify.pods.volumes import check_volumes

    for template in templates:
        words = {"kind": template.subject.kind, "component": template.component is not None}
        for code, finding in RULES.judge("pod", template.spec, ("spec",), version, **words):
            template.report(findings, code, *finding)
        check_containers(template, findings)
        check_volumes(template, findings)
        check_resources(template, findings)
        check_lifecycle(template, findings)
