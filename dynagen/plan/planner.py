"""Profile and facts -> plan. What is wrong with the profile as a whole is reported here, at the profile's line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from dynagen.cluster.names import FRONTEND, dynamo_namespace, name_of
from dynagen.diagnostics import Report
from dynagen.plan.block_size import check_block_size
from dynagen.plan.derived_names import check_names
from dynagen.plan.driver import check_driver
from dynagen.plan.engine_config import check_config
from dynagen.plan.env import component_env, env_vars
from dynagen.plan.fabric import check_fabric, fabric_of, plan_fabric
from dynagen.plan.fit.gpu_memory import stored_bytes
from dynagen.plan.fit.judging import judge
from dynagen.plan.fit.machines import check_machines
from dynagen.plan.fit.models import find_shape
from dynagen.plan.fit.question import Part
from dynagen.plan.fit.shape import Shape
from dynagen.plan.flags import check_flags
from dynagen.plan.gateway import check_gateway
from dynagen.plan.images import plan_images
from dynagen.plan.kv_offload import check_offload
from dynagen.plan.mesh import check_mesh, plain_clients
from dynagen.plan.model_cache import check_model_cache, plan_model_cache
from dynagen.plan.nvlink import check_domain, plan_domain
from dynagen.plan.parsers import check_parsers
from dynagen.plan.rollout import check_rollout
from dynagen.plan.routing import check_router, router_arguments, sync_arguments
from dynagen.plan.shutdown import plan_shutdown
from dynagen.plan.speculation import check_speculation, find_draft
from dynagen.plan.spot import check_spot
from dynagen.plan.start import check_start
from dynagen.plan.storage import Load, check_storage
from dynagen.plan.values import Frontend, GraphNames, ModelCache, Plan, Platform, PodSecurity, Worker
from dynagen.plan.volumes import check_volumes, plan_compilation_cache, plan_volumes
from dynagen.plan.wishes import check_wishes
from dynagen.plan.workers import plan_parts, plan_worker
from dynagen.profile import Profile
from dynagen.profile.facts import LookUp
from dynagen.profile.releases import facts_of_release
from dynagen.text.versions import Version, parse_version

_FRONTEND_PORT = 8000
# Tokenizers, images of prompts and many streams take much more for a while; recipes/ of ai-dynamo/dynamo allow 16 to 128 GiB. It
# asks for what small nodes have.
_FRONTEND_MEMORY, _FRONTEND_MEMORY_LIMIT = "4Gi", "16Gi"


def make_plan(
    profile: Profile, facts: Mapping[str, Any], look_up: LookUp, config: Mapping[str, Any] | None, report: Report
) -> Plan:
    """The plan of a checked profile. Reports DG401 to DG440 and DG477; the plan is worth nothing when an error was reported.

    `look_up` has the facts that are read when they are asked for, `config` is the model's config.json if the profile has it.
    """
    data = profile.data
    release = parse_version(data["release"])
    gpu = {"name": data["gpu"], **facts["gpus"][data["gpu"]]}
    parts = plan_parts(profile, gpu)
    shape = find_shape(profile, config, look_up, report)
    draft = find_draft(data, look_up)
    load = _load(profile, parts, shape, draft)
    cache = plan_model_cache(data, facts, release, load)
    context = judge(profile, parts, shape, gpu, facts, release, draft, report)
    longest = context or (shape.context if shape else None)
    workers = [
        plan_worker(profile, part, gpu, release, cache, context, longest, load.weights, report) for part in parts
    ]
    check_offload(profile, parts, workers, shape, gpu, release, report)
    compilation_cache = plan_compilation_cache(data, facts)
    check_volumes(profile, compilation_cache, facts, report)
    check_speculation(profile, parts, shape, draft, release, report)
    _check(profile, parts, workers, cache, load, gpu, release, facts, look_up, report)
    return Plan(
        metadata={key: data["metadata"][key] for key in ("name", "namespace")},
        backend=data["backend"],
        model=data["model"],
        revision=data.get("revision"),
        served_model_name=data.get("servedModelName", data["model"]),
        context=context,
        release=data["release"],
        release_number=release[0] * 10000 + release[1] * 100 + release[2],
        kubernetes=data["kubernetes"],
        mode="disagg" if "disagg" in data else "agg",
        spot=data["spot"],
        gpu=gpu,
        images=plan_images(profile, gpu, release, report),
        graph=_graph(data["metadata"], facts_of_release(facts, data["release"])),
        pod_security=_pod_security(data, release),
        network_policy=data["networkPolicy"],
        frontend=_frontend(data, release, cache),
        workers=workers,
        model_cache=cache,
        fabric=plan_fabric(data, gpu),
        compute_domain=plan_domain(profile, parts, gpu),
        compilation_cache=compilation_cache,
        volumes=plan_volumes(data),
        platform=_platform(data["platform"]),
        hugging_face_secret=data.get("huggingFaceSecret"),
        create_namespace=data["createNamespace"],
        labels=_labels(data["metadata"]),
        annotations=dict(data["metadata"].get("annotations", {})),
        overlays=list(data["overlays"]),
    )


def _check(
    profile: Profile, parts: Sequence[Part], workers: Sequence[Worker], cache: ModelCache | None, load: Load,
    gpu: Mapping[str, Any], release: Version, facts: Mapping[str, Any], look_up: LookUp, report: Report,
) -> None:  # fmt: skip
    """What is to be said of a plan whose parts are there."""
    data, paths = profile.data, [part.path for part in parts]
    check_machines(profile, paths, workers, gpu, facts, report)
    check_fabric(profile, parts, gpu, facts, report)
    check_domain(profile, parts, gpu, facts, report)
    check_wishes(profile, cache, facts, report)
    check_driver(profile, facts, report)
    engines = facts_of_release(facts, data["release"]).get("engines", {})
    check_gateway(profile, report)
    check_mesh(profile, report)
    check_flags(profile, paths, engines, look_up, report)
    check_config(profile, paths, report)
    check_rollout(profile, release, report)
    check_router(profile, paths, look_up, report)
    check_parsers(profile, paths, look_up, report)
    check_block_size(profile, paths, engines, look_up, report)
    check_spot(profile, report)
    check_start(profile, paths, report)
    check_names(profile, [worker.name for worker in workers], cache is not None and cache.download, report)
    if cache:
        check_model_cache(profile, cache, workers, gpu, facts, report)
    check_storage(profile, cache, load, facts, report)


def _pod_security(data: Mapping[str, Any], release: Version) -> PodSecurity:
    """The release's images run as user 1000 (`USER dynamo` in container/templates of ai-dynamo/dynamo, from 1.0 on); others may
    not start as that."""
    said = data.get("podSecurity")
    if said:
        return PodSecurity(said == "restricted", said == "restricted")
    own = release >= (1, 0, 0) and "image" not in data
    # A fabric takes a worker that pins memory: DG733.
    return PodSecurity(own and "image" not in data["frontend"], own and fabric_of(data) == "none")


def _load(profile: Profile, parts: Sequence[Part], shape: Shape | None, draft: Shape | None) -> Load:
    weights = stored_bytes(shape) + (stored_bytes(draft) if draft else 0) if shape else None
    return Load(weights, sum(profile.value((*part.path, "replicas")) * part.nodes for part in parts))


def _platform(given: Mapping[str, Any]) -> Platform:
    return Platform(given["grove"], given["lws"], given.get("kaiQueue"))


def _graph(metadata: Mapping[str, Any], facts: Mapping[str, Any]) -> GraphNames:
    namespace = dynamo_namespace(metadata["name"], metadata["namespace"])
    short = namespace if len(namespace) <= 40 else f"{namespace[:31]}-{crc32(namespace.encode()):08x}"
    return GraphNames(
        api_version=facts["apiVersion"],
        dynamo_namespace=namespace,
        metrics_namespace=namespace.replace("-", "[-_]") + "([-_][0-9a-f]{8})?",
        dashboard_uid=short,
    )


def _labels(metadata: Mapping[str, Any]) -> dict[str, str]:
    # https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
    return {
        "app.kubernetes.io/name": "dynamo",
        "app.kubernetes.io/instance": metadata["name"],
        "app.kubernetes.io/managed-by": "dynagen",
        **metadata.get("labels", {}),
    }


def _frontend(data: Mapping[str, Any], release: Version, cache: ModelCache | None) -> Frontend:
    given = data["frontend"]
    # It reads the tokenizer: from the cache, when more than one node can mount it.
    shared = cache if cache and cache.access_mode != "ReadWriteOnce" else None
    env = component_env(data, shared)
    if release >= (1, 0, 0):
        # The limit moved from the workers to the frontend with 1.0, and is 0 by default (frontend/frontend_args.py).
        env["DYN_MIGRATION_LIMIT"] = str(given["migrationLimit"])
    return Frontend(
        component=FRONTEND,
        service=name_of(data["metadata"]["name"], FRONTEND),
        port=_FRONTEND_PORT,
        replicas=given["replicas"],
        plain_clients=plain_clients(data),
        shutdown=plan_shutdown(given["longestAnswerSeconds"], release),
        args=[*router_arguments(data, release), *given["args"], *sync_arguments(data)] or None,
        env=env_vars(env),
        profile_env=env_vars(given["env"]),
        cpu=str(given["cpu"]),
        memory=str(given.get("memory", _FRONTEND_MEMORY)),
        memory_limit=str(given.get("memory", _FRONTEND_MEMORY_LIMIT)),
    )
