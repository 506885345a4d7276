"""Istio's own judge beside ours: `istioctl analyze` and `istioctl validate`, both offline."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests import tools


class Message(NamedTuple):
    """What analyze says; `origin` is `Kind namespace/name`."""

    code: str
    level: str
    origin: str
    text: str


def analyze(*files: Path) -> list[Message]:
    command = [tools.path("istioctl"), "analyze", "--use-kube=false", "--all-namespaces", "--output", "json", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.startswith(("[", "{")) or not done.stdout.strip(), done.stdout + done.stderr
    # Files that it cannot read at all are an error without a code.
    assert "Error(s) adding files" not in done.stderr, done.stderr
    found = json.loads(done.stdout or "[]")
    return [Message(each["code"], each["level"], each.get("origin", ""), each["message"]) for each in found]


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
