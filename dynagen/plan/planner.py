"""Profile and facts -> plan. What is wrong with the profile as a whole is reported here, at the profile's line."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Mapping
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan import backends
from dynagen.plan.values import Frontend, Graph, Images, ModelCache, Plan, Worker
from dynagen.plan.versions import Version, parse_version, version_in_tag
from dynagen.profile import Profile

# Where Dynamo's images are (docs/fern/pages/reference/general/releases-machine-readable.mdx of ai-dynamo/dynamo).
_REGISTRY = "nvcr.io/nvidia/ai-dynamo"

# The operator names the frontend's Service <graph>-frontend only for a component of this name.
_FRONTEND = "Frontend"
_FRONTEND_PORT = 8000

# The docs ask for 16 GiB in disaggregated mode; NCCL wants more than the operator's 8 GiB for tensor parallelism.
_SHARED_MEMORY = "16Gi"


def make_plan(profile: Profile, facts: Mapping[str, Any], report: Report) -> Plan:
    """The plan of a checked profile. Reports DG401 to DG408; the plan is worth nothing when something was reported."""
    data = profile.data
    release = parse_version(data["release"])
    metadata = {"labels": {}, "annotations": {}, **data["metadata"]}
    images = _images(profile, release, report)
    gpu = {"name": data["gpu"], **facts["gpus"][data["gpu"]]}
    cache = _model_cache(data)
    workers = [_worker(profile, path, name, kind, gpu, release, cache, report) for path, name, kind in _roles(data)]
    _check_names(profile, [_FRONTEND, *(worker.name for worker in workers)], report)
    _check_cache(profile, cache, workers, report)
    return Plan(
        metadata={"name": metadata["name"], "namespace": metadata["namespace"]},
        backend=data["backend"],
        model=data["model"],
        served_model_name=data.get("servedModelName", data["model"]),
        release=data["release"],
        kubernetes=data["kubernetes"],
        mode="disagg" if "disagg" in data else "agg",
        spot=data["spot"],
        gpu=gpu,
        images=images,
        graph=Graph(
            api_version=facts["releases"][data["release"]]["apiVersion"],
            dynamo_namespace=f"{metadata['namespace']}-{metadata['name']}",
            has_frontend_migration=release >= (1, 0, 0),
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
            **metadata["labels"],
        },
        annotations=dict(metadata["annotations"]),
        overlays=list(data["overlays"]),
    )


def _roles(data: Mapping[str, Any]) -> list[tuple[KeyPath, str, str]]:
    """For each kind of worker: its place in the profile, its name and its component type."""
    if "agg" in data:
        return [(("agg",), "worker", "worker")]
    return [(("disagg", role), role, role) for role in ("prefill", "decode")]


def _images(profile: Profile, release: Version, report: Report) -> Images:
    data = profile.data
    runtime = f"{_REGISTRY}/{backends.load(data['backend']).IMAGE}:{data['release']}"
    # dynamo-frontend exists since 0.8.0; before, the runtime image served HTTP as well.
    frontend = f"{_REGISTRY}/dynamo-frontend:{data['release']}" if release >= (0, 8, 0) else runtime
    override = data.get("runtimeVersionOverride")
    images = Images(data["frontend"].get("image", frontend), data.get("image", runtime), override)
    for path, image in ((("image",), images.worker), (("frontend", "image"), images.frontend)):
        version = version_in_tag(image)
        if image.split("@", 1)[0].endswith(":latest"):
            report.add(
                "DG401", f"image '{image}' has the tag 'latest', which says something else every day", profile.at(path),
                hint=f"pin a version, for example :{data['release']}, or a digest",
            )  # fmt: skip
        elif version is None and override is None:
            # Webhook rule since 1.4 (deploy/operator/internal/webhook/validation/shared_v1beta1.go).
            report.add(
                "DG401", f"the tag of image '{image}' does not say a Dynamo version", profile.at(path),
                hint=f"set runtimeVersionOverride, for example \"{data['release']}\"",
            )  # fmt: skip
    if override is not None and parse_version(override)[:2] != release[:2]:
        report.add(
            "DG402", f"runtimeVersionOverride {override} and release {data['release']} do not belong together",
            profile.at(("runtimeVersionOverride",)), hint="flags follow from 'release': set it to the version in the image",
            related=(("release", profile.at(("release",))),),
        )  # fmt: skip
    return images


def _frontend(data: Mapping[str, Any], release: Version, cache: ModelCache | None) -> Frontend:
    given = data["frontend"]
    env = _common_env(data, cache)
    if release >= (1, 0, 0):
        # The limit moved from the workers to the frontend with 1.0, and is 0 by default (frontend/frontend_args.py).
        env["DYN_MIGRATION_LIMIT"] = str(given["migrationLimit"])
    return Frontend(
        component=_FRONTEND,
        service=f"{data['metadata']['name']}-frontend",
        port=_FRONTEND_PORT,
        replicas=given["replicas"],
        args=list(given["args"]) or None,
        env=_env_vars({**env, **given["env"]}),
        cpu=str(given["cpu"]),
        memory=str(given["memory"]),
    )


def _worker(
    profile: Profile,
    path: KeyPath,
    name: str,
    kind: str,
    gpu: Mapping[str, Any],
    release: Version,
    cache: ModelCache | None,
    report: Report,
) -> Worker:
    data = profile.data
    given = data
    for key in path:
        given = given[key]
    backend = backends.load(data["backend"])
    gpus = given["gpus"]
    largest = gpu["maxPerNode"]
    if gpus > largest:
        report.add(
            "DG403", f"worker '{name}': {gpus} GPUs of type {gpu['name']}, a node has {largest} at most",
            profile.at((*path, "gpus")), hint=f"use up to {largest} and more replicas",
        )  # fmt: skip
    launch = backends.Launch(
        model=data["model"],
        served_model_name=data.get("servedModelName", data["model"]),
        release=release,
        role="agg" if kind == "worker" else kind,
        tensor_parallel=gpus,
    )
    for key_path in (("engineArgs",), (*path, "engineArgs")):
        _check_arguments(profile, key_path, backend.OWN_FLAGS, report)
    command = ["python3", "-m", backend.MODULE]
    args = [*backend.arguments(launch), *data["engineArgs"], *given["engineArgs"]]
    if release < (1, 0, 0):
        args += ["--migration-limit", str(data["frontend"]["migrationLimit"])]
    shape = _share_of_machine(gpu, gpus)
    return Worker(
        name=name,
        type=kind,
        replicas=given["replicas"],
        gpus=gpus,
        tensor_parallel=gpus,
        command=command,
        args=args,
        script=_script(command, args),
        env=_env_vars({**_common_env(data, cache), **data["env"], **given["env"]}),
        cpu=str(given["cpu"]) if "cpu" in given else shape[0],
        memory=str(given["memory"]) if "memory" in given else shape[1],
        shared_memory=str(given.get("sharedMemory", _SHARED_MEMORY)),
        spot=data["spot"],
    )


def _share_of_machine(gpu: Mapping[str, Any], gpus: int) -> tuple[str | None, str | None]:
    """CPU and memory for a worker: its share of the smallest machine that fits, with room for the system.

    At most (vCPU - 2) / GPUs and 80 % of the memory / GPUs: GKE reserves some of both for the node
    (https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes). Nothing when no layer knows machines.
    """
    fitting = [machine for machine in gpu.get("machines", ()) if machine["gpus"] >= gpus]
    if not fitting:
        return None, None
    machine = min(fitting, key=lambda shape: (shape["gpus"], -shape["memoryGiB"]))
    cpu = (machine["vcpu"] - 2) * gpus // machine["gpus"]
    memory = int(machine["memoryGiB"] * 0.8) * gpus // machine["gpus"]
    return str(max(cpu, 1)), f"{memory}Gi"


def _check_arguments(profile: Profile, path: KeyPath, own: Mapping[str, str], report: Report) -> None:
    given: Any = profile.data
    for key in path:
        given = given[key]
    for index, argument in enumerate(given):
        flag = argument.split("=", 1)[0]
        if flag in own:
            report.add(
                "DG404", f"'{flag}' is set by dynagen", profile.at((*path, index)),
                hint=f"the profile says it with {own[flag]}",
            )  # fmt: skip


def _common_env(data: Mapping[str, Any], cache: ModelCache | None) -> dict[str, Any]:
    return {**_hugging_face_env(data), **({"HF_HOME": cache.mount_path} if cache else {})}


def _hugging_face_env(data: Mapping[str, Any]) -> dict[str, Any]:
    secret = data.get("huggingFaceSecret")
    return {"HF_TOKEN": {"secretKeyRef": {"name": secret, "key": "HF_TOKEN"}}} if secret else {}


def _env_vars(env: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A map of names as Kubernetes' list of EnvVar, in the order written."""
    return [
        {"name": name, "value": value} if isinstance(value, str) else {"name": name, "valueFrom": value}
        for name, value in env.items()
    ]


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


def _model_cache(data: Mapping[str, Any]) -> ModelCache | None:
    given = data.get("modelCache")
    if given is None:
        return None
    existing = given.get("claimName")
    # The template of a Job cannot be changed, so another model gets another Job.
    digest = hashlib.sha256(f"{data['model']}@{given['revision']}".encode()).hexdigest()[:8]
    env = {
        **_hugging_face_env(data),
        "HF_HOME": given["mountPath"],
        "MODEL": data["model"],
        "REVISION": given["revision"],
    }
    return ModelCache(
        claim=existing or f"{data['metadata']['name']}-model-cache",
        create=existing is None,
        size=str(given["size"]) if "size" in given else None,
        storage_class_name=given.get("storageClassName"),
        access_mode=given["accessMode"],
        mount_path=given["mountPath"],
        download=given["download"] and existing is None,
        job=f"{data['metadata']['name']}-download-{digest}",
        download_env=_env_vars(env),
        revision=given["revision"],
        access_pod=given["accessPod"],
    )


def _check_cache(profile: Profile, cache: ModelCache | None, workers: list[Worker], report: Report) -> None:
    if cache is None:
        return
    pods = sum(worker.replicas for worker in workers) + profile.data["frontend"]["replicas"]
    if cache.access_mode == "ReadWriteOnce" and pods > 1:
        # Frontend and workers mount it, and they are on different nodes.
        report.add(
            "DG405", f"a ReadWriteOnce volume serves the pods of one node, this graph has {pods} pods on several",
            profile.at(("modelCache", "accessMode")), hint="use ReadWriteMany",
        )  # fmt: skip
    if cache.access_mode == "ReadOnlyMany" and cache.download:
        report.add(
            "DG405", "a ReadOnlyMany volume cannot be filled by the download Job",
            profile.at(("modelCache", "accessMode")), hint="use ReadWriteMany, or 'claimName' of a volume that is filled",
        )  # fmt: skip


def _check_names(profile: Profile, components: list[str], report: Report) -> None:
    """What the operator derives from the graph's name must stay a legal name.

    Services are <graph>-<component> (63 characters, RFC 1035), workers' Deployments add '-' and an 8-character hash,
    pods carry the label <namespace>-<graph>, of 63 characters at most (internal/dynamo/graph.go of ai-dynamo/dynamo).
    """
    metadata = profile.data["metadata"]
    name, space = metadata["name"], metadata["namespace"]
    longest = max(len(component) + (0 if component == _FRONTEND else 9) for component in components) + 1
    limits = [
        (63 - longest, f"the operator names a component's objects '{name}-...'"),
        (63 - len(space) - 1, f"pods get the label value '{space}-{name}'"),
    ]
    limit, why = min(limits)
    if len(name) > limit:
        report.add(
            "DG406", f"name '{name}' has {len(name)} characters, {limit} are possible: {why}",
            profile.at(("metadata", "name")), hint="use a shorter name",
        )  # fmt: skip
    if re.fullmatch(r"kube-.*|gke-.*|kube", space):
        report.add(
            "DG407", f"namespace '{space}' belongs to the system", profile.at(("metadata", "namespace")),
            hint="use a namespace of your own",
        )  # fmt: skip
