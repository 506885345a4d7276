"""Probes of Dynamo's own programs that ask a port on which these do not listen, and of which the pod says nothing else.

A port need not be declared in Kubernetes, so every number that a container is told counts as one that it may listen on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dynagen.cluster.graphs import MAIN, WORKERS
from dynagen.cluster.objects import Findings, listing, mapping
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
# What each program listens on without being told. source: internal/consts/consts.go of ai-dynamo/dynamo; of engines:
# vllm/envs.py in the wheel vllm 0.31.0, server_args.py in sglang 0.5.21 (side channels, bootstrap, distributed start)
_HTTP, _SYSTEM = 8000, 9090
_WORKER = {_SYSTEM, *range(19090, 19098), 2222, 5557, 5600, 5601, 5710, 6379, 6880, 8998, 13445, 20380, 29500}
# Of Istio's proxy, which may be put into any pod. source: istio.io/latest/docs/ops/deployment/application-requirements
_OF_PROXIES = {15020, 15021, 15090}
_ENGINES = r"\bdynamo\.(?:vllm|sglang|trtllm|mocker)\b"


def check_probe_ports(template: PodTemplate, findings: Findings) -> None:
    """Reports DG649."""
    for path, container in template.containers():
        usual = _usual(template, container) if path[1] == "containers" else None
        if usual is None:
            continue
        known = _told(template) | _OF_PROXIES | ({_HTTP} if usual == _HTTP else _WORKER)
        for probe in _PROBES:
            for kind in ("httpGet", "tcpSocket", "grpc"):
                port = mapping(mapping(container.get(probe)).get(kind)).get("port")
                if isinstance(port, int) and port not in known:
                    _report(template, (*path, probe, kind, "port"), probe, port, usual, findings)


def _report(template: PodTemplate, path: KeyPath, probe: str, port: int, usual: int, findings: Findings) -> None:
    what, name = ("the frontend", "http") if usual == _HTTP else ("a worker", "system")
    message = f"'{probe}' asks port {port}, on which {what} does not listen"
    use = f"'{name}', which is {usual}" if template.component else str(usual)
    hint = f"use {use}; a port of something else is to stand in the arguments, variables or ports of a container"
    template.report(findings, "DG649", path, message, hint, "warning")


def _usual(template: PodTemplate, container: dict[str, Any]) -> int | None:
    """The port that a program has for probes; None when nobody knows what runs there."""
    words = " ".join(str(word) for key in ("command", "args") for word in container.get(key) or ())
    part = template.component
    if part is not None and (container.get("name") != MAIN or part.data.get("frontendSidecar")):
        return None
    if "dynamo.frontend" in words or (part is not None and part.role == "frontend" and not words):
        return _HTTP
    return _SYSTEM if part is not None and part.role in WORKERS and re.search(_ENGINES, words) else None


def _told(template: PodTemplate) -> set[int]:
    """Every number in arguments, variables and ports of a pod."""
    found: set[int] = set()
    for _, container in template.containers():
        given = [container.get("command"), container.get("args")]
        given += [each.get("value") for each in listing(container.get("env"))]
        given += [each.get("containerPort") for each in listing(container.get("ports"))]
        for text in _texts(given):
            found.update(map(int, re.findall(r"(?<![0-9])[0-9]{1,5}(?![0-9])", text)))
    return found


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, list):
            yield from _texts(each)
        elif each is not None:
            yield str(each)
