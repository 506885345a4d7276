"""Containers of a pod template: names, images, ports, environment.

Source: validateContainerCommon, validateContainerPorts, ValidateEnv and ValidateEnvFrom in
pkg/apis/core/validation/validation.go of k8s.io/kubernetes v1.37.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Findings
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath
from dynagen.text.names import is_config_key, is_dns_label, is_env_name, is_port_name, is_subdomain

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_FIELDS = {
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
}  # fmt: skip

# What execve(2) takes are C strings: the runtime refuses to start such a container.
_NUL, _NUL_HINT = "it holds the character NUL, so the container would not start", "take it out"

Problem = tuple[KeyPath, str, str]


def check_containers(template: PodTemplate, kubernetes: str, findings: Findings) -> None:
    """Reports DG445."""
    for problem in _containers(template, kubernetes):
        template.report(findings, "DG445", *problem)


def _containers(template: PodTemplate, kubernetes: str) -> Iterator[Problem]:
    if template.component is None and not template.spec.get("containers"):
        yield ("spec", "containers"), "a pod needs a container", ""
    seen: dict[str, str] = {}
    for path, container in template.containers():
        name, kind = str(container.get("name", "")), str(path[1])
        if not is_dns_label(name):
            hint = "lower-case letters, digits and inner hyphens, at most 63"
            yield (*path, "name"), f"'{name}' is no name of a container", hint
        elif seen.setdefault(name, kind) != kind:  # twice in one list is DG213
            yield (*path, "name"), f"there is an init container '{name}' already", "names are unique in a pod"
        if not container.get("image") and template.component is None:
            yield path, f"container '{name}' has no image", ""
        for field in ("command", "args"):
            for index, word in enumerate(container.get(field) or ()):
                if "\0" in word:
                    yield (*path, field, index), _NUL, _NUL_HINT
        yield from _ports(container, (*path, "ports"))
        yield from _environment(container.get("env"), (*path, "env"), kubernetes)
        yield from _env_from(container.get("envFrom"), (*path, "envFrom"), kubernetes)
    yield from _host_ports(template)


def _ports(container: dict[str, Any], path: KeyPath) -> Iterator[Problem]:
    names: set[str] = set()
    for index, port in enumerate(container.get("ports") or ()):
        at = (*path, index)
        name = port.get("name")
        if name:
            if not is_port_name(name):
                hint = "at most 15 lower-case letters, digits and single inner hyphens, with a letter"
                yield (*at, "name"), f"'{name}' is no name of a port", hint
            elif name in names:
                yield (*at, "name"), f"two ports of this container are called '{name}'", ""
            names.add(name)
        for field in ("containerPort", "hostPort"):
            number = port.get(field, 1)
            if not 1 <= number <= 65535 and not (field == "hostPort" and number == 0):
                yield (*at, field), f"'{field}' is {number}", "ports are from 1 to 65535"


def _host_ports(template: PodTemplate) -> Iterator[Problem]:
    host_network = template.spec.get("hostNetwork", False)
    used: set[tuple[Any, ...]] = set()
    for index, container in enumerate(template.spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort") or 0
            at = ("spec", "containers", index, "ports", number, "hostPort")
            if host_network and host not in (0, port.get("containerPort")):
                message = f"'hostPort' is {host}, 'containerPort' is {port.get('containerPort')}"
                yield at, message, "with 'hostNetwork' they are the same"
            key = (port.get("protocol") or "TCP", port.get("hostIP"), host)
            if host and key in used:
                yield at, f"host port {host} is taken by another port of this pod", ""
            used.add(key)


def _environment(variables: Any, path: KeyPath, kubernetes: str) -> Iterator[Problem]:
    for index, variable in enumerate(variables or ()):
        at, name = (*path, index), str(variable.get("name", ""))
        if not is_env_name(name, kubernetes):
            yield (*at, "name"), f"'{name}' is no name of a variable", ""
        if "\0" in str(variable.get("value") or ""):
            yield (*at, "value"), _NUL, _NUL_HINT
        origin = variable.get("valueFrom")
        if origin is None:
            continue
        sources = [source for source in _SOURCES if origin.get(source) is not None]
        if not sources:
            yield (*at, "valueFrom"), f"'valueFrom' of '{name}' names no source", "one of " + ", ".join(_SOURCES[:4])
        elif variable.get("value"):
            yield (*at, "value"), f"'{name}' has 'value' and 'valueFrom'", "keep one of them"
        elif len(sources) > 1:
            yield (*at, "valueFrom", sources[1]), f"'{name}' has two sources: " + ", ".join(sources), "keep one of them"
        for source in sources:
            yield from _source(source, origin[source], (*at, "valueFrom", source))


def _source(kind: str, source: dict[str, Any], path: KeyPath) -> Iterator[Problem]:
    if kind in ("configMapKeyRef", "secretKeyRef"):
        name, key = source.get("name", ""), source.get("key", "")
        if not is_subdomain(name):
            yield (*path, "name"), f"'{name}' is no name of a {'ConfigMap' if kind[0] == 'c' else 'Secret'}", ""
        if not is_config_key(key):
            yield (*path, "key"), f"'{key}' is no key of a {'ConfigMap' if kind[0] == 'c' else 'Secret'}", ""
    elif kind == "fieldRef":
        field = source.get("fieldPath", "")
        bare, bracket, _ = field.partition("[")
        if field not in _FIELDS and not (bracket and bare in ("metadata.labels", "metadata.annotations")):
            hint = "one of " + ", ".join(sorted(_FIELDS)) + ", metadata.labels['KEY'], metadata.annotations['KEY']"
            yield (*path, "fieldPath"), f"'{field}' is no field that a variable can have", hint
    elif kind == "resourceFieldRef":
        resource = str(source.get("resource", ""))
        section, _, name = resource.partition(".")
        known = name in ("cpu", "memory", "ephemeral-storage") or name.startswith("hugepages-")
        if section not in ("limits", "requests") or not known:
            hint = "for example limits.memory or requests.cpu"
            yield (*path, "resource"), f"'{resource}' is no resource that a variable can have", hint


def _env_from(sources: Any, path: KeyPath, kubernetes: str) -> Iterator[Problem]:
    for index, source in enumerate(sources or ()):
        at = (*path, index)
        found = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        if len(found) != 1:
            yield at, f"an entry of 'envFrom' has {len(found)} sources", "one of configMapRef, secretRef"
        for kind in found:
            name = source[kind].get("name", "")
            if not is_subdomain(name):
                yield (*at, kind, "name"), f"'{name}' is no name of a {'ConfigMap' if kind[0] == 'c' else 'Secret'}", ""
        prefix = source.get("prefix")
        if prefix and not is_env_name(prefix, kubernetes):
            yield (*at, "prefix"), f"'{prefix}' cannot begin the name of a variable", ""


def check_environment(variables: Any, path: KeyPath, kubernetes: str) -> Iterator[Problem]:
    """The problems of a list of variables that stands outside of a container."""
    return _environment(variables, path, kubernetes)
