"""The network for GPUs that a profile asks for, beside the pods' own: what workers get for it, and whether their machines have it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan.env import env_vars
from dynagen.plan.fit.question import Part
from dynagen.plan.placement import largest_node
from dynagen.plan.values import Fabric
from dynagen.profile import Profile
from dynagen.text.versions import numbered

_FABRIC = ("gke", "fabric")
# A daemon beside each pod serves NCCL's plugin: gpudirect-tcpxo/README.md of GoogleCloudPlatform/container-engine-accelerators. UCX, by
# which NIXL hands over caches, has no transport for it.
_NCCL_ONLY = ("tcpxo", "tcpx")


def fabric_of(data: Mapping[str, Any]) -> str:
    """The profile's word for it; `none` without a layer that has any."""
    return str(data.get("gke", {}).get("fabric", "none"))


def has_fabric(data: Mapping[str, Any], gpu: Mapping[str, Any]) -> bool:
    """Whether pods with that GPU get one."""
    return fabric_of(data) in gpu.get("fabrics", {})


def attaching(
    data: Mapping[str, Any], gpu: Mapping[str, Any], pods: Sequence[int], more: Sequence[str], otherwise: str
) -> str:
    """How pods with so many GPUs each do without TCP, as a hint: by a fabric, by `more`, or by `otherwise`, which takes no network."""
    fabrics = gpu.get("fabrics", {})
    if not fabrics:
        own = "attach RDMA with a layer of your own and silence this"
        return f"{otherwise}, or {own}" if gpu["rdma"] else f"{otherwise}: these machines have no RDMA"
    most = largest_node(gpu)
    fitting = [
        f"'gke: {{fabric: {kind}}}'" for kind, known in fabrics.items()
        if not is_before(data, known.get("kubernetes", "1.0")) and ("devices" in known or min(pods) >= most)
    ]  # fmt: skip
    if not fitting and "rdma" in fabrics:
        fitting = [f"'gke: {{fabric: rdma}}' with {most} GPUs on each node"]
    fitting += more
    said = " or ".join(part for part in (", ".join(fitting[:-1]), *fitting[-1:]) if part)
    made = f"use {said}, as the node pool was made for" if fitting else "upgrade the cluster for DRANET"
    return f"{made}; or {otherwise}"


def plan_fabric(data: Mapping[str, Any], gpu: Mapping[str, Any]) -> Fabric:
    """What pods with that GPU get."""
    kind = fabric_of(data)
    facts = gpu.get("fabrics", {}).get(kind, {})
    networks = facts.get("networks", {})
    interfaces = {"eth0": "default", **networks}
    listed = [{"interfaceName": name, "network": network} for name, network in interfaces.items()]
    return Fabric(
        kind=kind,
        interfaces=json.dumps(listed, separators=(",", ":")) if networks else None,
        # A device of the network, and an address in it: what GKE's webhook adds for the annotation (llm-d/llm-d#1730), written out.
        resources={f"networking.gke.io.networks/{each}{end}": "1" for each in networks.values() for end in ("", ".IP")},
        gib=bool(facts.get("gib")),
        env=env_vars(facts.get("env", {})),
    )


def devices_of(data: Mapping[str, Any], gpu: Mapping[str, Any], gpus: int) -> int:
    """How many devices a pod of `gpus` GPUs claims: its share of those that a node has."""
    devices = gpu.get("fabrics", {}).get(fabric_of(data), {}).get("devices", 0)
    return int(devices) * gpus // largest_node(gpu)


def check_fabric(
    profile: Profile, parts: Sequence[Part], gpu: Mapping[str, Any], facts: Mapping[str, Any], report: Report
) -> None:
    """Reports DG730 to DG733, and DG736."""
    for code, path, message, hint in _wrong(profile, parts, gpu, facts):
        report.add(code, message, profile.written(path) or profile.at(path), hint)


def _wrong(
    profile: Profile, parts: Sequence[Part], gpu: Mapping[str, Any], facts: Mapping[str, Any]
) -> Iterator[tuple[str, KeyPath, str, str]]:
    """Code, path, message and hint of each."""
    data, kind = profile.data, fabric_of(profile.data)
    if kind == "none":
        return
    fabric = gpu.get("fabrics", {}).get(kind)
    if kind in _NCCL_ONLY:
        yield (
            "DG736", _FABRIC, f"GPUDirect-{kind.upper()} carries what NCCL sends, not the caches that prefill hands over, and nothing here attaches it",
            "attach it with a layer of your own; 'fabric: rdma' is for " + ", ".join(_having(facts, "rdma")),
        )  # fmt: skip
    elif fabric is None:
        having = _having(facts, kind)
        own = " or ".join(f"'fabric: {each}'" for each in gpu.get("fabrics", {}))
        others = f"leave it out; {kind} is for {', '.join(having)}" if having else "leave it out"
        yield "DG730", _FABRIC, f"machines with {gpu['name']} have no fabric '{kind}'", f"use {own}" if own else others
    if fabric is None:
        return
    if "networks" in fabric:
        yield from _shared_nodes(profile, parts, gpu)
    since = fabric.get("kubernetes")
    if since and is_before(data, since):
        other = "use 'fabric: rdma', or " if "rdma" in gpu["fabrics"] else ""
        message = f"'fabric: {kind}' needs GKE {since} or later, and the cluster has {data['kubernetes']}"
        yield "DG732", _FABRIC, message, f"{other}say 'kubernetes: \"{since}\"' once the cluster is upgraded"
    if data.get("podSecurity") == "restricted":
        message = (
            f"workers with 'fabric: {kind}' pin memory for the network, as root with IPC_LOCK: they are not restricted"
        )
        yield "DG733", ("podSecurity",), message, "leave 'podSecurity' out: the frontend stays as it is"


def _shared_nodes(
    profile: Profile, parts: Sequence[Part], gpu: Mapping[str, Any]
) -> Iterator[tuple[str, KeyPath, str, str]]:
    """Workers that leave GPUs of a node to others, which would be without the networks."""
    most = largest_node(gpu)
    dranet = gpu["fabrics"].get("dranet")
    claims = (
        ", or 'fabric: dranet', whose devices pods can share"
        if dranet and not is_before(profile.data, dranet["kubernetes"])
        else ""
    )
    for part in parts:
        given = profile.value(part.path)
        pod = given["gpus"] // part.nodes
        if pod < most:
            whole = "leave 'nodes' out" if given["gpus"] % most == 0 else f"use 'gpus: {most * part.nodes}'"
            message = f"pods of worker '{part.name}' have {pod} of the {most} GPUs of a node, and its networks go to one pod as a whole"
            yield "DG731", (*part.path, "gpus"), message, f"{whole}{claims}"


def _having(facts: Mapping[str, Any], kind: str) -> list[str]:
    return [name for name, gpu in facts["gpus"].items() if kind in gpu.get("fabrics", {})]


def is_before(data: Mapping[str, Any], version: str) -> bool:
    return numbered(str(data["kubernetes"])) < numbered(version)
