"""The values of a plan. Layers see them in camelCase; `dynagen plan` prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Images(NamedTuple):
    """Container images; `runtime_version_override` is empty when the tags say the version. `tools` has a shell and Python with
    huggingface_hub.
    """

    frontend: str
    worker: str
    tools: str
    runtime_version_override: str | None


class Shutdown(NamedTuple):
    """How a frontend goes away, in seconds: it serves on for `serving`, then takes no more and has `answer` for what is under
    way. `wait` is what its own variable says, `proxy` how long what stands in its pod must stay, `grace` the pod's limit.
    """

    serving: int
    answer: int
    wait: int
    proxy: int
    grace: int


class Frontend(NamedTuple):
    """The component that serves HTTP. `args` follow `python3 -m dynamo.frontend`.

    `env` and `profile_env` are lists of EnvVar: what dynagen sets, and what the profile says, which wins over all layers.
    `shutdown` says how it goes away. `plain_clients` are keys of the profile that bring somebody who asks it without a sidecar.
    """

    component: str
    service: str
    port: int
    replicas: int
    shutdown: Shutdown
    plain_clients: list[str]
    args: list[str] | None
    env: list[dict[str, Any]]
    profile_env: list[dict[str, Any]]
    cpu: str
    memory: str
    memory_limit: str


class Machine(NamedTuple):
    """A machine type as a layer's facts have it. `memory_gib` and `vcpu` are those of the whole machine."""

    type: str
    gpus: int
    vcpu: int
    memory_gib: int
    on_demand: bool
    spot: bool


class Rollout(NamedTuple):
    """How workers are replaced, in the words of the operator's annotations; what is None is left to it."""

    strategy: str | None
    max_surge: str | None
    max_unavailable: str | None


class Worker(NamedTuple):
    """One component that runs the engine.

    `command` and `args` start it directly; `script` is the same as one POSIX shell command, a flag a line, for
    containers that must prepare their environment first. `gpus` are those of one replica, on `nodes` nodes with
    `gpus_per_node` each: a pod has those, and `machine` is the node that it is planned for. `env` and `profile_env` are lists
    of EnvVar as for the frontend. `engine_config` is the text of the engine's own file, if it has one.
    """

    name: str
    type: str
    replicas: int
    gpus: int
    nodes: int
    gpus_per_node: int
    devices: int
    tensor_parallel: int
    pipeline_parallel: int
    data_parallel: int
    expert_parallel: bool
    command: list[str]
    args: list[str]
    script: str
    engine_config: str | None
    engine_config_digest: str | None
    env: list[dict[str, Any]]
    profile_env: list[dict[str, Any]]
    machine: Machine | None
    cpu: str | None
    memory: str | None
    ephemeral_storage: str | None
    shared_memory: str
    rollout: Rollout
    spot: bool


class ModelCache(NamedTuple):
    """A volume with the model. `create` is false for a claim that exists; then nothing fills it either.

    `job` is what the name of the download Job begins with, `download_env` its list of EnvVar, `ready` the file that it leaves
    behind when all is there. Components wait for that when `download` is true. `is_offline`: they take nothing from the Hub.
    `draft` is a repository that is downloaded as well. `disk_throughput` is what a disk that is made for it shall have, in MiB/s.
    """

    claim: str
    create: bool
    size: str | None
    storage_class_name: str | None
    disk_throughput: int | None
    access_mode: str
    mount_path: str
    download: bool
    is_offline: bool
    job: str
    ready: str
    draft: str | None
    download_env: list[dict[str, Any]]
    access_pod: bool


class Fabric(NamedTuple):
    """The network for GPUs that pods of workers get beside their own. `kind` is the profile's word for it, `interfaces` the text of
    GKE's annotation, `resources` what each pod asks for, `env` a list of EnvVar. `gib`: Google's NCCL plugin lies on the nodes.
    """

    kind: str
    interfaces: str | None
    resources: dict[str, str]
    env: list[dict[str, Any]]
    gib: bool


class ComputeDomain(NamedTuple):
    """Memory of GPUs shared over NVLink between nodes: its name, the template of claims that the driver makes of it, and the names of
    the `workers` whose pods are in it. `near`, by worker: those that are kept in one NVLink domain with it.
    """

    name: str
    channel: str
    workers: list[str]
    near: dict[str, list[str]]


class CompilationCache(NamedTuple):
    """A volume that keeps what engines compile. `create` is false for a claim that exists."""

    claim: str
    create: bool
    size: str | None
    storage_class_name: str | None
    mount_path: str


class Volume(NamedTuple):
    """A claim that exists, mounted in every worker; `name` is the volume's in the pod."""

    name: str
    claim: str
    mount_path: str
    read_only: bool


class Platform(NamedTuple):
    """What the cluster has beside Dynamo's operator. `lws` stands for LeaderWorkerSet and Volcano."""

    grove: bool
    lws: bool
    kai_queue: str | None


class PodSecurity(NamedTuple):
    """Whether the pods of frontend and workers are restricted, and so the namespace may say that they are."""

    frontend: bool
    workers: bool


class GraphNames(NamedTuple):
    """What the operator makes of the graph's name
    (deploy/operator/internal/consts/consts.go and internal/dynamo/graph.go of ai-dynamo/dynamo).

    `metrics_namespace` is a regular expression for the label dynamo_namespace, which three writers spell in three ways:
    with dashes, with underscores, and with a hash of the workers at the end (planner/monitoring/traffic_metrics.py and
    common/utils/prometheus.py in the wheel ai-dynamo 1.6.1). `dashboard_uid` has 40 characters at most, as Grafana wants.
    """

    api_version: str
    dynamo_namespace: str
    metrics_namespace: str
    dashboard_uid: str


class Plan(NamedTuple):
    """Everything that layers can refer to, beside `facts` and the sections of the overlays.

    `release_number` is the release as a number that can be compared: 10601 for 1.6.1. `context` is the longest sequence in
    tokens, null when it is the model's own.
    """

    metadata: dict[str, Any]
    backend: str
    model: str
    revision: str | None
    served_model_name: str
    context: int | None
    release: str
    release_number: int
    kubernetes: str
    mode: str
    spot: bool
    gpu: dict[str, Any]
    images: Images
    graph: GraphNames
    pod_security: PodSecurity
    network_policy: bool
    frontend: Frontend
    workers: list[Worker]
    model_cache: ModelCache | None
    fabric: Fabric
    compute_domain: ComputeDomain | None
    compilation_cache: CompilationCache | None
    volumes: list[Volume]
    platform: Platform
    hugging_face_secret: str | None
    create_namespace: bool
    labels: dict[str, str]
    annotations: dict[str, str]
    overlays: list[str]

    @classmethod
    def names(cls) -> list[str]:
        """What expressions can name."""
        return [_camel_case(name) for name in cls._fields]

    def arguments(self) -> frozenset[str]:
        """All arguments of engines and of the frontend: those of the profile have been judged where it says them."""
        return frozenset(
            word for args in (self.frontend.args, *(each.args for each in self.workers)) for word in args or ()
        )

    def to_data(self) -> dict[str, Any]:
        """The plan as plain data, as expressions see it."""
        data: dict[str, Any] = _to_data(self)
        return data


def _to_data(value: Any) -> Any:
    if hasattr(value, "_fields"):
        return {_camel_case(name): _to_data(inner) for name, inner in zip(value._fields, value, strict=True)}
    if isinstance(value, Mapping):
        return {key: _to_data(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_to_data(inner) for inner in value]
    return value


def _camel_case(name: str) -> str:
    if "_" not in name:
        return name
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
