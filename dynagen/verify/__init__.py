"""Finished objects in, what would fail in the cluster out. No package in here imports another.

Classes in here are plain ones: to make a NamedTuple takes 0.2 ms of every run, as much as to import a module.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from dynagen.cluster.objects import Cluster, Findings, Object, undescribed
from dynagen.manifests.versions import for_release
from dynagen.text.silences import check_silences
from dynagen.text.versions import version_text
from dynagen.verify.crd_rules import check_rules
from dynagen.verify.schema import check_schemas

__all__ = ["judge"]

# Each check, and the kinds without which it has nothing to say: it is not even loaded then. Nothing is any kind.
_CHECKS: dict[str, tuple[str, ...]] = {
    "workloads.claims_and_budgets": (),
    "workloads.cron_jobs": ("CronJob",),
    "command_lines.check": (),
    "disks.check": (
        "PersistentVolumeClaim",
        "PersistentVolume",
        "StatefulSet",
        "LeaderWorkerSet",
        "DynamoGraphDeployment",
        "Deployment",
        "Job",
        "Pod",
    ),
    "dynamo.check": ("DynamoGraphDeployment", "DynamoComponentDeployment"),
    "istio.check": (),
    "metadata": (),
    "outside.check": ("Gateway", "Ingress", "Service", "HTTPRoute", "VirtualService", "GCPBackendPolicy"),
    "pods.check": (),
    "references.check": (),
    "shutdown": (),
    "tokens": (),
}
# Those that compare with what the cluster has now.
_UPDATES = ("dynamo.check_updates", "updates.check")


def judge(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> list[Object]:
    """Holds objects against the schemas of their kinds, the CEL rules of their CRDs, and every check.

    Those in which schemas find nothing come out, in the form that the cluster takes.
    """
    sound = check_schemas(objects, cluster, findings)
    served = [_served(each, cluster, findings) for each in sound]
    changed = [new for new, each in zip(served, sound, strict=True) if new.api_version != each.api_version]
    wrong = set(changed) - set(check_schemas(changed, cluster, findings))
    check_rules([each for each in served if each not in wrong], cluster, findings)
    known = cluster._replace(external=[*cluster.external, *undescribed(objects, sound)])
    kinds = {subject.kind for subject in sound}
    names = [name for name, wanted in _CHECKS.items() if not wanted or not kinds.isdisjoint(wanted)]
    for name in (*names, *(_UPDATES if cluster.earlier else ())):
        import_module(f"dynagen.verify.{name}").check(sound, known, findings)
    if not findings.report.failed:
        check_silences(findings.report)
    return served


def _served(subject: Object, cluster: Cluster, findings: Findings) -> Object:
    if not cluster.graphs:
        return subject
    form = for_release(subject.manifest, cluster.graphs, version_text(cluster.release), findings.report)
    return subject if form is subject.manifest else Object(form)
