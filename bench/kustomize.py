"""Writes `bench/kustomize/`: the example as people keep it today, a base and three overlays with patches.

    python -m bench.kustomize

The tree is made from dynagen's own output for the base alone, then with one overlay after another: what a layer adds is
a resource, what it changes a patch. `tests/test_bench.py` holds it equal to the example.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.manifests.yaml import to_yaml
from dynagen.text.source import parse

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples/qwen3-32b-spot-h100.yaml"
TREE = ROOT / "bench/kustomize"

Objects = dict[tuple[str, str], dict[str, Any]]


def objects(overlays: list[str]) -> Objects:
    """What the example becomes with these overlays, by kind and name."""
    report = Report()
    document = parse(EXAMPLE.read_text("utf-8"), EXAMPLE.name, report)[0]
    for name in document.data["overlays"]:
        if name not in overlays:
            document.data.pop(name, None)
    document.data["overlays"] = overlays
    # Marks no longer fit the data; nothing is reported, so nobody looks at them.
    document.marks[:] = [1, 1, 0] * 1000
    compilation = compile_profile(Request([document], [], EXAMPLE.parent, EXAMPLE.parent), report)
    assert not report.failed, report.diagnostics
    return {(manifest.kind, manifest.name): manifest.to_data() for manifest in compilation.manifests}


def difference(old: Any, new: Any) -> Any:
    """The strategic merge patch from one mapping to another; lists of custom resources can only be replaced."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif old[key] != value:
            both = isinstance(old[key], dict) and isinstance(value, dict)
            patch[key] = difference(old[key], value) if both else value
    return patch


def main() -> None:
    shutil.rmtree(TREE, ignore_errors=True)
    overlays = parse(EXAMPLE.read_text("utf-8"), EXAMPLE.name, Report())[0].data["overlays"]
    final = objects(overlays)
    before: Objects = {}
    below: str | None = None
    for number, folder in enumerate(["base", *overlays]):
        # What a later overlay makes superfluous (a second gateway) nobody would keep in an earlier one.
        now = {key: data for key, data in objects(overlays[:number]).items() if key in final}
        target = TREE / folder
        target.mkdir(parents=True)
        resources, patches = ([f"../{below}"] if below else []), []
        for (kind, name), data in now.items():
            file = f"{kind}-{name}.yaml".lower()
            if (kind, name) not in before:
                resources.append(file)
                (target / file).write_text(to_yaml(data), "utf-8")
            elif data != before[kind, name]:
                patches.append({"path": f"patch-{file}"})
                head = {"apiVersion": data["apiVersion"], "kind": kind}
                change = difference(before[kind, name], data)
                change["metadata"] = {
                    "name": name,
                    "namespace": data["metadata"].get("namespace"),
                    **change.get("metadata", {}),
                }
                (target / f"patch-{file}").write_text(to_yaml({**head, **change}), "utf-8")
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": resources,
        }
        (target / "kustomization.yaml").write_text(
            to_yaml(kustomization | ({"patches": patches} if patches else {})), "utf-8"
        )
        before, below = now, folder


if __name__ == "__main__":
    main()
