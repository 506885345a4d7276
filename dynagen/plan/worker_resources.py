"""What a worker asks its node for: CPU, memory, and the part of it that is /dev/shm."""

from __future__ import annotations

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan import backends
from dynagen.plan.values import Machine
from dynagen.profile import Profile
from dynagen.text import quantities

# What DaemonSets (logging, metrics, CSI drivers, GPU device plugin) take of a node, and room for one that comes later: a worker
# that asks for all the rest would stay Pending for it. At least so much, or this share of a large machine.
_DAEMONS_VCPU, _DAEMONS_GIB, _DAEMONS_SHARE = 1, 2, 0.05


def plan_resources(
    profile: Profile, path: KeyPath, gpus: int, machine: Machine | None, report: Report
) -> tuple[str | None, str | None, str]:
    """CPU, memory and /dev/shm of a pod with `gpus` GPUs: what the profile says for the worker at `path`, else its share of the machine.

    CPU and memory are None where neither says them. Reports DG412.
    """
    given = profile.value(path)
    cpu, memory = requests(machine, gpus) if machine else (None, None)
    cpu = str(given["cpu"]) if "cpu" in given else cpu
    memory = str(given["memory"]) if "memory" in given else memory
    shared = (
        str(given["sharedMemory"])
        if "sharedMemory" in given
        else usual_shared_memory(memory, backends.load(profile.data["backend"]).SHARED_MEMORY_GIB)
    )
    if memory:
        _check_shared_memory(profile, path, memory, shared, report)
    return cpu, memory, shared


def requests(machine: Machine, gpus: int) -> tuple[str, str]:
    """CPU and memory for a pod of `gpus` GPUs: its share of what the node leaves to pods, rounded down."""
    cpu, memory = allocatable(machine)
    share = gpus / machine.gpus
    cpu -= max(_DAEMONS_VCPU, cpu * _DAEMONS_SHARE)
    memory -= max(_DAEMONS_GIB, memory * _DAEMONS_SHARE)
    return str(max(1, int(cpu * share))), f"{max(1, int(memory * share))}Gi"


def allocatable(machine: Machine) -> tuple[float, float]:
    """CPU, and memory in GiB, that a node of this type offers to pods, DaemonSets included; rather too little.

    What GKE keeps for itself: cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes. What the kernel keeps
    before that, and no node shows as its capacity, grows with the machine: 29 GiB of a3-highgpu-8g
    (cluster-autoscaler/cloudprovider/gce/reserved.go of kubernetes/autoscaler).
    """
    cpu = machine.vcpu - _reserved(machine.vcpu, ((1, 0.06), (1, 0.01), (2, 0.005)), 0.0025)
    kernel = machine.memory_gib / 64 + 0.33  # 80 MiB, and a correction of 248 MiB at most
    kept = _reserved(machine.memory_gib, ((4, 0.25), (4, 0.20), (8, 0.10), (112, 0.06)), 0.02)
    return cpu, machine.memory_gib - kernel - kept - 0.1  # 100 MiB: the kubelet's eviction threshold


def _reserved(total: float, steps: tuple[tuple[float, float], ...], rest: float) -> float:
    """A share of each step of an amount, and of what is left above the last one."""
    kept = 0.0
    for size, share in steps:
        kept += min(size, total) * share
        total = max(0.0, total - size)
    return kept + total * rest


def amount(quantity: str) -> float:
    """A Kubernetes quantity as a number: `64Gi` is 68719476736.0. The schema has made sure that it is one."""
    found = quantities.amount(quantity)
    assert found is not None, quantity
    return float(found)


def usual_shared_memory(memory: str | None, wanted: int) -> str:
    """The size of /dev/shm for a worker with this much memory: the GiB that its engine wants, but at most half."""
    half = int(amount(memory) / 2 / 1024**3) if memory else min(wanted, 16)
    return f"{max(1, min(wanted, half))}Gi"


def _check_shared_memory(profile: Profile, path: KeyPath, memory: str, shared: str, report: Report) -> None:
    """/dev/shm is memory of the pod: filled, it must not be all there is. Reports DG412."""
    if amount(shared) * 2 > amount(memory):
        given = profile.written((*path, "sharedMemory")) or profile.written((*path, "memory"))
        report.add(
            "DG412", f"/dev/shm of {shared} counts as memory, and the worker has {memory} in all",
            given or profile.at((*path, "gpus")),
            hint="give it at most half: raise 'memory', or lower 'sharedMemory'",
        )  # fmt: skip
