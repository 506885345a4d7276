"""The volume that holds the model, and the Job that fills it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.unit.compiling import HEAD, compiled, env, pod

CACHE = "backend: vllm\ngpu: nvidia-l4\nagg: {}\nmodelCache: {size: 2Ti, accessPod: true}\n"


def names(text: str) -> dict[str, str]:
    """The Job and the Pod by kind. Warnings do not matter here."""
    report = Report()
    compilation = compile_profile(Request(parse(HEAD + text, "profile.yaml", report), [], Path(), Path()), report)
    assert not report.failed, report.diagnostics
    return {each.kind: each.name for each in compilation.manifests if each.kind in ("Job", "Pod")}


def the(kind: str, manifests: Any) -> Any:
    (found,) = (manifest for (each, _), manifest in manifests.items() if each == kind)
    return found


@pytest.mark.parametrize("change", [
    "overlays: [istio]\nistio: {host: a.example.com}\n",
    "huggingFaceSecret: token\n",
    "revision: v2\n",
    "release: 1.6.0\n",
    "imageRegistry: mirror.example.com/nvcr\n",
])  # fmt: skip
def test_a_job_whose_template_changes_is_another_job(change: str) -> None:
    assert names(CACHE + change)["Job"] != names(CACHE)["Job"]


def test_a_pod_that_changes_is_another_pod_and_all_else_changes_no_name() -> None:
    moved = CACHE.replace("2Ti,", "2Ti, mountPath: /models,")
    assert names(moved)["Pod"] != names(CACHE)["Pod"] and names(moved)["Job"] != names(CACHE)["Job"]
    assert names(CACHE) == names(CACHE + "frontend: {replicas: 3}\nengineArgs: [--enforce-eager]\n")
    assert names(CACHE) == names(CACHE.replace("2Ti", "3Ti"))


def test_what_asked_for_the_digest_is_not_in_the_output() -> None:
    manifests = compiled(CACHE)
    assert "annotations" not in the("Job", manifests)["metadata"]
    annotated = "annotations: {example.com/owner: search}"
    text = (HEAD + CACHE).replace("namespace: ml-prod}", f"namespace: ml-prod, {annotated}}}")
    report = Report()
    compilation = compile_profile(Request(parse(text, "profile.yaml", report), [], Path(), Path()), report)
    (job,) = (each for each in compilation.manifests if each.kind == "Job")
    assert job.to_data()["metadata"]["annotations"] == {"example.com/owner": "search"}


def test_the_job_runs_from_the_release_and_ends() -> None:
    job = the("Job", compiled(CACHE))["spec"]
    container = job["template"]["spec"]["containers"][0]
    assert container["image"] == "nvcr.io/nvidia/ai-dynamo/dynamo-frontend:1.6.1"
    assert "pip" not in " ".join(container["args"])
    assert job["ttlSecondsAfterFinished"] and job["activeDeadlineSeconds"]


def test_the_job_leaves_main_at_the_revision_and_says_that_it_is_done(tmp_path: Path) -> None:
    """With a huggingface_hub that only makes the folder."""
    import os
    import subprocess
    import sys

    container = the("Job", compiled(CACHE + "revision: v2\n"))["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["python3", "-c"]
    (tmp_path / "huggingface_hub.py").write_text(
        "import os, pathlib\n"
        "def snapshot_download(model, revision=None):\n"
        "    assert (model, revision) == ('Qwen/Qwen3-0.6B', 'v2')\n"
        "    found = pathlib.Path(os.environ['HF_HOME'], 'hub', 'models--Qwen--Qwen3-0.6B', 'snapshots', 'c0ffee')\n"
        "    found.mkdir(parents=True)\n"
        "    return str(found)\n"
    )
    given = {each["name"]: each["value"].replace("/model-cache", str(tmp_path)) for each in container["env"]}
    done = {**os.environ, **given, "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", *container["args"]], check=True, env=done)
    assert (tmp_path / "hub/models--Qwen--Qwen3-0.6B/refs/main").read_text() == "c0ffee"
    assert Path(given["READY"]).exists()


def test_nobody_starts_before_the_model_is_there_or_asks_the_hub() -> None:
    manifests = compiled(CACHE + "revision: v2\n")
    ready = {each["name"]: each for each in the("Job", manifests)["spec"]["template"]["spec"]["containers"][0]["env"]}
    for name in ("Frontend", "worker"):
        spec = pod(manifests, name)
        (wait,) = spec["initContainers"]
        assert wait["env"] == [ready["READY"]] and wait["image"] == spec["containers"][0]["image"]
        assert wait["args"] == ['until test -e "$READY"; do sleep 5; done']
        assert env(spec)["HF_HUB_OFFLINE"] == "1"
    assert pod(manifests, "worker")["containers"][0]["args"][2:4] == ["--revision", "v2"]


def tokens(spec: Any) -> list[Any]:
    return [each["valueFrom"]["secretKeyRef"] for each in spec["containers"][0]["env"] if each["name"] == "HF_TOKEN"]


def test_the_key_of_the_token_is_said_once_and_who_is_offline_gets_none() -> None:
    secret = "huggingFaceSecret: hf-secret\nhuggingFaceSecretKey: hf_api_token\n"
    wanted = [{"name": "hf-secret", "key": "hf_api_token"}]
    with_job = compiled(CACHE + secret)
    assert tokens(the("Job", with_job)["spec"]["template"]["spec"]) == wanted
    assert [tokens(pod(with_job, name)) for name in ("Frontend", "worker")] == [[], []]
    without = compiled("backend: vllm\ngpu: nvidia-l4\nagg: {}\n" + secret)
    assert [tokens(pod(without, name)) for name in ("Frontend", "worker")] == [wanted, wanted]
    online = compiled(CACHE + secret + "engineArgs: [--tokenizer=other/tokenizer]\n")
    assert tokens(pod(online, "worker")) == wanted


def test_a_disruption_is_no_failure_of_the_job() -> None:
    spec = the("Job", compiled(CACHE))["spec"]
    condition = {"type": "DisruptionTarget", "status": "True"}
    assert spec["podFailurePolicy"] == {"rules": [{"action": "Ignore", "onPodConditions": [condition]}]}
    assert spec["template"]["spec"]["restartPolicy"] == "Never"  # which the API server asks for then


@pytest.mark.parametrize("more", [
    "engineArgs: [--tokenizer=other/tokenizer]\n",
    "engineArgs: ['--speculative-config', '{\"model\": \"other/draft\"}']\n",
])  # fmt: skip
def test_whoever_needs_more_of_the_hub_than_the_job_loads_may_ask_it(more: str) -> None:
    assert "HF_HUB_OFFLINE" not in env(pod(compiled(CACHE + more), "worker"))


def test_a_draft_model_is_loaded_by_the_job_and_nobody_asks_the_hub() -> None:
    manifests = compiled(CACHE + "speculative: {method: draft, model: Qwen/Qwen3-1.7B}\n")
    (container,) = the("Job", manifests)["spec"]["template"]["spec"]["containers"]
    plain = the("Job", compiled(CACHE))["spec"]["template"]["spec"]["containers"][0]
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert given["DRAFT"] == "Qwen/Qwen3-1.7B" and 'os.environ["DRAFT"]' in container["args"][0]
    assert given["READY"] not in [each.get("value") for each in plain["env"]] and "DRAFT" not in plain["args"][0]
    assert env(pod(manifests, "worker"))["HF_HUB_OFFLINE"] == "1"


@pytest.mark.parametrize("cache", ["{claimName: filled}", "{size: 2Ti, download: false}"])
def test_a_volume_that_no_job_fills_is_not_waited_for(cache: str) -> None:
    spec = pod(compiled(f"backend: vllm\ngpu: nvidia-l4\nagg: {{}}\nmodelCache: {cache}\n"), "worker")
    assert "initContainers" not in spec and "HF_HUB_OFFLINE" not in env(spec)


def test_images_come_from_a_mirror() -> None:
    manifests = compiled(CACHE + "imageRegistry: europe-docker.pkg.dev/us/nvcr\n")
    images = {pod(manifests, name)["containers"][0]["image"] for name in ("Frontend", "worker")}
    images.add(the("Job", manifests)["spec"]["template"]["spec"]["containers"][0]["image"])
    images.add(the("Pod", manifests)["spec"]["containers"][0]["image"])
    assert {each.rpartition("/")[0] for each in images} == {"europe-docker.pkg.dev/us/nvcr/nvidia/ai-dynamo"}


@pytest.mark.parametrize(("more", "frontend"), [
    ("image: example.com/engine:1.6.1\n", "example.com/engine:1.6.1"),
    ("image: example.com/engine:1.6.1\nfrontend: {image: 'example.com/front:1.6.1'}\n", "example.com/front:1.6.1"),
])  # fmt: skip
def test_the_frontend_follows_an_image_of_the_model_s_own(more: str, frontend: str) -> None:
    manifests = compiled("backend: vllm\ngpu: nvidia-l4\nagg: {}\n" + more)
    assert pod(manifests, "Frontend")["containers"][0]["image"] == frontend


@pytest.mark.parametrize(("model", "gpus", "replicas", "size", "name"), [
    ("Qwen/Qwen3-0.6B", 1, 1, "100Gi", "standard-rwx"),
    ("Qwen/Qwen3-32B", 2, 4, "1Ti", "zonal-rwx"),
    ("Qwen/Qwen3-32B", 2, 4, "200Gi", "standard-rwx"),
    ("Qwen/Qwen3-32B", 2, 40, "2560Gi", "premium-rwx"),
    ("example/unknown", 2, 4, "100Gi", "standard-rwx"),
    ("example/unknown", 2, 4, "1Ti", "zonal-rwx"),
])  # fmt: skip
def test_the_class_follows_from_what_is_loaded(model: str, gpus: int, replicas: int, size: str, name: str) -> None:
    text = (
        f"backend: vllm\ngpu: nvidia-h100-80gb\nagg: {{gpus: {gpus}, replicas: {replicas}}}\noverlays: [gke]\n"
        f"gke: {{capacity: reservation}}\nmodelCache: {{size: {size}}}\n"
    )
    report = Report()
    documents = parse(HEAD.replace("Qwen/Qwen3-0.6B", model) + text, "profile.yaml", report)
    compilation = compile_profile(Request(documents, [], Path(), Path()), report)
    assert compilation.plan is not None and compilation.plan.model_cache is not None
    assert compilation.plan.model_cache.storage_class_name == name


def test_the_probe_that_a_load_is_held_against_is_the_one_in_the_output() -> None:
    from dynagen.plan.storage import STARTUP_SECONDS

    probe = pod(compiled(CACHE), "worker")["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == STARTUP_SECONDS


@pytest.mark.parametrize(("more", "asked"), [("", "12Gi"), ("modelCache: {claimName: filled}\n", "10Gi")])
def test_a_worker_asks_for_the_disk_that_it_fills(more: str, asked: str) -> None:
    spec = pod(compiled("backend: vllm\ngpu: nvidia-l4\nagg: {}\n" + more), "worker")
    assert spec["containers"][0]["resources"]["requests"]["ephemeral-storage"] == asked
