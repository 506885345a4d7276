"""Mistakes that can be made in several kinds: whom an object is exported to, which pods it is for, durations,
regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import Finding, KeyPath
from dynagen.text.durations import duration_problem
from dynagen.verify.istio.hosts import is_host_label

_TARGETS = {
    ("", "Service"), ("core", "Service"), ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"), ("gateway.networking.k8s.io", "GatewayClass"),
}  # fmt: skip


def warning(path: KeyPath, message: str, hint: str = "") -> Finding:
    return Finding(path, message, hint, "warning")


def of(path: KeyPath, problem: str | None) -> Iterator[Finding]:
    """A finding for a problem, if there is one."""
    if problem:
        yield Finding(path, problem)


def items(tree: dict[str, Any], key: str, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """The items of a list that may be missing, each with its path; those of a map by key."""
    value = tree.get(key) or ()
    for index, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key, index), item


def export_findings(spec: dict[str, Any], namespace: str, for_pods: bool = False) -> Iterator[Finding]:
    """`for_pods`: a rule with a workloadSelector may only be exported to its own namespace."""
    entries = spec.get("exportTo") or ()
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        key = namespace if entry == "." else entry
        path = ("spec", "exportTo", index)
        if key in seen:
            yield Finding(path, f"'{entry}' is in exportTo already")
        elif entry == "" or (key not in ("*", "") and not is_host_label(key)):
            yield Finding(path, f"'{entry}' cannot be exported to", "use '.', '*' or the name of a namespace")
            continue
        seen.add(key)
    if "*" in seen and len(entries) > 1:
        yield Finding(("spec", "exportTo"), "exportTo has '*' and other entries", "'*' stands alone")
    if for_pods and seen and namespace and seen != {namespace}:
        message = "a rule with a workloadSelector is for its own namespace only"
        yield Finding(("spec", "exportTo"), message, "use '.' or leave it out")


def selector_findings(selector: dict[str, Any] | None, path: KeyPath, key: str = "matchLabels") -> Iterator[Finding]:
    if selector is None:
        return
    labels = selector.get(key) or {}
    for name, value in labels.items():
        if not name:
            yield Finding((*path, key), "the name of a label cannot be empty")
        if "*" in name or "*" in value:
            yield Finding((*path, key, name), f"'{name}={value}': a selector has no wildcards")
    if not labels:
        yield warning(path, "a selector without labels selects every pod", "leave it out if that is meant")


def target_findings(spec: dict[str, Any]) -> Iterator[Finding]:
    """Of policies, which are for pods or for one or several targets."""
    given = [key for key in ("selector", "targetRef", "targetRefs") if spec.get(key) or spec.get(key) == {}]
    if len(given) > 1:
        yield Finding(("spec", given[1]), f"a policy has {given[0]} or {given[1]}, not both")
    yield from selector_findings(spec.get("selector"), ("spec", "selector"))
    targets = [] if spec.get("targetRef") is None else [(("spec", "targetRef"), spec["targetRef"])]
    for path, target in (*targets, *items(spec, "targetRefs", ("spec",))):
        if not target.get("name"):
            yield Finding(path, "a target needs a name")
        if target.get("namespace"):
            yield Finding((*path, "namespace"), "a target is in the namespace of its policy", "leave it out")
        group, kind = target.get("group", ""), target.get("kind", "")
        if (group, kind) not in _TARGETS:
            hint = "use a Service, a ServiceEntry, or a Gateway or GatewayClass of the Gateway API"
            yield Finding((*path, "kind"), f"{group + '/' if group else ''}{kind} is no target of a policy", hint)


def duration_findings(tree: dict[str, Any], path: KeyPath, *keys: str) -> Iterator[Finding]:
    for key in keys:
        if key in tree:
            yield from of((*path, key), duration_problem(tree[key]))


def regex_problem(text: str) -> str | None:
    """Of a regular expression of Envoy, which is RE2. What Python cannot express counts as right."""
    if not text:
        return "an empty regular expression"
    if len(text.encode()) > 1024:
        return "a regular expression of more than 1024 characters"
    from dynagen.text.patterns import compiled

    try:
        compiled(text)
    except ValueError as error:
        # Classes of Unicode, \C and the flags U and m are RE2's alone: what stands beside them is not judged.
        if re.search(r"\\[pPC]|\(\?[a-z-]*[Um]", text) and not re.search(r"\(\?<?[=!]|\\[1-9]", text):
            return None
        return f"'{text}' is no regular expression of RE2: {error}"
    return None
