"""Networks for GPUs: what pods get for each word, by the facts of their machines, and when nothing is to be said any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.unit.compiling import HEAD, compiled, env, pod
from tests.unit.compiling import component as component_of
from tests.unit.test_plan import complaints, plan_of

WHOLE = {"nvidia-h200-141gb": 8, "nvidia-b200": 8, "nvidia-gb200": 4, "nvidia-gb300": 4}


def text_of(gpu: str, fabric: str, prefill: int, decode: int = 0, more: str = "", backend: str = "vllm") -> str:
    return (
        f"backend: {backend}\ngpu: {gpu}\noverlays: [gke]\nmodelCache: {{claimName: models}}\n"
        f"disagg: {{prefill: {{gpus: {prefill}}}, decode: {{gpus: {decode or prefill}}}}}\n"
        f"engineArgs: []\ngke: {{capacity: reservation, {fabric}}}\n{more}"
    )


def codes(text: str) -> list[str]:
    # The model is too small for many GPUs, which is not what is asked here.
    return [code for code, _ in complaints(text) if code[:4] in ("DG43", "DG61", "DG71", "DG73") and code != "DG431"]


def manifests(text: str, model: str = "Qwen/Qwen3-32B") -> dict[tuple[str, str], dict[str, Any]]:
    report = Report()
    documents = parse(HEAD.replace("Qwen/Qwen3-0.6B", model) + text, "profile.yaml", report)
    compilation = compile_profile(Request(documents, [], Path(), Path()), report)
    assert not report.failed, report.diagnostics
    return {(manifest.kind, manifest.name): manifest.to_data() for manifest in compilation.manifests}


@pytest.mark.parametrize(("gpu", "networks"), [("nvidia-h200-141gb", 8), ("nvidia-b200", 8), ("nvidia-gb200", 4)])
def test_rdma_attaches_all_networks_of_the_node(gpu: str, networks: int) -> None:
    found = manifests(text_of(gpu, "fabric: rdma", WHOLE[gpu]))
    template = component_of(found, "decode")["podTemplate"]
    annotations, main = template["metadata"]["annotations"], template["spec"]["containers"][0]
    interfaces = {
        each["interfaceName"]: each["network"] for each in json.loads(annotations["networking.gke.io/interfaces"])
    }
    assert annotations["networking.gke.io/default-interface"] == "eth0"
    assert interfaces == {"eth0": "default"} | {f"eth{number + 2}": f"rdma-{number}" for number in range(networks)}
    for kind in ("requests", "limits"):
        asked = {key for key in main["resources"][kind] if key.startswith("networking.gke.io.networks/")}
        assert len(asked) == 2 * networks
    assert (
        main["securityContext"]["capabilities"] == {"add": ["IPC_LOCK"]} and main["securityContext"]["runAsUser"] == 0
    )
    assert env(template["spec"])["VLLM_NIXL_SIDE_CHANNEL_HOST"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert (
        main["command"][0] == "/bin/bash"
        and ". /usr/local/gib/scripts/set_nccl_env.sh\nexec python3" in main["args"][0]
    )
    assert {"name": "gib", "hostPath": {"path": "/home/kubernetes/bin/gib", "type": "Directory"}} in template["spec"][
        "volumes"
    ]
    assert "labels" not in found["Namespace", "ml-prod"]["metadata"] or not any(
        "pod-security" in key for key in found["Namespace", "ml-prod"]["metadata"]["labels"]
    )


def test_the_frontend_stays_as_it_is() -> None:
    plain, with_rdma = (
        pod(manifests(text_of("nvidia-b200", fabric, 8)), "Frontend") for fabric in ("fabric: none", "fabric: rdma")
    )
    assert plain == with_rdma


@pytest.mark.parametrize(("gpu", "gpus", "devices"), [
    ("nvidia-h200-141gb", 8, 8), ("nvidia-h200-141gb", 2, 2), ("nvidia-b200", 4, 4), ("nvidia-gb200", 2, 2),
    ("nvidia-gb300", 4, 8), ("nvidia-gb300", 1, 2),
])  # fmt: skip
def test_claims_are_for_the_share_of_the_node(gpu: str, gpus: int, devices: int) -> None:
    found = manifests(text_of(gpu, "fabric: dranet", gpus), "Qwen/Qwen3-8B")
    (request,) = found["ResourceClaimTemplate", f"chat-prefill-rdma-{devices}"]["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"] == {
        "deviceClassName": "mrdma.google.com", "allocationMode": "ExactCount", "count": devices,
    }  # fmt: skip
    spec = pod(found, "prefill")
    assert spec["resourceClaims"] == [{"name": "rdma", "resourceClaimTemplateName": f"chat-prefill-rdma-{devices}"}]
    assert spec["containers"][0]["resources"]["claims"] == [{"name": "rdma"}]
    has_plugin = any(volume["name"] == "gib" for volume in spec["volumes"])
    assert has_plugin == (gpu != "nvidia-gb300")
    assert ("UCX_IB_GID_INDEX" in env(spec)) == (gpu == "nvidia-gb300")


def test_old_releases_get_the_same_in_their_version() -> None:
    found = manifests(text_of("nvidia-b200", "fabric: rdma", 8, more="release: 1.1.1\n"))
    worker = found["DynamoGraphDeployment", "chat"]["spec"]["services"]["decode"]
    assert worker["resources"]["limits"]["custom"]["networking.gke.io.networks/rdma-7"] == "1"
    assert worker["extraPodMetadata"]["annotations"]["networking.gke.io/default-interface"] == "eth0"


@pytest.mark.parametrize(("text", "expected"), [
    (text_of("nvidia-h200-141gb", "fabric: rdma", 8), []),
    (text_of("nvidia-h200-141gb", "fabric: dranet", 4, 8), []),
    (text_of("nvidia-h200-141gb", "fabric: none", 8), ["DG437"]),
    (text_of("nvidia-h200-141gb", "fabric: rdma", 8, 4), ["DG731"]),
    (text_of("nvidia-gb300", "fabric: rdma", 4), ["DG437", "DG730"]),
    (text_of("nvidia-gb300", "fabric: dranet", 2, 4), []),
    (text_of("nvidia-gb300", "fabric: dranet", 4, more='kubernetes: "1.34"\n'), []),
    (text_of("nvidia-gb200", "fabric: dranet", 4, more='kubernetes: "1.32"\n'), ["DG732"]),
    (text_of("nvidia-gb200", "fabric: rdma", 4, more='kubernetes: "1.32"\n'), []),
    (text_of("nvidia-gb200", "fabric: rdma", 4, more="podSecurity: restricted\n"), ["DG733"]),
    (text_of("nvidia-gb200", "fabric: rdma", 4, more="podSecurity: none\n"), []),
    (text_of("nvidia-gb200", "fabric: none", 4, more="podSecurity: restricted\n"), ["DG437"]),
    (text_of("nvidia-h100-mega-80gb", "fabric: tcpxo", 8), ["DG437", "DG736"]),
    (text_of("nvidia-h100-80gb", "fabric: rdma", 8), ["DG437", "DG730"]),
])  # fmt: skip
def test_what_is_said_of_a_fabric(text: str, expected: list[str]) -> None:
    assert sorted(codes(text)) == expected


@pytest.mark.parametrize(("gpus", "more", "offered"), [
    (8, "", ["rdma", "dranet"]), (4, "", ["dranet"]), (8, 'kubernetes: "1.33"\n', ["rdma"]),
])  # fmt: skip
def test_what_is_offered_instead_of_tcp_works(gpus: int, more: str, offered: list[str]) -> None:
    text = text_of("nvidia-b200", "fabric: none", gpus, more=more)
    report = Report()
    documents = parse(HEAD + text, "profile.yaml", report)
    compile_profile(Request(documents, [], Path(), Path()), report)
    (hint,) = (each.hint for each in report.diagnostics if each.code == "DG437")
    for kind in ("rdma", "dranet"):
        assert (f"fabric: {kind}" in str(hint)) == (kind in offered)
        if kind in offered:
            assert codes(text.replace("fabric: none", f"fabric: {kind}")) == []


def test_several_nodes_with_a_fabric_need_no_word() -> None:
    text = (
        "backend: vllm\ngpu: nvidia-h200-141gb\noverlays: [gke]\nmodelCache: {claimName: models}\nplatform: {grove: true}\n"
        "agg: {gpus: 16, parallel: {pipeline: 16}}\ngke: {capacity: reservation, fabric: rdma}\n"
    )
    assert component_of(compiled(text), "worker")["multinode"] == {"nodeCount": 2}


def test_a_layer_names_the_networks_of_its_cluster(tmp_path: Path) -> None:
    facts = tmp_path / "team/facts/gpus"
    facts.mkdir(parents=True)
    (tmp_path / "team/layer.yaml").write_text("description: Ours.\n")
    (facts / "nvidia-gb200.yaml").write_text("# source: us\nfabrics: {rdma: {networks: {eth2: roce-a, eth3: null}}}\n")
    report = Report()
    text = text_of("nvidia-gb200", "fabric: rdma", 4).replace("[gke]", "[gke, ./team]")
    documents = parse(HEAD + text, str(tmp_path / "profile.yaml"), report)
    compilation = compile_profile(Request(documents, [], tmp_path, tmp_path), report)
    found = {(manifest.kind, manifest.name): manifest.to_data() for manifest in compilation.manifests}
    annotations = component_of(found, "decode")["podTemplate"]["metadata"]["annotations"]
    networks = [each["network"] for each in json.loads(annotations["networking.gke.io/interfaces"])]
    assert networks == ["default", "roce-a", "rdma-2", "rdma-3"]


def test_without_the_layer_there_is_none() -> None:
    fabric = plan_of("backend: vllm\ngpu: nvidia-b200\nagg: {gpus: 1}\n").fabric
    assert (fabric.kind, fabric.interfaces, fabric.resources, fabric.env) == ("none", None, {}, [])
