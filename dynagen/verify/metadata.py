"""Names, labels, annotations, finalizers and owners as every API server takes them, whatever the kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.graphs import COMPONENT
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.diagnostics import KeyPath, path_text, shortened
from dynagen.manifests.versions import GRAPH
from dynagen.text.names import (
    MAX_LABEL,
    config_key_problem,
    key_problem,
    label_problem,
    segment_problem,
    subdomain_problem,
    value_problem,
)

MAX_ANNOTATIONS = 256 * 1024
# Kinds whose names are not DNS subdomains. source: ValidateNameFunc of each kind, pkg/apis/*/validation/validation.go of
# kubernetes/kubernetes
_LABELS = {("", "Namespace"), ("", "Service"), ("apps", "StatefulSet")}
_SEGMENTS = {
    "rbac.authorization.k8s.io", "apiregistration.k8s.io", "certificates.k8s.io", "internal.apiserver.k8s.io",
    "events.k8s.io", "policy",
}  # fmt: skip
# A Job's name becomes a label of its pods, a CronJob's the beginning of its Jobs' names.
# source: pkg/apis/batch/validation/validation.go of kubernetes/kubernetes
_SHORTER = {("batch", "Job"): MAX_LABEL, ("batch", "CronJob"): 52}
_RELAXED_SERVICES = (1, 36)  # source: RelaxedServiceNameValidation in pkg/features/kube_features.go, as above


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG441 for a name that is refused, DG442 for a label, an annotation, a finalizer or an owner that is.

    Source: ValidateObjectMetaAccessor in pkg/api/validation/objectmeta.go of kubernetes/apimachinery.
    """
    for subject in objects:
        for path, problem in _names(subject, cluster):
            text = path[-1] if path[0] != "metadata" else subject.data["metadata"][path[-1]]
            findings.add("DG441", subject, path, f"{path_text(path)}: '{_short(str(text))}' {problem}")
        for path, problem in _labelled(subject):
            findings.add("DG442", subject, path, f"{path_text(path)}: {problem}")


def _short(text: str) -> str:
    return shortened(text, 60)


def _names(subject: Object, cluster: Cluster) -> Iterator[tuple[KeyPath, str]]:
    metadata = subject.data.get("metadata") or {}
    key = (subject.group, subject.kind)
    problem_of = (
        label_problem if key in _LABELS else segment_problem if subject.group in _SEGMENTS else subdomain_problem
    )
    if subject.group == "" and subject.kind == "Event":
        problem_of = segment_problem
    name = metadata.get("name", "")
    if not name and metadata.get("generateName"):
        pass  # the API server makes one up
    elif problem := problem_of(name):
        yield ("metadata", "name"), problem
    elif len(name) > _SHORTER.get(key, len(name)):
        yield ("metadata", "name"), f"has {len(name)} characters, {_SHORTER[key]} are possible for a {subject.kind}"
    elif key == ("", "Service") and name[:1].isdigit() and cluster.kubernetes_version < _RELAXED_SERVICES:
        yield ("metadata", "name"), "must begin with a letter, says Kubernetes before 1.36"
    # What is generated is added at its end, so that it may end with '-'.
    if (prefix := metadata.get("generateName", "")) and (problem := problem_of(prefix.rstrip("-") or prefix)):
        yield ("metadata", "generateName"), problem
    schema = cluster.schemas.find(subject.api_version, subject.kind)
    # Where there are no namespaces, an API server overlooks it.
    if (
        (schema is None or schema.namespaced)
        and metadata.get("namespace")
        and (problem := label_problem(metadata["namespace"]))
    ):
        yield ("metadata", "namespace"), problem
    if key in (("", "ConfigMap"), ("", "Secret")):
        for field in ("data", "binaryData", "stringData"):
            for entry in subject.data.get(field, ()):
                if problem := config_key_problem(entry):
                    yield (field, entry), problem


def _labelled(subject: Object) -> Iterator[tuple[KeyPath, str]]:
    for path, metadata in _metadata(subject.data):
        for key, value in metadata.get("labels", {}).items():
            yield from _label((*path, "labels", key), key, value)
        yield from _annotations((*path, "annotations"), metadata.get("annotations", {}))
    metadata = subject.data.get("metadata") or {}
    for index, finalizer in enumerate(metadata.get("finalizers", ())):
        if problem := key_problem(finalizer):
            yield ("metadata", "finalizers", index), f"'{_short(finalizer)}' {problem}"
    yield from _owners(metadata.get("ownerReferences", []))
    if "." not in subject.group or subject.group.endswith(".k8s.io"):
        # Operators of other kinds take what they like; it would select nothing.
        yield from _selectors(subject)


def _label(path: KeyPath, key: str, value: str) -> Iterator[tuple[KeyPath, str]]:
    if problem := key_problem(key):
        yield path, f"the key '{_short(key)}' {problem}"
    if problem := value_problem(value):
        yield path, f"'{_short(value)}' {problem}"


def _annotations(path: KeyPath, annotations: dict[str, str]) -> Iterator[tuple[KeyPath, str]]:
    size = 0
    for key, value in annotations.items():
        if problem := key_problem(key.lower()):
            yield (*path, key), f"the key '{_short(key)}' {problem}"
        size += len(key.encode("utf-8", "replace")) + len(value.encode("utf-8", "replace"))
    if size > MAX_ANNOTATIONS:
        yield path, f"{size} bytes of annotations, {MAX_ANNOTATIONS} are possible"


def _owners(owners: list[dict[str, Any]]) -> Iterator[tuple[KeyPath, str]]:
    path: KeyPath = ("metadata", "ownerReferences")
    for index, owner in enumerate(owners):
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(key):
                yield (*path, index, key), f"'{key}' is empty"
        if owner.get("apiVersion", "").count("/") > 1:
            yield (*path, index, "apiVersion"), f"'{_short(owner['apiVersion'])}' is no apiVersion"
    if sum(bool(owner.get("controller")) for owner in owners) > 1:
        yield path, "more than one owner is the controller"


def _metadata(data: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """The object's own metadata, and that of the pods and claims that will be made of it."""
    yield ("metadata",), data.get("metadata") or {}
    spec = data.get("spec")
    if not isinstance(spec, dict):
        return
    places: list[tuple[KeyPath, Any]] = [(("spec", "template"), spec.get("template"))]
    job = spec.get("jobTemplate")
    if isinstance(job, dict):
        places += [
            (("spec", "jobTemplate"), job),
            (("spec", "jobTemplate", "spec", "template"), (job.get("spec") or {}).get("template")),
        ]
    # source: kubernetes-sigs/lws, api/leaderworkerset/v1/leaderworkerset_types.go
    sets = spec.get("leaderWorkerTemplate")
    if isinstance(sets, dict):
        for key in ("leaderTemplate", "workerTemplate"):
            places.append((("spec", "leaderWorkerTemplate", key), sets.get(key)))
    places.append((("spec", "podTemplate"), spec.get("podTemplate")))
    claims, components, services = spec.get("volumeClaimTemplates"), spec.get("components"), spec.get("services")
    for index, claim in enumerate(claims if isinstance(claims, list) else ()):
        places.append((("spec", "volumeClaimTemplates", index), claim))
    for index, component in enumerate(components if isinstance(components, list) else ()):
        if isinstance(component, dict):
            places.append((("spec", "components", index, "podTemplate"), component.get("podTemplate")))
    for path, place in places:
        if isinstance(place, dict) and isinstance(place.get("metadata"), dict):
            yield (*path, "metadata"), place["metadata"]
    if data.get("kind") in (GRAPH, COMPONENT):
        yield ("spec",), _only_metadata(spec)
    for name, service in services.items() if isinstance(services, dict) else ():
        if isinstance(service, dict):
            yield ("spec", "services", name), _only_metadata(service)
        if isinstance(service, dict) and isinstance(service.get("extraPodMetadata"), dict):
            yield ("spec", "services", name, "extraPodMetadata"), service["extraPodMetadata"]


def _only_metadata(spec: dict[str, Any]) -> dict[str, Any]:
    """What a graph and a service of v1alpha1 have for all pods that are made of them."""
    return {key: spec[key] for key in ("labels", "annotations") if isinstance(spec.get(key), dict)}


def _selectors(subject: Object) -> Iterator[tuple[KeyPath, str]]:
    spec = subject.data.get("spec")
    for key in ("selector", "podSelector") if isinstance(spec, dict) else ():
        assert isinstance(spec, dict)
        selector = spec.get(key)
        if not isinstance(selector, dict):
            continue
        if subject.kind in ("Service", "ReplicationController"):
            for name, value in selector.items():
                yield from _label(("spec", key, name), name, value)
            continue
        yield from _selector(("spec", key), selector)
    if (subject.group, subject.kind) == ("networking.k8s.io", "NetworkPolicy") and isinstance(spec, dict):
        yield from _peers(spec)


def _selector(path: KeyPath, selector: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    for name, value in labels.items() if isinstance(labels, dict) else ():
        yield from _label((*path, "matchLabels", name), name, value)
    for index, expression in enumerate(expressions if isinstance(expressions, list) else ()):
        yield from _expression((*path, "matchExpressions", index), expression)


def _peers(spec: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """The selectors in the rules of a NetworkPolicy."""
    for way, peers in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(spec.get(way) or ()):
            for index, peer in enumerate((rule or {}).get(peers) or ()):
                for key in ("podSelector", "namespaceSelector"):
                    if isinstance(selector := (peer or {}).get(key), dict):
                        path: KeyPath = ("spec", way, number, peers, index, key)
                        yield from _selector(path, selector)
                        yield from _operators(path, selector)


def _operators(path: KeyPath, selector: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Where the published schema has no list of the words."""
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        operator = expression.get("operator")
        if operator and operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            yield (
                (*path, "matchExpressions", index, "operator"),
                f"'{_short(operator)}' is none of In, NotIn, Exists and DoesNotExist",
            )


def _expression(path: KeyPath, expression: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    operator, values = expression.get("operator", ""), expression.get("values", [])
    if not operator:  # other words than the four are left to DG444
        yield (*path, "operator"), "is empty; In, NotIn, Exists and DoesNotExist are possible"
    elif operator in ("In", "NotIn") and not values:
        yield (*path, "values"), f"{operator} needs values"
    elif operator in ("Exists", "DoesNotExist") and values:
        yield (*path, "values"), f"{operator} takes no values"
    if problem := key_problem(expression.get("key", "")):
        yield (*path, "key"), f"'{_short(expression.get('key', ''))}' {problem}"
    for index, value in enumerate(values):
        if problem := value_problem(value):
            yield (*path, "values", index), f"'{_short(value)}' {problem}"
