"""`dynagen check --istioctl` with programs that only look like istioctl; tests/istioctl has the real one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dynagen.checking import programs
from dynagen.checking.istioctl import messages

ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: hub, namespace: team}
spec:
  hosts: [hub.example.com]
  ports: [{number: 443, name: tls, protocol: SQL}]
  resolution: DNS
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team}\ndata: {a: b}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: team}\nstringData: {a: hidden}\n"
PROFILE = """\
apiVersion: dynagen.dev/v1alpha1
kind: Profile
metadata: {name: demo, namespace: team}
backend: vllm
model: Qwen/Qwen3-0.6B
gpu: nvidia-l4
agg: {replicas: 2, gpus: 1}
overlays: [gke, istio]
istio:
  host: a.example.com
  tlsCredential: a-tls
"""
PAGE = "https://istio.io/v1.31/docs/reference/config/analysis/ist0106/"


def said(level: str, origin: str, line: int, code: str = "IST0106", text: str = "Schema validation error: no") -> str:
    """What istioctl prints for one message about standard input."""
    place = {"origin": origin, "reference": f"-:{line}"} if origin else {}
    message = {"code": code, "documentationUrl": f"{PAGE}?ref=istioctl-analyze", "level": level, "message": text}
    return json.dumps([message | place], indent="\t")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "entry.yaml").write_text(f"{SECRET}---\n{CONFIG}---\n{ENTRY}", "utf-8")
    (tmp_path / "profile.yaml").write_text(PROFILE, "utf-8")
    return tmp_path


def fake(home: Path, printed: str, aside: str = "") -> str:
    """A program that prints a text, and keeps what it was asked."""
    (home / "printed.json").write_text(printed, "utf-8")
    script = f'#!/bin/sh\necho "$@" > asked\ncat > given.yaml\ncat printed.json\necho "{aside}" >&2\n'
    (home / "fake").write_text(script, "utf-8")
    (home / "fake").chmod(0o755)
    return "--istioctl=./fake"


def findings(run) -> list[tuple[str, str, str, int]]:  # type: ignore[no-untyped-def]
    found = json.loads(run.stdout)["findings"]
    return [(each["code"], each["severity"], each["file"], each["line"]) for each in found]


def test_it_is_asked_for_everything_but_secrets_and_without_a_cluster(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("check", "entry.yaml", fake(home, "[]\n", "✔ No validation issues found when analyzing -."), cwd=home)
    assert (run.code, run.stderr) == (0, "")
    assert (
        home / "asked"
    ).read_text() == "analyze --use-kube=false --all-namespaces --log_target=stderr --output json -\n"
    given = (home / "given.yaml").read_text()
    assert "kind: ServiceEntry" in given and "kind: ConfigMap" in given and "hidden" not in given


@pytest.mark.parametrize(
    ("level", "severity", "code"), [("Error", "error", 1), ("Warning", "warning", 0), ("Info", "note", 0)]
)
def test_its_levels_become_severities(dynagen, home: Path, level: str, severity: str, code: int) -> None:  # type: ignore[no-untyped-def]
    option = fake(home, said(level, "ServiceEntry team/hub", 20))
    run = dynagen("check", "entry.yaml", option, "--format", "json", cwd=home)
    assert run.code == code
    assert "protocol: SQL" in (home / "given.yaml").read_text().splitlines()[19]
    assert findings(run) == [("DG218", severity, "entry.yaml", 16)]
    assert dynagen("check", "entry.yaml", option, "--strict", cwd=home).code == (0 if level == "Info" else 1)


def test_a_message_is_shown_with_its_code_and_page(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    option = fake(home, said("Error", "ServiceEntry team/hub", 20, text="2 errors occurred:\n\t* one\n\t* two\n"))
    run = dynagen("check", "entry.yaml", option, cwd=home)
    message = "ServiceEntry 'hub': istioctl says 2 errors occurred: * one * two (IST0106)"
    assert f"entry.yaml:16:36: error[DG218] {message}" in run.stderr
    assert f"hint: {PAGE} says more; " in run.stderr


def test_an_object_is_found_without_its_line_and_others_are_named(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("check", "entry.yaml", fake(home, said("Error", "ServiceEntry team/hub", 99)), cwd=home)
    assert "entry.yaml:11:1: error[DG218] ServiceEntry 'hub': istioctl says" in run.stderr
    run = dynagen("check", "entry.yaml", fake(home, said("Warning", "Service istio-system/gateway", 99)), cwd=home)
    assert "warning[DG218] istioctl says Service istio-system/gateway: Schema validation error: no" in run.stderr
    run = dynagen("check", "entry.yaml", fake(home, said("Warning", "", 0)), cwd=home)
    assert "--istioctl=./fake: warning[DG218] istioctl says Schema validation error: no (IST0106)" in run.stderr


def test_it_points_at_the_line_of_the_profile(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    assert dynagen("check", "profile.yaml", fake(home, "[]"), cwd=home).code == 0
    given = (home / "given.yaml").read_text()
    start = given.index("kind: VirtualService")
    line = given[: given.index("a.example.com", start)].count("\n") + 1
    name = re.search(r"name: (\S+)", given[start:])
    assert name is not None
    option = fake(home, said("Error", f"VirtualService team/{name[1]}", line))
    run = dynagen("check", "profile.yaml", option, "--format", "json", cwd=home)
    assert run.code == 1
    assert findings(run) == [("DG218", "error", "profile.yaml", 10)]


def test_it_is_not_asked_about_what_is_wrong_already(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    (home / "entry.yaml").write_text(ENTRY.replace("hosts:", "host:"), "utf-8")
    run = dynagen("check", "entry.yaml", fake(home, "nonsense"), cwd=home)
    assert (run.code, "DG218" in run.stderr, (home / "asked").exists()) == (1, False, False)


@pytest.mark.parametrize(
    ("printed", "aside", "why"),
    [
        ("", "panic: no", "panic: no"),
        ("", "", "it printed no JSON"),
        ("{}", "", "its JSON is no list of messages"),
        ('[{"code": "IST0106"}]', "", "its JSON is no list of messages"),
        ("[1]", "", "its JSON is no list of messages"),
        ('[{"code": "IST0106", "level": "Fatal", "message": "a"}]', "", "its JSON is no list of messages"),
        ("[]", "Error(s) adding files: 1 error occurred:\n\t* errors parsing:\n\t* no map\n\n✔ No issues", "no map"),
        ("[]", "Error(s) adding files: no map", "no map"),
    ],
)
def test_one_that_does_not_answer_is_an_error(dynagen, home: Path, printed: str, aside: str, why: str) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("check", "entry.yaml", fake(home, printed, aside), cwd=home)
    assert run.code == 1
    assert f"--istioctl=./fake: error[DG218] istioctl gives no verdict: {why}\n" in run.stderr


def test_one_that_takes_too_long_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "SECONDS", 0.2)
    (home / "slow").write_text("#!/bin/sh\nexec sleep 30\n")
    (home / "slow").chmod(0o755)
    with pytest.raises(programs.NoVerdict, match=r"no answer within 0\.2 seconds"):
        messages(str(home / "slow"), [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}])


def test_one_that_cannot_be_started_is_an_error(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    (home / "fake").write_text("#!/no/such/shell\n")
    (home / "fake").chmod(0o755)
    run = dynagen("check", "entry.yaml", "--istioctl=./fake", cwd=home)
    assert run.code == 1
    assert "error[DG218] istioctl gives no verdict: no such file or directory" in run.stderr


def test_one_that_is_not_there_is_a_wrong_command_line(dynagen, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("PATH", str(home))
    run = dynagen("check", "--istioctl", "entry.yaml", cwd=home)
    assert run.code == 2
    assert "there is no program 'istioctl'" in run.stderr and "--istioctl=PATH" in run.stderr
    (home / "fake").write_text("#!/bin/sh\necho '[]'\n")
    (home / "fake").chmod(0o755)
    (home / "fake").rename(home / "istioctl")
    assert dynagen("check", "--istioctl", "entry.yaml", cwd=home).code == 0
