"""Fields that name objects, by the rows of the table: the object is there, and so are the key and the port named with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dynagen.cluster.graphs import MAIN, Component
from dynagen.cluster.objects import Findings, Object, listing, mapping
from dynagen.cluster.pod_templates import pod_templates
from dynagen.diagnostics import KeyPath, closest
from dynagen.verify.references.contents import check_keys, check_port
from dynagen.verify.references.known import Known, is_given, key_of, where
from dynagen.verify.references.rows import Found, Row

_CLUSTER_DOMAIN = ".svc.cluster.local"
# Namespaces of the cluster itself: nobody makes what is in them.
# source: cloud.google.com/kubernetes-engine/docs/concepts/autopilot-security (managed namespaces); Kubernetes: kube-
_SYSTEM = ("kube-", "gke-", "gmp-")


def check_names(known: Known, findings: Findings) -> None:
    """Reports DG470 for an object that is not there, DG471 for a key, DG472 for a port, DG474 for a missing grant."""
    for subject in known.objects:
        every = known.table.references(key_of(subject), subject.data)
        for template in pod_templates([subject]):
            if template.subject is subject:
                every += known.table.references_of_pod(template.spec, (*template.path, "spec"))
        for found in every:
            for name, path, namespace in _named(subject, found):
                _check(known, findings, subject, found, name, path, namespace)
    for graph in known.graphs:
        for component in graph.components:
            _check_mounts(known, component, findings)


def _named(subject: Object, found: Found) -> Iterator[tuple[str, KeyPath, str | None]]:
    """The names that a field holds, each with its path and its namespace (None for any)."""
    row, path, value = found.row, found.path, found.value
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
    if not isinstance(name, str) or not name or "://" in name:
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
    if not kind or is_given(group, kind, name, known.table) or (space and space.startswith(_SYSTEM)):
        return
    entry = known.find(group, kind, space, name)
    if entry is None:
        from dynagen.verify.references.missing import is_excused, report_missing

        if not is_excused(known, subject, found, group, kind, space, name):
            report_missing(known, findings, subject, path, group, kind, space, name, row.severity)
        return
    if row.grant and space and entry.namespace and entry.namespace != subject.namespace:
        from dynagen.verify.references.grants import check_grant

        check_grant(known, findings, subject, path, group, kind, space, name)
    if kind in ("ConfigMap", "Secret") and isinstance(value, dict):
        check_keys(findings, subject, found, entry, kind, name)
    if kind == "Service" and isinstance(value, dict) and row.port:
        check_port(findings, subject, found, entry, name)


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
    if kind in ("Role", "ClusterRole"):  # the API server fills in the group of a binding
        return "rbac.authorization.k8s.io", kind
    return (row.group, kind) if kind == row.kind or row.group == "keda.sh" else ("", kind)


def _check_mounts(known: Known, component: Component, findings: Findings) -> None:
    """A mount of `main` without a volume of its name: the operator takes the claim of that name. Of others it does not.

    source: deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo
    """
    if component.graph.is_alpha:
        return  # it has a field of its own for it
    volumes = {str(volume.get("name")) for volume in listing(component.pod.get("volumes"))}
    path, main = component.container(MAIN)
    namespace = component.graph.source.namespace
    for index, mount in enumerate((main or {}).get("volumeMounts") or ()):
        name = str(mount.get("name"))
        if name in volumes or name == "shared-memory":
            continue
        if known.find("", "PersistentVolumeClaim", namespace, name) is None:
            from dynagen.verify.references.missing import may_be_elsewhere

            if may_be_elsewhere(known, "PersistentVolumeClaim", namespace, name):
                continue
            message = f"no volume is called '{name}', nor is a PersistentVolumeClaim{where(namespace)}, which would count then"
            near = closest(name, volumes)
            hint = f"did you mean '{near}'?" if near else "add it to 'volumes', or the claim to 'external'"
            at = (*component.path, *path, "volumeMounts", index, "name")
            findings.add("DG470", component.graph.subject, at, message, hint)
