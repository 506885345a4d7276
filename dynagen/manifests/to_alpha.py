"""A DynamoGraphDeployment of v1beta1 -> v1alpha1, for releases before 1.2.

Layers are written for v1beta1 only; this is the exact mapping of Dynamo's own conversion
(deploy/operator/api/v1alpha1/shared_spec_conversion.go and CONVERSION.md of ai-dynamo/dynamo), for the fields that
exist in both. Origins stay with their values.
"""

from __future__ import annotations

from dynagen.diagnostics import Report
from dynagen.manifests.building import Manifest
from dynagen.trees.nodes import Leaf, List, Map, Tree, scalar

V1ALPHA1, V1BETA1 = "nvidia.com/v1alpha1", "nvidia.com/v1beta1"

_SAME = ("replicas", "multinode", "modelRef", "runtimeVersionOverride", "globalDynamoNamespace")
_KNOWN = {*_SAME, "name", "type", "podTemplate", "sharedMemorySize", "scalingAdapter"}
_SPEC_SAME = ("backendFramework", "annotations", "labels", "restart", "topologyConstraint", "priorityClassName")


def needs_translation(manifest: Manifest, api_version: str) -> bool:
    return (manifest.kind, manifest.api_version, api_version) == ("DynamoGraphDeployment", V1BETA1, V1ALPHA1)


def for_release(manifest: Manifest, api_version: str, report: Report) -> Manifest:
    """The manifest as the release's operator takes it. Reports DG408 for a field that v1alpha1 does not have."""
    if (manifest.kind, manifest.api_version) != ("DynamoGraphDeployment", V1BETA1):
        return manifest
    tree = Map(manifest.tree, manifest.tree.origin)
    # The release decides, wherever the layer's own version is written.
    decided = tree["apiVersion"].origin._replace(expression="${graph.apiVersion}", reads=(("graph", "apiVersion"),))
    tree["apiVersion"] = Leaf(api_version, decided)
    spec = tree.get("spec")
    if isinstance(spec, Map) and needs_translation(manifest, api_version):
        tree["spec"] = _spec(spec, report)
    return manifest.with_tree(tree)


def _spec(spec: Map, report: Report) -> Map:
    converted = Map({key: spec[key] for key in _SPEC_SAME if key in spec}, spec.origin)
    if "env" in spec:
        converted["envs"] = spec["env"]
    for key in spec.keys() - {*_SPEC_SAME, "env", "components"}:
        _report_missing(key, spec[key], report)
    components = spec.get("components")
    if isinstance(components, List):
        services = {str(scalar(component, "name")): _service(component, report) for component in components}
        converted["services"] = Map(services, components.origin)
    return converted


def _service(component: Map, report: Report) -> Map:
    service = Map({}, component.origin)
    kind = scalar(component, "type")
    if kind in ("prefill", "decode"):
        service["componentType"] = Leaf("worker", component["type"].origin)
        service["subComponentType"] = component["type"]
    elif kind is not None:
        service["componentType"] = component["type"]
    for key in _SAME:
        if key in component:
            service[key] = component[key]
    if "sharedMemorySize" in component:
        size = component["sharedMemorySize"]
        off = isinstance(size, Leaf) and str(size.value) == "0"
        service["sharedMemory"] = Map({"disabled": Leaf(True, size.origin)} if off else {"size": size}, size.origin)
    if "scalingAdapter" in component:
        origin = component["scalingAdapter"].origin
        service["scalingAdapter"] = Map({"enabled": Leaf(True, origin)}, origin)
    for key in component.keys() - _KNOWN:
        _report_missing(key, component[key], report)
    template = component.get("podTemplate")
    if isinstance(template, Map):
        _pod_template(template, service)
    return service


def _pod_template(template: Map, service: Map) -> None:
    metadata = template.get("metadata")
    if isinstance(metadata, Map):
        service["extraPodMetadata"] = metadata
    spec = template.get("spec")
    if not isinstance(spec, Map):
        return
    pod = Map(spec, spec.origin)
    containers = pod.pop("containers", None)
    if isinstance(containers, List):
        main = [container for container in containers if scalar(container, "name") == "main"]
        others = [container for container in containers if scalar(container, "name") != "main"]
        if others:
            pod["containers"] = List(others, containers.origin)
        if main:
            container = Map({key: value for key, value in main[0].items() if key != "name"}, main[0].origin)
            _resources(container, service)
            for probe in ("livenessProbe", "readinessProbe"):
                if probe in container:
                    service[probe] = container.pop(probe)
            if "env" in container:
                service["envs"] = container.pop("env")
            pod["mainContainer"] = container
    if pod:
        service["extraPodSpec"] = pod


def _resources(container: Map, service: Map) -> None:
    """Kubernetes' resources -> Dynamo's, where GPUs are called `gpu` and all quantities are strings."""
    resources = container.pop("resources", None)
    if not isinstance(resources, Map):
        return
    converted = Map({}, resources.origin)
    for section in ("requests", "limits"):
        amounts = resources.get(section)
        if not isinstance(amounts, Map):
            continue
        items = Map({}, amounts.origin)
        custom = Map({}, amounts.origin)
        for name, amount in amounts.items():
            text = Leaf(str(amount.value), amount.origin, amount.replaced)
            if name == "nvidia.com/gpu":
                items["gpu"] = text
            elif name in ("cpu", "memory"):
                items[name] = text
            else:
                custom[name] = text
        if custom:
            items["custom"] = custom
        converted[section] = items
    if "claims" in resources:
        converted["claims"] = resources["claims"]
    service["resources"] = converted


def _report_missing(key: str, value: Tree, report: Report) -> None:
    report.add(
        "DG408", f"'{key}' does not exist in {V1ALPHA1}, which this release needs", value.origin.written,
        hint="leave it out, or use release 1.2.0 or later",
    )  # fmt: skip
