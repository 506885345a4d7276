"""The endpoint picker (`type: epp`), which the Gateway API Inference Extension asks for a worker.

Source: validateDynamoComponentDeploymentSharedSpec in deploy/operator/internal/webhook/validation/shared_v1beta1.go,
eppRuntimeCompatibilityError in shared_helpers.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from dynagen.cluster.apis import INFERENCE_POOL, Apis
from dynagen.cluster.graphs import Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.verify.dynamo.images import runtime_version


def check_epp(graph: Graph, apis: Apis, cluster: Cluster, findings: Findings) -> None:
    """Reports DG458."""
    for component in graph.components:
        if component.type == "epp":
            _check_picker(component, apis, cluster, findings)


def _check_picker(component: Component, apis: Apis, cluster: Cluster, findings: Findings) -> None:
    config, replicas = component.data.get("eppConfig"), component.data.get("replicas", 1)
    if not component.graph.alone and not apis.has_group("inference.networking.k8s.io"):
        message = "an endpoint picker needs the Gateway API Inference Extension, which the cluster is not known to have"
        hint = f"if it has, say so: {cluster.declaring.format(f'CustomResourceDefinition/{INFERENCE_POOL}')}"
        component.report(findings, "DG458", ("type",), message, hint)
    if cluster.release < (1, 5, 0):
        legacy: bool | None = True
    else:
        version = runtime_version(component, cluster.release)
        legacy = None if version is None else version < (1, 5, 0)
    if replicas != 1 and (config is not None or cluster.release < (1, 5, 0)):
        message = f"'replicas' is {replicas}: a picker with 'eppConfig' is alone"
        component.report(
            findings, "DG458", ("replicas",), message, "1, or an image of 1.5.0 or later without 'eppConfig'"
        )
    if legacy and config is None:
        later = "an image" if cluster.release >= (1, 5, 0) else "an operator and an image"
        hint = f"'eppConfig' with 'configMapRef' or 'config', or {later} of 1.5.0 or later"
        component.report(findings, "DG458", (), "an endpoint picker before 1.5.0 needs 'eppConfig'", hint)
    elif legacy is False and config is not None:
        message = "an endpoint picker of 1.5.0 or later takes no 'eppConfig'"
        component.report(findings, "DG458", ("eppConfig",), message, "leave it out")
