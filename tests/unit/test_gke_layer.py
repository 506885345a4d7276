"""What the GKE layer promises: drivers, placement, Spot, storage, a gateway that does not cut streams."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.layers.finding import documents, gke_layer
from dynagen.memory import Memory
from dynagen.profile.facts import load_facts
from dynagen.text.source import parse
from tests.conftest import ROOT
from tests.unit.compiling import HEAD, compiled, component, env, pod

L4 = "backend: vllm\ngpu: nvidia-l4\nagg: {}\noverlays: [gke]\n"
H100 = (
    "backend: vllm\ngpu: nvidia-h100-80gb\ndisagg: {prefill: {replicas: 2}, decode: {replicas: 2, gpus: 4}}\n"
    "spot: true\noverlays: [gke]\n"
)


def test_workers_find_the_driver_and_get_signals() -> None:
    container = pod(compiled(L4), "worker")["containers"][0]
    assert container["command"] == ["/bin/sh", "-c"]
    (script,) = container["args"]
    lines = script.splitlines()
    assert "export LD_LIBRARY_PATH=/usr/local/nvidia/lib64$LD_LIBRARY_PATH" in lines
    assert "${" not in script  # Flux substitutes that
    assert "export LIBRARY_PATH=/usr/local/nvidia/lib64" in script
    assert "/sbin/ldconfig || true" in lines
    assert lines[6] == "exec python3 -m dynamo.vllm \\"
    assert all(line.endswith("\\") for line in lines[6:-1])
    assert pod(compiled(L4), "Frontend")["containers"][0]["command"] == ["python3", "-m", "dynamo.frontend"]


def test_each_sglang_worker_is_prepared_and_placed() -> None:
    manifests = compiled(L4.replace("vllm", "sglang").replace("agg: {}", "disagg: {prefill: {}, decode: {}}"))
    for name in ("prefill", "decode"):
        spec = pod(manifests, name)
        (script,) = spec["containers"][0]["args"]
        assert (
            "exec python3 -m dynamo.sglang \\\n  --model-path" in script and f"--disaggregation-mode {name}" in script
        )
        assert spec["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
        assert spec["containers"][0]["resources"]["requests"] == {
            "cpu": "10", "memory": "40Gi", "ephemeral-storage": "12Gi",
        }  # fmt: skip


def test_the_script_runs_in_a_shell_as_written() -> None:
    """The command line survives the shell: what python3 gets is what the plan says."""
    import subprocess

    (script,) = pod(compiled(L4 + "engineArgs: ['--a=it''s', '{\"k\": \"$HOME\"}']\n"), "worker")["containers"][0][
        "args"
    ]
    shown = script.replace("exec python3", "printf '%s\\n'").replace("/sbin/ldconfig", "true")
    done = subprocess.run(["/bin/sh", "-e", "-c", shown.replace("$PATH", "")], capture_output=True, text=True, env={})
    assert done.stdout.splitlines() == [
        "-m", "dynamo.vllm", "--model", "Qwen/Qwen3-0.6B", "--tensor-parallel-size", "1", "--a=it's", '{"k": "$HOME"}',
    ]  # fmt: skip


def test_an_on_demand_worker_goes_to_its_accelerator_and_never_to_spot() -> None:
    spec = pod(compiled(L4), "worker")
    assert spec["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert [toleration["key"] for toleration in spec["tolerations"]] == ["nvidia.com/gpu"]
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": "cloud.google.com/gke-spot", "operator": "DoesNotExist"},
        {"key": "cloud.google.com/gke-flex-start", "operator": "DoesNotExist"},
    ]
    assert spec["terminationGracePeriodSeconds"] == 60


def test_a_spot_worker_goes_to_spot_and_is_gone_in_15_seconds() -> None:
    spec = pod(compiled(H100), "decode")
    assert spec["nodeSelector"]["cloud.google.com/gke-spot"] == "true"
    assert [toleration["key"] for toleration in spec["tolerations"]] == ["nvidia.com/gpu", "cloud.google.com/gke-spot"]
    assert spec["terminationGracePeriodSeconds"] == 15
    waits = env(spec)
    grace, drain = "DYN_GRACEFUL_SHUTDOWN_GRACE_PERIOD_SECS", "DYN_RUNTIME_GRACEFUL_SHUTDOWN_TIMEOUT_SECS"
    assert int(waits[grace]) + int(waits[drain]) < 15
    assert int(waits["DYN_WORKER_GRACEFUL_SHUTDOWN_TIMEOUT"]) < 15 and int(waits["DYN_PREFILL_DRAIN_TIMEOUT_S"]) < 15
    assert env(pod(compiled(H100), "Frontend"))["DYN_MIGRATION_LIMIT"] == "3"


def test_the_frontend_is_never_on_spot_or_on_a_gpu_node() -> None:
    spec = pod(compiled(H100), "Frontend")
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert {(each["key"], each["operator"]) for each in term["matchExpressions"]} == {
        ("cloud.google.com/gke-spot", "DoesNotExist"), ("cloud.google.com/gke-accelerator", "DoesNotExist"),
    }  # fmt: skip
    assert "tolerations" not in spec


def test_one_spot_worker_of_a_kind_is_a_warning() -> None:
    assert component(compiled(L4 + "spot: true\n", ("DG415",)), "worker")["replicas"] == 1


def test_arm_nodes_are_asked_for_and_tolerated() -> None:
    text = (
        "backend: vllm\ngpu: nvidia-gb200\nagg: {replicas: 2, gpus: 4}\noverlays: [gke]\ngke: {capacity: reservation}\n"
    )
    spec = pod(compiled(text), "worker")
    assert spec["nodeSelector"]["kubernetes.io/arch"] == "arm64"
    assert {"key": "kubernetes.io/arch", "operator": "Equal", "value": "arm64", "effect": "NoSchedule"} in spec[
        "tolerations"
    ]


def test_flex_start_nodes_are_asked_for() -> None:
    text = "backend: vllm\ngpu: nvidia-b200\nagg: {gpus: 8}\noverlays: [gke]\ngke: {capacity: flex-start}\n"
    spec = pod(compiled(text), "worker")
    assert spec["nodeSelector"]["cloud.google.com/gke-flex-start"] == "true"
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert {"key": "cloud.google.com/gke-flex-start", "operator": "Exists"} in term["matchExpressions"]


def test_a_machine_type_is_asked_for_and_sizes_the_worker() -> None:
    spec = pod(compiled(L4 + "gke: {machineType: g2-standard-32}\n"), "worker")
    assert spec["nodeSelector"]["node.kubernetes.io/instance-type"] == "g2-standard-32"
    assert spec["containers"][0]["resources"]["requests"] == {
        "cpu": "30", "memory": "110Gi", "ephemeral-storage": "12Gi",
    }  # fmt: skip


@pytest.mark.parametrize(("gpu", "gpus", "vcpu", "gib", "nodes"), [
    ("nvidia-l4", 1, 24, 96, 2), ("nvidia-l4", 1, 96, 384, 8), ("nvidia-tesla-t4", 1, 8, 30, 1),
    ("nvidia-tesla-a100", 2, 96, 680, 4), ("nvidia-rtx-pro-6000", 1, 384, 1440, 8),
    ("nvidia-h100-80gb", 1, 26, 234, 1), ("nvidia-h100-80gb", 4, 104, 936, 1), ("nvidia-h100-80gb", 1, 208, 1872, 8),
    ("nvidia-a100-80gb", 8, 96, 1360, 1), ("nvidia-b200", 8, 224, 3968, 1), ("nvidia-gb200", 4, 140, 884, 1),
])  # fmt: skip
def test_as_many_workers_fit_on_a_node_as_it_has_gpus(gpu: str, gpus: int, vcpu: int, gib: int, nodes: int) -> None:
    """Also on larger machines than the one a worker is planned for, with what GKE and the kernel keep for themselves."""
    text = f"backend: vllm\ngpu: {gpu}\nagg: {{replicas: 2, gpus: {gpus}, sharedMemory: 4Gi}}\noverlays: [gke]\n"
    more = "gke: {capacity: reservation}\n"
    requests = pod(compiled(text + more), "worker")["containers"][0]["resources"]["requests"]
    # cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes, coarser than the planner has it
    assert int(requests["cpu"]) * nodes <= vcpu - 0.06 - 0.01 - 0.01 - 0.0025 * (vcpu - 4)
    kernel = gib / 64 + 0.32  # cluster-autoscaler/cloudprovider/gce/reserved.go of kubernetes/autoscaler
    kept = kernel + 2.6 + 0.06 * (min(gib, 128) - 16) + 0.02 * max(0, gib - 128) + 0.1
    assert int(requests["memory"].removesuffix("Gi")) * nodes <= gib - kept


def test_shared_memory_is_at_most_half_of_a_small_worker() -> None:
    manifests = compiled("backend: vllm\ngpu: nvidia-tesla-t4\nagg: {}\noverlays: [gke]\n")
    assert component(manifests, "worker")["sharedMemorySize"] == "11Gi"
    assert component(compiled(L4), "worker")["sharedMemorySize"] == "16Gi"


def test_a_shared_cache_is_on_filestore_and_its_minimum_is_said() -> None:
    manifests = compiled(L4 + "modelCache: {size: 50Gi}\n", ("DG414",))
    assert manifests["PersistentVolumeClaim", "chat-model-cache"]["spec"]["storageClassName"] == "standard-rwx"
    assert not [kind for kind, _ in manifests if kind == "StorageClass"]
    assert compiled(L4 + "modelCache: {size: 100Gi}\n")
    assert compiled(L4 + "kubernetes: '1.32'\nmodelCache: {size: 100Gi}\n", ("DG414",))


@pytest.mark.parametrize(("gpu", "more", "disk"), [
    ("nvidia-l4", "", "pd-ssd"), ("nvidia-b200", "spot: true\n", "hyperdisk-balanced"),
    ("nvidia-rtx-pro-6000", "", "hyperdisk-balanced"), ("nvidia-h100-80gb", "spot: true\n", "hyperdisk-balanced"),
    ("nvidia-tesla-a100", "", "pd-ssd"), ("nvidia-h200-141gb", "spot: true\n", "hyperdisk-balanced"),
])  # fmt: skip
def test_a_cache_of_one_node_is_on_a_disk_that_attaches(gpu: str, more: str, disk: str) -> None:
    cache = "modelCache: {size: 100Gi, accessMode: ReadWriteOnce}\n"
    text = f"backend: vllm\ngpu: {gpu}\nagg: {{}}\noverlays: [gke]\n{cache}{more}"
    manifests = compiled(text, ("DG415",) if more else ())
    (name,) = (name for kind, name in manifests if kind == "StorageClass")
    fast = {"provisioned-throughput-on-create": "1200Mi", "provisioned-iops-on-create": "4800"}
    assert manifests["StorageClass", name]["parameters"] == {"type": disk, **(fast if disk != "pd-ssd" else {})}
    assert manifests["StorageClass", name]["volumeBindingMode"] == "WaitForFirstConsumer"
    assert manifests["PersistentVolumeClaim", "chat-model-cache"]["spec"]["storageClassName"] == name
    # The first pod decides where the disk is: that must be the worker.
    assert not [kind for kind, _ in manifests if kind == "Job"]
    assert "volumes" not in pod(manifests, "Frontend")


def test_a_cache_that_is_filled_already_is_only_read() -> None:
    manifests = compiled(L4 + "modelCache: {claimName: filled, accessMode: ReadOnlyMany}\n")
    for name in ("Frontend", "worker"):
        spec = pod(manifests, name)
        assert spec["containers"][0]["volumeMounts"] == [
            {"name": "model-cache", "mountPath": "/model-cache", "readOnly": True}
        ]
        assert spec["volumes"][0]["persistentVolumeClaim"] == {"claimName": "filled", "readOnly": True}
        assert env(spec)["HF_HUB_OFFLINE"] == "1"
    assert not [kind for kind, _ in manifests if kind in ("Job", "PersistentVolumeClaim")]


def test_the_gateway_is_internal_and_waits_for_long_answers() -> None:
    manifests = compiled(L4)
    assert manifests["Gateway", "chat-gateway"]["spec"]["gatewayClassName"] == "gke-l7-rilb"
    (rule,) = manifests["HTTPRoute", "chat-gateway"]["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "chat-frontend", "port": 8000}]
    backend = manifests["GCPBackendPolicy", "chat-gateway"]["spec"]
    assert backend["default"]["timeoutSec"] == 3600
    health = manifests["HealthCheckPolicy", "chat-gateway"]["spec"]
    assert health["default"]["config"]["httpHealthCheck"]["requestPath"] == "/health"
    assert backend["targetRef"] == health["targetRef"] == {"group": "", "kind": "Service", "name": "chat-frontend"}
    assert env(pod(manifests, "Frontend"))["DYN_HTTP_SSE_KEEP_ALIVE_INTERVAL_MS"] == "15000"


def test_a_certificate_makes_it_https() -> None:
    manifests = compiled(L4 + "gke: {gateway: {host: a.example.com, tlsSecret: cert, timeoutSeconds: 600}}\n")
    (listener,) = manifests["Gateway", "chat-gateway"]["spec"]["listeners"]
    assert (listener["protocol"], listener["port"], listener["hostname"]) == ("HTTPS", 443, "a.example.com")
    assert manifests["HTTPRoute", "chat-gateway"]["spec"]["hostnames"] == ["a.example.com"]
    assert manifests["GCPBackendPolicy", "chat-gateway"]["spec"]["default"]["timeoutSec"] == 600


def test_a_certificate_map_makes_it_https_without_a_secret() -> None:
    gateway = "{class: gke-l7-global-external-managed, host: a.example.com, certificateMap: certificates}"
    found = compiled(L4 + f"gke: {{gateway: {gateway}}}\n", ("DG645",))["Gateway", "chat-gateway"]
    assert found["metadata"]["annotations"] == {"networking.gke.io/certmap": "certificates"}
    (listener,) = found["spec"]["listeners"]
    assert (listener["protocol"], listener["port"], listener["hostname"]) == ("HTTPS", 443, "a.example.com")
    assert "tls" not in listener


@pytest.mark.parametrize("gateway", [
    "certificateMap: a, host: a.example.com",
    "certificateMap: a, host: a.example.com, class: gke-l7-rilb",
    "certificateMap: a, class: gke-l7-global-external-managed",
    "certificateMap: a, host: a.example.com, class: gke-l7-global-external-managed, tlsSecret: b",
])  # fmt: skip
def test_a_certificate_map_needs_the_global_class_and_a_host_and_no_secret(gateway: str) -> None:
    report = Report()
    documents = parse(HEAD + L4 + f"gke: {{gateway: {{{gateway}}}}}\n", "profile.yaml", report)
    compile_profile(Request(documents, [], Path(), Path()), report)
    assert [diagnostic.code for diagnostic in report.diagnostics] == ["DG206"]


@pytest.mark.parametrize("text", [
    L4 + "gke: {gateway: {enabled: false}}\n",
    L4.replace("[gke]", "[gke, istio]") + "istio: {host: a.example.com, tlsCredential: a-tls}\n",
])  # fmt: skip
def test_there_is_no_gateway_of_gke_when_it_is_off_or_istio_has_one(text: str) -> None:
    kinds = {(kind, manifest["apiVersion"]) for (kind, _), manifest in compiled(text).items()}
    assert not [kind for kind, version in kinds if version.startswith(("gateway.networking", "networking.gke"))]


def test_a_graph_of_an_old_release_is_placed_the_same_way() -> None:
    services = compiled(L4 + "release: 1.1.1\n")["DynamoGraphDeployment", "chat"]["spec"]["services"]
    assert services["worker"]["extraPodSpec"]["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert services["worker"]["resources"]["limits"]["gpu"] == "1"
    assert services["worker"]["extraPodSpec"]["mainContainer"]["command"] == ["/bin/sh", "-c"]


def test_every_storage_class_of_which_something_is_known_is_there() -> None:
    classes = documents(gke_layer(Memory()), "external/storage-classes.yaml", Report())
    names = {document.data["metadata"]["name"] for document in classes}
    assert load_facts([gke_layer(Memory())], Report())["storage"]["classes"].keys() < names


def test_a_gateway_has_a_policy_and_an_address_that_stays() -> None:
    gateway = "class: gke-l7-global-external-managed, host: a.example.com, certificateMap: m, securityPolicy: office, address: ours"
    manifests = compiled(L4 + f"gke: {{gateway: {{{gateway}}}}}\n")
    assert manifests["GCPBackendPolicy", "chat-gateway"]["spec"]["default"]["securityPolicy"] == "office"
    assert manifests["Gateway", "chat-gateway"]["spec"]["addresses"] == [{"type": "NamedAddress", "value": "ours"}]


def test_roles_of_a_disaggregated_graph_seek_one_zone() -> None:
    text = L4.replace("agg: {}", "disagg: {prefill: {}, decode: {}}")
    (wish,) = pod(compiled(text), "prefill")["affinity"]["podAffinity"][
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]
    assert wish["podAffinityTerm"]["topologyKey"] == "topology.kubernetes.io/zone"
    assert "podAffinity" not in pod(compiled(text + "gke: {zone: us-central1-a}\n"), "prefill").get("affinity", {})
    assert "podAffinity" not in pod(compiled(L4), "worker").get("affinity", {})


def test_a_gpu_of_a_layer_is_one_that_gke_has(tmp_path: Path) -> None:
    """What facts know of GPUs holds for the checks of pods as well: no warning (DG614), and its own most of a machine (DG675)."""
    known = (ROOT / "base/facts/gpus/nvidia-l4.yaml").read_text("utf-8").replace("maxPerNode: 8", "maxPerNode: 2")
    patch = (
        "forEach: {worker: '${workers}'}\n---\nkind: DynamoGraphDeployment\nspec: {components: [{name: '${worker.name}', podTemplate: "
        "{spec: {nodeSelector: {cloud.google.com/gke-accelerator: '${gpu.name}'}, containers: [{name: main, resources: {limits: {nvidia.com/gpu: '%s'}}}]}}}]}\n"
    )
    for gpus, codes in (("2", []), ("4", ["DG675"])):
        for name, text in (("facts/gpus/nvidia-future-1.yaml", known), ("patches/place.yaml", patch % gpus)):
            (tmp_path / "ours" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "ours" / name).write_text(text, "utf-8")
        report = Report()
        profile = HEAD + "backend: vllm\ngpu: nvidia-future-1\nagg: {replicas: 2, gpus: 2}\noverlays: [./ours]\n"
        compile_profile(Request(parse(profile, "profile.yaml", report), [], tmp_path, tmp_path), report)
        assert [each.code for each in report.diagnostics] == codes
