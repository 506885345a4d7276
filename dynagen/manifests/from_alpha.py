"""A graph of v1alpha1 -> v1beta1, as the conversion webhook makes it of it: origins stay with their values.

Source: deploy/operator/api/v1alpha1/shared_spec_conversion.go and CONVERSION.md of ai-dynamo/dynamo. What has no home
in v1beta1 (`ingress`, `pvcs`, `autoscaling`, `dynamoNamespace`) is left out: its rules look at what was written.
"""

from __future__ import annotations

from typing import Any

from dynagen.manifests.building import Manifest
from dynagen.text.quantities import amount
from dynagen.trees.nodes import Leaf, List, Map, Tree, find_exactly, scalar

BETA = "nvidia.com/v1beta1"

_SPEC_SAME = (
    "backendFramework", "annotations", "labels", "priorityClassName", "providerOverride", "restart",
    "topologyConstraint", "experimental",
)  # fmt: skip
_SAME = (
    "replicas", "multinode", "minAvailable", "globalDynamoNamespace", "modelRef", "eppConfig", "runtimeVersionOverride",
    "topologyConstraint", "providerOverride",
)  # fmt: skip
_MODES = {"intraPod": "IntraPod", "interPod": "InterPod"}
_SIDECAR = "sidecar-frontend"


def as_beta(manifest: Manifest) -> Manifest:
    """The manifest in the form of v1beta1; what is not as its schema says is kept as it is."""
    tree = Map(manifest.tree, manifest.tree.origin)
    tree["apiVersion"] = Leaf(BETA, manifest.origin(("apiVersion",)))
    spec = manifest.tree.get("spec")
    if isinstance(spec, Map):
        tree["spec"] = _spec(spec) if manifest.kind == "DynamoGraphDeployment" else _component(spec)
    return manifest.with_tree(tree)


def _spec(spec: Map) -> Map:
    converted = Map({key: spec[key] for key in _SPEC_SAME if key in spec}, spec.origin)
    if "envs" in spec:
        converted["env"] = spec["envs"]
    services = spec.get("services")
    if isinstance(services, Map):
        components = []
        for name, service in services.items():
            component = _component(service) if isinstance(service, Map) else Map({}, services.origin)
            component["name"] = Leaf(name, component.origin)
            components.append(component)
        converted["components"] = List(components, services.origin)
    return converted


def _component(service: Map) -> Map:
    component = Map({key: service[key] for key in _SAME if key in service}, service.origin)
    if service.get("backendFramework") is not None:
        component["backendFramework"] = service["backendFramework"]
    part, kind = scalar(service, "subComponentType"), scalar(service, "componentType")
    if kind == "worker" and part in ("prefill", "decode"):
        component["type"] = service["subComponentType"]
    elif kind:
        component["type"] = service["componentType"]
    memory = service.get("sharedMemory")
    if isinstance(memory, Map):
        if scalar(memory, "disabled"):
            component["sharedMemorySize"] = Leaf("0", memory["disabled"].origin)
        elif "size" in memory and amount(scalar(memory, "size")):
            component["sharedMemorySize"] = memory["size"]
    adapter = service.get("scalingAdapter")
    if isinstance(adapter, Map) and scalar(adapter, "enabled"):
        component["scalingAdapter"] = Map({}, adapter.origin)
    for mount in _items(service.get("volumeMounts")):
        if scalar(mount, "useAsCompilationCache"):
            cache = Map({"pvcName": mount["name"]} if "name" in mount else {}, mount.origin)
            if "mountPoint" in mount:
                cache["mountPath"] = mount["mountPoint"]
            component["compilationCache"] = cache
            break
    experimental = _experimental(service)
    if experimental:
        component["experimental"] = experimental
    sidecar = service.get("frontendSidecar")
    if isinstance(sidecar, Map):
        component["frontendSidecar"] = Leaf(_SIDECAR, sidecar.origin)
    template = _pod_template(service)
    if template:
        component["podTemplate"] = template
    return component


def _experimental(service: Map) -> Map:
    experimental = Map({}, service.origin)
    for key in ("gpuMemoryService", "failover"):
        section = service.get(key)
        if isinstance(section, Map) and scalar(section, "enabled"):
            converted = Map({name: value for name, value in section.items() if name != "enabled"}, section.origin)
            mode = scalar(section, "mode")
            if mode in _MODES:
                converted["mode"] = Leaf(_MODES[mode], section["mode"].origin)
            experimental[key] = converted
    checkpoint = service.get("checkpoint")
    if isinstance(checkpoint, Map):
        experimental["checkpoint"] = checkpoint
    return experimental


def _pod_template(service: Map) -> Map:
    """`extraPodSpec` with its main container, `extraPodMetadata`, and all that stands beside them in a service."""
    template = Map({}, service.origin)
    metadata = Map({}, service.origin)
    for source in (service, service.get("extraPodMetadata")):
        for key in ("annotations", "labels"):
            values = source.get(key) if isinstance(source, Map) else None
            if isinstance(values, Map):
                metadata[key] = Map({**metadata.get(key, {}), **values}, values.origin)
    if metadata:
        template["metadata"] = metadata
    extra = service.get("extraPodSpec")
    pod = Map(extra, extra.origin) if isinstance(extra, Map) else Map({}, service.origin)
    written = pod.pop("mainContainer", None)
    main = _main(service, written if isinstance(written, Map) else Map({}, service.origin))
    containers = List(_items(pod.get("containers")), pod.origin)
    if main:
        main["name"] = Leaf("main", main.origin)
        containers.insert(0, main)
    sidecar = service.get("frontendSidecar")
    if isinstance(sidecar, Map):
        container = Map({"name": Leaf(_SIDECAR, sidecar.origin)}, sidecar.origin)
        for source, target in (("image", "image"), ("args", "args"), ("envs", "env")):
            if source in sidecar:
                container[target] = sidecar[source]
        containers.append(container)
    if containers:
        pod["containers"] = containers
    if pod:
        template["spec"] = pod
    return template


def _main(service: Map, written: Map) -> Map:
    main = Map({key: value for key, value in written.items() if key != "name"}, written.origin)
    variables = {scalar(each, "name"): each for each in _items(service.get("envs"))}
    variables |= {scalar(each, "name"): each for each in _items(written.get("env"))}
    if variables:
        main["env"] = List(variables.values(), main.origin)
    secret = service.get("envFromSecret")
    if isinstance(secret, Leaf) and secret.value:
        reference = Map({"secretRef": Map({"name": secret}, secret.origin)}, secret.origin)
        main["envFrom"] = List([*_items(written.get("envFrom")), reference], main.origin)
    for probe in ("livenessProbe", "readinessProbe"):
        if probe in service:
            main[probe] = service[probe]
    resources = service.get("resources")
    if isinstance(resources, Map):
        main["resources"] = _resources(resources, written.get("resources"))
    mounts = [
        Map({"name": each["name"], "mountPath": each["mountPoint"]}, each.origin)
        for each in _items(service.get("volumeMounts"))
        if "name" in each and scalar(each, "mountPoint") and not scalar(each, "useAsCompilationCache")
    ]
    if mounts:
        main["volumeMounts"] = List([*_items(written.get("volumeMounts")), *mounts], main.origin)
    return main


def _resources(resources: Map, written: Tree | None) -> Map:
    """Dynamo's own form -> Kubernetes': `gpu` is `nvidia.com/gpu` unless `gpuType` names another."""
    converted = Map(written if isinstance(written, Map) else {}, resources.origin)
    for section in ("limits", "requests"):
        amounts = resources.get(section)
        if not isinstance(amounts, Map):
            continue
        beside = find_exactly(converted, (section,))
        items = Map(beside if isinstance(beside, Map) else {}, amounts.origin)
        for key in ("cpu", "memory"):
            if scalar(amounts, key):
                items[key] = amounts[key]
        if scalar(amounts, "gpu"):
            items[str(scalar(amounts, "gpuType") or "nvidia.com/gpu")] = amounts["gpu"]
        custom = amounts.get("custom")
        if isinstance(custom, Map):
            items.update(custom)
        converted[section] = items
    if "claims" in resources:
        converted["claims"] = resources["claims"]
    return converted


def _items(tree: Any) -> list[Map]:
    return [each for each in tree if isinstance(each, Map)] if isinstance(tree, List) else []
