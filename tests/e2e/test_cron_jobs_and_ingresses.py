"""CronJobs and Ingresses: the API server refuses what we refuse, and takes what we take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.e2e.admission import Admission
from tests.e2e.plane import Plane

SCHEDULES = [
    "0 3 * * *", "*/15 0-6/2 1,15 jan-MAR sun", "? ? ? ? ?", "10/5 * * * *", "+5 05 * * *", "*-3 * * * *",
    "1,,2 * * * *", ", * * * *", "  0   3 * * *", "@daily", "@every 1h30m", "@every -5m", "", "0 3 * *", "0 0 3 * * *",
    "60 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 * * 7", "0 0 * * mo", "jan * * * *", "1_0 * * * *", "-1 * * * *",
    "*/0 * * * *", "1/2/3 * * * *", "1-2-3 * * * *", "5-1 * * * *", "@dialy", "@reboot", "@every 1", "TZ=UTC 0 3 * * *",
    "CRON_TZ=UTC @daily", "TZ=UTC",
]  # fmt: skip
ZONES = ["UTC", "Europe/Berlin", "Etc/GMT+5", "", "Local", "local", "Europe//Berlin", "/UTC", "../UTC", "-UTC", "UTC\n"]
BACKEND = {"service": {"name": "web", "port": {"number": 80}}}
INGRESSES: list[dict[str, Any]] = [
    {}, {"rules": []}, {"ingressClassName": "gce"}, {"defaultBackend": BACKEND}, {"rules": [{"host": "a.example.com"}]},
]  # fmt: skip


def cron_job(schedule: str, **more: str) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox:1.37"}]}
    job = {"spec": {"template": {"spec": pod}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"schedule": schedule, "jobTemplate": job, **more}}


def ingress(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": spec}


OBJECTS = [
    *map(cron_job, SCHEDULES),
    *(cron_job("@daily", timeZone=zone) for zone in ZONES),
    *map(ingress, INGRESSES),
]


@pytest.fixture(scope="module")
def accepted(plane: Plane) -> list[bool]:
    texts = [json.dumps({**each, "metadata": {"name": "a", "namespace": "default"}}) for each in OBJECTS]
    return [answer.accepted for answer in Admission(plane).judge(texts)]


def test_the_verdicts_are_the_same(accepted: list[bool]) -> None:
    def ours(data: dict[str, Any]) -> bool:
        report = Report()
        text = json.dumps({**data, "metadata": {"name": "a", "namespace": "default"}})
        check_manifests(parse(text, "a.yaml", report), Target("1.37", "1.6.1"), report)
        return not [each for each in report.diagnostics if each.code in ("DG212", "DG443")]

    differing = [data["spec"] for data, theirs in zip(OBJECTS, accepted, strict=True) if ours(data) != theirs]
    assert differing == []
