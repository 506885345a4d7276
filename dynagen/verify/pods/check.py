"""Pod templates of every kind, and the words that fields of Kubernetes take: what an API server checks by code."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.apis import Apis
from dynagen.cluster.graphs import is_graph
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import PodTemplate, pod_templates
from dynagen.verify.pods.enums import check_enums


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG444 to DG449, DG614 to DG616, DG649, DG672 and DG673: words, containers, volumes, resources, probes and restarts, placement.

    What can be said of one map is in `rules.yaml`.
    """
    templates = pod_templates(objects)
    check_enums(objects, templates, cluster, findings)
    if templates:
        _check_templates(templates, Apis(objects, cluster), cluster, findings)
    for subject in filter(is_graph, objects):
        from dynagen.verify.pods.rules import check_variables

        check_variables(subject, cluster, findings)


def _check_templates(templates: Sequence[PodTemplate], apis: Apis, cluster: Cluster, findings: Findings) -> None:
    from dynagen.verify.pods.gke import check_gke
    from dynagen.verify.pods.lifecycle import check_lifecycle
    from dynagen.verify.pods.probe_ports import check_probe_ports
    from dynagen.verify.pods.resources import check_resources
    from dynagen.verify.pods.rules import check_rules
    from dynagen.verify.pods.shared import check_shared

    for template in templates:
        check_rules(template, apis, cluster, findings)
        check_shared(template, findings)
        check_resources(template, cluster, findings)
        check_lifecycle(template, cluster.release, findings)
        check_probe_ports(template, findings)
        check_gke(template, cluster, findings)
