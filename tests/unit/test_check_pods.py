"""Pod templates are judged as the API server judges them, whatever kind they are in."""

from __future__ import annotations

import pytest

from dynagen.text.names import is_env_name, is_port_name, is_qualified, value_problem
from dynagen.text.quantities import amount
from tests.unit.linting import complaints

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: demo}\nspec:\n"
MAIN = "  containers: [{name: main, image: 'python:3.12', %s}]\n"

# One list is enough: what stands in `spec` beside a plain container, and what is said about it.
SPEC = [
    ("dnsPolicy: clusterfirst", "DG444 'dnsPolicy' cannot be 'clusterfirst'"),
    ("restartPolicy: always", "DG444 'restartPolicy' cannot be 'always'"),
    ("volumes: [{name: a, hostPath: {path: /a, type: Dir}}]", "DG444 'type' cannot be 'Dir'"),
    ("tolerations: [{key: a, operator: Exist}]", "DG444 'operator' cannot be 'Exist'"),
    ("tolerations: [{key: a, operator: Exists, effect: NoSchedul}]", "DG444 'effect' cannot be 'NoSchedul'"),
    ("securityContext: {fsGroupChangePolicy: Never}", "DG444 'fsGroupChangePolicy' cannot be 'Never'"),
    ("initContainers: [{name: main, image: a}]", "DG445 there is an init container 'main' already"),
    ("initContainers: [{name: first}]", "DG445 container 'first' has no image"),
    ("volumes: [{name: A, emptyDir: {}}]", "DG446 'A' is no name of a volume"),
    ("volumes: [{name: a, emptyDir: {}, secret: {secretName: a}}]", "DG446 volume 'a' has two sources: emptyDir, secret"),
    ("volumes: [{name: a, secret: {}}]", "DG446 volume 'a': 'secret' has no 'secretName'"),
    ("volumes: [{name: a, configMap: {name: a, defaultMode: 644}}]", "DG446 volume 'a': 'defaultMode' is 644"),
    ("volumes: [{name: a, emptyDir: {sizeLimit: -1Gi}}]", "DG446 volume 'a': 'sizeLimit' is negative"),
    ("activeDeadlineSeconds: 0", "DG448 'activeDeadlineSeconds' is 0"),
    ("initContainers: [{name: first, image: a, livenessProbe: {exec: {command: [a]}}}]",
     "DG448 init container 'first' has 'livenessProbe'"),
    ("initContainers: [{name: first, image: a, restartPolicy: Never}]",
     "DG448 init container 'first' has 'restartPolicy: Never'"),
    ("tolerations: [{value: a}]", "DG449 a toleration without a key tolerates all taints: its operator is 'Exists'"),
    ("tolerations: [{key: a, operator: Exists, value: b}]",
     "DG449 a toleration with 'operator: Exists' has the value 'b'"),
    ("tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 1}]",
     "DG449 'tolerationSeconds' counts for 'effect: NoExecute' only"),
    ("tolerations: [{key: 'a b', operator: Exists}]", "DG449 'a b' is no key of a taint"),
    ("nodeSelector: {a: 'b c'}", "DG449 'b c' is no value of a node selector ('a')"),
    ("topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]",
     "DG449 'maxSkew' is 0"),
    ("topologySpreadConstraints: [{maxSkew: 1, topologyKey: '', whenUnsatisfiable: ScheduleAnyway}]",
     "DG449 'topologyKey' is empty"),
    ("topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: ''}]",
     "DG449 'whenUnsatisfiable' is empty"),
    ("topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAnyway, minDomains: 2}]",
     "DG449 'minDomains' is 2"),
    ("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}",
     "DG449 there is no term that a node could fit"),
    ("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
     "[{matchExpressions: [{key: a, operator: In}]}]}}}", "DG449 'In' needs values"),
    ("affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: "
     "[{weight: 0, podAffinityTerm: {topologyKey: a}}]}}", "DG449 'weight' is 0"),
    ("affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: ''}]}}",
     "DG449 '' is no label of a node"),
]  # fmt: skip

CONTAINER = [
    ("imagePullPolicy: Alwys", "DG444 'imagePullPolicy' cannot be 'Alwys'"),
    ("terminationMessagePolicy: Logs", "DG444 'terminationMessagePolicy' cannot be 'Logs'"),
    ("ports: [{containerPort: 80, protocol: tcp}]", "DG444 'protocol' cannot be 'tcp'"),
    ("ports: [{containerPort: 0}]", "DG445 'containerPort' is 0"),
    ("ports: [{containerPort: 80, name: this-name-is-too-long}]", "DG445 'this-name-is-too-long' is no name of a port"),
    ("ports: [{containerPort: 80, name: a}, {containerPort: 81, name: a}]",
     "DG445 two ports of this container are called 'a'"),
    ("ports: [{containerPort: 80, hostPort: 1}, {containerPort: 81, hostPort: 1}]",
     "DG445 host port 1 is taken by another port of this pod"),
    ("env: [{name: 'A=B'}]", "DG445 'A=B' is no name of a variable"),
    ("env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
     "DG445 'A' has 'value' and 'valueFrom'"),
    ("env: [{name: A, valueFrom: {}}]", "DG445 'valueFrom' of 'A' names no source"),
    ("env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.nam}}}]",
     "DG445 'metadata.nam' is no field that a variable can have"),
    ("env: [{name: A, valueFrom: {resourceFieldRef: {resource: memory}}}]",
     "DG445 'memory' is no resource that a variable can have"),
    ("env: [{name: A, valueFrom: {secretKeyRef: {name: A_B, key: c}}}]", "DG445 'A_B' is no name of a Secret"),
    ("env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: a, key: b}}}]",
     "DG445 'A' has two sources: fieldRef, secretKeyRef"),
    ("envFrom: [{}]", "DG445 an entry of 'envFrom' has 0 sources"),
    ("volumeMounts: [{name: a, mountPath: /a}]", "DG446 there is no volume 'a'"),
    ("volumeMounts: [{name: a, mountPath: /a, mountPropagation: Bidirectional}]",
     "DG446 'mountPropagation: Bidirectional' of 'a' in a container without privileges"),
    ("volumeMounts: [{name: a, mountPath: /a, subPath: ../b}]", "DG446 '../b' leaves the volume"),
    ("resources: {limits: {cpu: -1}}", "DG447 'cpu' is negative: -1"),
    ("resources: {limits: {gpu: 1}}", "DG447 'gpu' is no resource of a container"),
    ("resources: {limits: {memory: 1Gi}, requests: {memory: 1025Mi}}",
     "DG447 the request of 'memory' (1025Mi) is above its limit (1Gi)"),
    ("resources: {limits: {nvidia.com/gpu: 2}, requests: {nvidia.com/gpu: 1}}",
     "DG447 the request of 'nvidia.com/gpu' (1) is not its limit (2)"),
    ("resources: {requests: {nvidia.com/gpu: 1}}", "DG447 'nvidia.com/gpu' has a request and no limit"),
    ("resources: {limits: {nvidia.com/gpu: 500m}}", "DG447 'nvidia.com/gpu' is 500m"),
    ("resources: {limits: {hugepages-2Mi: 2Mi}}", "DG447 huge pages need an amount of cpu or memory beside them"),
    ("resources: {claims: [{name: a}]}", "DG447 there is no resource claim 'a' in this pod"),
    ("livenessProbe: {}", "DG448 'livenessProbe' says nothing to ask or to do"),
    ("livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}",
     "DG448 'livenessProbe' has two handlers: exec, tcpSocket"),
    ("livenessProbe: {exec: {}}", "DG448 'exec' of 'livenessProbe' has no command"),
    ("livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2}", "DG448 'successThreshold' of 'livenessProbe' is 2"),
    ("readinessProbe: {tcpSocket: {port: 1}, terminationGracePeriodSeconds: 2}",
     "DG448 'terminationGracePeriodSeconds' of 'readinessProbe' is 2"),
    ("readinessProbe: {httpGet: {port: http}}", "DG448 'readinessProbe' asks port 'http', which container 'main' has not"),
    ("ports: [{containerPort: 80, name: web}], lifecycle: {preStop: {httpGet: {port: wbe}}}",
     "DG448 'preStop' asks port 'wbe', which container 'main' has not"),
    ("readinessProbe: {tcpSocket: {port: 70000}}", "DG448 '70000' is no port"),
    ("readinessProbe: {tcpSocket: {port: 1}, periodSeconds: -1}", "DG448 'periodSeconds' of 'readinessProbe' is -1"),
    ("lifecycle: {preStop: {}}", "DG448 'preStop' says nothing to ask or to do"),
    ("restartPolicy: Always", "DG448 container 'main' has 'restartPolicy'"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "complaint"), SPEC)
def test_a_pod_spec_is_refused(spec: str, complaint: str) -> None:
    assert complaint in complaints(POD + f"  {spec}\n" + MAIN % "")


@pytest.mark.parametrize(("container", "complaint"), CONTAINER)
def test_a_container_is_refused(container: str, complaint: str) -> None:
    assert complaint in complaints(POD + MAIN % container)


KINDS = {
    "apps/v1 Deployment": "  selector: {matchLabels: {a: b}}\n  template:\n",
    "apps/v1 DaemonSet": "  selector: {matchLabels: {a: b}}\n  template:\n",
    "apps/v1 StatefulSet": "  serviceName: a\n  selector: {matchLabels: {a: b}}\n  template:\n",
    "batch/v1 Job": "  template:\n",
    "batch/v1 CronJob": "  schedule: '* * * * *'\n  jobTemplate: {spec: {template:\n",
}


def in_kind(kind: str, container: str, policy: str) -> str:
    api_version, name = kind.split()
    head = f"apiVersion: {api_version}\nkind: {name}\nmetadata: {{name: demo}}\nspec:\n" + KINDS[kind]
    pod = f"restartPolicy: {policy}, containers: [{{name: main, image: a, {container}}}]"
    end = "}}\n" if "{spec: {" in KINDS[kind] else "\n"
    return head + f"      {{metadata: {{labels: {{a: b}}}}, spec: {{{pod}}}}}" + end


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_pod_template_is_looked_at(kind: str) -> None:
    policy = "Never" if "Job" in kind else "Always"
    assert complaints(in_kind(kind, "", policy)) == []
    assert complaints(in_kind(kind, "imagePullPolicy: Alwys", policy)) == ["DG444 'imagePullPolicy' cannot be 'Alwys'"]


def test_pods_of_a_deployment_restart_and_those_of_a_job_do_not() -> None:
    assert complaints(in_kind("apps/v1 Deployment", "", "Never")) == [
        "DG448 pods of a Deployment restart always, not 'Never'"
    ]
    assert complaints(in_kind("batch/v1 Job", "", "Always")) == [
        "DG448 'restartPolicy' is 'Always': a job would not end"
    ]


def test_words_of_other_kinds_are_known() -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: %s, ports: [{port: 80}]}\n"
    assert complaints(service % "ClusterIP") == []
    assert complaints(service % "Loadbalancer") == ["DG444 'type' cannot be 'Loadbalancer'"]


def test_claims_of_a_stateful_set_are_volumes() -> None:
    text = in_kind("apps/v1 StatefulSet", "volumeMounts: [{name: data, mountPath: /data}]", "Always")
    claim = "  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce]}}]\n"
    assert complaints(text) == ["DG446 there is no volume 'data'"]
    assert complaints(text + claim) == []


def test_a_probe_may_ask_the_ports_of_its_container_and_those_that_the_operator_adds() -> None:
    probe = "ports: [{containerPort: 80, name: web}], readinessProbe: {httpGet: {port: web}}"
    assert complaints(POD + MAIN % probe) == []
    graph = (
        "apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nmetadata: {name: demo}\nspec:\n  components:\n"
        "    - name: worker\n      type: TYPE\n      podTemplate: {spec: {containers: [{name: main, image: 'a:1.6.1',"
        " livenessProbe: {httpGet: {path: /live, port: system}}}]}}\n"
    )
    assert complaints(graph.replace("TYPE", "worker")) == []
    assert complaints(graph.replace("TYPE", "frontend")) == [
        "DG448 component 'worker': 'livenessProbe' asks port 'system', which container 'main' has not"
    ]


def test_older_clusters_take_fewer_names_of_variables() -> None:
    text = POD + MAIN % "env: [{name: 'a b'}]"
    assert complaints(text, kubernetes="1.34") == []
    assert complaints(text, kubernetes="1.31") == ["DG445 'a b' is no name of a variable"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("100m", 0.1), ("64Gi", 64 * 2**30), ("1.5k", 1500), ("-2", -2), ("1e3", 1000), ("1E3", 1000), (8, 8),
     ("1E", 10**18), (".5", 0.5)],
)  # fmt: skip
def test_quantities_are_numbers(text: object, value: float) -> None:
    found = amount(text)
    assert found is not None
    assert abs(float(found) - value) < 1e-9


@pytest.mark.parametrize("text", ["", "a", "1Q", "1e9999999999999999999999", None, True])
def test_what_is_no_quantity_is_none(text: object) -> None:
    assert amount(text) is None


def test_names_are_what_kubernetes_calls_so() -> None:
    assert is_qualified("nvidia.com/gpu") and is_qualified("a") and not is_qualified("/a") and not is_qualified("a/")
    assert not value_problem("") and not value_problem("a_b.c") and value_problem("-a") and value_problem("a" * 64)
    assert is_port_name("http-80") and not is_port_name("80") and not is_port_name("a--b") and not is_port_name("A")
    assert is_env_name("A", "1.31") and not is_env_name("1", "1.31") and is_env_name("1", "1.34")
