"""Profile and facts -> plan. What is wrong with the profile as a whole is reported here, at the profile's line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from dynagen.cluster.names import FRONTEND, dynamo_namespace, name_of
from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.arguments import flag_of
from dynagen.plan import backends
from dynagen.plan.driver import check_driver
from dynagen.plan.env import env_vars, hugging_face_env
from dynagen.plan.fit.judging import Part, judge
from dynagen.plan.fit.machines import check_machines
from dynagen.plan.fit.models import LookUp, find_shape
from dynagen.plan.fit.parallel import plan_layout
from dynagen.plan.flags import check_flags
from dynagen.plan.images import plan_images
from dynagen.plan.model_cache import check_model_cache, plan_model_cache
from dynagen.plan.names import check_names
from dynagen.plan.placement import check_shared_memory, machine_for, requests, usual_shared_memory
from dynagen.plan.values import Frontend, GraphNames, ModelCache, Plan, Worker
from dynagen.profile import Profile
from dynagen.text.versions import Version, parse_version

_FRONTEND_PORT = 8000


def make_plan(
    profile: Profile, facts: Mapping[str, Any], look_up: LookUp, config: Mapping[str, Any] | None, report: Report
) -> Plan:
    """The plan of a checked profile. Reports DG401 to DG440 and DG477; the plan is worth nothing when an error was reported.

    `look_up` has the facts that are read when they are asked for, `config` is the model's config.json if the profile has it.
    """
    data = profile.data
    release = parse_version(data["release"])
    metadata = data["metadata"]
    gpu = {"name": data["gpu"], **facts["gpus"][data["gpu"]]}
    cache = plan_model_cache(data, facts)
    parts = [_part(profile, path, name, report) for path, name in _roles(data)]
    shape = find_shape(profile, config, look_up, report)
    context = judge(profile, parts, shape, gpu, facts, release, report)
    workers = [_worker(profile, part, gpu, release, cache, context, report) for part in parts]
    check_machines(profile, [part.path for part in parts], workers, gpu, facts, report)
    check_driver(profile, facts, report)
    check_flags(profile, [part.path for part in parts], release, look_up, report)
    check_names(profile, [worker.name for worker in workers], cache is not None and cache.download, report)
    if cache:
        check_model_cache(profile, cache, workers, gpu, facts, report)
    return Plan(
        metadata={"name": metadata["name"], "namespace": metadata["namespace"]},
        backend=data["backend"],
        model=data["model"],
        served_model_name=data.get("servedModelName", data["model"]),
        context=context,
        release=data["release"],
        release_number=release[0] * 10000 + release[1] * 100 + release[2],
        kubernetes=data["kubernetes"],
        mode="disagg" if "disagg" in data else "agg",
        spot=data["spot"],
        gpu=gpu,
        images=plan_images(profile, release, report),
        graph=_graph(
            dynamo_namespace(metadata["name"], metadata["namespace"]), release, facts["releases"][data["release"]]
        ),
        frontend=_frontend(data, release, cache),
        workers=workers,
        model_cache=cache,
        hugging_face_secret=data.get("huggingFaceSecret"),
        create_namespace=data["createNamespace"],
        # https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
        labels={
            "app.kubernetes.io/name": "dynamo",
            "app.kubernetes.io/instance": metadata["name"],
            "app.kubernetes.io/managed-by": "dynagen",
            **metadata.get("labels", {}),
        },
        annotations=dict(metadata.get("annotations", {})),
        overlays=list(data["overlays"]),
    )


def _graph(namespace: str, release: Version, facts: Mapping[str, Any]) -> GraphNames:
    short = namespace if len(namespace) <= 40 else f"{namespace[:31]}-{crc32(namespace.encode()):08x}"
    return GraphNames(
        api_version=facts["apiVersion"],
        dynamo_namespace=namespace,
        metrics_namespace=namespace.replace("-", "[-_]") + "([-_][0-9a-f]{8})?",
        dashboard_uid=short,
    )


def _roles(data: Mapping[str, Any]) -> list[tuple[KeyPath, str]]:
    """For each kind of worker: its place in the profile, and its name, which is its component type as well."""
    if "agg" in data:
        return [(("agg",), "worker")]
    return [(("disagg", role), role) for role in ("prefill", "decode")]


def _frontend(data: Mapping[str, Any], release: Version, cache: ModelCache | None) -> Frontend:
    given = data["frontend"]
    # It reads the tokenizer: from the cache, when more than one node can mount it.
    shared = cache if cache and cache.access_mode != "ReadWriteOnce" else None
    env = _env(data, shared)
    if release >= (1, 0, 0):
        # The limit moved from the workers to the frontend with 1.0, and is 0 by default (frontend/frontend_args.py).
        env["DYN_MIGRATION_LIMIT"] = str(given["migrationLimit"])
    return Frontend(
        component=FRONTEND,
        service=name_of(data["metadata"]["name"], FRONTEND),
        port=_FRONTEND_PORT,
        replicas=given["replicas"],
        args=list(given["args"]) or None,
        env=env_vars(env),
        profile_env=env_vars(given["env"]),
        cpu=str(given["cpu"]),
        memory=str(given["memory"]),
    )


def _part(profile: Profile, path: KeyPath, name: str, report: Report) -> Part:
    return Part(path, name, "agg" if name == "worker" else name, plan_layout(profile, path, name, report))


def _worker(
    profile: Profile,
    part: Part,
    gpu: Mapping[str, Any],
    release: Version,
    cache: ModelCache | None,
    context: int | None,
    report: Report,
) -> Worker:
    path, name, layout = part.path, part.name, part.layout
    data, given = profile.data, profile.value(path)
    gpus = given["gpus"]
    backend = backends.load(data["backend"])
    launch = backends.Launch(
        model=data["model"],
        served_model_name=data.get("servedModelName", data["model"]),
        release=release,
        role=part.role,
        layout=layout,
        context=context,
        concurrency=data.get("concurrency"),
    )
    for key_path in (("engineArgs",), (*path, "engineArgs")):
        _check_arguments(profile, key_path, backend.OWN_FLAGS, report)
    command = ["python3", "-m", backend.MODULE]
    args = [*backend.arguments(launch), *data["engineArgs"], *given["engineArgs"]]
    if release < (1, 0, 0):
        args += ["--migration-limit", str(data["frontend"]["migrationLimit"])]
    machine = machine_for(profile, gpu, gpus, path, report)
    cpu, memory = requests(machine, gpus) if machine else (None, None)
    cpu = str(given["cpu"]) if "cpu" in given else cpu
    memory = str(given["memory"]) if "memory" in given else memory
    shared_memory = str(given["sharedMemory"]) if "sharedMemory" in given else usual_shared_memory(memory)
    if memory:
        check_shared_memory(profile, path, memory, shared_memory, report)
    if data["spot"] and given["replicas"] < 2:
        report.add(
            "DG415", f"a single Spot worker '{name}': when its node goes away, nobody takes over its requests",
            profile.written((*path, "replicas")) or profile.at(path), hint="use 2 replicas", severity="warning",
        )  # fmt: skip
    return Worker(
        name=name,
        type=name,
        replicas=given["replicas"],
        gpus=gpus,
        tensor_parallel=layout.tensor,
        pipeline_parallel=layout.pipeline,
        data_parallel=layout.data,
        expert_parallel=layout.expert,
        command=command,
        args=args,
        script=_script(command, args),
        env=env_vars(_env(data, cache)),
        profile_env=env_vars({**data["env"], **given["env"]}),
        machine=machine,
        cpu=cpu,
        memory=memory,
        shared_memory=shared_memory,
        spot=data["spot"],
    )


def _env(data: Mapping[str, Any], cache: ModelCache | None) -> dict[str, Any]:
    env = hugging_face_env(data)
    if cache:
        env["HF_HOME"] = cache.mount_path
        if cache.access_mode == "ReadOnlyMany":
            env["HF_HUB_OFFLINE"] = "1"  # huggingface_hub writes locks and references otherwise
    return env


def _check_arguments(profile: Profile, path: KeyPath, own: Mapping[str, str], report: Report) -> None:
    """Reports DG404 for a flag that follows from the profile already."""
    for index, argument in enumerate(profile.value(path)):
        flag = flag_of(argument)
        if flag in own:
            report.add(
                "DG404", f"'{flag}' is set by dynagen", profile.at((*path, index)),
                hint=f"the profile says it with {own[flag]}",
            )  # fmt: skip


def _script(command: list[str], args: list[str]) -> str:
    """A command line as POSIX shell text: quoted where needed, a flag and its value on a line of their own."""
    lines = [shlex.join(command)]
    for argument in args:
        quoted = shlex.quote(argument)
        is_value = (
            not argument.startswith("-") and len(lines) > 1 and lines[-1].startswith("-") and " " not in lines[-1]
        )
        if is_value:
            lines[-1] += f" {quoted}"
        else:
            lines.append(quoted)
    return " \\\n  ".join(lines)
