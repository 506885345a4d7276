"""Images of a component: there is one, and it says which version of Dynamo runs in it.

Source: runtimeVersionImageAndPath and runtimeVersionOverrideRequired in
deploy/operator/internal/webhook/validation/shared_helpers.go, deploy/operator/internal/runtimeversion of
ai-dynamo/dynamo; asked for since 1.4 (docs/fern/pages/reference/general/deprecations.mdx).
"""

from __future__ import annotations

import re
from typing import Any

from dynagen.cluster.graphs import MAIN, RUNTIME, Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.diagnostics import KeyPath, closest
from dynagen.text.versions import Version, parse_version, version_in_tag

_OVERRIDE = r"(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})"


def check_images(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    """Reports DG416 for a component without an image, DG451 for one of an unknown version."""
    whole = [component.name for component in graph.components if _has_image(component)]
    for component in graph.components:
        if not _has_image(component):
            near = closest(component.name, whole)
            others = ", ".join(whole)
            hint = f"did you mean '{near}'?" if near else f"components of this graph: {others}" if others else ""
            where = f"component '{component.name}'" if component.name else "the component"
            message = f"{where} has no container '{MAIN}' with an image"
            graph.report(findings, "DG416", component.path, message, hint)
        elif cluster.release >= (1, 4, 0):
            _check_version(component, cluster, findings)


def _check_version(component: Component, cluster: Cluster, findings: Findings) -> None:
    override = component.data.get("runtimeVersionOverride")
    if override:
        if not re.fullmatch(_OVERRIDE, override):
            message = f"'runtimeVersionOverride' is '{override}'"
            component.report(findings, "DG451", ("runtimeVersionOverride",), message, "a version such as 1.6.1")
        return
    path, image = runtime_image(component, cluster.release)
    # A component without a graph may go without a version: toleratesMissingRuntimeVersionOverride.
    if image and version_in_tag(image) is None and (not component.graph.alone or component.type == "epp"):
        message = f"the tag of '{image}' is no version of Dynamo"
        component.report(findings, "DG451", path, message, "set 'runtimeVersionOverride', for example to 1.6.1")


def runtime_image(component: Component, release: Version) -> tuple[KeyPath, str]:
    """The image that Dynamo itself runs in, and the path to it: from 1.6 an init container `runtime` may have it."""
    path, container = component.container(RUNTIME, "initContainers")
    if container is None or release < (1, 6, 0):
        path, container = component.container(MAIN)
    return (*path, "image"), str((container or {}).get("image") or "")


def runtime_version(component: Component, release: Version) -> Version | None:
    """The version that decides on what the operator does; None when it cannot be told."""
    override = component.data.get("runtimeVersionOverride")
    if override:
        return parse_version(override) if re.fullmatch(_OVERRIDE, override) else None
    return version_in_tag(runtime_image(component, release)[1])


def _has_image(component: Component) -> bool:
    roles: list[Any] = component.data.get("roles") or []
    if roles and all("podTemplate" in role for role in roles):
        return True
    return bool((component.main or {}).get("image"))
