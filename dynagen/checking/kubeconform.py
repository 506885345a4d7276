"""Manifests and sets of schemas in, kubeconform's verdict on each out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dynagen.checking.programs import NoVerdict, answer
from dynagen.diagnostics import Finding, KeyPath

_TEMPLATE = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"


def locations(folders: Sequence[Path]) -> list[str]:
    """The words of its command line that make it use our sets and nothing from the network."""
    return [word for folder in folders for word in ("-schema-location", f"{folder}/{_TEMPLATE}")]


def verdicts(program: str, stream: str, folders: Sequence[Path]) -> list[dict[str, Any]]:
    """What it says about each object of a stream, in their order: `status`, `msg` and the rest of its JSON."""
    command = [program, "-strict", "-verbose", "-n", "1", "-output", "json", *locations(folders), "-"]
    said, aside = answer(command, stream)
    try:
        resources: list[dict[str, Any]] = said["resources"]
    except (KeyError, TypeError) as error:
        raise NoVerdict(aside.splitlines()[-1] if aside else "its JSON has no 'resources'") from error
    return resources


def findings_of(program: str, objects: Sequence[Mapping[str, Any]], folders: Sequence[Path]) -> list[list[Finding]]:
    """For each object what kubeconform has against it. Raises NoVerdict."""
    stream = "".join(f"---\n{json.dumps(data)}\n" for data in objects)
    found = verdicts(program, stream, folders) if objects else []
    if len(found) != len(objects):
        raise NoVerdict(f"{len(found)} verdicts on {len(objects)} objects")
    for verdict, data in zip(found, objects, strict=True):  # in the order of the stream, as long as it has one worker
        if verdict.get("kind", data["kind"]) != data["kind"] or verdict.get("name") not in ("", None, _name(data)):
            raise NoVerdict(
                f"a verdict on {verdict.get('kind')} '{verdict.get('name')}' where one on '{_name(data)}' is due"
            )
    return [_findings_of(verdict, data) for verdict, data in zip(found, objects, strict=True)]


def _name(data: Mapping[str, Any]) -> Any:
    return data.get("metadata", {}).get("name")


def _findings_of(verdict: Mapping[str, Any], data: Mapping[str, Any]) -> list[Finding]:
    if verdict.get("status") in ("statusValid", "statusSkipped"):
        return []
    errors = verdict.get("validationErrors") or [{"path": "", "msg": verdict.get("msg") or "no reason given"}]
    return [Finding(_path(str(error.get("path", "")), data), str(error.get("msg", ""))) for error in errors]


def _path(joined: str, data: Any) -> KeyPath:
    """The keys joined by slashes, as far as they lead into `data`. A slash inside of a key is not escaped."""
    path: list[str | int] = []
    parts = joined.split("/")[1:]
    while parts:
        for count in range(1, len(parts) + 1):
            name = "/".join(parts[:count])
            if isinstance(data, list) and name.isdigit() and int(name) < len(data):
                path.append(int(name))
                break
            if isinstance(data, dict) and name in data:
                path.append(name)
                break
        else:
            break
        data, parts = data[path[-1]], parts[count:]
    return tuple(path)
