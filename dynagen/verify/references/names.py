"""Fields that name objects, by the rows of the table: the object is there, and so are the key and the port named with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import KeyPath, closest
from dynagen.verify.objects import Findings, Object
from dynagen.verify.references.graphs import WORKERS, listing, mapping, service_name
from dynagen.verify.references.grants import check_grant
from dynagen.verify.references.known import Entry, Known, key_of, where
from dynagen.verify.references.rows import Found, Row, at, data, references

_CLUSTER_DOMAIN = ".svc.cluster.local"


def check_names(known: Known, findings: Findings) -> None:
    """Reports DG470 for an object that is not there, DG471 for a key, DG472 for a port, DG474 for a missing grant."""
    for subject in known.objects:
        for found in references(key_of(subject), subject.data):
            for name, path, namespace in _named(subject, found):
                _check(known, findings, subject, found, name, path, namespace)
    for graph, components in known.graphs:
        for component in components:
            _check_mounts(known, findings, graph, component.pod)


def _named(subject: Object, found: Found) -> Iterator[tuple[str, KeyPath, str | None]]:
    """The names that a field holds, each with its path and its namespace (None for any)."""
    row, path, value = found
    space: str | None = None if row.namespace == "any" else subject.namespace
    if row.form == "requirement":  # of a node's label
        if (value.get("key"), value.get("operator")) == (row.name, "In"):
            yield from ((str(each), (*path, "values", i), space) for i, each in enumerate(value.get("values", ())))
        return
    if isinstance(value, dict):
        if row.namespace == "given" and value.get("namespace"):
            space = str(value["namespace"])
        if value.get("optional") is True or (row.only and value.get("kind") != row.only):
            return
        name, path = value.get(row.name), (*path, row.name)
    else:
        name = value
    if not isinstance(name, str) or not name:
        return
    if row.form == "host":
        service, space = _host(name, subject.namespace)
        if service:
            yield service, path, space
    elif row.form == "gateway":
        before, slash, after = name.rpartition("/")
        yield after, path, before if slash and before != "." else subject.namespace
    elif row.form == "comma":
        yield from ((each.strip(), path, space) for each in name.split(",") if each.strip())
    elif row.form == "ports":
        yield from ((each, path, space) for each in _ports_of_json(name))
    else:
        yield name, path, space


def _host(host: str, namespace: str) -> tuple[str, str | None]:
    """A host name of the mesh as the name and the namespace of a Service; no name for what is none.

    Istio completes a name without dots with the rule's own namespace, and no other.
    source: istio/api, networking/v1/virtual_service.proto (Destination.host)
    """
    if host.endswith(_CLUSTER_DOMAIN) and "*" not in host:
        name, _, space = host.removesuffix(_CLUSTER_DOMAIN).partition(".")
        return (name, space) if space and "." not in space else ("", None)
    return (host, namespace) if "." not in host and "*" not in host else ("", None)


def _ports_of_json(text: str) -> list[str]:
    """The names in `{"default": "a", "ports": {"http": "b"}}`."""
    try:
        value = mapping(json.loads(text))
    except ValueError:
        return []
    named = [value.get("default"), *mapping(value.get("ports")).values()]
    return [name for name in named if isinstance(name, str)]


def _check(
    known: Known, findings: Findings, subject: Object, found: Found, name: str, path: KeyPath, space: str | None
) -> None:
    row, value = found.row, found.value
    group, kind = _target(row, value)
    if not kind or is_given(group, kind, name) or (space and space.startswith(("kube-", "gke-", "gmp-"))):
        return
    entry = known.find(group, kind, space, name)
    if entry is None:
        if not _is_excused(known, subject, found, group, kind, name):
            report_missing(known, findings, subject, path, group, kind, space, name, row.severity)
        return
    if row.grant and space and entry.namespace and entry.namespace != subject.namespace:
        check_grant(known, findings, subject, path, group, kind, space, name)
    if kind in ("ConfigMap", "Secret") and isinstance(value, dict):
        _check_keys(findings, subject, found, entry, kind, name)
    if kind == "Service" and isinstance(value, dict) and row.port:
        _check_port(findings, subject, found, entry, name)


def _target(row: Row, value: Any) -> tuple[str, str]:
    """Group and kind that a field means; no kind when it does not say."""
    if row.to != "any":
        group, _, kind = row.to.rpartition("/")
        return group, kind
    value = mapping(value)
    kind = value.get("kind") or row.kind
    for key in ("group", "apiGroup"):
        if isinstance(value.get(key), str):
            return value[key], kind
    if isinstance(value.get("apiVersion"), str):
        return value["apiVersion"].rpartition("/")[0], kind
    if kind in ("ServiceAccount", "PersistentVolumeClaim"):
        return "", kind
    return (row.group, kind) if kind == row.kind or row.group == "keda.sh" else ("", kind)


def is_given(group: str, kind: str, name: str) -> bool:
    """Whether an object is there without anybody writing it."""
    for pattern in data()["present"].get(f"{group}/{kind}" if group else kind, ()):
        before, star, after = pattern.partition("*")
        if name == pattern or (star and name.startswith(before) and name.endswith(after)):
            return True
    return False


def _is_excused(known: Known, subject: Object, found: Found, group: str, kind: str, name: str) -> bool:
    """Whether a missing object is none: its kind is not known, or something else takes its place."""
    if kind == "StorageClass":
        claim = subject.data
        for step in found.path[:-1]:
            claim = claim[step]  # type: ignore[index]
        # A volume that is bound by hand needs no class of that name.
        # source: kubernetes.io/docs/concepts/storage/persistent-volumes/#reserving-a-persistentvolume
        return bool(
            mapping(claim).get("volumeName") or not known.has_any(group, kind) or name in known.classes_of_volumes
        )
    if found.row.form == "host":
        return (found.value if isinstance(found.value, str) else found.value["host"]) in known.mesh_hosts
    if kind == "PersistentVolumeClaim" and "volumeMounts" in found.path:
        pod = mapping(mapping(subject.data["spec"]["services"][found.path[2]]).get("extraPodSpec"))
        return any(volume.get("name") == name for volume in listing(pod.get("volumes")))
    return found.row.to == "any" and not known.knows(group, kind)


def report_missing(
    known: Known, findings: Findings, subject: Object, path: KeyPath, group: str, kind: str, space: str | None,
    name: str, severity: str = "error",
) -> None:  # fmt: skip
    """Reports DG470."""
    space = None if known.is_cluster_kind(kind) else space
    others = [each for each in known.namespaces(group, kind, name) if each and each != space]
    near = known.near(group, kind, space, name)
    adapter = _adapter_hint(known, kind, space, name)
    if others:
        hint = f"there is one in '{others[0]}'"
    elif adapter:
        hint = adapter
    elif near:
        hint = f"did you mean '{near}'?"
    else:
        full = f"{kind}/{space}/{name}" if space and space != subject.namespace else f"{kind}/{name}"
        hint = f"add it, or say that the cluster has it: {known.cluster.declaring.format(full)}"
    shown = f"{kind} '{name}'" if group != "networking.istio.io" or kind != "Gateway" else f"Istio Gateway '{name}'"
    findings.add("DG470", subject, path, f"there is no {shown}{where(space)}", hint, severity)


def _adapter_hint(known: Known, kind: str, space: str | None, name: str) -> str:
    """For who wants to scale workers: their Deployments change names, and an adapter has to be asked for."""
    if kind not in ("Deployment", "DynamoGraphDeploymentScalingAdapter"):
        return ""
    for graph, components in known.graphs:
        for each in components if not space or graph.namespace in (space, "") else ():
            adapter = service_name(graph, each)
            if name == adapter or (kind == "Deployment" and each.role in WORKERS and name.startswith(f"{adapter}-")):
                asked = f"which component '{each.name}' gets with 'scalingAdapter: {{}}'"
                what = f"scale the DynamoGraphDeploymentScalingAdapter '{adapter}', {asked}"
                return what if kind == "Deployment" else f"component '{each.name}' gets one with 'scalingAdapter: {{}}'"
    return ""


def _check_keys(findings: Findings, subject: Object, found: Found, entry: Entry, kind: str, name: str) -> None:
    """Reports DG471 for a key that the ConfigMap or the Secret does not have."""
    row, path, value = found
    content = mapping(entry.data)
    parts = [content[part] for part in ("data", "stringData", "binaryData") if part in content]
    if not parts:
        return  # somebody fills it
    keys = {key for part in parts for key in mapping(part)}
    for inner, key in at(value, row.keys or ("key",), path):
        if isinstance(key, str) and key not in keys:
            near = closest(key, keys)
            hint = f"did you mean '{near}'?" if near else "it has: " + (", ".join(sorted(keys)) or "none")
            also = [("it is here", entry.source, ("metadata", "name"))] if entry.source else []
            findings.add("DG471", subject, inner, f"{kind} '{name}' has no key '{key}'", hint, also=also)


def _check_port(findings: Findings, subject: Object, found: Found, entry: Entry, name: str) -> None:
    """Reports DG472 for a port that the Service does not have, by number or by name."""
    row, path, value = found
    given = value.get(row.port, row.port_default or None)
    inner: KeyPath = (*path, row.port)
    if isinstance(given, dict):
        key = "name" if "name" in given else "number"
        given, inner = given.get(key), (*inner, key)
    spec = mapping(mapping(entry.data).get("spec"))
    if given is None or "ports" not in spec or spec.get("type") == "ExternalName":
        return
    ports = listing(spec["ports"])
    if not any(given in (port.get("port"), port.get("name")) for port in ports):
        shown = [str(port.get("port")) + (f" ({port['name']})" if "name" in port else "") for port in ports]
        also = [("it comes from here", entry.source, ("metadata", "name"))] if entry.source else []
        message = f"Service '{name}' has no port {given}" if isinstance(given, int) else f"Service '{name}' has no port '{given}'"
        findings.add("DG472", subject, inner, message, "it has: " + (", ".join(shown) or "none"), also=also)


def _check_mounts(known: Known, findings: Findings, graph: Object, pod: KeyPath) -> None:
    """A mount without a volume of its name: the operator takes the claim of that name.

    source: deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo
    """
    if pod[1] == "services":
        return  # v1alpha1 has a field of its own for it
    spec: Any = graph.data
    for step in pod:
        spec = spec.get(step, {}) if isinstance(spec, dict) else spec[step]
    volumes = {volume.get("name") for volume in listing(mapping(spec).get("volumes"))}
    for path, name in at(spec, ("containers", "[]", "volumeMounts", "[]", "name"), pod):
        if name in volumes or name == "shared-memory":
            continue
        if known.find("", "PersistentVolumeClaim", graph.namespace, name) is None:
            message = f"no volume is called '{name}', nor is a PersistentVolumeClaim{where(graph.namespace)}, which would count then"
            near = closest(name, {str(each) for each in volumes})
            hint = f"did you mean '{near}'?" if near else "add it to 'volumes', or the claim to 'external'"
            findings.add("DG470", graph, path, message, hint)
