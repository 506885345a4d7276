"""What an API server asks of CronJobs beyond their schema."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.cluster.objects import Cluster, Findings, Object


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG443.

    Source: validateCronJobSpec in pkg/apis/batch/validation/validation.go of k8s.io/kubernetes v1.37.2.
    """
    for subject in objects:
        if (subject.group, subject.kind) == ("batch", "CronJob"):
            _check_cron_job(subject, cluster, findings)


def _check_cron_job(subject: Object, cluster: Cluster, findings: Findings) -> None:
    from dynagen.verify.workloads.schedules import schedule_problem, zone_problem

    spec = subject.data.get("spec") or {}
    schedule, zone = spec.get("schedule") or "", spec.get("timeZone")
    problem, hint = schedule_problem(schedule)
    if "TZ" in schedule and not _had_zone(subject, cluster):
        problem, hint = f"'{schedule}' holds a time zone", "say it in 'timeZone'"
    if problem:
        findings.add("DG443", subject, ("spec", "schedule"), f"spec.schedule: {problem}", hint)
    if zone is not None:
        problem, hint = zone_problem(zone)
        if problem:
            findings.add("DG443", subject, ("spec", "timeZone"), f"spec.timeZone: {problem}", hint)


def _had_zone(subject: Object, cluster: Cluster) -> bool:
    """Whether the schedule that is replaced holds a time zone: then it may stay, without a `timeZone` beside it."""
    if (subject.data.get("spec") or {}).get("timeZone") is not None:
        return False
    earlier = (each for each in cluster.earlier if each.manifest.identity == subject.manifest.identity)
    return any("TZ" in str((each.data.get("spec") or {}).get("schedule")) for each in earlier)
