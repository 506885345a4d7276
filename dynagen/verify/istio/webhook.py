"""Each of Istio's objects by itself, as its webhook sees it: what can be said of one map is in `rules.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding
from dynagen.verify.istio.forms import FORMS
from dynagen.verify.istio.mesh import Mesh
from dynagen.verify.table import Rules

# For kinds with more rules than the table has: the code, and where they are. A module is read when there is an object for it.
_MORE = {
    "Gateway": ("DG480", "gateways", "gateway_findings"),
    "VirtualService": ("DG481", "routes", "virtual_service_findings"),
    "DestinationRule": ("DG482", "destination_rules", "destination_rule_findings"),
    "AuthorizationPolicy": ("DG483", "policies", "authorization_findings"),
    "RequestAuthentication": ("DG483", "policies", "request_authentication_findings"),
}


def prepared() -> Rules:
    return Rules("istio", FORMS)


def check_webhook(mesh: Mesh) -> None:
    """Reports DG480 to DG485 for what the webhook refuses, DG486 for what it warns of, DG487 for dead routes."""
    rules = mesh.memory.once(prepared)
    for kind in rules.data:
        for subject in mesh.of_kind(kind):
            data = {**subject.data, "spec": subject.data.get("spec") or {}}
            for code, finding in rules.judge(kind, data, (), (), **_words(kind, data["spec"])):
                _report(mesh, code, subject, finding)
    for kind, (code, module, function) in _MORE.items():
        if mesh.has(kind):
            find: Callable[[Object], Iterator[Finding]] = getattr(
                import_module(f"dynagen.verify.istio.{module}"), function
            )
            for subject in mesh.of_kind(kind):
                for finding in find(subject):
                    _report(mesh, code, subject, finding)
    if mesh.has("VirtualService"):
        _check_reach(mesh)


def _words(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    gateways = spec.get("gateways") or ()
    return {
        "kind": kind,
        "action": spec.get("action", "ALLOW"),
        "delegate": not spec.get("hosts"),
        "gateways": bool(gateways) and "mesh" not in gateways,
    }


def _report(mesh: Mesh, code: str, subject: Object, finding: Finding) -> None:
    path, message, hint, severity = finding
    if severity == "error":
        mesh.refuse(code, subject, path, message, hint)
    else:
        mesh.report("DG486", "IST0133", subject, path, message, hint, severity)


def _check_reach(mesh: Mesh) -> None:
    from dynagen.verify.istio.reach import unreached

    for subject in mesh.of_kind("VirtualService"):
        for found in unreached(subject.data.get("spec") or {}):
            analyser, severity = ("IST0130", "warning") if found.whole else ("IST0131", "note")
            mesh.report("DG487", analyser, subject, found.path, found.message, found.hint, severity)
