"""Istio's own judges beside ours: its analysers and `istioctl validate`, all offline."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from tests import tools


class Message(NamedTuple):
    """What analyze says; `origin` is `Kind namespace/name`, `line` 0 when it names none."""

    code: str
    level: str
    origin: str
    text: str
    line: int


def analyze(*files: Path) -> list[Message]:
    """All of Istio's analysers, those for Pods and Services included."""
    return _messages([tools.path("istio-analyze"), *files])


def analyze_offline(*files: Path) -> list[Message]:
    """What a user gets on the command line without a cluster: analysers that ask for Pods or Services are left out."""
    return _messages([tools.path("istioctl"), "analyze", "--use-kube=false", "-A", "--output", "json", *files])


def _messages(command: Sequence[str | Path]) -> list[Message]:
    done = subprocess.run(command, capture_output=True, text=True)
    # Files that it cannot read at all are an error without a code.
    assert "Error(s) adding files" not in done.stderr and done.stdout.startswith("["), done.stdout + done.stderr
    found = json.loads(done.stdout)
    return [
        Message(each["code"], each["level"], each.get("origin", ""), each["message"], _line(each.get("reference", "")))
        for each in found
    ]


def _line(reference: str) -> int:
    line = reference.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0


_REFUSED = re.compile(r"^\t\* (\w+)/([^/\s]*)/([^:\s]+):(.*)$", re.MULTILINE)


def validate(file: Path) -> dict[str, str]:
    """The objects of a file that the admission webhook would refuse, by name, with the first reason."""
    command = [tools.path("istioctl"), "validate", "--filename", file]
    done = subprocess.run(command, capture_output=True, text=True)
    refused: dict[str, str] = {}
    _, _, errors = (done.stdout + done.stderr).rpartition("Error: ")  # warnings come before
    for _, _, name, reason in _REFUSED.findall(errors if done.returncode else ""):
        refused.setdefault(name, reason.strip())
    assert bool(refused) == bool(done.returncode), done.stdout + done.stderr
    return refused


def stub_services(names: Iterable[str], folder: Path) -> list[Path]:
    """A file with Services, `namespace/name`, as Dynamo's operator would make them for frontends."""
    stubs = []
    for name in names:
        namespace, _, short = name.partition("/")
        metadata = {"name": short, "namespace": namespace}
        spec = {"ports": [{"name": "http", "port": 8000, "targetPort": "http", "protocol": "TCP"}]}
        stubs.append({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    if not stubs:
        return []
    file = folder / "services.yaml"
    file.write_text(yaml.safe_dump_all(stubs), "utf-8")
    return [file]
