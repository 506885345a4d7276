"""`dynagen check --istioctl` with istioctl itself: what it says of a file is what we say, at the lines that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynagen.checking.istioctl import messages
from dynagen.checking.manifests import objects_of
from dynagen.checking.programs import NoVerdict
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests import tools
from tests.conftest import ROOT
from tests.istioctl import analyze_offline

CASES = sorted(path.parent for path in (ROOT / "tests/cases/istio").glob("*/manifests.yaml"))
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: hub, namespace: team}
spec:
  hosts: [huggingface.co]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: huggingface.co}]
"""
LISTENERS = """\
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: team}
spec:
  egress:
    - hosts: ["./*"]
    - port: {number: 5432, name: postgres, protocol: TCP}
      hosts: ["db/*"]
"""
PROFILE = """\
apiVersion: dynagen.dev/v1alpha1
kind: Profile
metadata: {name: demo, namespace: team}
backend: vllm
model: Qwen/Qwen3-0.6B
gpu: nvidia-l4
agg: {replicas: 2, gpus: 1}
overlays: [gke, istio, monitoring]
istio:
  host: a.example.com
  tlsCredential: a-tls
"""


def option() -> str:
    return f"--istioctl={tools.path('istioctl')}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_says_of_our_stream_what_it_says_of_the_file(case: Path) -> None:
    file = case / "manifests.yaml"
    report = Report()
    objects = objects_of(parse(file.read_text("utf-8"), file.name, report, for_kubernetes=True), report)
    ours = []
    for each in messages(str(tools.path("istioctl")), [subject.data for subject in objects]):
        assert each.about is not None
        ours.append((each.code, objects[each.about].at(each.path).written.line))
    theirs = [(each.code, each.line) for each in analyze_offline(file)]
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize("text", [ENTRY, LISTENERS], ids=["entry", "sidecar"])
def test_it_judges_kinds_for_which_we_have_no_rules(dynagen, tmp_path: Path, text: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.yaml").write_text(f"---\n{text}", "utf-8")
    assert dynagen("check", "a.yaml", cwd=tmp_path) == (0, "", "")
    run = dynagen("check", "a.yaml", option(), cwd=tmp_path)
    assert run.code == 1
    assert run.stderr.startswith("a.yaml:2:1: error[DG218] ") and "(IST0106)\n" in run.stderr


def test_it_points_at_the_field_that_it_means(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    text = ENTRY.replace("STATIC", "NONE").replace("protocol: TLS", "protocol: TCP").replace("  endpoints", "  #")
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    run = dynagen("check", "a.yaml", option(), cwd=tmp_path)
    assert run.code == 0
    assert (
        "a.yaml:6:25: warning[DG218] ServiceEntry 'hub': istioctl says ServiceEntry addresses are required"
        in run.stderr
    )


def test_what_it_cannot_read_is_no_verdict() -> None:
    head = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "a"}}
    with pytest.raises(NoVerdict, match=r"^error processing .*cannot unmarshal string"):
        messages(str(tools.path("istioctl")), [head | {"spec": {"rules": "none"}}])


def test_it_has_nothing_against_a_profile_with_istio(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "profile.yaml").write_text(PROFILE, "utf-8")
    run = dynagen("check", "profile.yaml", option(), "--strict", cwd=tmp_path)
    assert (run.code, run.stderr) == (0, "")
