"""A profile as a text in, manifests by kind and name out: what the tests of layers share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Diagnostic, Report
from dynagen.text.source import parse

HEAD = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nmetadata: {name: chat, namespace: ml-prod}\nmodel: Qwen/Qwen3-0.6B\n"


def told(report: Report) -> list[Diagnostic]:
    """What was found, but for DG612: most tests look at a graph, or at one layer, without the layer that places workers."""
    return [each for each in report.diagnostics if each.code != "DG612"]


def compiled(text: str, codes: tuple[str, ...] = ()) -> dict[tuple[str, str], dict[str, Any]]:
    """The manifests of a profile whose head is given; `codes` are the warnings that it gets."""
    report = Report()
    documents = parse(HEAD + text, "profile.yaml", report)
    compilation = compile_profile(Request(documents, [], Path(), Path()), report)
    # Every disaggregated graph on GKE gets DG437.
    found = tuple(each.code for each in told(report) if each.code != "DG437" or "DG437" in codes)
    assert found == codes, report.diagnostics
    return {(manifest.kind, manifest.name): manifest.to_data() for manifest in compilation.manifests}


def component(manifests: dict[tuple[str, str], dict[str, Any]], name: str) -> dict[str, Any]:
    """One component of the graph."""
    found: dict[str, Any]
    (found,) = (
        each for each in manifests["DynamoGraphDeployment", "chat"]["spec"]["components"] if each["name"] == name
    )
    return found


def pod(manifests: dict[tuple[str, str], dict[str, Any]], name: str) -> dict[str, Any]:
    """The pod spec of a component."""
    found: dict[str, Any] = component(manifests, name)["podTemplate"]["spec"]
    return found


def env(spec: dict[str, Any]) -> dict[str, Any]:
    """The environment of the main container, by name."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in spec["containers"][0]["env"]}
