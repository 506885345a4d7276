"""A profile in, its workers out: which kinds there are, and all that follows for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan.command_lines import command_line, script
from dynagen.plan.env import component_env, env_vars
from dynagen.plan.fabric import devices_of
from dynagen.plan.fit.parallel import plan_layout
from dynagen.plan.fit.question import Part
from dynagen.plan.kv_offload import offload_env
from dynagen.plan.nodes import is_even, nodes_of
from dynagen.plan.placement import machine_for
from dynagen.plan.rollout import plan_rollout
from dynagen.plan.storage import ephemeral_storage
from dynagen.plan.values import ModelCache, Worker
from dynagen.plan.volumes import compilation_env
from dynagen.plan.worker_resources import plan_resources
from dynagen.profile import Profile
from dynagen.text.versions import Version


def plan_parts(profile: Profile, gpu: Mapping[str, Any]) -> list[Part]:
    """The kinds of workers of a profile. A kind's name is its component type as well."""
    kinds: list[tuple[KeyPath, str, str]] = [(("agg",), "worker", "agg")]
    if "disagg" in profile.data:
        kinds = [(("disagg", role), role, role) for role in ("prefill", "decode")]
    return [
        Part(path, name, role, plan_layout(profile, path), nodes_of(profile.value(path), gpu))
        for path, name, role in kinds
    ]


def plan_worker(
    profile: Profile,
    part: Part,
    gpu: Mapping[str, Any],
    release: Version,
    cache: ModelCache | None,
    context: int | None,
    longest: int | None,
    weights: float | None,
    report: Report,
) -> Worker:
    """`weights` are the bytes of the model's files, if they are known. Reports DG404, DG409 to DG412 and DG415."""
    data, given, layout = profile.data, profile.value(part.path), part.layout
    command, args, config = command_line(profile, part, release, context, longest, report)
    pod_gpus = given["gpus"] // part.nodes
    machine = machine_for(profile, gpu, pod_gpus, report) if is_even(profile, part, gpu) else None
    cpu, memory, shared_memory = plan_resources(profile, part.path, pod_gpus, machine, report)
    if data["spot"] and given["replicas"] < 2:
        report.add(
            "DG415", f"a single Spot worker '{part.name}': when its node goes away, nobody takes over its requests",
            profile.written((*part.path, "replicas")) or profile.at(part.path), hint="use 2 replicas", severity="warning",
        )  # fmt: skip
    return Worker(
        name=part.name,
        type=part.name,
        replicas=given["replicas"],
        gpus=given["gpus"],
        nodes=part.nodes,
        gpus_per_node=pod_gpus,
        devices=devices_of(data, gpu, pod_gpus),
        tensor_parallel=layout.tensor,
        pipeline_parallel=layout.pipeline,
        data_parallel=layout.data,
        expert_parallel=layout.expert,
        command=command,
        args=args,
        script=script(command, args),
        engine_config=config,
        engine_config_digest=f"{crc32(config.encode()):08x}" if config else None,
        env=env_vars({**component_env(data, cache), **compilation_env(data), **offload_env(data)}),
        profile_env=env_vars({**data["env"], **given["env"]}),
        machine=machine,
        cpu=cpu,
        memory=memory,
        ephemeral_storage=ephemeral_storage(cache, weights),
        shared_memory=shared_memory,
        rollout=plan_rollout(data, given["replicas"], cache, release),
        spot=data["spot"],
    )
