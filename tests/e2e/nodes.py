"""The pools of nodes.yaml in, Node objects out, with the labels, taints and sizes that GKE gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

POOLS = Path(__file__).with_name("nodes.yaml")

ACCELERATOR = "cloud.google.com/gke-accelerator"
SPOT = "cloud.google.com/gke-spot"
SUBBLOCK = "cloud.google.com/gce-topology-subblock"
COMPUTE_CLASS = "cloud.google.com/compute-class"

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine type. Memory in GiB; `localSsd`, the bundled one, in GB (named as in nodes.yaml)."""

    vcpu: int
    memory: int
    accelerator: str | None = None
    gpus: int = 0
    arch: str = "amd64"
    localSsd: int = 0
    rdma: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """A node pool: `count` nodes of one machine type."""

    name: str
    machine: str
    count: int
    zone: str
    provisioning: str = "standard"
    tainted: bool = False
    compute_class: str | None = None
    networks: bool = True
    subblock: str | None = None

    @property
    def spot(self) -> bool:
        return self.provisioning == "spot"


def read_pools() -> tuple[dict[str, Machine], list[Pool]]:
    data = yaml.safe_load(POOLS.read_text("utf-8"))
    machines = {name: Machine(**shape) for name, shape in data["machines"].items()}
    return machines, [Pool(**pool) for pool in data["pools"]]


def gke_nodes() -> list[dict[str, Any]]:
    machines, pools = read_pools()
    return [node for pool in pools for node in to_nodes(pool, machines[pool.machine])]


def to_nodes(pool: Pool, machine: Machine) -> Iterator[dict[str, Any]]:
    for number in range(pool.count):
        name = f"gke-{pool.name}-{number}"
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **_labels(pool, machine)}},
            "spec": {"providerID": f"gce://simulated/{pool.zone}/{name}", "taints": _taints(pool, machine)},
            "status": {
                "capacity": _capacity(machine) | _networks(pool, machine),
                "allocatable": _allocatable(machine) | _networks(pool, machine),
            },
        }


def _labels(pool: Pool, machine: Machine) -> dict[str, str]:
    # source: https://cloud.google.com/kubernetes-engine/docs/concepts/about-node-labels for those of GKE,
    # https://kubernetes.io/docs/reference/labels-annotations-taints/ for the others
    labels = {
        "kubernetes.io/arch": machine.arch,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": pool.machine,
        "topology.kubernetes.io/region": pool.zone.rpartition("-")[0],
        "topology.kubernetes.io/zone": pool.zone,
        "topology.gke.io/zone": pool.zone,
        "cloud.google.com/gke-container-runtime": "containerd",
        "cloud.google.com/gke-nodepool": pool.name,
        "cloud.google.com/gke-os-distribution": "cos",
        "cloud.google.com/gke-provisioning": "spot" if pool.spot else "standard",
        "cloud.google.com/machine-family": pool.machine.partition("-")[0],
    }
    if pool.spot:
        labels[SPOT] = "true"
    if pool.provisioning == "flex-start":
        # source: examples/gke-consumption-options of GoogleCloudPlatform/cluster-toolkit, commit 1047080
        labels["cloud.google.com/gke-flex-start"] = "true"
    if pool.compute_class:
        labels[COMPUTE_CLASS] = pool.compute_class
    if pool.subblock:
        labels[SUBBLOCK] = pool.subblock
    if machine.accelerator:
        labels[ACCELERATOR] = machine.accelerator
        labels["cloud.google.com/gke-accelerator-count"] = str(machine.gpus)
        labels["cloud.google.com/gke-gpu-driver-version"] = "latest"
    if machine.localSsd:
        labels["cloud.google.com/gke-ephemeral-storage-local-ssd"] = "true"
    return labels


def _taints(pool: Pool, machine: Machine) -> list[dict[str, str]]:
    taints = {}
    if machine.accelerator:
        # source: https://cloud.google.com/kubernetes-engine/docs/how-to/gpus
        taints["nvidia.com/gpu"] = "present"
    if pool.spot and pool.tainted:
        # source: https://cloud.google.com/kubernetes-engine/docs/concepts/spot-vms
        taints[SPOT] = "true"
    if machine.arch != "amd64":
        # source: https://cloud.google.com/kubernetes-engine/docs/how-to/prepare-arm-workloads-for-deployment
        taints["kubernetes.io/arch"] = machine.arch
    if pool.compute_class:
        # source: https://cloud.google.com/kubernetes-engine/docs/concepts/about-custom-compute-classes
        taints[COMPUTE_CLASS] = pool.compute_class
    return [{"key": key, "value": value, "effect": "NoSchedule"} for key, value in taints.items()]


def _networks(pool: Pool, machine: Machine) -> dict[str, str]:
    """A device and an address of each network that the pool was made with. source: llm-d/llm-d, issue 1730"""
    numbers = range(machine.rdma if pool.networks else 0)
    return {f"networking.gke.io.networks/rdma-{number}{end}": "1" for number in numbers for end in ("", ".IP")}


def _capacity(machine: Machine) -> dict[str, str]:
    # source of 110 pods and the boot disk of 100 GB: GKE's defaults for Standard clusters
    disk = machine.localSsd * 10**9 or 100 * GIB
    return _sizes(machine.vcpu * 1000, machine.memory * GIB, disk, machine.gpus)


def _allocatable(machine: Machine) -> dict[str, str]:
    return _sizes(
        machine.vcpu * 1000 - _reserved_cpu(machine.vcpu),
        machine.memory * GIB - _reserved_memory(machine.memory),
        _allocatable_disk(machine.localSsd),
        machine.gpus,
    )


# source of the three: https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes


def _reserved_cpu(vcpu: int) -> int:
    """In thousandths: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest."""
    return round(_steps(vcpu, [(1, 60), (1, 10), (2, 5)], 2.5))


def _reserved_memory(gib: int) -> int:
    """In bytes: 25 % of the first 4 GiB, 20, 10, 6 and 2 % of what follows; 100 MiB more for eviction."""
    return round(_steps(gib, [(4, 0.25), (4, 0.20), (8, 0.10), (112, 0.06)], 0.02) * GIB) + 100 * 1024**2


def _allocatable_disk(local_ssd: int) -> int:
    """In bytes. Without local SSDs for it, ephemeral storage is on the boot disk of 100 GiB. 10 % are for eviction."""
    if local_ssd:
        return int(local_ssd * 10**9 * 0.9) - 100 * GIB  # as for three disks or more
    return int((100 * 0.9 - min(100 * 0.5, 6 + 100 * 0.35, 100)) * GIB)


def _steps(amount: float, steps: list[tuple[float, float]], rest: float) -> float:
    """The sum over slices of `amount`: a step is a slice's width and share, `rest` the share of what is left."""
    total = 0.0
    for width, share in steps:
        slice_ = min(amount, width)
        total += slice_ * share
        amount -= slice_
    return total + amount * rest


def _sizes(millicores: int, memory: int, disk: int, gpus: int) -> dict[str, str]:
    sizes = {"cpu": f"{millicores}m", "memory": f"{memory // 1024}Ki", "ephemeral-storage": f"{disk // 1024}Ki"}
    return {**sizes, "pods": "110", **({"nvidia.com/gpu": str(gpus)} if gpus else {})}


def nodes_for_compute_class(compute_class: dict[str, Any], count: int = 8) -> list[dict[str, Any]]:
    """What the autoscaler would add for a ComputeClass: nodes of the first priority that one of our machines fits."""
    name = compute_class["metadata"]["name"]
    machines, pools = read_pools()
    zones = {pool.machine: pool.zone for pool in pools}
    for priority in compute_class["spec"]["priorities"]:
        for machine, shape in machines.items():
            if machine in zones and _fits(priority, machine, shape):
                kind = "spot" if priority.get("spot") else "standard"
                if priority.get("flexStart", {}).get("enabled"):
                    kind = "flex-start"
                pool = Pool(f"nap-{name}", machine, count, zones[machine], kind, kind == "spot", name)
                return list(to_nodes(pool, shape))
    return []


def _fits(priority: dict[str, Any], machine: str, shape: Machine) -> bool:
    if priority.get("machineType", machine) != machine:
        return False
    if priority.get("machineFamily", machine.partition("-")[0]) != machine.partition("-")[0]:
        return False
    gpu = priority.get("gpu")
    if gpu is None:
        return "nodepools" not in priority and not shape.gpus
    return bool(gpu["type"] == shape.accelerator and gpu.get("count", shape.gpus) == shape.gpus)
