"""Whether the planned workers fit the machines they are planned for, and these can be had where the profile says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan.fabric import attaching, has_fabric
from dynagen.plan.fit.question import Part
from dynagen.plan.images import REGISTRY
from dynagen.plan.nvlink import domain_ways, shares_domain
from dynagen.plan.values import Machine, Worker
from dynagen.plan.worker_resources import allocatable, amount
from dynagen.profile import Profile

# `allocatable` is on the safe side by up to this many GiB (held against the cluster autoscaler's estimate by a test).
_SLACK_GIB = 0.6
# What pods exchange over plain TCP, in bytes a second: NCCL's 4 GB/s on A3 Mega without its own fabric
# (docs.nvidia.com/aicr/integrator-guide/gke-tcpxo-networking). A prompt that takes longer than a second to hand over is
# better computed where it is answered.
_TCP, _PROMPT = 4e9, 8192


def check_machines(
    profile: Profile, paths: Sequence[KeyPath], workers: Sequence[Worker], gpu: Mapping[str, Any], facts: Mapping[str, Any],
    report: Report,
) -> None:  # fmt: skip
    """Reports DG430 to DG432 and DG439."""
    for path, worker in zip(paths, workers, strict=True):
        if worker.machine:
            _check_requests(profile, path, worker, worker.machine, report)
            _check_idle(profile, path, worker, worker.machine, workers, report)
    image = profile.data.get("image")
    if gpu["architecture"] == "arm64" and image and not image.startswith(REGISTRY):
        report.add(
            "DG432", f"nodes with {gpu['name']} are arm64, and nobody knows whether image '{image}' is", profile.at(("image",)),
            hint="build it for linux/arm64; the release's own images are", severity="warning",
        )  # fmt: skip
    _check_zone(
        profile, [worker.machine.type for worker in workers if worker.machine], gpu, facts.get("zones", {}), report
    )


def _check_requests(profile: Profile, path: KeyPath, worker: Worker, machine: Machine, report: Report) -> None:
    cpu, memory = allocatable(machine)
    asked = ((("cpu"), worker.cpu, cpu, "CPUs", 1.0), ("memory", worker.memory, memory + _SLACK_GIB, "GiB", 1024**3))
    for key, quantity, left, unit, size in asked:
        if quantity and amount(quantity) / size > left:
            report.add(
                "DG430",
                f"worker '{worker.name}' asks for {key} {quantity}, and {machine.type} leaves {left:.1f} {unit} to pods: it stays Pending",
                profile.written((*path, key)) or profile.at(path),
                hint=f"leave '{key}' out, and the worker gets its share of the machine",
            )  # fmt: skip


def _check_idle(
    profile: Profile, path: KeyPath, worker: Worker, machine: Machine, workers: Sequence[Worker], report: Report
) -> None:
    left = machine.gpus % worker.gpus_per_node
    if left and not any(other.gpus_per_node <= left for other in workers):
        report.add(
            "DG431", f"workers '{worker.name}' of {worker.gpus_per_node} GPUs{' on a node' * (worker.nodes > 1)} leave {left} of the {machine.gpus} of each {machine.type} idle",
            profile.written((*path, "gpus")) or profile.at(path),
            hint=f"use a number that divides {machine.gpus}: every GPU of a node is paid for", severity="warning",
        )  # fmt: skip


def _check_zone(
    profile: Profile, machines: Sequence[str], gpu: Mapping[str, Any], zones: Mapping[str, Any], report: Report
) -> None:
    zone = profile.data.get("gke", {}).get("zone")
    if zone is None:
        return
    region, at = zone.rpartition("-")[0], profile.at(("gke", "zone"))
    for machine in dict.fromkeys(machines):
        known = next((found for prefix, found in zones.get("machines", {}).items() if machine.startswith(prefix)), None)
        regions = zones.get("gpus", {}).get(gpu["name"])
        if "-ai" in zone or (known is None and regions is None):
            continue
        if zone not in known if known is not None else region not in regions:
            where = [each for each in known if each.startswith(f"{region}-")] if known else []
            places = where or known or regions
            report.add(
                "DG439", f"{machine} was not offered in {zone if known is not None else region} (list of {zones['date']})", at,
                hint="it was in " + ", ".join(places[:8]) + (", ..." if len(places) > 8 else ""), severity="warning",
            )  # fmt: skip


def check_transfer(
    profile: Profile, parts: Sequence[Part], gpu: Mapping[str, Any], token_bytes: float | None, report: Report
) -> None:
    """Disaggregated workers hand over the KV cache of each prompt, over TCP where pods get neither a fabric nor one NVLink domain.
    `token_bytes` is None for a model that is not known. Reports DG437."""
    data = profile.data
    if "disagg" not in data or "rdma" not in gpu or has_fabric(data, gpu) or shares_domain(data, gpu):
        return  # without "rdma" no layer knows the machines
    seconds = (token_bytes or 0) * _PROMPT / _TCP
    message = f"prefill hands the KV cache over to decode by TCP: pods with {gpu['name']} get no RDMA device"
    if seconds >= 0.05:
        message += f"; that of a prompt of {_PROMPT} tokens, {(token_bytes or 0) * _PROMPT / 1e9:.1f} GB, takes {seconds:.1f} s and more"
    pods = [profile.value(part.path)["gpus"] // part.nodes for part in parts]
    hint = attaching(data, gpu, pods, domain_ways(data, gpu), "use 'agg'")
    report.add("DG437", message, profile.at(("disagg",)), hint, severity="warning")
