"""Each rejection rule of Dynamo's webhook has a graph that it refuses, and one beside it that it takes.

docs/webhook-rules.md has them all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.unit.compiling import HEAD
from tests.unit.linting import GROVE, complaints, judges, report_of

IMAGE = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1"
POOL = "CustomResourceDefinition/inferencepools.inference.networking.k8s.io"
SNAPSHOT = "CustomResourceDefinition/podsnapshots.nvidia.com"
LWS = "CustomResourceDefinition/leaderworkersets.leaderworkerset.x-k8s.io"
VOLCANO = "CustomResourceDefinition/podgroups.scheduling.volcano.sh"


def graph(
    component: str = "",
    spec: str = "",
    annotations: str = "",
    main: str = "",
    pod: str = "",
    image: str = IMAGE,
    name: str = "worker",
    type: str = "worker",
    title: str = "demo",
    template: str = "",
) -> str:
    """A graph of one component in v1beta1: what is given goes into its place, as flow YAML."""
    containers = f"containers: [{{name: main, image: '{image}'{', ' + main if main else ''}}}]"
    return f"""
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {{name: {title}, annotations: {{{annotations}}}}}
spec:
  {spec or "{}"}
  components:
    - name: {name}
      {f"type: {type}" if type else "{}"}
      {component or "{}"}
      podTemplate:
        {template or "{}"}
        spec:
          {pod or containers}
""".replace("  {}\n", "  # nothing\n")


def alpha(service: str = "", spec: str = "", pod: str = "", main: str = "", kind: str = "worker") -> str:
    """The same in v1alpha1."""
    return f"""
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {{name: demo}}
spec:
  {spec or "{}"}
  services:
    worker:
      componentType: {kind}
      {service or "{}"}
      extraPodSpec:
        {pod or "{}"}
        mainContainer: {{image: '{IMAGE}'{", " + main if main else ""}}}
""".replace("  {}\n", "  # nothing\n")


SIDE = f"containers: [{{name: main, image: '{IMAGE}'}}, {{name: side, image: a}}]"
RUNTIME = f"initContainers: [{{name: runtime, image: '{IMAGE}', restartPolicy: %s}}]\n          " + SIDE
GPU = "resources: {limits: {nvidia.com/gpu: 1}}"
SERVICE = "experimental: {gpuMemoryService: {mode: %s}%s}"
CHECKPOINT = "experimental: {checkpoint: {enabled: true, checkpointRef: a}}"
PYTHON = "command: [python3, -m, dynamo.%s]"
SCRIPT = "command: [/bin/sh, -c], args: ['export A=b; exec python3 -m dynamo.%s --model a']"
PREFILL = "command: [python3, -m, dynamo.%s], args: [--disaggregation-mode, prefill]"
EPP = {"type": "epp", "name": "epp"}
ELASTIC = "args: [--enable-elastic-ep, --data-parallel-backend%sray]"
POWER = "metadata: {annotations: {dynamo.nvidia.com/gpu-power-limit: '%s'}}"
CACHE = "compilationCache: {pvcName: cache%s}"
MOUNT = PYTHON % "vllm" + ", volumeMounts: [{name: %s, mountPath: /root/.cache/vllm, readOnly: %s}]"

# rule, the graph, what is said; the last is an empty list for a graph that is taken
RULES: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("DG450 no component", "apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nmetadata: {name: demo}\n"
     "spec: {components: []}\n", {}, ["DG450 'components' is empty"]),
    ("DG450 no service", "apiVersion: nvidia.com/v1alpha1\nkind: DynamoGraphDeployment\nmetadata: {name: demo}\n"
     "spec: {services: {}}\n", {}, ["DG450 'services' is empty"]),
    ("DG416 no main", graph(pod="containers: [{name: mian, image: a}]"), {},
     ["DG416 component 'worker' has no container 'main' with an image"]),
    ("DG416 no image", graph(image=""), {}, ["DG416 component 'worker' has no container 'main' with an image"]),
    ("DG416 no pod template", "apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nmetadata: {name: demo}\n"
     "spec: {components: [{name: a, type: worker}]}\n", {},
     ["DG416 component 'a' has no container 'main' with an image"]),
    *((f"DG451 {image}", graph(image=image), {},
       [f"DG451 component 'worker': the tag of '{image}' is no version of Dynamo"])
      for image in ("r/vllm:latest", "r/vllm", "r:5000/vllm", "r/vllm@sha256:0", "r/vllm:1.6", "r/vllm:1.6.1.post1",
                    "r/vllm:01.6.1", "r/vllm:1.6.1_2")),
    *((f"DG451 {image}", graph(image=image), {}, [])
      for image in ("r/vllm:1.6.1", "r:5000/vllm:v1.3.0-cuda13", "r/vllm:1.2.0-post.1", "r/vllm:1.6.1@sha256:0")),
    ("DG451 since 1.4", graph(image="r/vllm:latest"), {"release": "1.3.1"}, []),
    ("DG451 an override", graph('runtimeVersionOverride: "1.6.1"', image="r/vllm:latest"), {}, []),
    ("DG451 the runtime's image", graph(pod=f"initContainers: [{{name: runtime, image: '{IMAGE}', restartPolicy: Always}}]\n"
     "          containers: [{name: main, image: 'vllm/vllm-openai:latest'}]"), {}, []),
    ("DG452 another backend", graph(spec="backendFramework: vllm", main=PYTHON % "sglang"), {},
     ["DG452 component 'worker': the command runs sglang, 'backendFramework' is 'vllm'"]),
    ("DG452 in a script", graph(spec="backendFramework: vllm", main=SCRIPT % "trtllm"), {},
     ["DG452 component 'worker': the command runs trtllm, 'backendFramework' is 'vllm'"]),
    ("DG452 the same", graph(spec="backendFramework: vllm", main=SCRIPT % "vllm"), {}, []),
    ("DG452 none", graph(spec="backendFramework: vllm", main="command: [run.sh]"), {}, []),
    ("DG452 no worker", graph(spec="backendFramework: vllm", main=PYTHON % "sglang", type="planner"), {}, []),
    ("DG452 two", graph(main="args: ['python3 -m dynamo.vllm; python3 -m dynamo.sglang']"), {},
     ["DG452 component 'worker': the command runs more than one backend: vllm, sglang"]),
    ("engine, no connector", graph(main=PREFILL % "vllm"), {},
     ["DG452 component 'worker': vLLM for prefill does not start without '--kv-transfer-config'"]),
    ("engine, a connector", graph(main=(PREFILL % "vllm").replace("]", ", '--kv-transfer-config={}']")), {}, []),
    ("engine, a connector spelt with _", graph(main=(PREFILL % "vllm").replace("]", ", '--kv_transfer_config={}']")), {}, []),
    ("engine, in a script", graph(main=SCRIPT.replace("--model", "--disaggregation-mode=prefill --model") % "vllm"), {},
     ["DG452 component 'worker': vLLM for prefill does not start without '--kv-transfer-config'"]),
    ("engine, of SGLang", graph(main=PREFILL % "sglang"), {}, []),
    ("engine, of a variable", graph(main=PREFILL % "vllm" + ", env: [{name: DYN_CONNECTOR, value: nixl}]"), {}, []),
    ("engine, before 1.0", graph(main=PREFILL % "vllm", image="r/vllm:0.9.1"), {}, []),
    ("engine, a role of old", graph(main="args: ['python3 -m dynamo.vllm --is-prefill-worker']"), {},
     ["DG452 component 'worker': '--is-prefill-worker' is gone since 1.4"]),
    ("engine, a role of its time", graph(main="args: ['python3 -m dynamo.vllm --is-decode-worker']", image="r/vllm:1.3.1"),
     {"release": "1.3.1"}, []),
    ("engine, too few GPUs", graph(main=f"{GPU}, args: ['python3 -m dynamo.sglang --tp 2']"), {},
     ["DG452 component 'worker': tensor parallel 2 needs 2 GPUs, and there are 1"]),
    ("engine, GPUs of nodes", graph("multinode: {nodeCount: 2}", main=f"{GPU}, args: ['python3 -m dynamo.vllm -tp 2 -pp 2']"),
     {"external": [GROVE]},
     ["DG452 component 'worker': tensor parallel 2 times pipeline parallel 2 needs 4 GPUs, and 2 nodes of 1 GPUs have 2"]),
    ("engine, enough", graph("multinode: {nodeCount: 2}", main=f"{GPU}, args: ['python3 -m dynamo.vllm --tensor-parallel-size=2']"),
     {"external": [GROVE]}, []),
    ("engine, GPUs by claim", graph(main="args: ['python3 -m dynamo.vllm -tp 2']"), {}, []),
    ("engine, a variable", graph(main=f"{GPU}, args: ['python3 -m dynamo.vllm -tp $TP']"), {}, []),
    ("engine, a comment", graph(main=GPU + r', args: ["# try -tp 8\npython3 -m dynamo.vllm -tp 1"]'), {}, []),
    ("DG453 negative", graph('sharedMemorySize: "-1Gi"'), {}, ["DG453 component 'worker': 'sharedMemorySize' is -1Gi"]),
    ("DG453 none", graph('sharedMemorySize: "0"'), {}, []),
    ("DG454 a frontend", graph("multinode: {nodeCount: 2}", type="frontend"), {"external": [GROVE]},
     ["DG454 component 'worker': a component of type 'frontend' runs on one node"]),
    ("DG454 without a type", graph("multinode: {nodeCount: 2}", type=""), {"external": [GROVE]},
     ["DG454 component 'worker': a component without a type runs on one node"]),
    ("DG454 a worker", graph("multinode: {nodeCount: 2}"), {"external": [GROVE]}, []),
    ("DG455 priority", graph(spec="priorityClassName: high"), {},
     ["DG455 'priorityClassName' needs Grove, which the cluster is not known to have"]),
    ("DG455 priority", graph(spec="priorityClassName: high"), {"external": [GROVE]}, []),
    ("DG455 minimum", graph("minAvailable: 1"), {},
     ["DG455 component 'worker': 'minAvailable' needs Grove, which the cluster is not known to have"]),
    ("DG455 opted out", graph("minAvailable: 1", annotations='nvidia.com/enable-grove: "False"'), {"external": [GROVE]},
     ["DG455 component 'worker': 'minAvailable' needs Grove, and the annotation 'nvidia.com/enable-grove' says no to it"]),
    ("DG455 forced group", graph("experimental: {grove: {forceScalingGroup: true}}"), {},
     ["DG455 component 'worker': 'forceScalingGroup' needs Grove, which the cluster is not known to have"]),
    ("DG455 many nodes", graph("multinode: {}"), {},
     ["DG455 component 'worker': 2 nodes need Grove, or LeaderWorkerSet with Volcano"]),
    ("DG455 many nodes, half", graph("multinode: {}"), {"external": [LWS]},
     ["DG455 component 'worker': 2 nodes need Grove, or LeaderWorkerSet with Volcano"]),
    ("DG455 many nodes", graph("multinode: {}"), {"external": [LWS, VOLCANO]}, []),
    ("DG455 transfer policy", graph(spec="experimental: {kvTransferPolicy: {clusterTopologyName: a, domain: rack}}"), {},
     ["DG455 'kvTransferPolicy.clusterTopologyName' needs Grove, which the cluster is not known to have"]),
    ("DG456 of 45 characters", graph(name="a" * 41), {"external": [GROVE]}, []),
    ("DG456 cut", graph(name="a" * 37, title="a-very-long-name-of-a-graph"), {"external": [GROVE]}, []),
    ("DG456 cannot be cut", graph(name="a" * 38, title="a-very-long-name-of-a-graph"), {"external": [GROVE]},
     ["DG456 component '" + "a" * 38 + "': Grove makes names of 46 characters: the graph's name and the component's"]),
    ("DG456 many nodes", graph("multinode: {}", name="qwen3-235b-prefil"), {"external": [GROVE]}, []),
    ("DG456 many nodes", graph("multinode: {}", name="qwen3-235b-prefill-a"), {"external": [GROVE]},
     ["DG456 component 'qwen3-235b-prefill-a': Grove makes names of 48 characters: the graph's name and the "
      "component's, and 'qwen3-235b-prefill-a-ldr'"]),
    ("DG456 without Grove", graph(name="a" * 38, title="a-very-long-name-of-a-graph"), {}, []),
    *((f"DG457 {key}", graph(annotations=f"{key}: '{value}'"), {}, [f"DG457 the annotation '{key}' is '{value}'"])
      for key, value in (
          ("nvidia.com/dynamo-operator-origin-version", "newest"),
          ("nvidia.com/vllm-distributed-executor-backend", "uni"),
          ("nvidia.com/grove-update-strategy", "Rolling"),
          ("nvidia.com/dynamo-kube-discovery-mode", "pods"),
          ("nvidia.com/workload-provider", "lws"),
      )),
    *((f"DG457 {key}", graph(annotations=f"{key}: '{value}'"), {}, [])
      for key, value in (
          ("nvidia.com/dynamo-operator-origin-version", "v1.6"),
          ("nvidia.com/vllm-distributed-executor-backend", "Ray"),
          ("nvidia.com/grove-update-strategy", "OnDelete"),
          ("nvidia.com/dynamo-kube-discovery-mode", "container"),
          ("nvidia.com/workload-provider", "component"),
      )),
    ("DG457 of a service", alpha("annotations: {nvidia.com/vllm-distributed-executor-backend: uni}"), {},
     ["DG457 component 'worker': the annotation 'nvidia.com/vllm-distributed-executor-backend' is 'uni'"]),
    ("DG457 failover", graph(SERVICE % ("IntraPod", ", failover: {}"), main=GPU), {},
     ["DG457 component 'worker': 'failover' of mode IntraPod needs the annotation "
      "'nvidia.com/dynamo-kube-discovery-mode: container' on the graph"]),
    ("DG457 failover", graph(SERVICE % ("IntraPod", ", failover: {}"), main=GPU,
                          annotations="nvidia.com/dynamo-kube-discovery-mode: container"), {}, []),
    ("DG458 no pool", graph(**EPP), {},
     ["DG458 component 'epp': an endpoint picker needs the Gateway API Inference Extension, which the cluster is not "
      "known to have"]),
    ("DG458 a pool", graph(**EPP), {"external": [POOL]}, []),
    ("DG458 many nodes", graph("multinode: {}", **EPP), {"external": [POOL]},
     ["DG458 component 'epp': an endpoint picker runs on one node"]),
    ("DG458 config", graph("eppConfig: {configMapRef: {name: a, key: b}}", **EPP), {"external": [POOL]},
     ["DG458 component 'epp': an endpoint picker of 1.5.0 or later takes no 'eppConfig'"]),
    ("DG458 no config", graph(image="r/epp:1.4.2", **EPP), {"external": [POOL]},
     ["DG458 component 'epp': an endpoint picker before 1.5.0 needs 'eppConfig'"]),
    ("DG458 config", graph("eppConfig: {configMapRef: {name: a, key: b}}", image="r/epp:1.4.2", **EPP),
     {"external": [POOL]}, []),
    ("DG458 replicas", graph("eppConfig: {configMapRef: {name: a, key: b}}\n      replicas: 2", image="r/epp:1.4.2", **EPP),
     {"external": [POOL]}, ["DG458 component 'epp': 'replicas' is 2: a picker with 'eppConfig' is alone"]),
    ("DG458 replicas", graph("replicas: 2", **EPP), {"external": [POOL]}, []),
    ("DG458 an empty name", graph("eppConfig: {configMapRef: {key: b}}", image="r/epp:1.4.2", **EPP), {"external": [POOL]},
     ["DG458 component 'epp': 'eppConfig.configMapRef' names no ConfigMap"]),
    ("DG458 before 1.5", graph(image="r/epp:1.4.2", **EPP), {"external": [POOL], "release": "1.4.2"},
     ["DG458 component 'epp': an endpoint picker before 1.5.0 needs 'eppConfig'"]),
    ("DG458 of v1alpha1", alpha("eppConfig: {}", kind="epp").replace("1.6.1", "1.4.2"), {"external": [POOL]},
     ["DG458 component 'worker': 'eppConfig' says nothing"]),
    ("DG459 unknown", graph("frontendSidecar: sid", pod=SIDE), {},
     ["DG459 component 'worker': 'frontendSidecar' is 'sid', and there is no such container"]),
    ("DG459 empty", graph('frontendSidecar: ""', pod=SIDE), {},
     ["DG459 component 'worker': 'frontendSidecar' is '', and there is no such container"]),
    ("DG459 known", graph("frontendSidecar: side", pod=SIDE), {}, []),
    ("DG459 no image", alpha(pod="containers: [{name: side}]"), {},
     ["DG459 component 'worker': container 'side' has no image"]),
    ("DG459 a frontend", graph(pod=RUNTIME % "Always", type="frontend"), {},
     ["DG459 component 'worker': init container 'runtime' in a component of type 'frontend'"]),
    ("DG459 ends", graph(pod=RUNTIME % "Never"), {"kubernetes": "1.35"},
     ["DG459 component 'worker': init container 'runtime' does not have 'restartPolicy: Always'"]),
    ("DG459 many nodes", graph("multinode: {}", pod=RUNTIME % "Always"), {"external": [GROVE]},
     ["DG459 component 'worker': 'multinode' and an init container 'runtime' do not go together"]),
    ("DG459 checkpoint", graph(CHECKPOINT, pod=RUNTIME % "Always"), {"external": [SNAPSHOT]},
     ["DG459 component 'worker': 'checkpoint' and an init container 'runtime' do not go together"]),
    ("DG459 a worker", graph(pod=RUNTIME % "Always"), {}, []),
    ("DG459 since 1.6", graph(pod=RUNTIME % "Always", type="frontend"), {"release": "1.5.1"}, []),
    ("DG460 no GPU", graph(SERVICE % ("IntraPod", "")), {},
     ["DG460 component 'worker': 'gpuMemoryService' without a GPU"]),
    ("DG460 a frontend", graph(SERVICE % ("IntraPod", ""), main=GPU, type="frontend"), {},
     ["DG460 component 'worker': 'gpuMemoryService' in a component of type 'frontend'"]),
    ("DG460 unknown client", graph("experimental: {gpuMemoryService: {mode: IntraPod, extraClientContainers: [side]}}",
                                main=GPU), {}, ["DG460 component 'worker': there is no container 'side'"]),
    ("DG460 across pods", graph(SERVICE % ("InterPod", ""), main=GPU), {"external": [GROVE]},
     ["DG460 component 'worker': 'gpuMemoryService' of mode InterPod with 'backendFramework' not set"]),
    ("DG460 across pods", graph(SERVICE % ("InterPod", ""), main=GPU, spec="backendFramework: vllm"), {"external": [GROVE]},
     []),
    ("DG460 failover alone", graph("experimental: {failover: {mode: InterPod}}", main=GPU), {},
     ["DG460 component 'worker': 'failover' without 'gpuMemoryService'"]),
    ("DG460 two modes", graph(SERVICE % ("IntraPod", ", failover: {mode: InterPod}"), main=GPU), {},
     ["DG460 component 'worker': 'failover' is of mode InterPod, 'gpuMemoryService' of mode IntraPod"]),
    ("DG460 shadows", alpha("failover: {enabled: true, mode: intraPod, numShadows: 2}\n"
                         "      gpuMemoryService: {enabled: true, mode: intraPod}\n"
                         "      resources: {limits: {gpu: '1'}}"), {},
     ["DG457 component 'worker': 'failover' of mode IntraPod needs the annotation "
      "'nvidia.com/dynamo-kube-discovery-mode: container' on the graph",
      "DG460 component 'worker': 'numShadows' is 2 with mode IntraPod"]),
    ("DG460 checkpoint", graph(CHECKPOINT), {},
     ["DG460 component 'worker': checkpoints need the snapshot operator, which the cluster is not known to have"]),
    ("DG460 checkpoint", graph(CHECKPOINT), {"external": [SNAPSHOT]}, []),
    ("DG460 of a frontend", graph(CHECKPOINT, type="frontend"), {"external": [SNAPSHOT]},
     ["DG460 component 'worker': a checkpoint of a component of type 'frontend'"]),
    ("DG460 job's clients", graph("experimental: {checkpoint: {enabled: false, identity: {model: a, backendFramework: "
                               "vllm}, job: {gmsClientContainers: [main]}}}"), {},
     ["DG460 component 'worker': 'gmsClientContainers' without 'gpuMemoryService'"]),
    *((f"DG452 {between}", graph(spec="backendFramework: vllm", main=ELASTIC % between), {},
       ["DG452 component 'worker': '--enable-elastic-ep' with Ray needs a command"]) for between in ("=", ", ")),
    ("DG452 a command", graph(spec="backendFramework: vllm", main=PYTHON % "vllm" + ", " + ELASTIC % "="), {}, []),
    ("DG452 not Ray", graph(spec="backendFramework: vllm", main="args: [--enable-elastic-ep]"), {}, []),
    *((f"DG457 {value}", graph(template=POWER % value), {},
       [f"DG457 component 'worker': the annotation 'dynamo.nvidia.com/gpu-power-limit' is '{value}'"])
      for value in ("0", "-1", "400W", "4.5")),
    ("DG457 a number", graph(template=POWER % 400), {}, []),
    ("DG457 claimed devices", graph(SERVICE % ("IntraPod", ""), main=GPU,
     template=POWER % 400), {},
     ["DG457 component 'worker': 'dynamo.nvidia.com/gpu-power-limit' does not go together with devices that are claimed"]),
    ("DG462 alone", graph("topologyConstraint: {packDomain: rack}"), {},
     ["DG462 component 'worker': 'topologyConstraint' of a component only"]),
    ("DG462 no domain", graph(spec="topologyConstraint: {clusterTopologyName: a}"), {},
     ["DG462 'topologyConstraint' has no 'packDomain', and no component has one"]),
    ("DG462 both", graph("topologyConstraint: {packDomain: rack}", spec="topologyConstraint: {clusterTopologyName: a}"), {},
     []),
    ("DG463 since 1.3", graph(spec="restart: {id: a}"), {"release": "1.3.1"}, ["DG463 'restart' is set in a graph that is new"]),
    ("DG463 before", graph(spec="restart: {id: a}"), {"release": "1.2.1"}, []),
    ("DG462 no name", graph(spec="experimental: {kvTransferPolicy: {clusterTopologyName: a_b, domain: rack}}"),
     {"external": [GROVE]}, ["DG462 'a_b' is no name of an object"]),
    ("DG461 ingress", alpha("ingress: {enabled: true}"), {}, ["DG461 service 'worker': 'ingress' is enabled and has no 'host'"]),
    ("DG461 ingress", alpha("ingress: {enabled: true, host: a}"), {}, []),
    ("DG461 mount", alpha("volumeMounts: [{name: a}]"), {}, ["DG461 service 'worker': the mount of 'a' has no 'mountPoint'"]),
    ("DG461 claim", alpha(spec="pvcs: [{name: ''}]"), {}, ["DG461 a claim in 'pvcs' has no name"]),
    ("DG461 sidecar", alpha("frontendSidecar: {image: a}", pod="containers: [{name: sidecar-frontend, image: a}]"), {},
     ["DG461 service 'worker': there is a container 'sidecar-frontend' beside 'frontendSidecar', which makes one"]),
    ("DG461 passed over", alpha("dynamoNamespace: a"), {}, ["DG461 service 'worker': 'dynamoNamespace' is passed over"]),
    ("DG461 passed over", alpha("autoscaling: {enabled: true}"), {}, ["DG461 service 'worker': 'autoscaling' is passed over"]),
    ("DG464 no path", graph(CACHE % "", spec="backendFramework: sglang"), {},
     ["DG464 component 'worker': 'compilationCache' has no 'mountPath', and backend 'sglang' has none of its own"]),
    ("DG464 vllm's own", graph(CACHE % "", main=PYTHON % "vllm"), {}, []),
    ("DG464 another mount", graph(CACHE % "", main=MOUNT % ("other", "false")), {},
     ["DG464 component 'worker': '/root/.cache/vllm' is where the compilation cache goes, and 'other' is mounted there"]),
    ("DG464 read-only", graph(CACHE % "", main=MOUNT % ("cache", "true")), {},
     ["DG464 component 'worker': the compilation cache 'cache' is mounted read-only"]),
    ("DG464 writable", graph(CACHE % "", main=MOUNT % ("cache", "false")), {}, []),
    ("DG464 no claim", graph(CACHE % "", pod=f"volumes: [{{name: cache, emptyDir: {{}}}}]\n          containers: "
                          f"[{{name: main, image: '{IMAGE}', {PYTHON % 'vllm'}}}]"), {},
     ["DG464 component 'worker': volume 'cache' is not the claim 'cache' of the compilation cache"]),
    ("pods, in a graph", graph(main="imagePullPolicy: Alwys"), {},
     ["DG444 component 'worker': 'imagePullPolicy' cannot be 'Alwys'"]),
    ("pods, in a service", alpha(main="imagePullPolicy: Alwys"), {},
     ["DG444 component 'worker': 'imagePullPolicy' cannot be 'Alwys'"]),
    ("pods, of the graph", graph(spec="env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"), {},
     ["DG445 'A' has 'value' and 'valueFrom'"]),
    ("pods, a claim by its name", graph(main="volumeMounts: [{name: model-cache, mountPath: /a}]"), {}, []),
    ("pods, of a sidecar", graph(pod=SIDE.replace("image: a", "image: a, volumeMounts: [{name: b, mountPath: /a}]")), {},
     ["DG446 component 'worker': there is no volume 'b'"]),
    ("pods, a probe without a handler", graph(main="livenessProbe: {periodSeconds: 1}"), {},
     ["DG448 component 'worker': 'livenessProbe' says nothing to ask or to do"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "text", "target", "expected"), RULES, ids=[f"{n}-{r[0]}" for n, r in enumerate(RULES)]
)
def test_a_rule(rule: str, text: str, target: dict[str, Any], expected: list[str]) -> None:
    assert complaints(text, **target) == expected


COMPONENT = """
apiVersion: nvidia.com/v1beta1
kind: DynamoComponentDeployment
metadata: {name: demo}
spec:
  type: worker
  %s
  podTemplate: {spec: {containers: [{name: main, image: '%s'}]}}
"""


def test_a_component_without_a_graph_has_the_rules_of_components() -> None:
    assert complaints(COMPONENT % ("replicas: 1", IMAGE)) == []
    assert complaints(COMPONENT % ("replicas: 1", "r/vllm:latest")) == []  # for these the webhook asks for no version
    assert complaints(COMPONENT % ('sharedMemorySize: "-1"', IMAGE)) == ["DG453 'sharedMemorySize' is -1"]
    assert complaints(COMPONENT % ("minAvailable: 1", IMAGE), external=[GROVE]) == [
        "DG455 'minAvailable' needs Grove, and a DynamoComponentDeployment is made without it"
    ]
    assert complaints(COMPONENT % ("replicas: 1", "")) == ["DG416 the component has no container 'main' with an image"]


def test_a_probe_that_the_operator_may_complete_is_no_error() -> None:
    probe = "livenessProbe: {periodSeconds: 1}"
    assert [each.severity for each in report_of(graph(main=probe)).diagnostics] == ["note"]
    sidecar = SIDE.replace("image: a", "image: a, " + probe)
    assert [each.severity for each in report_of(graph(pod=sidecar)).diagnostics] == ["error"]


def test_a_definition_in_the_stream_is_as_good_as_a_declared_one() -> None:
    definition = "\n---\n" + (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: podcliquesets.grove.io}\n"
        "spec: {group: grove.io, scope: Namespaced, names: {kind: PodCliqueSet, plural: podcliquesets}, versions: []}\n"
    )
    assert complaints(graph("minAvailable: 1") + definition) == []


def test_domains_of_a_topology_that_is_there_are_known() -> None:
    binding = """
---
apiVersion: grove.io/v1alpha1
kind: ClusterTopologyBinding
metadata: {name: racks}
spec: {levels: [{domain: zone, key: a}, {domain: rack, key: b}]}
"""
    spec = "topologyConstraint: {clusterTopologyName: racks, packDomain: rack}"
    found = complaints(graph("topologyConstraint: {packDomain: zone}", spec=spec) + binding, external=[GROVE])
    if any(each.startswith("DG211") for each in found):
        pytest.skip("the set of Grove has no ClusterTopologyBinding")
    assert found == ["DG462 component 'worker': 'zone' is wider than the graph's 'rack'"]


def test_a_profile_says_that_the_cluster_has_grove(tmp_path: Path) -> None:
    (tmp_path / "team/patches").mkdir(parents=True)
    patch = "kind: DynamoGraphDeployment\nspec: {priorityClassName: high}\n"
    (tmp_path / "team/patches/team.yaml").write_text(patch, "utf-8")
    profile = HEAD + "backend: vllm\ngpu: nvidia-l4\nagg: {replicas: 2, gpus: 1}\noverlays: [./team]\n"
    for external, codes in (("", ["DG455"]), (f"external: [{GROVE}]\n", [])):
        report = Report()
        sources = parse(profile + external, "profile.yaml", report)
        compile_profile(Request(sources, [], tmp_path, tmp_path), report)
        assert [each.code for each in report.diagnostics if judges(each.code)] == codes
