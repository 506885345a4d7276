"""What is in the objects that are referred to: keys of ConfigMaps and Secrets, ports of Services."""

from __future__ import annotations

from dynagen.cluster.objects import Findings, Object, listing, mapping
from dynagen.diagnostics import KeyPath, closest
from dynagen.verify.references.known import Entry
from dynagen.verify.references.rows import Found, at


def check_keys(findings: Findings, subject: Object, found: Found, entry: Entry, kind: str, name: str) -> None:
    """Reports DG471 for a key that the ConfigMap or the Secret does not have."""
    row, path, value = found.row, found.path, found.value
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


def check_port(findings: Findings, subject: Object, found: Found, entry: Entry, name: str) -> None:
    """Reports DG472 for a port that the Service does not have, by number or by name."""
    row, path, value = found.row, found.path, found.value
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
        shown_port = given if isinstance(given, int) else f"'{given}'"
        message = f"Service '{name}' has no port {shown_port}"
        findings.add("DG472", subject, inner, message, "it has: " + (", ".join(shown) or "none"), also=also)
