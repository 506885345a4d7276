"""Texts that only pods have: a value in, whether it is wrong out."""

from __future__ import annotations

from typing import Any

from dynagen.text.names import is_env_name, is_port_name
from dynagen.verify.predicates import Form, Rules

_FIELDS = {
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
}  # fmt: skip


def _is_no_field(field: str) -> bool:
    bare, bracket, _ = field.partition("[")
    return field not in _FIELDS and not (bracket and bare in ("metadata.labels", "metadata.annotations"))


def _is_no_resource(resource: str) -> bool:
    section, _, name = resource.partition(".")
    known = name in ("cpu", "memory", "ephemeral-storage") or name.startswith("hugepages-")
    return section not in ("limits", "requests") or not known


def _is_no_port(port: Any) -> bool:
    return not is_port_name(port) if isinstance(port, str) else isinstance(port, int) and not 1 <= port <= 65535


_FORMS: dict[str, Form] = {
    "env-field": _is_no_field,
    "env-name": lambda text: not is_env_name(text, "1.32"),
    "env-resource": _is_no_resource,
    "inner-path": lambda path: path.startswith("/") or ".." in path.split("/"),
    "older-env-name": lambda text: not is_env_name(text, "1.31"),
    "port": _is_no_port,
}
RULES = Rules("pods", _FORMS)
