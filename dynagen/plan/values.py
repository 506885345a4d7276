"""The values of a plan. Layers see them in camelCase; `dynagen plan` prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath

# Which values of the profile a field of the plan follows from. `{worker}` is the worker's place in the profile:
# `agg`, `disagg.prefill` or `disagg.decode`.
Sources = tuple[str, ...]


class Images(NamedTuple):
    """Container images; `runtime_version_override` is empty when the tags say the version."""

    frontend: str
    worker: str
    runtime_version_override: str | None


class Frontend(NamedTuple):
    """The component that serves HTTP. `args` follow `python3 -m dynamo.frontend`.

    `env` and `profile_env` are lists of EnvVar: what dynagen sets, and what the profile says, which wins over all layers.
    """

    component: str
    service: str
    port: int
    replicas: int
    args: list[str] | None
    env: list[dict[str, Any]]
    profile_env: list[dict[str, Any]]
    cpu: str
    memory: str


class Machine(NamedTuple):
    """A machine type as a layer's facts have it. `memory_gib` and `vcpu` are those of the whole machine."""

    type: str
    gpus: int
    vcpu: int
    memory_gib: int
    on_demand: bool
    spot: bool


class Worker(NamedTuple):
    """One component that runs the engine.

    `command` and `args` start it directly; `script` is the same as one POSIX shell command, a flag a line, for
    containers that must prepare their environment first. `gpus` are those of one replica, `machine` the node that it is
    planned for. `env` and `profile_env` are lists of EnvVar as for the frontend.
    """

    name: str
    type: str
    replicas: int
    gpus: int
    tensor_parallel: int
    pipeline_parallel: int
    data_parallel: int
    expert_parallel: bool
    command: list[str]
    args: list[str]
    script: str
    env: list[dict[str, Any]]
    profile_env: list[dict[str, Any]]
    machine: Machine | None
    cpu: str | None
    memory: str | None
    shared_memory: str
    spot: bool


class ModelCache(NamedTuple):
    """A volume with the model. `create` is false for a claim that exists; then nothing fills it either.

    `job` names the download Job, `download_env` is its list of EnvVar.
    """

    claim: str
    create: bool
    size: str | None
    storage_class_name: str | None
    access_mode: str
    mount_path: str
    download: bool
    job: str
    download_env: list[dict[str, Any]]
    access_pod: bool


class Graph(NamedTuple):
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
    served_model_name: str
    context: int | None
    release: str
    release_number: int
    kubernetes: str
    mode: str
    spot: bool
    gpu: dict[str, Any]
    images: Images
    graph: Graph
    frontend: Frontend
    workers: list[Worker]
    model_cache: ModelCache | None
    hugging_face_secret: str | None
    create_namespace: bool
    labels: dict[str, str]
    annotations: dict[str, str]
    overlays: list[str]

    @classmethod
    def names(cls) -> list[str]:
        """What expressions can name."""
        return [_camel_case(name) for name in cls._fields]

    def to_data(self) -> dict[str, Any]:
        """The plan as plain data, as expressions see it."""
        data: dict[str, Any] = _to_data(self)
        return data

    def sources_of(self, path: KeyPath) -> tuple[KeyPath, ...]:
        """The places in the profile that the plan's value at `path` follows from; empty when there are none."""
        worker_path = ""
        if path[:1] == ("workers",):
            number = path[1] if len(path) > 1 and isinstance(path[1], int) else None
            chosen = self.workers if number is None else self.workers[number : number + 1]
            names = [_WORKER_PATHS[worker.name] for worker in chosen]
            rest = ".".join(str(part) for part in path[2:3])
            found: list[KeyPath] = []
            for worker_path in names:
                for source in _WORKER_SOURCES.get(rest, _ALL_WORKER_SOURCES):
                    found.append(tuple(source.format(worker=worker_path).split(".")))
            return tuple(dict.fromkeys(found))
        for length in range(len(path), 0, -1):
            text = ".".join(str(part) for part in path[:length])
            if text in _SOURCES:
                return tuple(tuple(source.split(".")) for source in _SOURCES[text])
        return (tuple(path),)


def _to_data(value: Any) -> Any:
    if hasattr(value, "_fields"):
        return {_camel_case(name): _to_data(inner) for name, inner in zip(value._fields, value, strict=True)}
    if isinstance(value, Mapping):
        return {key: _to_data(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_to_data(inner) for inner in value]
    return value


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


_WORKER_PATHS = {"worker": "agg", "prefill": "disagg.prefill", "decode": "disagg.decode"}

_LAUNCH: Sources = (
    "backend",
    "model",
    "servedModelName",
    "release",
    "{worker}.gpus",
    "{worker}.parallel",
    "context",
    "concurrency",
    "engineArgs",
    "{worker}.engineArgs",
)
_WORKER_SOURCES: dict[str, Sources] = {
    "name": ("{worker}",),
    "type": ("{worker}",),
    "replicas": ("{worker}.replicas",),
    "gpus": ("{worker}.gpus",),
    "tensorParallel": ("{worker}.gpus", "{worker}.parallel"),
    "pipelineParallel": ("{worker}.parallel",),
    "dataParallel": ("{worker}.parallel",),
    "expertParallel": ("{worker}.parallel",),
    "command": ("backend",),
    "args": _LAUNCH,
    "script": _LAUNCH,
    "env": ("modelCache.mountPath", "modelCache", "huggingFaceSecret"),
    "profileEnv": ("{worker}.env", "env"),
    "machine": ("{worker}.gpus", "gpu", "spot", "gke.machineType"),
    "cpu": ("{worker}.cpu", "{worker}.gpus", "gpu", "gke.machineType"),
    "memory": ("{worker}.memory", "{worker}.gpus", "gpu", "gke.machineType"),
    "sharedMemory": ("{worker}.sharedMemory", "{worker}.gpus"),
    "spot": ("spot",),
}
_ALL_WORKER_SOURCES: Sources = tuple(
    dict.fromkeys(source for sources in _WORKER_SOURCES.values() for source in sources)
)

_SOURCES: dict[str, Sources] = {
    "images.frontend": ("frontend.image", "release"),
    "images.worker": ("image", "backend", "release"),
    "images.runtimeVersionOverride": ("runtimeVersionOverride",),
    "images": ("image", "frontend.image", "backend", "release", "runtimeVersionOverride"),
    "graph.apiVersion": ("release",),
    "releaseNumber": ("release",),
    "graph.dashboardUid": ("metadata.namespace", "metadata.name"),
    "graph.metricsNamespace": ("metadata.namespace", "metadata.name"),
    "graph.dynamoNamespace": ("metadata.namespace", "metadata.name"),
    "frontend.service": ("metadata.name",),
    "frontend.component": (),
    "frontend.port": (),
    "frontend.args": ("frontend.args",),
    "frontend.env": ("frontend.migrationLimit", "release", "modelCache", "huggingFaceSecret"),
    "frontend.profileEnv": ("frontend.env",),
    "mode": ("disagg", "agg"),
    "modelCache.claim": ("modelCache.claimName", "metadata.name"),
    "modelCache.create": ("modelCache.claimName",),
    "modelCache.job": ("metadata.name", "model"),
    "modelCache.downloadEnv": ("model", "modelCache", "huggingFaceSecret"),
    "labels": ("metadata.labels", "metadata.name"),
    "annotations": ("metadata.annotations",),
    "servedModelName": ("servedModelName", "model"),
    "context": ("context", "model", "modelConfig", "gpu"),
}
