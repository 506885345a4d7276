"""One NVLink domain over nodes: who is in it, who is kept together, and what is said."""

from __future__ import annotations

import pytest

from tests.unit.compiling import component as component_of
from tests.unit.compiling import env
from tests.unit.test_fabric import codes, manifests, text_of
from tests.unit.test_plan import plan_of


def agg(gpus: int, replicas: int = 1, gke: str = "", gpu: str = "nvidia-gb200", more: str = "") -> str:
    return (
        f"backend: vllm\ngpu: {gpu}\noverlays: [gke]\nmodelCache: {{claimName: models}}\nplatform: {{grove: true}}\n"
        f"agg: {{gpus: {gpus}, replicas: {replicas}, parallel: {{pipeline: {gpus}}}}}\ngke: {{capacity: reservation{gke}}}\n{more}"
    )


def test_several_nodes_are_in_one_by_themselves() -> None:
    found = manifests(agg(16))
    domain = found["ComputeDomain", "chat"]["spec"]
    assert domain["numNodes"] == 0
    spec = component_of(found, "worker")["podTemplate"]["spec"]
    (claim,) = spec["resourceClaims"]
    assert claim["resourceClaimTemplateName"] == domain["channel"]["resourceClaimTemplate"]["name"]
    assert spec["containers"][0]["resources"]["claims"] == [{"name": claim["name"]}]
    assert env(spec)["NCCL_MNNVL_ENABLE"] == "1" and "UCX_CUDA_IPC_ENABLE_MNNVL" not in env(spec)
    assert spec["securityContext"]["runAsNonRoot"]  # the driver's device is everybody's
    terms = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert "cloud.google.com/gce-topology-subblock" in [term["topologyKey"] for term in terms]


@pytest.mark.parametrize("text", [
    agg(16, gke=", computeDomain: false"), agg(4), agg(16, more='kubernetes: "1.31"\n'), agg(16, gpu="nvidia-h200-141gb"),
    text_of("nvidia-gb200", "fabric: none", 4),
])  # fmt: skip
def test_others_are_in_none(text: str) -> None:
    assert plan_of(text).compute_domain is None


def test_asked_for_it_joins_prefill_and_decode() -> None:
    found = manifests(text_of("nvidia-gb300", "computeDomain: true", 4))
    for role in ("prefill", "decode"):
        spec = component_of(found, role)["podTemplate"]["spec"]
        assert env(spec)["UCX_CUDA_IPC_ENABLE_MNNVL"] == "y"
        (term,) = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["labelSelector"]["matchExpressions"][0]["values"] == ["prefill", "decode"]


@pytest.mark.parametrize(("text", "near"), [
    (agg(16, 4), {"worker": ["worker"]}),
    (agg(16, 5), {"worker": []}),
    (text_of("nvidia-gb200", "computeDomain: true", 4), {"prefill": ["prefill", "decode"], "decode": ["prefill", "decode"]}),
])  # fmt: skip
def test_who_is_kept_together(text: str, near: dict[str, list[str]]) -> None:
    domain = plan_of(text).compute_domain
    assert domain is not None and domain.near == near


@pytest.mark.parametrize(("text", "expected"), [
    (agg(16), []),
    (agg(16, gke=", computeDomain: false"), ["DG712"]),
    (agg(16, gke=", computeDomain: false, fabric: rdma"), []),
    (agg(16, gke=", computeDomain: true"), []),
    (agg(16, 5), ["DG735"]),
    (agg(16, more='kubernetes: "1.31"\n'), ["DG712"]),
    (agg(16, gke=", computeDomain: true", more='kubernetes: "1.31"\n'), ["DG732"]),
    (agg(4, gke=", computeDomain: true"), ["DG613"]),
    (agg(4, gke=", computeDomain: false"), []),
    (agg(8, gpu="nvidia-h200-141gb", gke=", computeDomain: true"), ["DG734"]),
    (agg(8, gpu="nvidia-h200-141gb", gke=", computeDomain: false"), []),
    (text_of("nvidia-gb200", "computeDomain: true", 4), []),
    (text_of("nvidia-gb200", "computeDomain: false", 4), ["DG437"]),
])  # fmt: skip
def test_what_is_said_of_a_domain(text: str, expected: list[str]) -> None:
    assert codes(text) == expected
