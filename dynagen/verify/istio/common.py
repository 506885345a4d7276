"""Mistakes that can be made in several kinds: whom an object is exported to, regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.hosts import is_host_label


def warning(path: KeyPath, message: str, hint: str = "") -> Finding:
    return Finding(path, message, hint, "warning")


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
