"""Which machine a worker is planned for, and whether it can be had the way that the profile asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.diagnostics import Report
from dynagen.plan.values import Machine
from dynagen.profile import Profile


def machine_for(profile: Profile, gpu: Mapping[str, Any], gpus: int, report: Report) -> Machine | None:
    """The machine for a pod of `gpus` GPUs; None when no layer knows machines.

    The first one of those with the fewest GPUs that are enough, or the one that the section `gke` names. Reports DG409
    to DG411.
    """
    machines = [
        Machine(each["type"], each["gpus"], each["vcpu"], each["memoryGiB"], each["onDemand"], each["spot"])
        for each in gpu.get("machines", ())
    ]
    if not machines or gpus > largest_node(gpu):  # DG403
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
    _check_capacity(profile, chosen, machines, section, report)
    return chosen


def check_placed(profile: Profile, gpu: Mapping[str, Any], report: Report) -> None:
    """Reports DG612 for a profile of which nobody reads the GPU. What layers of the user do with it is their business."""
    if "machines" not in gpu and not any("/" in entry for entry in profile.data["overlays"]):
        report.add(
            "DG612", f"nobody sends the workers to nodes with {gpu['name']}, or shows them its driver",
            profile.written(("overlays",)) or profile.at(("gpu",)), hint="add 'gke' to 'overlays'", severity="warning",
        )  # fmt: skip


def largest_node(gpu: Mapping[str, Any]) -> int:
    """How many GPUs of a type the largest node has."""
    found: int = max((machine["gpus"] for machine in gpu.get("machines", ())), default=gpu["maxPerNode"])
    return found


def joins_nodes(platform: Mapping[str, Any]) -> bool:
    """Whether something makes one worker of several pods. Source: "no multinode orchestrator available" in the operator."""
    return bool(platform["grove"] or platform["lws"])


def is_offered(data: Mapping[str, Any], gpu: Mapping[str, Any], gpus: int) -> bool:
    """Whether the machine for a worker of `gpus` GPUs can be had the way that a profile asks for."""
    machines = [each for each in gpu.get("machines", ()) if each["gpus"] >= gpus]
    if not machines:
        return not gpu.get("machines")  # no layer knows machines
    section = data.get("gke") or {}
    wanted = section.get("machineType")
    machine = min(machines, key=lambda each: int(each["gpus"]))
    if wanted is not None:
        machine = next((each for each in machines if each["type"] == wanted), {"spot": False, "onDemand": False})
        if "type" not in machine:
            return False
    if data["spot"]:
        return bool(machine["spot"])
    capacity = section.get("capacity", "on-demand")
    return capacity != "on-demand" or bool(machine["onDemand"])


def _check_capacity(
    profile: Profile, machine: Machine, machines: Sequence[Machine], section: Mapping[str, Any], report: Report
) -> None:
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
        other = "'spot: true', " if machine.spot else ""
        larger = [each.type for each in machines if each.on_demand and each.gpus >= machine.gpus]
        other += f"'gke: {{machineType: {larger[0]}}}', " if larger else ""
        report.add(
            "DG411", f"{machine.type} has no on-demand capacity", profile.written(("gpu",)) or profile.at(),
            hint=f"use {other}'gke: {{capacity: reservation}}' or 'gke: {{capacity: flex-start}}'",
        )  # fmt: skip
