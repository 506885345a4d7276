"""CronJobs and Ingresses: what an API server refuses of them, and no more."""

from __future__ import annotations

import pytest

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from dynagen.verify.workloads.schedules import schedule_problem, zone_problem
from tests.unit.linting import objects_of

CRON_JOB = """
apiVersion: batch/v1
kind: CronJob
metadata: {{name: nightly, namespace: team}}
spec:
  schedule: "{schedule}"
  {more}
  jobTemplate:
    spec:
      template:
        spec: {{restartPolicy: Never, containers: [{{name: main, image: "busybox:1.37"}}]}}
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: team}
"""


def found(text: str, earlier: str = "") -> list[str]:
    report = Report()
    target = Target("1.34", "1.6.1", earlier=objects_of(earlier) if earlier else ())
    check_manifests(parse(text, "manifests.yaml", report), target, report)
    return [each.message.partition(": ")[2] for each in report.diagnostics if each.code == "DG443"]


def cron_job(schedule: str, more: str = "suspend: false") -> str:
    return CRON_JOB.format(schedule=schedule, more=more)


# What robfig/cron v3.0.1 says of them.
@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *", "0 3 * * *", "*/15 0-6/2 1,15 jan-MAR sun", "? ? ? ? ?", "10/5 * * * *", "+5 05 * * *",
        "*-3 * * * *", "1,,2 * * * *", ", * * * *", "  0   3 * * *", "@daily", "@every 1h30m", "@every -5m",
    ],
)  # fmt: skip
def test_a_schedule_of_cron_is_taken(schedule: str) -> None:
    assert schedule_problem(schedule) == ("", "")


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("", "'' has 0 fields, and a schedule has 5"),
        ("0 3 * *", "'0 3 * *' has 4 fields, and a schedule has 5"),
        ("0 0 3 * * *", "'0 0 3 * * *' has 6 fields, and a schedule has 5"),
        ("60 * * * *", "'60 * * * *': the minute '60' is outside of 0 to 59"),
        ("0 24 * * *", "'0 24 * * *': the hour '24' is outside of 0 to 23"),
        ("0 0 0 * *", "'0 0 0 * *': the day of month '0' is outside of 1 to 31"),
        ("0 0 * * 7", "'0 0 * * 7': the day of week '7' is outside of 0 to 6"),
        ("0 0 * * mo", "'0 0 * * mo': the day of week 'mo' is no number"),
        ("jan * * * *", "'jan * * * *': the minute 'jan' is no number"),
        ("1_0 * * * *", "'1_0 * * * *': the minute '1_0' is no number"),
        ("-1 * * * *", "'-1 * * * *': the minute '-1' is no number"),
        ("*/0 * * * *", "'*/0 * * * *': the minute '*/0' has a step that is no number above zero"),
        ("1/2/3 * * * *", "'1/2/3 * * * *': the minute '1/2/3' is no range"),
        ("1-2-3 * * * *", "'1-2-3 * * * *': the minute '1-2-3' is no range"),
        ("5-1 * * * *", "'5-1 * * * *': the minute '5-1' begins after its end"),
        ("@dialy", "Kubernetes does not know '@dialy'"),
        ("@reboot", "Kubernetes does not know '@reboot'"),
        ("@every 1", "'1' is no duration"),
    ],
)
def test_another_schedule_is_not(schedule: str, problem: str) -> None:
    assert schedule_problem(schedule)[0] == problem


def test_a_time_zone_stands_in_a_field_of_its_own() -> None:
    refused = ["spec.schedule: 'TZ=UTC 0 3 * * *' holds a time zone"]
    assert found(cron_job("TZ=UTC 0 3 * * *")) == refused
    assert found(cron_job("TZ=UTC 0 3 * * *", "timeZone: Etc/UTC"), cron_job("0 3 * * *")) == refused
    assert found(cron_job("0 3 * * *", "timeZone: Etc/UTC")) == []


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+5", "CST6CDT"])
def test_a_name_of_a_time_zone_is_taken(zone: str) -> None:
    assert zone_problem(zone) == ("", "")


@pytest.mark.parametrize(
    "zone", ["", "Local", "local", "Europe//Berlin", "/UTC", "../UTC", "-UTC", "UTC\n", "Mitteleuropa (MEZ)"]
)
def test_another_is_not(zone: str) -> None:
    assert zone_problem(zone)[0]


def test_an_ingress_says_where_its_requests_go() -> None:
    backend = "{service: {name: web, port: {number: 80}}}"
    message = ["spec: an Ingress needs 'rules' or a 'defaultBackend'"]
    assert found(INGRESS + "spec: {ingressClassName: gce}") == found(INGRESS + "spec: {rules: []}") == message
    assert found(INGRESS + f"spec: {{defaultBackend: {backend}}}") == []
    assert found(INGRESS + "spec: {rules: [{host: a.example.com}]}") == []
