"""Which machine a worker is planned for, and how much of it the worker may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan.values import Machine
from dynagen.profile import Profile
from dynagen.text import quantities

# What DaemonSets (logging, metrics, CSI drivers, GPU device plugin) take of a node, generously.
_DAEMONS_VCPU, _DAEMONS_GIB = 1, 2


def machine_for(profile: Profile, gpu: Mapping[str, Any], gpus: int, path: KeyPath, report: Report) -> Machine | None:
    """The machine for a worker of `gpus` GPUs at `path` of the profile; None when no layer knows machines.

    The first one of those with the fewest GPUs that are enough, or the one that the section `gke` names. Reports DG403
    and DG409 to DG411.
    """
    machines = [
        Machine(each["type"], each["gpus"], each["vcpu"], each["memoryGiB"], each["onDemand"], each["spot"])
        for each in gpu.get("machines", ())
    ]
    largest = max((machine.gpus for machine in machines), default=gpu["maxPerNode"])
    if gpus > largest:
        report.add(
            "DG403", f"a worker of {gpus} GPUs: a node has {largest} of type {gpu['name']} at most",
            profile.at((*path, "gpus")), hint=f"use up to {largest} and more replicas",
        )  # fmt: skip
        return None
    if not machines:
        return None
    section = profile.data.get("gke", {})
    wanted = section.get("machineType")
    if wanted is not None:
        chosen = next((machine for machine in machines if machine.type == wanted), None)
        if chosen is None or chosen.gpus < gpus:
            fitting = [machine.type for machine in machines if machine.gpus >= gpus]
            report.add(
                "DG409", f"machine type '{wanted}' does not have {gpus} GPUs of type {gpu['name']}",
                profile.at(("gke", "machineType")), hint="one of: " + ", ".join(fitting),
            )  # fmt: skip
            return None
    else:
        chosen = min((machine for machine in machines if machine.gpus >= gpus), key=lambda machine: machine.gpus)
    _check_capacity(profile, chosen, section, report)
    return chosen


def is_offered(data: Mapping[str, Any], gpu: Mapping[str, Any], gpus: int) -> bool:
    """Whether the machine for a worker of `gpus` GPUs can be had the way that a profile asks for."""
    machines = [each for each in gpu.get("machines", ()) if each["gpus"] >= gpus]
    if not machines:
        return not gpu.get("machines")  # no layer knows machines
    machine = min(machines, key=lambda each: int(each["gpus"]))
    if data["spot"]:
        return bool(machine["spot"])
    capacity = (data.get("gke") or {}).get("capacity", "on-demand")
    return capacity != "on-demand" or bool(machine["onDemand"])


def _check_capacity(profile: Profile, machine: Machine, section: Mapping[str, Any], report: Report) -> None:
    capacity = section.get("capacity", "on-demand")
    if profile.data["spot"]:
        if not machine.spot:
            report.add(
                "DG410", f"{machine.type} is not offered as Spot", profile.at(("spot",)),
                hint="use 'spot: false' and 'gke: {capacity: reservation}'",
            )  # fmt: skip
        elif capacity != "on-demand":
            report.add(
                "DG410", f"'spot: true' and 'capacity: {capacity}' exclude each other", profile.at(("gke", "capacity")),
                hint="drop one of them",
            )  # fmt: skip
    elif capacity == "on-demand" and not machine.on_demand:
        other = "'spot: true', or " if machine.spot else ""
        report.add(
            "DG411", f"{machine.type} has no on-demand capacity", profile.written(("gpu",)) or profile.at(),
            hint=f"use {other}'gke: {{capacity: reservation}}' or flex-start",
        )  # fmt: skip


def requests(machine: Machine, gpus: int) -> tuple[str, str]:
    """CPU and memory for a worker of `gpus` GPUs: its share of what the node leaves to pods, rounded down."""
    cpu, memory = allocatable(machine)
    share = gpus / machine.gpus
    return str(max(1, int((cpu - _DAEMONS_VCPU) * share))), f"{max(1, int((memory - _DAEMONS_GIB) * share))}Gi"


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


# The docs ask for 16 GiB in disaggregated mode; NCCL wants more than the operator's 8 GiB for tensor parallelism.
_SHARED_MEMORY_GIB = 16


def usual_shared_memory(memory: str | None) -> str:
    """The size of /dev/shm for a worker with this much memory: what engines want, but at most half."""
    half = int(amount(memory) / 2 / 1024**3) if memory else _SHARED_MEMORY_GIB
    return f"{max(1, min(_SHARED_MEMORY_GIB, half))}Gi"


def check_shared_memory(profile: Profile, path: KeyPath, memory: str, shared: str, report: Report) -> None:
    """/dev/shm is memory of the pod: filled, it must not be all there is. Reports DG412."""
    if amount(shared) * 2 > amount(memory):
        given = profile.written((*path, "sharedMemory")) or profile.written((*path, "memory"))
        report.add(
            "DG412", f"/dev/shm of {shared} counts as memory, and the worker has {memory} in all",
            given or profile.at((*path, "gpus")),
            hint="give it at most half: raise 'memory', or lower 'sharedMemory'",
        )  # fmt: skip
