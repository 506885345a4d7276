"""Every published recipe, as a profile makes it, is admitted by a real API server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.manifests.yaml import to_stream
from dynagen.memory import Memory
from dynagen.text.source import parse
from tests.e2e.plane import Plane
from tests.e2e.test_examples import use_dynamo
from tests.recipes import FOLDER

PROFILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "published.yaml")
# As many as one call takes with ease.
BATCH = 16


def built(files: Sequence[Path], memory: Memory) -> str:
    streams = []
    for file in files:
        report = Report()
        documents = parse(file.read_text("utf-8"), str(file), report)
        compilation = compile_profile(Request(documents, [], file.parent, file.parent, memory=memory), report)
        assert not report.failed, (file, report.diagnostics)
        streams.append(to_stream(compilation.manifests))
    return "".join(streams)


def test_all_are_admitted(plane: Plane) -> None:
    use_dynamo(plane, None)
    memory, refused = Memory(), []
    spaces = {yaml.safe_load(file.read_text("utf-8"))["metadata"].get("namespace", "dynamo") for file in PROFILES}
    for space in spaces:
        plane.try_kubectl("create", "namespace", space)
    for start in range(0, len(PROFILES), BATCH):
        stream = built(PROFILES[start : start + BATCH], memory)
        run = plane.try_kubectl(
            "apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-", input=stream
        )
        refused += [run.stderr] if run.returncode else []
    assert len(PROFILES) > 100 and not refused, "\n".join(refused)
