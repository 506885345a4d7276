"""Every kind of reference, both ways: it resolves, and with one word changed it does not."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from dynagen.checking.manifests import Target, check_manifests
from dynagen.diagnostics import Diagnostic, Report
from dynagen.text.source import parse
from tests.conftest import ROOT


def findings(text: str, external: tuple[str, ...] = (), release: str = "1.6.1") -> list[Diagnostic]:
    report = Report()
    check_manifests(parse(text, "all.yaml", report), Target("1.34", release, external), report)
    return report.diagnostics


def said(text: str, *external: str, release: str = "1.6.1") -> list[tuple[str, str]]:
    """What the checks of references say; others may have their own to say about these fragments."""
    found = [(each.code, each.message) for each in findings(text, external, release)]
    return [(code, message) for code, message in found if code.startswith("DG47")]


def pod(spec: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: shell, namespace: ml}}\nspec: {spec}\n---\n"


def main(more: str) -> str:
    return pod(f"{{containers: [{{name: main, image: 'busybox:1.37', {more}}}]}}")


def volume(more: str) -> str:
    return pod(f"{{containers: [{{name: main, image: 'busybox:1.37'}}], volumes: [{{name: v, {more}}}]}}")


def plain(more: str) -> str:
    return pod(f"{{containers: [{{name: main, image: 'busybox:1.37'}}], {more}}}")


SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: ml}
stringData: {password: x}
---
"""
CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: words, namespace: ml}
data: {greeting: hello}
binaryData: {logo: AAAA}
---
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: store, namespace: ml}
spec: {accessModes: [ReadWriteOnce], storageClassName: standard-rwo, resources: {requests: {storage: 1Gi}}}
---
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ml}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}, {name: admin, port: 81}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ml}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: 'busybox:1.37', ports: [{name: http, containerPort: 8080}]}]}
---
"""
GRAPH = """
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {name: chat, namespace: ml}
spec:
  components:
    - name: Frontend
      type: frontend
      podTemplate: {spec: {containers: [{name: main, image: 'example.com/frontend:1.6.1'}]}}
    - name: prefill
      type: prefill
      podTemplate: {spec: {containers: [{name: main, image: 'example.com/vllm:1.6.1'}]}}
    - name: decode
      type: decode
      scalingAdapter: {}
      podTemplate: {spec: {containers: [{name: main, image: 'example.com/vllm:1.6.1'}]}}
---
"""
OLD_GRAPH = """
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: chat, namespace: ml}
spec:
  services:
    Frontend: {componentType: frontend, extraPodSpec: {mainContainer: {image: 'example.com/frontend:1.1.0'}}}
    decode:
      componentType: worker
      subComponentType: decode
      envFromSecret: login
      scalingAdapter: {enabled: true}
      volumeMounts: [{name: store, mountPoint: /models}]
      extraPodSpec: {mainContainer: {image: 'example.com/vllm:1.1.0', env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: password}}}]}}
---
"""
GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: ml}
spec:
  gatewayClassName: gke-l7-rilb
  listeners:
    - {name: http, port: 80, protocol: HTTP, hostname: '*.example.com'}
---
"""


def route(more: str, parent: str = "name: edge, sectionName: http") -> str:
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: api, namespace: ml}}
spec:
  parentRefs: [{{{parent}}}]
  hostnames: [chat.example.com]
  rules: [{{backendRefs: [{{{more}}}]}}]
---
"""


def ingress(more: str) -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: api, namespace: ml}}
spec:
  {more}
  defaultBackend: {{service: {{name: web, port: {{number: 80}}}}}}
---
"""


def virtual_service(more: str) -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: api, namespace: ml}}
spec:
  hosts: [chat.example.com]
  gateways: [mesh, ml/edge]
  http: [{{route: [{{destination: {{{more}}}}}]}}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge, namespace: ml}}
spec: {{selector: {{istio: ingressgateway}}, servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [chat.example.com]}}]}}
---
"""


def policy(kind: str, target: str, default: str = "") -> str:
    return f"""
apiVersion: networking.gke.io/v1
kind: {kind}
metadata: {{name: api, namespace: ml}}
spec: {{{target}{default}}}
---
"""


def autoscaler(target: str) -> str:
    return f"""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: api, namespace: ml}}
spec: {{scaleTargetRef: {{{target}}}, maxReplicas: 3}}
---
"""


def scaled_object(more: str) -> str:
    return f"""
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: api, namespace: ml}}
spec: {{{more}}}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {{name: gcp, namespace: ml}}
spec: {{podIdentity: {{provider: gcp}}}}
---
"""


ADAPTER = "apiVersion: nvidia.com/v1beta1, kind: DynamoGraphDeploymentScalingAdapter, name: chat-decode"
TRIGGERS = "triggers: [{type: prometheus, metadata: {a: b}, authenticationRef: {name: gcp}}]"
BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: r, namespace: ml}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: robot, namespace: ml}, {kind: User, name: somebody, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: ml}
rules: []
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot, namespace: ml}
---
"""
WEBHOOK = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: w}
webhooks:
  - name: w.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {service: {name: web, namespace: ml, port: 80}}
---
"""
DEVICES = """
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: {name: nics, namespace: ml}
spec: {spec: {devices: {requests: [{name: nic, exactly: {deviceClassName: fast}}]}}}
---
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: fast}
spec: {}
---
"""
CLASSES = """
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: important}
value: 1000
---
apiVersion: cloud.google.com/v1
kind: ComputeClass
metadata: {name: l4}
spec: {priorities: [{machineFamily: g2}], whenUnsatisfiable: DoNotScaleUp}
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: safe}
handler: safe
---
"""
TERMS = "{nodeSelectorTerms: [{matchExpressions: [{key: cloud.google.com/compute-class, operator: In, values: [l4]}]}]}"
REQUIRED = f"affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {TERMS}}}}}"
INGRESS_NAMES = """
apiVersion: networking.gke.io/v1beta1
kind: FrontendConfig
metadata: {name: front, namespace: ml}
spec: {}
---
apiVersion: networking.gke.io/v1
kind: ManagedCertificate
metadata: {name: cert, namespace: ml}
spec: {domains: [chat.example.com]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: api
  namespace: ml
  annotations: {networking.gke.io/v1beta1.FrontendConfig: front, networking.gke.io/managed-certificates: 'cert'}
spec:
  defaultBackend: {service: {name: web, port: {name: http}}}
---
"""
BACKEND_CONFIG = """
apiVersion: cloud.google.com/v1
kind: BackendConfig
metadata: {name: long, namespace: ml}
spec: {timeoutSec: 600}
---
""" + SERVICE.replace("{name: web, namespace: ml}", "{name: web, namespace: ml, annotations: {cloud.google.com/backend-config: '{\"default\": \"long\"}'}}", 1)  # fmt: skip
MONITORING = """
apiVersion: monitoring.googleapis.com/v1
kind: PodMonitoring
metadata: {name: m, namespace: ml}
spec:
  selector: {matchLabels: {nvidia.com/dynamo-graph-deployment-name: chat, nvidia.com/dynamo-component-type: decode}}
  endpoints: [{port: system, interval: 30s}]
---
"""
MONITOR = """
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: m, namespace: monitoring}
spec:
  namespaceSelector: {matchNames: [ml]}
  selector: {matchLabels: {nvidia.com/dynamo-component: Frontend}}
  podMetricsEndpoints: [{port: http, bearerTokenSecret: {name: token, key: t}}]
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: monitoring}
---
"""
SERVICE_MONITOR = (
    SERVICE.replace("name: web, namespace: ml}", "name: web, namespace: ml, labels: {app: web}}", 1)
    + """
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: m, namespace: ml}
spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: admin}]}
---
"""
)


def selecting(api: str, kind: str, selector: str) -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: s, namespace: ml}}\nspec: {{{selector}}}\n---\n"


CHAT = "matchLabels: {nvidia.com/dynamo-graph-deployment-name: chat}"

# name, manifests that resolve, the words to change, what they become, code, part of the message
CASES: list[tuple[str, str, str, str, str, str]] = [
    ("env of a secret", SECRET + main("env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: password}}}]"),
     "{name: login, key", "{name: logon, key", "DG470", "no Secret 'logon' in namespace 'ml'"),
    ("key of a secret", SECRET + main("env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: password}}}]"),
     "key: password", "key: passwd", "DG471", "Secret 'login' has no key 'passwd'"),
    ("env of a config map", CONFIG + main("env: [{name: A, valueFrom: {configMapKeyRef: {name: words, key: logo}}}]"),
     "key: logo", "key: loga", "DG471", "ConfigMap 'words' has no key 'loga'"),
    ("envFrom", SECRET + main("envFrom: [{secretRef: {name: login}}]"),
     "{secretRef: {name: login}", "{secretRef: {name: other}", "DG470", "no Secret 'other'"),
    ("envFrom of a config map", CONFIG + main("envFrom: [{configMapRef: {name: words}}]"),
     "{configMapRef: {name: words}", "{configMapRef: {name: word}", "DG470", "no ConfigMap 'word'"),
    ("claim", CLAIM + volume("persistentVolumeClaim: {claimName: store}"),
     "claimName: store", "claimName: stores", "DG470", "no PersistentVolumeClaim 'stores'"),
    ("secret volume", SECRET + volume("secret: {secretName: login, items: [{key: password, path: p}]}"),
     "[{key: password", "[{key: pass", "DG471", "no key 'pass'"),
    ("config map volume", CONFIG + volume("configMap: {name: words}"),
     "configMap: {name: words}", "configMap: {name: wards}", "DG470", "no ConfigMap 'wards'"),
    ("projected volume", CONFIG + volume("projected: {sources: [{configMap: {name: words, items: [{key: greeting, path: g}]}}]}"),
     "[{key: greeting", "[{key: greetings", "DG471", "no key 'greetings'"),
    ("pull secret", SECRET + plain("imagePullSecrets: [{name: login}]"),
     "[{name: login}", "[{name: pull}", "DG470", "no Secret 'pull'"),
    ("service account", BINDING + plain("serviceAccountName: robot"),
     "serviceAccountName: robot", "serviceAccountName: robots", "DG470", "no ServiceAccount 'robots'"),
    ("role", BINDING, "kind: Role, name: reader", "kind: Role, name: writer", "DG470", "no Role 'writer'"),
    ("subject", BINDING, "ServiceAccount, name: robot", "ServiceAccount, name: android", "DG470", "no ServiceAccount 'android'"),
    ("storage class", CLAIM, "standard-rwo", "standard-wro", "DG470", "no StorageClass 'standard-wro'"),
    ("data source", CLAIM + CLAIM.replace("store", "copy").replace("spec: {", "spec: {dataSource: {kind: PersistentVolumeClaim, name: store}, "),
     "kind: PersistentVolumeClaim, name: store", "kind: PersistentVolumeClaim, name: stare", "DG470", "no PersistentVolumeClaim 'stare'"),
    ("priority class", CLASSES + plain("priorityClassName: important"),
     "priorityClassName: important", "priorityClassName: importent", "DG470", "no PriorityClass 'importent'"),
    ("runtime class", CLASSES + plain("runtimeClassName: safe"),
     "runtimeClassName: safe", "runtimeClassName: save", "DG470", "no RuntimeClass 'save'"),
    ("compute class", CLASSES + plain("nodeSelector: {cloud.google.com/compute-class: l4}"),
     "compute-class: l4", "compute-class: l40", "DG470", "no ComputeClass 'l40'"),
    ("compute class in an affinity", CLASSES + plain(REQUIRED),
     "values: [l4]", "values: [h4]", "DG470", "no ComputeClass 'h4'"),
    ("claim template", DEVICES + plain("resourceClaims: [{name: nic, resourceClaimTemplateName: nics}]"),
     "TemplateName: nics", "TemplateName: nic", "DG470", "no ResourceClaimTemplate 'nic'"),
    ("device class", DEVICES, "deviceClassName: fast", "deviceClassName: slow", "DG470", "no DeviceClass 'slow'"),
    ("backend", SERVICE + GATEWAY + route("name: web, port: 80"),
     "[{name: web, port: 80}", "[{name: webb, port: 80}", "DG470", "no Service 'webb'"),
    ("port of a backend", SERVICE + GATEWAY + route("name: web, port: 80"),
     "[{name: web, port: 80}", "[{name: web, port: 8080}", "DG472", "Service 'web' has no port 8080"),
    ("backend of the operator", GRAPH + GATEWAY + route("name: chat-frontend, port: 8000"),
     "name: chat-frontend, port: 8000", "name: chat-frontend, port: 80", "DG472", "Service 'chat-frontend' has no port 80"),
    ("service of the operator", GRAPH + GATEWAY + route("name: chat-frontend, port: 8000"),
     "name: chat-frontend", "name: chat-fronted", "DG470", "no Service 'chat-fronted'"),
    ("gateway", SERVICE + GATEWAY + route("name: web, port: 80"),
     "parentRefs: [{name: edge", "parentRefs: [{name: egde", "DG470", "no Gateway 'egde'"),
    ("listener", SERVICE + GATEWAY + route("name: web, port: 80"),
     "sectionName: http", "sectionName: https", "DG475", "Gateway 'edge' has no listener 'https'"),
    ("port of a listener", SERVICE + GATEWAY + route("name: web, port: 80", "name: edge, port: 80"),
     "name: edge, port: 80", "name: edge, port: 443", "DG475", "no listener with port '443'"),
    ("host of a listener", SERVICE + GATEWAY + route("name: web, port: 80"),
     "[chat.example.com]", "[chat.example.org]", "DG475", "its host is '*.example.com'"),
    ("kind of a listener", SERVICE + GATEWAY + route("name: web, port: 80"),
     "protocol: HTTP", "allowedRoutes: {kinds: [{kind: GRPCRoute}]}, protocol: HTTP", "DG475", "takes GRPCRoute only"),
    ("namespaces of a listener", SERVICE + GATEWAY.replace("namespace: ml", "namespace: edge").replace("protocol", "allowedRoutes: {namespaces: {from: All}}, protocol") + route("name: web, port: 80", "name: edge, namespace: edge"),
     "from: All", "from: Same", "DG475", "takes routes of its own namespace 'edge' only"),
    ("ingress", SERVICE + ingress("tls: []"), "{name: web, port: {number: 80}}", "{name: wob, port: {number: 80}}",
     "DG470", "no Service 'wob'"),
    ("port of an ingress", SERVICE + ingress("tls: []"), "port: {number: 80}", "port: {name: htp}",
     "DG472", "Service 'web' has no port 'htp'"),
    ("certificate of an ingress", SECRET + SERVICE + ingress("tls: [{secretName: login}]"),
     "secretName: login", "secretName: tls", "DG470", "no Secret 'tls'"),
    ("frontend config", SERVICE + INGRESS_NAMES, "FrontendConfig: front,", "FrontendConfig: frnt,", "DG470", "no FrontendConfig 'frnt'"),
    ("managed certificate", SERVICE + INGRESS_NAMES, "'cert'", "'cert, other'", "DG470", "no ManagedCertificate 'other'"),
    ("backend config", BACKEND_CONFIG, '"long"', '"short"', "DG470", "no BackendConfig 'short'"),
    ("gateway of a virtual service", SERVICE + virtual_service("host: web"), "ml/edge", "ml/egde", "DG470", "no Istio Gateway 'egde'"),
    ("destination", SERVICE + virtual_service("host: web.ml.svc.cluster.local, port: {number: 80}"),
     "host: web.ml", "host: wab.ml", "DG470", "no Service 'wab'"),
    ("short destination", SERVICE + virtual_service("host: web"), "host: web", "host: wab", "DG470", "no Service 'wab'"),
    ("port of a destination", SERVICE + virtual_service("host: web, port: {number: 80}"),
     "host: web, port: {number: 80}", "host: web, port: {number: 90}", "DG472", "no port 90"),
    ("destination rule", SERVICE + selecting("networking.istio.io/v1", "DestinationRule", "host: web.ml.svc.cluster.local"),
     "host: web", "host: wob", "DG470", "no Service 'wob'"),
    ("certificate of an Istio gateway", SECRET + SERVICE + virtual_service("host: web").replace("protocol: HTTP}", "protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: login}"),
     "credentialName: login", "credentialName: logon", "DG470", "no Secret 'logon'"),
    ("certificate of a gateway", SECRET + GATEWAY.replace("protocol: HTTP,", "protocol: HTTPS, tls: {certificateRefs: [{name: login}]},"),
     "[{name: login}]", "[{name: logon}]", "DG470", "no Secret 'logon'"),
    ("target of a policy", GRAPH + policy("GCPBackendPolicy", "targetRef: {group: '', kind: Service, name: chat-frontend}"),
     "name: chat-frontend", "name: chat-front", "DG470", "no Service 'chat-front'"),
    ("target of a health check", GRAPH + policy("HealthCheckPolicy", "targetRef: {group: '', kind: Service, name: chat-frontend}"),
     "name: chat-frontend", "name: chat", "DG470", "no Service 'chat'"),
    ("target of a gateway policy", GATEWAY + policy("GCPGatewayPolicy", "targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: edge}, default: {allowGlobalAccess: true}"),
     "kind: Gateway, name: edge", "kind: Gateway, name: gate", "DG470", "no Gateway 'gate'"),
    ("one of several targets", SERVICE + policy("GCPTrafficDistributionPolicy", "targetRefs: [{group: '', kind: Service, name: web}]", ", default: {localityLbAlgorithm: LEAST_REQUEST}"),
     "kind: Service, name: web", "kind: Service, name: wob", "DG470", "no Service 'wob'"),
    ("scale target", GRAPH + autoscaler(ADAPTER), "chat-decode", "chat-prefill", "DG470", "no DynamoGraphDeploymentScalingAdapter 'chat-prefill'"),
    ("scale target of KEDA", GRAPH + scaled_object(f"scaleTargetRef: {{{ADAPTER}}}, {TRIGGERS}"),
     "chat-decode", "chat-dekode", "DG470", "no DynamoGraphDeploymentScalingAdapter 'chat-dekode'"),
    ("usual scale target of KEDA", SERVICE + scaled_object(f"scaleTargetRef: {{name: web}}, {TRIGGERS}"),
     "scaleTargetRef: {name: web}", "scaleTargetRef: {name: wob}", "DG470", "no Deployment 'wob'"),
    ("authentication of a trigger", SERVICE + scaled_object(f"scaleTargetRef: {{name: web}}, {TRIGGERS}"),
     "authenticationRef: {name: gcp}", "authenticationRef: {name: aws}", "DG470", "no TriggerAuthentication 'aws'"),
    ("webhook", SERVICE + WEBHOOK, "{name: web, namespace: ml, port", "{name: wob, namespace: ml, port", "DG470", "no Service 'wob'"),
    ("port of a webhook", SERVICE + WEBHOOK, "namespace: ml, port: 80}", "namespace: ml}", "DG472", "has no port 443"),
    ("selector of a service", SERVICE, "selector: {app: web}", "selector: {app: wab}", "DG473", "selects no pod: none has 'app: wab'"),
    ("target port", SERVICE, "targetPort: http", "targetPort: htpp", "DG472", "no port of the selected pods is called 'htpp'"),
    ("pod monitoring", GRAPH + MONITORING, "component-type: decode", "component-type: worker", "DG473", "none has 'nvidia.com/dynamo-component-type: worker'"),
    ("port of a pod monitoring", GRAPH + MONITORING, "port: system", "port: http", "DG472", "no port of the selected pods is called 'http'"),
    ("pod monitor", GRAPH + MONITOR, "nvidia.com/dynamo-component: Frontend", "nvidia.com/dynamo-component: frontend", "DG473", "selects no pod"),
    ("namespace of a pod monitor", GRAPH + MONITOR, "matchNames: [ml]", "matchNames: [mi]", "DG473", "selects no pod"),
    ("port of a pod monitor", GRAPH + MONITOR, "port: http", "port: metrics", "DG472", "is called 'metrics'"),
    ("secret of a pod monitor", GRAPH + MONITOR, "{name: token, key: t}", "{name: tokin, key: t}", "DG470", "no Secret 'tokin'"),
    ("service monitor", SERVICE_MONITOR, "matchLabels: {app: web}}, endpoints", "matchLabels: {app: wab}}, endpoints", "DG473", "selects no Service: none has 'app: wab'"),
    ("port of a service monitor", SERVICE_MONITOR, "[{port: admin}]", "[{port: admn}]", "DG472", "no port of the selected Services is called 'admn'"),
    ("disruption budget", GRAPH + selecting("policy/v1", "PodDisruptionBudget", f"maxUnavailable: 1, selector: {{{CHAT}}}"),
     "name: chat}}", "name: chut}}", "DG473", "graph-deployment-name: chut"),
    ("network policy", GRAPH + selecting("networking.k8s.io/v1", "NetworkPolicy", f"podSelector: {{{CHAT}}}"),
     "name: chat}}", "name: chut}}", "DG473", "graph-deployment-name: chut"),
    *((kind, GRAPH + selecting(api, kind, f"selector: {{{CHAT}}}"), "name: chat}}", "name: chut}}", "DG473", "chut")
      for api, kind in (("security.istio.io/v1", "AuthorizationPolicy"), ("security.istio.io/v1", "PeerAuthentication"),
                        ("security.istio.io/v1", "RequestAuthentication"), ("telemetry.istio.io/v1", "Telemetry"))),
    *((kind, GRAPH + selecting(api, kind, "workloadSelector: {labels: {nvidia.com/dynamo-component: decode}}"),
       "component: decode", "component: dekode", "DG473", "dekode")
      for api, kind in (("networking.istio.io/v1", "Sidecar"), ("networking.istio.io/v1alpha3", "EnvoyFilter"))),
    ("hash of workers", GRAPH + MONITORING, "nvidia.com/dynamo-component-type: decode", "nvidia.com/dynamo-worker-hash: 1a2b3c4d", "DG473", "changes with every rollout"),
    ("secret of an old graph", SECRET + CLAIM + OLD_GRAPH, "envFromSecret: login", "envFromSecret: logon", "DG470", "no Secret 'logon'"),
    ("env of an old graph", SECRET + CLAIM + OLD_GRAPH, "name: login, key: password", "name: login, key: pass", "DG471", "no key 'pass'"),
    ("claim of an old graph", SECRET + CLAIM + OLD_GRAPH, "[{name: store, mountPoint", "[{name: stare, mountPoint", "DG470", "no PersistentVolumeClaim 'stare'"),
    ("secret of a graph", SECRET + GRAPH.replace("frontend:1.6.1'", "frontend:1.6.1', env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: password}}}]"),
     "{name: login, key", "{name: logon, key", "DG470", "no Secret 'logon'"),
    ("mount without a volume", CLAIM + GRAPH.replace("frontend:1.6.1'", "frontend:1.6.1', volumeMounts: [{name: store, mountPath: /m}]"),
     "[{name: store", "[{name: stare", "DG470", "no volume is called 'stare', nor is a PersistentVolumeClaim"),
    ("own name", GRAPH + SERVICE, "name: web, namespace: ml}\nspec: {selector", "name: chat-frontend, namespace: ml}\nspec: {selector",
     "DG476", "Dynamo's operator makes a Service of this name for DynamoGraphDeployment 'chat'"),
]  # fmt: skip


@pytest.mark.parametrize(
    "name, text, old, new, code, message", CASES, ids=[case[0].replace(" ", "-") for case in CASES]
)
def test_a_reference_resolves_until_a_word_is_changed(
    name: str, text: str, old: str, new: str, code: str, message: str
) -> None:
    assert said(text) == []
    assert old in text
    found = said(text.replace(old, new, 1))
    assert [each for each, _ in found] == [code], found
    assert message in found[0][1]


HTTP_ROUTE = route("name: web, namespace: shop, port: 80")
SHOP = SERVICE.replace("namespace: ml", "namespace: shop")


def grant(kind: str = "HTTPRoute", space: str = "ml", to: str = "{group: '', kind: Service}") -> str:
    return f"""
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {{name: g, namespace: shop}}
spec: {{from: [{{group: gateway.networking.k8s.io, kind: {kind}, namespace: {space}}}], to: [{to}]}}
---
"""


def codes(text: str, *external: str, release: str = "1.6.1") -> list[str]:
    return [code for code, _ in said(text, *external, release=release)]


def test_a_grant_allows_a_reference_into_its_namespace() -> None:
    text = SHOP + GATEWAY + HTTP_ROUTE
    assert codes(text) == ["DG474"]
    assert codes(text + grant()) == []
    assert codes(text + grant(to="{group: '', kind: Service, name: web}")) == []
    assert codes(text + grant(kind="GRPCRoute")) == ["DG474"]
    assert codes(text + grant(space="other")) == ["DG474"]
    assert codes(text + grant(to="{group: '', kind: Secret}")) == ["DG474"]
    assert codes(text + grant(to="{group: '', kind: Service, name: wob}")) == ["DG474"]
    assert codes(text, "ReferenceGrant/shop/g") == []


def test_what_is_optional_need_not_be_there() -> None:
    assert codes(main("env: [{name: A, valueFrom: {secretKeyRef: {name: x, key: z, optional: true}}}]")) == []
    assert (
        codes(CONFIG + main("env: [{name: A, valueFrom: {configMapKeyRef: {name: words, key: z, optional: true}}}]"))
        == []
    )
    assert codes(volume("secret: {secretName: x, optional: true}")) == []


def test_what_is_declared_is_there_and_may_hold_anything() -> None:
    text = main("env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: anything}}}]")
    assert codes(text) == ["DG470"]
    assert codes(text, "Secret/login") == codes(text, "Secret/ml/login") == []
    assert codes(text, "Secret/other/login") == ["DG470"]
    assert findings(text)[0].hint == "add it, or say that the cluster has it: '--external Secret/login'"
    assert codes(GATEWAY + route("name: web, port: 80"), "Service/web") == []
    assert codes(SERVICE + route("name: web, port: 80"), "Gateway/ml/edge") == []
    assert codes(plain("priorityClassName: p"), "PriorityClass/p") == []


def test_a_selector_is_not_judged_when_others_may_make_pods() -> None:
    text = selecting("v1", "Service", "selector: {app: web}, ports: [{port: 80}]")
    assert codes(text) == ["DG473"]
    assert codes(text, "Deployment/web") == codes(text, "Pod/ml/web") == []
    assert codes(text, "Deployment/other/web") == ["DG473"]
    assert (
        codes(text + selecting("kueue.x-k8s.io/v1beta2", "Workload", "a: b")) == []
    )  # of DG47x; its kind is not known (DG211)
    chart = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, namespace: ml}\nspec: {project: p, destination: {}, source: {repoURL: 'https://example.com'}}\n---\n"
    assert codes(text + chart) == []
    assert codes(MONITORING + chart) == ["DG473"]
    assert codes(MONITORING, "DynamoGraphDeployment/chat") == []


def test_references_of_the_cluster_itself_are_left_alone() -> None:
    assert (
        codes(plain("serviceAccountName: default, priorityClassName: system-node-critical, runtimeClassName: gvisor"))
        == []
    )
    assert codes(volume("configMap: {name: kube-root-ca.crt}")) == []
    assert codes(BINDING.replace("kind: Role, name: reader", "kind: ClusterRole, name: view")) == []
    assert (
        codes(
            BINDING.replace(
                "name: robot, namespace: ml}, {kind: User", "name: dns, namespace: kube-system}, {kind: User"
            )
        )
        == []
    )
    assert codes(plain("nodeSelector: {cloud.google.com/compute-class: Balanced}")) == []
    assert codes(CLAIM.replace("standard-rwo", "dynamic-rwo")) == codes(CLAIM.replace("standard-rwo", "''")) == []
    assert codes(DEVICES.replace("fast}}]", "gpu.nvidia.com}}]")) == []


def test_what_others_make_on_demand_is_left_alone() -> None:
    tls = "tls: [{secretName: cert}]"
    assert codes(SERVICE + ingress(tls)) == ["DG470"]
    issued = ingress(tls).replace("namespace: ml}", "namespace: ml, annotations: {cert-manager.io/cluster-issuer: le}}")
    assert codes(SERVICE + issued) == []
    target = "apiVersion: grove.io/v1alpha1, kind: PodClique, name: chat-0-decode"
    assert codes(autoscaler(target)) == ["DG470"]
    assert codes(GRAPH + autoscaler(target)) == []
    elsewhere = "selector: {matchLabels: {istio: ingressgateway}}"
    assert codes(SERVICE + selecting("security.istio.io/v1", "AuthorizationPolicy", elsewhere)) == ["DG473"]
    policy_there = selecting("security.istio.io/v1", "AuthorizationPolicy", elsewhere).replace("ml", "istio-ingress")
    assert codes(SERVICE + policy_there) == []


POOL = "CustomResourceDefinition/inferencepools.inference.networking.k8s.io"


def test_an_endpoint_picker_brings_a_pool_and_the_class_of_its_workers() -> None:
    picker = "    - name: Epp\n      type: epp\n      podTemplate: {spec: {containers: [{name: main, image: 'example.com/frontend:1.6.1'}]}}\n"
    graph = GRAPH.replace("  components:\n", "  components:\n" + picker)
    pool = route("group: inference.networking.k8s.io, kind: InferencePool, name: chat-pool")
    assert codes(GRAPH + GATEWAY + pool) == ["DG470"]
    assert codes(graph + GATEWAY + pool, POOL) == []
    service = policy("GCPBackendPolicy", "targetRef: {group: '', kind: Service, name: chat-pool-ips-25cadd13}")
    assert codes(GRAPH + service) == ["DG470"]
    assert codes(graph + service, POOL) == []
    assert codes(graph + labelled("nvidia.com/dynamo-component-class: worker"), POOL) == []
    assert codes(graph + ingress("").replace("web, port: {number: 80}", "chat-epp, port: {number: 9002}"), POOL) == []


def test_a_recipe_of_a_release_before_v1beta1_is_understood() -> None:
    """Shaped like recipes/qwen3-32b/vllm of ai-dynamo/dynamo: claims by name, workers that look for each other."""
    term = "{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {nvidia.com/dynamo-sub-component-type: SUB}}}"
    graph = f"""
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {{name: recipe}}
spec:
  pvcs: [{{name: model-cache, create: false}}]
  services:
    prefill:
      componentType: worker
      subComponentType: prefill
      volumeMounts: [{{name: model-cache, mountPoint: /m}}]
      extraPodSpec:
        affinity: {{podAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{term}]}}}}
        mainContainer: {{image: 'example.com/vllm:1.1.1'}}
"""
    prefill, decode = graph.replace("SUB", "prefill"), graph.replace("SUB", "decode")
    for release in ("1.1.1", "1.6.1"):
        assert codes(prefill, release=release) == ["DG470"]
        assert codes(prefill, "PersistentVolumeClaim/model-cache", release=release) == []
        assert codes(decode, "PersistentVolumeClaim/model-cache", release=release) == ["DG473"]
    created = prefill.replace(
        "create: false", "create: true, size: 1Gi, storageClass: standard-rwx, volumeAccessMode: ReadWriteMany"
    )
    assert codes(created, release="1.1.1") == []
    assert codes(created.replace("standard-rwx", "standard-rxw"), release="1.1.1") == ["DG470"]


def test_a_kind_that_nobody_knows_is_not_judged() -> None:
    snapshot = "dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: s}, "
    assert codes(CLAIM.replace("spec: {", "spec: {" + snapshot)) == []
    assert codes(autoscaler("apiVersion: example.com/v1, kind: Thing, name: t")) == []
    assert codes(SERVICE + virtual_service("host: api.example.com")) == []
    assert codes(SERVICE + virtual_service("host: '*.example.com'")) == []


def test_a_claim_that_is_bound_by_hand_needs_no_class() -> None:
    volume = "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {storageClassName: hand, accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, csi: {driver: d, volumeHandle: h}}\n---\n"
    assert codes(CLAIM.replace("standard-rwo", "hand")) == ["DG470"]
    assert codes(volume + CLAIM.replace("standard-rwo", "hand")) == []
    assert codes(volume + CLAIM.replace("standard-rwo", "other, volumeName: v")) == []
    assert codes(CLAIM.replace("standard-rwo", "other, volumeName: v")) == ["DG470"]


def test_what_objects_bring_is_there() -> None:
    secret = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: e, namespace: ml}\nspec: {target: {name: login}, data: []}\n---\n"
    text = main("envFrom: [{secretRef: {name: login}}]")
    assert codes(secret + text) == []
    assert codes(secret.replace("name: login", "name: other") + text) == ["DG470"]
    database = SERVICE.replace("kind: Deployment", "kind: StatefulSet").replace(
        "spec:\n  selector",
        "spec:\n  serviceName: web\n  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]\n  selector",
    )
    assert codes(database + volume("persistentVolumeClaim: {claimName: data-web-0}")) == []
    assert codes(database + volume("persistentVolumeClaim: {claimName: data-web-1}")) == ["DG470"]
    mesh_gateway = GATEWAY.replace("gke-l7-rilb", "istio")
    pods = "selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: edge}}"
    assert codes(mesh_gateway + selecting("security.istio.io/v1", "AuthorizationPolicy", pods)) == []
    assert (
        codes(mesh_gateway + GATEWAY.replace("edge", "inner") + ingress("").replace("name: web", "name: edge-istio"))
        == []
    )


def test_what_the_operator_makes_is_there() -> None:
    assert codes(GRAPH + plain("serviceAccountName: chat-k8s-service-discovery")) == []
    assert codes(GRAPH + ingress("").replace("web, port: {number: 80}", "chat-decode, port: {name: system}")) == []
    deployment = "apiVersion: apps/v1, kind: Deployment, name: "
    assert codes(GRAPH + autoscaler(deployment + "chat-frontend")) == []
    (found,) = findings(GRAPH + autoscaler(deployment + "chat-decode-1a2b3c4d"))
    assert found.hint.startswith(
        "scale the DynamoGraphDeploymentScalingAdapter 'chat-decode', which component 'decode' gets"
    )
    (found,) = findings(GRAPH + autoscaler(ADAPTER.replace("decode", "prefill")))
    assert found.hint == "component 'prefill' gets one with 'scalingAdapter: {}'"


def labelled(label: str) -> str:
    return MONITORING.replace("nvidia.com/dynamo-component-type: decode", label)


@pytest.mark.parametrize(
    "graph, release, label, matches",
    [
        (GRAPH, "1.6.1", "nvidia.com/dynamo-component-type: worker", False),
        (GRAPH, "1.6.1", "nvidia.com/dynamo-namespace: ml-chat", True),
        (GRAPH, "1.6.1", "nvidia.com/dynamo-namespace: chat", False),
        (GRAPH, "1.6.1", "nvidia.com/metrics-enabled: 'true'", True),
        (GRAPH, "1.6.1", "nvidia.com/dynamo-component-class: worker", False),
        (GRAPH, "1.6.1", "nvidia.com/dynamo-sub-component-type: decode", False),
        (GRAPH, "1.6.1", "app.kubernetes.io/instance: chat", False),
        (GRAPH, "1.6.1", "grove.io/podclique: chat-0-decode", True),
        (OLD_GRAPH, "1.1.1", "nvidia.com/dynamo-component-type: worker", True),
        (OLD_GRAPH, "1.1.1", "nvidia.com/dynamo-component-type: decode", False),
        (OLD_GRAPH, "1.1.1", "nvidia.com/dynamo-sub-component-type: decode", True),
        (OLD_GRAPH, "1.6.1", "nvidia.com/dynamo-component-type: decode", True),
    ],
)
def test_labels_are_those_that_the_operator_of_the_release_sets(
    graph: str, release: str, label: str, matches: bool
) -> None:
    found = codes(SECRET + CLAIM + graph + labelled(label), release=release)
    assert found == ([] if matches else ["DG473"])


def test_labels_of_the_graph_reach_its_pods_from_some_places_only() -> None:
    here = "metadata: {name: chat, namespace: ml"
    assert codes(GRAPH.replace(here, here + ", labels: {team: search}") + labelled("team: search")) == ["DG473"]
    assert codes(GRAPH.replace("spec:\n", "spec:\n  labels: {team: search}\n", 1) + labelled("team: search")) == []
    template = GRAPH.replace("podTemplate: {", "podTemplate: {metadata: {labels: {team: search}}, ")
    assert codes(template + labelled("team: search")) == []


def test_metrics_can_be_switched_off() -> None:
    here = "metadata: {name: chat, namespace: ml"
    off = "annotations: {nvidia.com/enable-metrics: 'false'}"
    label = labelled("nvidia.com/metrics-enabled: 'true'")
    assert codes(GRAPH.replace(here, f"{here}, {off}") + label) == ["DG473"]
    assert codes(GRAPH.replace("spec:\n", f"spec:\n  {off}\n", 1) + label) == []  # Grove looks at the graph alone


def test_the_closest_word_is_offered() -> None:
    (found,) = findings(GRAPH + MONITORING.replace("component-type: decode", "component-type: decod"))
    assert found.hint == "did you mean 'decode'?"
    (found,) = findings(
        GRAPH + MONITORING.replace("nvidia.com/dynamo-component-type", "nvidia.com/dynamo-component-typ")
    )
    assert found.hint == "did you mean 'nvidia.com/dynamo-component-type'?"
    (found,) = findings(GRAPH + MONITORING.replace("component-type: decode", "component-type: worker"))
    assert found.hint == "the workers here are prefill and decode: operator In, values [prefill, decode]"
    (found,) = findings(SHOP + GATEWAY + route("name: web, port: 80"))
    assert found.hint == "there is one in 'shop'"


def test_affinity_between_components_is_held_against_the_operators_labels() -> None:
    def with_affinity(label: str) -> str:
        term = f"{{topologyKey: kubernetes.io/hostname, labelSelector: {{matchLabels: {{{label}}}}}}}"
        affinity = f"affinity: {{podAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{term}]}}}}"
        return GRAPH.replace("spec: {containers", f"spec: {{{affinity}, containers", 1)

    assert codes(with_affinity("nvidia.com/dynamo-component: prefill")) == []
    assert codes(with_affinity("nvidia.com/dynamo-component: Prefill")) == ["DG473"]
    assert codes(with_affinity("app: somewhere-else")) == []


def test_peers_of_network_policies_are_held_against_them_too() -> None:
    def peer(label: str, more: str = "") -> str:
        peers = f"from: [{{podSelector: {{matchLabels: {{{label}}}}}{more}}}]"
        return selecting("networking.k8s.io/v1", "NetworkPolicy", f"podSelector: {{}}, ingress: [{{{peers}}}]")

    assert codes(GRAPH + peer("nvidia.com/dynamo-component: decode")) == []
    assert codes(GRAPH + peer("nvidia.com/dynamo-component: Decode")) == ["DG473"]
    assert codes(GRAPH + peer("nvidia.com/dynamo-component: Decode", ", namespaceSelector: {}")) == []
    assert codes(GRAPH + peer("app: prometheus")) == []


def test_a_graph_that_is_declared_by_name_brings_what_its_operator_makes() -> None:
    text = GATEWAY + route("name: chat-frontend, port: 8000") + autoscaler(ADAPTER) + MONITORING
    assert codes(text) == ["DG470", "DG470", "DG473"]
    assert codes(text, "DynamoGraphDeployment/chat") == []
    assert codes(text, "DynamoGraphDeployment/other") == ["DG470", "DG470"]


def test_names_of_the_operator_are_taken_in_some_cases_only() -> None:
    def severity(text: str) -> list[tuple[str, str]]:
        return [(each.code, each.severity) for each in findings(text)]

    named = SERVICE.replace("name: web, namespace: ml}", "name: chat-frontend, namespace: ml}", 1)
    assert severity(GRAPH + named) == [("DG476", "error")]
    assert severity(GRAPH + named.replace("namespace: ml", "namespace: shop")) == []
    owned = "name: chat-frontend, namespace: ml, ownerReferences: [{apiVersion: nvidia.com/v1beta1, kind: DynamoGraphDeployment, name: chat, uid: u}]}"
    assert severity(GRAPH + SERVICE.replace("name: web, namespace: ml}", owned, 1)) == []
    host = virtual_service("host: chat-frontend").replace("name: api", "name: chat-frontend", 1)
    assert severity(GRAPH + host) == [("DG476", "warning")]
    by_route = (GRAPH + GATEWAY + route("name: chat-frontend, port: 8000")).replace("name: api", "name: chat-route")
    assert severity(by_route) == [("DG476", "warning")]


def test_a_pull_secret_that_is_missing_is_a_warning() -> None:
    (found,) = findings(plain("imagePullSecrets: [{name: pull}]"))
    assert (found.code, found.severity) == ("DG470", "warning")


def test_an_object_without_a_namespace_may_be_in_any() -> None:
    text = SECRET.replace(", namespace: ml", "") + main("envFrom: [{secretRef: {name: login}}]")
    assert codes(text) == []
    assert codes(GRAPH.replace(", namespace: ml", "") + MONITORING) == []
    assert codes(GRAPH + MONITORING.replace(", namespace: ml", "")) == []


def test_hosts_meet_as_the_gateway_api_says() -> None:
    from dynagen.verify.references.routes import _intersect

    for listener, host, meets in (
        ("a.example.com", "a.example.com", True), ("a.example.com", "b.example.com", False),
        ("*.example.com", "a.example.com", True), ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False), ("a.example.com", "*.example.com", True),
        ("*.example.com", "*.example.com", True), ("*.a.example.com", "*.example.com", True),
        ("*.example.com", "*.example.org", False), ("example.com", "*.example.com", False),
    ):  # fmt: skip
        assert _intersect(listener, host) is meets, (listener, host)


def many(number: int, host: str = "web") -> str:
    """As many small installations in one namespace, each with names of its own."""
    one = GRAPH + GATEWAY + MONITORING + SERVICE + CONFIG + main("envFrom: [{configMapRef: {name: words}}]")
    one += route("name: chat-frontend, port: 8000") + virtual_service(f"host: {host}")
    numbered = ("ml/edge", "app: web", f"host: {host}", *(f"name: {word}" for word in ("web", "chat", "edge", "words", "shell", "api", "m,", host)))  # fmt: skip
    found = ""
    for index in range(number):
        text = one
        for word in dict.fromkeys(numbered):
            text = text.replace(word, f"{word.rstrip(',')}{index}{',' if word.endswith(',') else ''}")
        found += text
    return found


def work(text: str) -> tuple[int, int]:
    """How many functions the check calls, and how much it finds: a clock that does not depend on the machine."""
    import sys

    from dynagen.checking.manifests import objects_of
    from dynagen.origins.pointing import where_written
    from dynagen.profile.library import schema_folders
    from dynagen.schema.sets import Schemas
    from dynagen.verify import Cluster, Findings
    from dynagen.verify.references.check import check

    report, calls = Report(), 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    objects = objects_of(parse(text, "all.yaml", report), report)
    cluster = Cluster(Schemas(schema_folders([], "1.34")), "1.34", (1, 6, 1))
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        check(objects, cluster, Findings(report, where_written))
    finally:
        sys.setprofile(before)
    return calls, len(report.diagnostics)


def test_the_cost_grows_with_the_number_of_objects_and_no_faster() -> None:
    work(many(1))
    (few, none), (more, still_none) = work(many(20)), work(many(80))
    assert none == still_none == 0
    assert more / few < 4.4


def test_so_it_does_when_everything_is_wrong() -> None:
    wrong = [
        virtual_service("host: wob{0}").replace("name: ", "name: a{0}").replace("ml/", "ml/a{0}") for _ in range(130)
    ]
    texts = [text.replace("{0}", str(index)) for index, text in enumerate(wrong)]
    (few, some), (more, all_of_them) = work("".join(texts[:110])), work("".join(texts))
    assert (some, all_of_them) == (110, 130)
    assert more / few < 1.25


TREES = [*sorted((ROOT / "out").iterdir()), *sorted((ROOT / "tests/cases/good").glob("*/expected"))]
# What nobody refers to: it does its work by being there.
NOBODYS = {
    "DestinationRule", "GCPBackendPolicy", "HealthCheckPolicy", "HTTPRoute", "Job", "Namespace", "PeerAuthentication",
    "Pod", "PodDisruptionBudget", "PodMonitor", "PodMonitoring", "PrometheusRule", "Rules", "VirtualService",
}  # fmt: skip
# And of other kinds: dashboards, which Grafana finds by their label, and graphs that stand alone.
NOBODYS_NAMES = {"qwen3-32b-dashboard", "chat-contact", "sglang-disagg", "vllm-agg", "vllm-disagg", "demo", "own"}


@pytest.mark.parametrize("tree", TREES, ids=lambda path: path.name if path.name != "expected" else path.parent.name)
def test_an_object_that_others_refer_to_is_missed_and_no_other_is(tree: Path) -> None:
    files = {file: file.read_text("utf-8") for file in tree.glob("*.yaml") if file.name != "kustomization.yaml"}
    release = {"release-0.9-legacy-flags": "0.9.0", "release-1.1-v1alpha1": "1.1.1"}.get(tree.parent.name, "1.6.1")
    external = ("Secret/hf-token-secret", "StorageClass/fast")

    def found(texts: dict[Path, str]) -> list[str]:
        return codes("---\n".join(texts.values()), *external, release=release)

    assert found(files) == []
    for file, text in files.items():
        subject = parse(text, file.name, Report())[0].data
        nobodys = subject["kind"] in NOBODYS or subject["metadata"]["name"] in NOBODYS_NAMES
        missed = found({other: text for other, text in files.items() if other != file})
        assert bool(missed) is not nobodys, file.name
        assert set(missed) <= {"DG470", "DG473"}


def test_no_object_makes_it_fall_over() -> None:
    """Parts are taken away and put in other places: of what conforms, nothing does; what is external may be anything."""
    from dynagen.checking.manifests import objects_of
    from dynagen.origins.pointing import where_written
    from dynagen.profile.library import schema_folders
    from dynagen.schema.sets import Schemas
    from dynagen.verify import Cluster, Findings
    from dynagen.verify.references.check import check

    schemas = Schemas(schema_folders([], "1.34"))
    chance = random.Random(1)
    report = Report()
    texts = list(dict.fromkeys(case[1] for case in CASES))
    checked = 0
    for text in texts * 6:
        objects = objects_of(parse(text, "all.yaml", Report()), report)
        for subject in objects:
            if chance.random() < 0.6:
                _disturb(subject.data, chance)
        external = [each for each in objects if chance.random() < 0.4]
        rest = [
            each
            for each in objects
            if each not in external
            and (schema := schemas.find(each.api_version, each.kind)) is not None
            and schema.conforms(each.data)
        ]
        checked += len(rest)
        check(rest, Cluster(schemas, "1.34", (1, 6, 1), external), Findings(Report(), where_written))
    assert checked > 200


def _disturb(value: Any, chance: random.Random) -> None:
    places = []

    def walk(inner: Any) -> None:
        for key in list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ():
            if key not in ("apiVersion", "kind", "metadata"):
                places.append((inner, key))
                walk(inner[key])

    walk(value)
    for _ in range(chance.choice((1, 2))):
        if places:
            inner, key = chance.choice(places)
            inner[key] = chance.choice(([], {}, "", "x", 1, True, [{}], {"a": "b"}, [[]], inner[key]))
