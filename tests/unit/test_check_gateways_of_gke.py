"""Gateways and health checks of GKE: classes that are nearly right, ports that pods do not have."""

from __future__ import annotations

import pytest

from tests.unit.linting import report_of

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: web, namespace: ml}}
spec:
  gatewayClassName: {name}
  listeners: [{{name: http, port: 80, protocol: HTTP}}]
"""
CLASS = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: gke-l7-rlib}
spec: {controllerName: example.com/gateway}
"""
POLICY = """
---
apiVersion: networking.gke.io/v1
kind: HealthCheckPolicy
metadata: {{name: web, namespace: ml}}
spec:
  default: {{config: {{type: HTTP, httpHealthCheck: {{{check}}}}}}}
  targetRef: {{group: "", kind: Service, name: {service}}}
"""
WEB = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ml}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ml}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: main, image: "busybox:1.37", args: [--health, ":9000"], ports: [{containerPort: 8080}]}
"""
GRAPH = """
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {name: demo, namespace: ml}
spec:
  components:
    - name: frontend
      type: frontend
      podTemplate: {spec: {containers: [{name: main, image: "r/frontend:1.6.1"}]}}
"""


def said(text: str, *external: str) -> list[str]:
    found = [each for each in report_of(text, external=external).diagnostics if each.code in ("DG470", "DG472")]
    return [f"{each.severity} {each.message.partition(': ')[2]}" for each in found]


def test_a_class_that_is_nearly_one_of_gke_is_a_slip() -> None:
    warning = "warning neither GKE nor Istio has a GatewayClass '{}'"
    for name in ("gke-l7-rlib", "gke-l7-global-external-manged", "gke-L7-rilb", "isto"):
        assert said(GATEWAY.format(name=name)) == [warning.format(name)]


OTHERS = ["gke-persistent-regional-external-managed", "istio", "istio-waypoint", "nginx", "eg", "cilium"]


@pytest.mark.parametrize("name", ["gke-l7-rilb", "gke-l7-gxlb-mc", *OTHERS])
def test_another_class_is_somebody_s(name: str) -> None:
    assert said(GATEWAY.format(name=name)) == []


def test_a_class_that_is_there_is_none() -> None:
    assert said(GATEWAY.format(name="gke-l7-rlib") + CLASS) == []
    assert said(GATEWAY.format(name="gke-l7-rlib"), "GatewayClass/gke-l7-rlib") == []


def policy(check: str, service: str = "web") -> str:
    return POLICY.format(check=check, service=service)


def test_a_health_check_asks_a_port_of_the_pods() -> None:
    assert said(WEB + policy("port: 8080")) == said(WEB + policy("port: 9000")) == []
    assert said(WEB + policy("portSpecification: USE_SERVING_PORT")) == []
    assert said(WEB + policy("port: 15021")) == []  # of Istio's proxy, which may be beside them
    assert said(WEB + policy("port: 8081")) == ["warning Service 'web': 8081 is no port of its pods"]
    of_service = "warning Service 'web': 80 is a port of the Service, and its pods have none such"
    assert said(WEB + policy("portSpecification: USE_FIXED_PORT, port: 80")) == [of_service]


def test_pods_that_are_not_here_are_not_judged() -> None:
    alone = WEB.partition("---")[0]
    assert [each for each in said(alone + policy("port: 8081")) if "port" in each] == []
    assert said(alone + policy("port: 8081"), "Deployment/ml/web") == []


def test_the_frontend_of_a_graph_has_port_8000() -> None:
    assert said(GRAPH + policy("port: 8000", "demo-frontend")) == []
    assert said(GRAPH + policy("port: 8080", "demo-frontend")) == [
        "warning Service 'demo-frontend': 8080 is no port of its pods"
    ]
    moved = GRAPH.replace('1.6.1"', '1.6.1", env: [{name: DYN_HTTP_PORT, value: "8080"}]')
    assert said(moved + policy("port: 8080", "demo-frontend")) == []


def test_a_service_of_somebody_s_own_may_stand_before_a_graph() -> None:
    service = """
---
apiVersion: v1
kind: Service
metadata: {name: mine, namespace: ml}
spec:
  selector: {nvidia.com/dynamo-component: frontend}
  ports: [{port: 80, targetPort: http}]
"""
    text = GRAPH + service
    assert said(text + policy("port: 8000", "mine")) == said(text + policy("port: 9090", "mine")) == []
    assert said(text + policy("port: 81", "mine")) == ["warning Service 'mine': 81 is no port of its pods"]


def test_a_route_leaves_time_for_its_backend() -> None:
    route = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: ml}
spec: {rules: [{timeouts: {request: 10s, backendRequest: %s}}]}
"""
    assert [each.code for each in report_of(route % "20s").diagnostics] == ["DG215"]
    assert report_of(route % "10s").diagnostics == []
