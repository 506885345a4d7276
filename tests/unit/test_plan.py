"""What follows from a profile: machines, CPU and memory, command lines, names; and what is refused, at which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.plan import Plan
from dynagen.plan.values import Machine
from dynagen.plan.worker_resources import allocatable, amount, requests, usual_shared_memory
from dynagen.text.source import parse
from dynagen.text.versions import version_in_tag
from tests.unit.compiling import HEAD


def planned(text: str) -> tuple[Plan | None, Report]:
    report = Report()
    compilation = compile_profile(Request(parse(HEAD + text, "profile.yaml", report), [], Path(), Path()), report)
    return compilation.plan, report


def plan_of(text: str) -> Plan:
    """The plan of a profile that has no errors; warnings are allowed."""
    plan, report = planned(text)
    assert plan is not None and not report.failed, report.diagnostics
    return plan


def complaints(text: str) -> list[tuple[str, str]]:
    """Code and the words of the profile that each complaint points at."""
    found = []
    lines = (HEAD + text).splitlines()
    for diagnostic in planned(text)[1].diagnostics:
        assert diagnostic.hint, diagnostic
        assert diagnostic.at.file == "profile.yaml", diagnostic
        found.append((diagnostic.code, lines[diagnostic.at.line - 1][diagnostic.at.column - 1 :].split(":")[0]))
    return found


def on_gke(gpu: str, workers: str, more: str = "") -> str:
    return f"backend: vllm\ngpu: {gpu}\n{workers}\noverlays: [gke]\n{more}"


# --- machines


@pytest.mark.parametrize(("gpu", "gpus", "more", "machine"), [
    ("nvidia-tesla-t4", 1, "", "n1-standard-8"),
    ("nvidia-l4", 1, "", "g2-standard-12"),
    ("nvidia-l4", 2, "", "g2-standard-24"),
    ("nvidia-l4", 3, "", "g2-standard-48"),
    ("nvidia-tesla-a100", 16, "", "a2-megagpu-16g"),
    ("nvidia-a100-80gb", 8, "", "a2-ultragpu-8g"),
    ("nvidia-h100-80gb", 1, "spot: true\n", "a3-highgpu-1g"),
    ("nvidia-h100-80gb", 8, "", "a3-highgpu-8g"),
    ("nvidia-h100-mega-80gb", 1, "", "a3-megagpu-8g"),
    ("nvidia-h200-141gb", 8, "spot: true\n", "a3-ultragpu-8g"),
    ("nvidia-b200", 8, "gke: {capacity: flex-start}\n", "a4-highgpu-8g"),
    ("nvidia-gb200", 4, "gke: {capacity: reservation}\n", "a4x-highgpu-4g"),
    ("nvidia-gb300", 4, "gke: {capacity: reservation}\n", "a4x-maxgpu-4g-metal"),
    ("nvidia-rtx-pro-6000", 4, "", "g4-standard-192"),
    ("nvidia-h100-80gb", 1, "gke: {machineType: a3-highgpu-8g}\n", "a3-highgpu-8g"),
])  # fmt: skip
def test_the_machine_is_the_smallest_that_has_the_gpus(gpu: str, gpus: int, more: str, machine: str) -> None:
    (worker,) = plan_of(on_gke(gpu, f"agg: {{gpus: {gpus}, parallel: {{pipeline: {gpus}}}}}", more)).workers
    assert worker.machine is not None and worker.machine.type == machine


def test_without_a_layer_that_knows_machines_nothing_is_asked_for() -> None:
    (worker,) = plan_of("backend: vllm\ngpu: nvidia-l4\nagg: {}\n").workers
    assert (worker.machine, worker.cpu, worker.memory, worker.shared_memory) == (None, None, None, "16Gi")


def test_prefill_and_decode_get_a_machine_each() -> None:
    text = on_gke("nvidia-h100-80gb", "disagg: {prefill: {gpus: 1}, decode: {gpus: 4}}", "spot: true\n")
    machines = {worker.name: worker.machine.type for worker in plan_of(text).workers if worker.machine}
    assert machines == {"prefill": "a3-highgpu-1g", "decode": "a3-highgpu-4g"}


# --- CPU and memory


def machine(vcpu: int, memory_gib: int, gpus: int) -> Machine:
    return Machine("any", gpus, vcpu, memory_gib, on_demand=True, spot=True)


def test_what_gke_leaves_of_a_node() -> None:
    """By hand, with the steps of cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes."""
    cpu, memory = allocatable(machine(12, 48, 1))
    assert cpu == pytest.approx(12 - 0.06 - 0.01 - 2 * 0.005 - 8 * 0.0025)
    assert memory == pytest.approx(48 - (48 / 64 + 0.33) - (1 + 0.8 + 0.8 + 32 * 0.06) - 0.1)


def mib_of_a_node(gib: int) -> float:
    """The cluster autoscaler's estimate for Container-Optimized OS, in MiB.

    Source: cluster-autoscaler/cloudprovider/gce/reserved.go of kubernetes/autoscaler.
    """
    total = gib * 1024
    kernel = total / 64 + 16 + 64 + min(0.00175 * total, 248)
    steps = [(0, 4000, 0.25), (4000, 8000, 0.2), (8000, 16000, 0.1), (16000, 128000, 0.06), (128000, 10**9, 0.02)]
    kept = sum(max(0, min(total, upper) - lower) * share for lower, upper, share in steps)
    return total - kernel - kept - 100


@pytest.mark.parametrize("gib", [30, 48, 85, 180, 234, 680, 936, 1360, 1872, 2952, 3968])
def test_the_estimate_is_never_more_than_the_autoscaler_s_and_not_much_less(gib: int) -> None:
    """A pod that asks for more than the autoscaler expects of a new node never gets one."""
    estimate = allocatable(machine(8, gib, 1))[1] * 1024
    assert 0 <= mib_of_a_node(gib) - estimate < 600


def test_a_worker_gets_its_share_of_the_gpus_rounded_down() -> None:
    whole = machine(96, 384, 8)
    assert requests(whole, 8) == ("90", "344Gi")
    assert requests(whole, 1) == ("11", "43Gi")
    assert requests(whole, 3) == ("34", "129Gi")


def test_what_the_profile_asks_for_wins() -> None:
    (worker,) = plan_of(on_gke("nvidia-l4", "agg: {cpu: 4, memory: 20Gi, sharedMemory: 2Gi}")).workers
    assert (worker.cpu, worker.memory, worker.shared_memory) == ("4", "20Gi", "2Gi")


@pytest.mark.parametrize(("memory", "shared"), [(None, "16Gi"), ("400Gi", "16Gi"), ("23Gi", "11Gi"), ("1Gi", "1Gi")])
def test_shared_memory_is_16_gib_or_half_of_a_small_worker(memory: str | None, shared: str) -> None:
    assert usual_shared_memory(memory, 16) == shared


@pytest.mark.parametrize(("text", "number"), [("64Gi", 64 * 1024**3), ("1.5G", 1.5e9), ("500m", 0.5), ("7", 7)])
def test_quantities_are_read_as_kubernetes_reads_them(text: str, number: float) -> None:
    assert amount(text) == pytest.approx(number)


# --- what is refused


@pytest.mark.parametrize(("text", "found"), [
    (on_gke("nvidia-l4", "agg: {gpus: 9}"), ("DG403", "gpus")),
    (on_gke("nvidia-gb200", "agg: {gpus: 8}", "gke: {capacity: reservation}\n"), ("DG710", "gpus")),
    (on_gke("nvidia-l4", "disagg: {prefill: {gpus: 1}, decode: {gpus: 9}}"), ("DG403", "gpus")),
    (on_gke("nvidia-l4", "agg: {gpus: 2}", "gke: {machineType: g2-standard-32}\n"), ("DG409", "machineType")),
    (on_gke("nvidia-l4", "agg: {}", "gke: {machineType: g2-standard-6}\n"), ("DG409", "machineType")),
    (on_gke("nvidia-gb200", "agg: {replicas: 2, gpus: 4}", "spot: true\n"), ("DG410", "spot")),
    (on_gke("nvidia-l4", "agg: {replicas: 2}", "spot: true\ngke: {capacity: flex-start}\n"), ("DG410", "capacity")),
    (on_gke("nvidia-h100-80gb", "agg: {gpus: 4}"), ("DG411", "gpu")),
    (on_gke("nvidia-h200-141gb", "agg: {gpus: 8}"), ("DG411", "gpu")),
    (on_gke("nvidia-b200", "agg: {gpus: 8}"), ("DG411", "gpu")),
    (on_gke("nvidia-gb300", "agg: {gpus: 4}"), ("DG411", "gpu")),
    (on_gke("nvidia-l4", "agg: {sharedMemory: 30Gi}"), ("DG412", "sharedMemory")),
    (on_gke("nvidia-l4", "agg: {memory: 20Gi, sharedMemory: 16Gi}"), ("DG412", "sharedMemory")),
    (on_gke("nvidia-l4", "agg: {}", "modelCache: {size: 1Ti, storageClassName: premium-rwo}\n"), ("DG413", "storageClassName")),
    (on_gke("nvidia-b200", "agg: {gpus: 8, replicas: 1}", "gke: {capacity: reservation}\n"
            "modelCache: {size: 1Ti, accessMode: ReadWriteOnce, storageClassName: standard-rwo}\n"), ("DG413", "storageClassName")),
    (on_gke("nvidia-l4", "agg: {}", "modelCache: {size: 50Gi}\n"), ("DG414", "size")),
    (on_gke("nvidia-l4", "agg: {}", "spot: true\n"), ("DG415", "agg")),
    (on_gke("nvidia-l4", "agg: {replicas: 2}", "modelCache: {size: 1Ti, accessMode: ReadWriteOnce}\n"), ("DG405", "accessMode")),
    (on_gke("nvidia-l4", "agg: {engineArgs: [--model=x]}"), ("DG404", "--model=x]}")),
])  # fmt: skip
def test_a_complaint_points_at_what_the_profile_says(text: str, found: tuple[str, str]) -> None:
    assert complaints(text) == [found]


@pytest.mark.parametrize(("gpu", "gpus", "machine_type"), [
    ("nvidia-h100-80gb", 8, "a3-highgpu-8g"), ("nvidia-h100-mega-80gb", 8, "a3-megagpu-8g"),
])  # fmt: skip
def test_a3_with_all_gpus_can_be_had_on_demand(gpu: str, gpus: int, machine_type: str) -> None:
    (worker,) = plan_of(on_gke(gpu, f"agg: {{gpus: {gpus}}}")).workers
    assert worker.machine is not None and worker.machine.type == machine_type and worker.machine.on_demand


def test_each_worker_is_checked() -> None:
    text = on_gke("nvidia-h100-80gb", "disagg: {prefill: {gpus: 1}, decode: {gpus: 8}}")
    (diagnostic,) = (each for each in planned(text)[1].diagnostics if each.severity == "error")
    assert (diagnostic.code, diagnostic.message) == ("DG411", "a3-highgpu-1g has no on-demand capacity")


# --- command lines


def args_of(backend: str, release: str, workers: str = "disagg: {prefill: {}, decode: {}}") -> dict[str, str]:
    text = f"backend: {backend}\nrelease: {release}\ngpu: nvidia-l4\n{workers}\n"
    return {worker.name: " ".join(worker.args) for worker in plan_of(text).workers}


def test_vllm_s_workers_know_their_role_and_transfer_both_ways() -> None:
    for name, args in args_of("vllm", "1.6.1").items():
        assert f"--disaggregation-mode {name}" in args
        assert '"kv_connector":"NixlConnector","kv_role":"kv_both"' in args


def test_before_1_0_prefill_has_a_flag_and_workers_migrate() -> None:
    args = args_of("vllm", "0.9.1")
    assert "--is-prefill-worker" in args["prefill"] and "--is-prefill-worker" not in args["decode"]
    assert all("--migration-limit 3" in each and "--disaggregation-mode" not in each for each in args.values())


def test_sglang_s_workers_meet_at_one_port() -> None:
    for name, args in args_of("sglang", "1.6.1").items():
        assert f"--disaggregation-mode {name} --disaggregation-transfer-backend nixl" in args
        assert "--disaggregation-bootstrap-port 12345 --host 0.0.0.0" in args


@pytest.mark.parametrize("backend", ["vllm", "sglang"])
def test_an_aggregated_worker_has_no_role(backend: str) -> None:
    assert "--disaggregation" not in args_of(backend, "1.6.1", "agg: {gpus: 2}")["worker"]


# --- images and names


@pytest.mark.parametrize(("image", "version"), [
    ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1", (1, 6, 1)), ("a.example.com:5000/x:v1.3.0-cuda13", (1, 3, 0)),
    ("a.example.com:5000/x", None), ("x:latest", None), ("x:1.6", None), ("x@sha256:00", None),
    ("x:1.4.2@sha256:00", (1, 4, 2)),
])  # fmt: skip
def test_the_version_in_a_tag(image: str, version: tuple[int, int, int] | None) -> None:
    assert version_in_tag(image) == version


def test_the_images_are_those_of_the_release() -> None:
    images = plan_of("backend: sglang\nrelease: 1.4.2\ngpu: nvidia-l4\nagg: {}\n").images
    assert images.worker == "nvcr.io/nvidia/ai-dynamo/sglang-runtime:1.4.2"
    assert images.frontend == "nvcr.io/nvidia/ai-dynamo/dynamo-frontend:1.4.2"


def test_the_operator_s_names_are_known() -> None:
    plan = plan_of("backend: vllm\ngpu: nvidia-l4\nagg: {}\n")
    assert (plan.frontend.service, plan.frontend.port) == ("chat-frontend", 8000)
    assert plan.graph.dynamo_namespace == "ml-prod-chat"
