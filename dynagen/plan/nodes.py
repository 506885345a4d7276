"""How many nodes a worker is spread over, and whether its engine and its cluster can do that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Position, Report
from dynagen.plan.fabric import attaching, has_fabric
from dynagen.plan.fit.gpu_memory import Layout
from dynagen.plan.fit.parallel import NO_WAY
from dynagen.plan.fit.question import Part
from dynagen.plan.nvlink import domain_ways, has_domain
from dynagen.plan.placement import joins_nodes, largest_node
from dynagen.profile import Profile
from dynagen.text.versions import Version, parse_version

# vLLM's own multiprocessing starts the nodes since then; before, the operator wraps the command with Ray and loses what a shell
# was to do first (VLLMMultiprocessing in deploy/operator/internal/features/compatibility/gates.go of ai-dynamo/dynamo).
_VLLM_WITHOUT_RAY = (1, 0, 0)


def nodes_of(worker: Mapping[str, Any], gpu: Mapping[str, Any]) -> int:
    """What the profile says for a worker, else as few as its GPUs need."""
    return int(worker.get("nodes") or -(-worker["gpus"] // largest_node(gpu)))


def is_even(profile: Profile, part: Part, gpu: Mapping[str, Any]) -> bool:
    """Whether each node of a worker has as many of its GPUs, and not more than there are."""
    gpus = profile.value(part.path)["gpus"]
    return bool(gpus % part.nodes == 0 and gpus // part.nodes <= largest_node(gpu))


def check_nodes(
    profile: Profile, part: Part, gpu: Mapping[str, Any], offered: Callable[[], Sequence[str]], report: Report
) -> bool:
    """Whether there are nodes for a worker. Reports DG403 for GPUs that they do not have evenly, DG710 for nodes that nothing
    joins, DG711 for an engine that does not share its model that way over nodes, DG712 for nodes without RDMA.

    `offered` is what would do instead, on one node.
    """
    gpus, nodes = profile.value(part.path)["gpus"], part.nodes
    at = profile.written((*part.path, "nodes")) or profile.at((*part.path, "gpus"))
    joined = joins_nodes(profile.data["platform"])
    if not is_even(profile, part, gpu):
        ways = _even(profile, part, gpu) if joined else offered()
        report.add(
            "DG403", f"a worker of {gpus} GPUs on {nodes} node{'s' * (nodes > 1)}: a node has {largest_node(gpu)} of type {gpu['name']} "
            "at most, and each must have as many", at, hint="use " + " or ".join(ways) if ways else NO_WAY,
        )  # fmt: skip
        return False
    if nodes > 1 and not joined:
        others = offered()
        report.add(
            "DG710", f"worker '{part.name}' of {gpus} GPUs takes {nodes} nodes, and the profile names nothing that joins them", at,
            hint="say 'platform: {grove: true}' if the cluster has Grove, or 'platform: {lws: true}' if it has LeaderWorkerSet and Volcano"
            + (f"; or use {', or '.join(others)}" if others else ""),
        )  # fmt: skip
        return False
    if nodes > 1:
        _check_spread(profile, part, gpu, at, report)
    return True


def _even(profile: Profile, part: Part, gpu: Mapping[str, Any]) -> list[str]:
    """Numbers of nodes, or of GPUs, that go into each other."""
    gpus, most = profile.value(part.path)["gpus"], largest_node(gpu)
    if "nodes" in profile.value(part.path):
        fitting = [number for number in range(1, gpus + 1) if gpus % number == 0 and gpus // number <= most]
        return [f"'nodes: {number}'" for number in fitting[:2]]
    return [f"'gpus: {number}'" for number in (gpus - gpus % most, gpus - gpus % most + most)]


def _check_spread(profile: Profile, part: Part, gpu: Mapping[str, Any], at: Position, report: Report) -> None:
    _check_network(profile, part, gpu, at, report)
    release, gpus = parse_version(profile.data["release"]), profile.value(part.path)["gpus"] // part.nodes
    for path, message, hint in unspreadable(profile.data["backend"], release, part.layout, gpus):
        report.add("DG711", f"worker '{part.name}': {message}", profile.written((*part.path, *path)) or at, hint)


def _check_network(profile: Profile, part: Part, gpu: Mapping[str, Any], at: Position, report: Report) -> None:
    """Reports DG712 for nodes that exchange by TCP."""
    data = profile.data
    if "rdma" not in gpu or has_fabric(data, gpu) or has_domain(data, gpu, part.nodes):
        return  # without "rdma" no layer knows the machines
    pods = [profile.value(part.path)["gpus"] // part.nodes]
    report.add(
        "DG712", f"the {part.nodes} nodes of worker '{part.name}' exchange by TCP what they compute: pods with {gpu['name']} get no RDMA device", at,
        hint=attaching(data, gpu, pods, domain_ways(data, gpu), "use a GPU with more memory, on one node"), severity="warning",
    )  # fmt: skip


def unspreadable(backend: str, release: Version, layout: Layout, gpus: int) -> Iterator[tuple[KeyPath, str, str]]:
    """What an engine does not do over nodes with `gpus` GPUs each: path in the worker, message and hint."""
    engine = layout.tensor * layout.pipeline
    if backend == "vllm":
        if release < _VLLM_WITHOUT_RAY:
            yield (
                (),
                "before release 1.0.0 the operator starts vLLM on several nodes with Ray",
                "use release 1.0.0 or later",
            )
        # updateVLLMMultinodeArgs in deploy/operator/internal/dynamo/backend_vllm.go: either an engine over nodes, or copies on each
        elif layout.data > 1 and (engine > gpus or gpus % engine):
            yield (
                ("parallel",), f"each copy has {engine} GPUs and a node {gpus}: the operator spreads one copy over nodes, or whole ones",
                f"use 'tensor' and 'pipeline' whose product divides {gpus}, or leave 'data' out",
            )  # fmt: skip
    elif backend == "sglang" and layout.data > 1 and not layout.expert:
        # "multi-node data parallel is not supported unless dp attention" in sglang/srt/server_args.py
        yield (
            ("parallel",), "SGLang has copies on several nodes only with attention in parallel and experts spread over all",
            "leave 'data' out, or add 'expert: true' to 'parallel' if the model has experts",
        )  # fmt: skip
